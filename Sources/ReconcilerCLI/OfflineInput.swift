import Applier
import Desired
import ResourceModel

/// Declared and live objects out of files: `diff` and `plan` with `--live`.
struct OfflineInput {
    /// A file or a directory.
    var declared: String
    /// A file or a directory.
    var live: String
    var namespace: String?

    private func path(_ text: String) -> String { text == "-" ? "/dev/stdin" : text }

    func comparison() async throws -> OfflineComparison {
        let objects = try await ObjectFiles.objects(in: path(live))
        let name = objects.lazy.compactMap { $0[path: "metadata", "annotations", TrackingID.annotation]?.stringValue.flatMap(TrackingID.init(parsing:))?.application }.first
        // Where all live objects are in one namespace, the declared ones without any are meant to be there too.
        let namespaces = Set(objects.compactMap { $0[path: "metadata", "namespace"]?.stringValue })
        let desired = try await ObjectFiles.declared(
            in: path(declared), name: name ?? "offline", namespace: namespace ?? (namespaces.count == 1 ? namespaces.first : nil) ?? "default")
        for warning in desired.warnings { Terminal.error("warning: \(warning)") }
        return try OfflineComparison(desired: desired, live: objects)
    }

    func difference() async throws -> ApplicationDifference {
        let comparison = try await comparison()
        let objects = comparison.changes.filter { $0.action != .unchanged }.map { ObjectDifference($0) }
        return ApplicationDifference(
            application: comparison.desired.application, old: "live", new: "git", objects: objects,
            unchanged: comparison.changes.count - objects.count, isDifferent: comparison.changes.contains(where: \.isDifference))
    }
}
