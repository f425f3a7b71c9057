import ResourceModel
import YAML

/// `-o unified`: the two documents of each object as `diff -u` compares them.
struct DifferenceUnified {
    let old: String
    let new: String

    /// The diff of one object; empty when the documents are the same.
    func lines(_ object: ObjectDifference) -> [String] {
        if let reason = object.reason { return ["# \(object.id): \(reason)"] }
        let hunks = hunks(object)
        guard !hunks.isEmpty else { return [] }
        let place = object.change.manifest.map { "\t\($0.source)" } ?? ""
        return [
            "--- " + (object.before == nil ? "/dev/null" : "\(old)/\(Self.name(object.id))"),
            "+++ " + (object.after == nil ? "/dev/null" : "\(new)/\(Self.name(object.id))\(place)"),
        ] + hunks
    }

    func hunks(_ object: ObjectDifference) -> [String] {
        Self.lines(of: UnifiedDiff(from: object.before.map { YAML.string($0) } ?? "", to: object.after.map { YAML.string($0) } ?? ""))
    }

    /// `apps/Deployment/shop/web`
    static func name(_ id: ResourceID) -> String {
        ([id.group, id.kind, id.namespace ?? "", id.name].filter { !$0.isEmpty }).joined(separator: "/")
    }

    static func lines(of diff: UnifiedDiff) -> [String] {
        diff.hunks.flatMap { hunk in
            [hunk.header]
                + hunk.lines.map { line in
                    switch line {
                    case .context(let text): " " + text
                    case .removed(let text): "-" + text
                    case .added(let text): "+" + text
                    }
                }
        }
    }
}
