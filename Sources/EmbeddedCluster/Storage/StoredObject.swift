import ResourceModel

/// Where an object stands in the store: its resource (`apps/deployments`, `/configmaps`), namespace ("" when cluster-scoped) and name.
struct ObjectKey: Sendable, Hashable {
    var resource: String
    var namespace: String
    var name: String

    var place: ObjectPlace { ObjectPlace(namespace: namespace, name: name) }
}

/// Namespace and name: the order in which a resource's objects are listed.
struct ObjectPlace: Sendable, Hashable, Comparable {
    var namespace: String
    var name: String

    static func < (left: ObjectPlace, right: ObjectPlace) -> Bool {
        left.namespace == right.namespace ? left.name < right.name : left.namespace < right.namespace
    }
}

/// One state of one object: parsed, and serialised once for every reader (get, list, watch, SQLite).
final class StoredObject: Sendable {
    let key: ObjectKey
    /// The store's revision at which this state was written: `metadata.resourceVersion`.
    let revision: Int64
    let body: JSONValue
    /// The object as JSON, beginning with `{"kind":…,"apiVersion":…,`.
    let bytes: [UInt8]
    /// How many bytes of `bytes` stand before the first member after kind and apiVersion (list items of built-in kinds leave them out).
    let headLength: Int

    /// - Parameter body: stored with `metadata.resourceVersion` set to `revision`.
    init(key: ObjectKey, revision: Int64, body: JSONValue) {
        var object = body
        object[path: "metadata", "resourceVersion"] = .string(String(revision))
        let kind = object["kind"]?.stringValue ?? ""
        let apiVersion = object["apiVersion"]?.stringValue ?? ""
        var members: [JSONObject.Member] = [
            .init(key: "kind", value: .string(kind)), .init(key: "apiVersion", value: .string(apiVersion)),
        ]
        members.append(contentsOf: (object.objectValue ?? [:]).members.filter { $0.key != "kind" && $0.key != "apiVersion" })
        self.key = key
        self.revision = revision
        self.body = .object(JSONObject(members))
        self.bytes = self.body.serialized()
        self.headLength = #"{"kind":"","apiVersion":"","#.utf8.count + kind.utf8.count + apiVersion.utf8.count
    }

    var metadata: JSONValue { body["metadata"] ?? [:] }
    var uid: String { metadata["uid"]?.stringValue ?? "" }
    var isBeingDeleted: Bool { metadata["deletionTimestamp"] != nil }
    var finalizers: [String] { metadata["finalizers"]?.arrayValue?.compactMap(\.stringValue) ?? [] }
}

/// One change in the store.
struct StoreEvent: Sendable {
    enum Kind: String, Sendable { case added = "ADDED", modified = "MODIFIED", deleted = "DELETED" }

    var kind: Kind
    /// The state after the change; of a deletion the last state, at the deletion's revision.
    var object: StoredObject
    /// The state before it, so that a selector can tell "no longer matches" from "never matched".
    var previous: StoredObject?

    var revision: Int64 { object.revision }
}

/// Why the store did not take a write.
enum StoreConflict: Error, Sendable {
    /// The object is not in the state the writer saw; the present state, or `nil` when it is gone.
    case changed(StoredObject?)
}
