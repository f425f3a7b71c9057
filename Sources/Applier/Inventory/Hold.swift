import KubernetesClient
import ResourceModel

/// An application that was brought back without Git, and is to stay so until Git declares something else: `rollback --pin`.
///
/// It stands on the inventory's parent object, so every machine that looks after the application sees it.
package struct Hold: Sendable, Hashable {
    package static let annotation = "reconciler.dev/hold"

    /// What Git declared when it was held: as long as it does, nothing is synced without being asked.
    package var commit: String
    /// The digest of what that commit renders to; nil when it did not render.
    package var digest: String?
    /// The history's number of the attempt whose manifests are held.
    package var attempt: Int64
    package var reason: String?
    /// Seconds since 1970-01-01 UTC.
    package var since: Int64

    package init(commit: String, digest: String?, attempt: Int64, reason: String? = nil, since: Int64) {
        self.commit = commit
        self.digest = digest
        self.attempt = attempt
        self.reason = reason
        self.since = since
    }

    /// Git still declares what it did; another commit that renders to the same makes no difference.
    /// - Parameter digest: nil when it does not render.
    package func covers(commit: String, digest: String?) -> Bool {
        commit == self.commit || (digest != nil && digest == self.digest)
    }

    /// Reads it from a parent object.
    /// - Returns: nil when there is none.
    /// - Throws: a `Problem` when it can't be read: it is not known then whether anything may be synced.
    init?(of parentObject: JSONValue, parent: ResourceID) throws(Problem) {
        guard let text = parentObject[path: "metadata", "annotations"]?[Self.annotation]?.stringValue else { return nil }
        guard let value = try? JSONValue(parsing: Array(text.utf8)), let commit = value["commit"]?.stringValue,
            let attempt = value["attempt"]?.integerValue, let since = value["since"]?.integerValue
        else {
            throw Problem(
                code: "hold.unreadable", message: "the annotation \(Self.annotation) can't be read, so it is not known what is held", resource: parent,
                hint: "remove the annotation, or hold again with `reconciler rollback --pin`")
        }
        self.init(commit: commit, digest: value["digest"]?.stringValue, attempt: attempt, reason: value["reason"]?.stringValue, since: since)
    }

    fileprivate var text: String {
        var value: JSONValue = ["commit": .string(commit), "attempt": .integer(attempt), "since": .integer(since)]
        value["digest"] = digest.map(JSONValue.string)
        value["reason"] = reason.map(JSONValue.string)
        return value.jsonString
    }
}

extension Applier {
    /// The hold of an application; nil when it has none.
    package func hold(of applySet: ApplySet) async throws -> Hold? {
        let resource = try await client.resource(for: applySet.parent.groupKind, preferring: "v1")
        guard let parent = try await client.get(resource, namespace: ApplySet.namespace, name: applySet.parent.name) else { return nil }
        return try Hold(of: parent, parent: applySet.parent)
    }

    /// Records a hold, or with nil takes it away. Another field manager's, so that writing the inventory leaves it alone.
    /// - Throws: `APIError`, with `isNotFound` when the application has no inventory.
    package func record(_ hold: Hold?, applySet: ApplySet) async throws {
        let resource = try await client.resource(for: applySet.parent.groupKind, preferring: "v1")
        let value = hold.map { JSONValue.string($0.text) } ?? .null
        _ = try await client.patch(
            resource, namespace: ApplySet.namespace, name: applySet.parent.name, type: .merge,
            patch: ["metadata": ["annotations": [Hold.annotation: value]]], options: WriteOptions(fieldManager: "reconciler-hold"))
    }
}
