import Applier
import Desired
import ResourceModel

/// An object as a person names it: `deployment/web`, `deploy/web`, `deployments.apps/web`, with a namespace or without.
package struct ObjectQuery: Sendable, Hashable {
    package var kind: String
    package var group: String?
    package var namespace: String?
    package var name: String

    /// `nil` for text that is not `KIND/NAME`.
    package init?(_ text: String, namespace: String?) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        let type = parts[0].split(separator: ".", maxSplits: 1)
        kind = String(type[0])
        group = type.count == 2 ? String(type[1]) : nil
        name = String(parts[1])
        self.namespace = namespace
    }

    /// The one object of the application, declared or owned, that is meant.
    func resolved(in run: Reconciliation, applier: Applier) async throws -> ResourceID {
        let all = Set(run.desired.manifests.map(\.id)).union(run.live.inventory.members)
        let words = try await applier.kinds(named: kind)
        let ofKind = all.filter { id in
            (words.contains(id.groupKind) || id.kind.lowercased() == kind.lowercased()) && (group == nil || id.group == group)
        }
        let found = ofKind.filter { $0.name == name && (namespace == nil || $0.namespace == namespace) }.sorted()
        if found.count == 1 { return found[0] }
        if found.count > 1 {
            throw Problem(
                code: "object.ambiguous", message: "\(kind)/\(name) is several objects of \(run.desired.application): \(found.map(\.description).joined(separator: ", "))",
                hint: Set(found.map(\.namespace)).count > 1 ? "say which: -n NAMESPACE" : "say which: KIND.GROUP/NAME")
        }
        let near = nearest(to: name, among: ofKind.map(\.name)).map { "did you mean \(kind)/\($0)?" }
        let others = (ofKind.isEmpty ? all : ofKind).sorted().prefix(8).map(\.description)
        throw Problem(
            code: "object.not-found", message: "application \(run.desired.application) has no \(kind)/\(name)" + (namespace.map { " in \($0)" } ?? ""),
            hint: near ?? (others.isEmpty ? "it has no objects" : "it has \(others.joined(separator: ", "))"))
    }
}
