/// Who wrote which fields, as `metadata.managedFields` says.
package struct FieldOwnership: Sendable, Hashable {
    package struct Entry: Sendable, Hashable {
        package var manager: String
        /// `Apply` or `Update`.
        package var operation: String
        package var apiVersion: String
        /// RFC 3339, as the server wrote it.
        package var time: String?
        /// Empty for the main resource, else `status`, `scale`, …
        package var subresource: String
        /// A FieldsV1 tree: `f:name`, `k:{…}`, `v:…`, `i:0`, `.`.
        package var fields: JSONValue

        package init(manager: String, operation: String, apiVersion: String, time: String?, subresource: String, fields: JSONValue) {
            self.manager = manager
            self.operation = operation
            self.apiVersion = apiVersion
            self.time = time
            self.subresource = subresource
            self.fields = fields
        }
    }

    package var entries: [Entry]
    package init(entries: [Entry] = []) { self.entries = entries }
}

/// One object as the API server has it.
package struct LiveObject: Sendable, Hashable {
    package var id: ResourceID
    package var apiVersion: String
    /// The object without `metadata.managedFields`, which `ownership` holds.
    package var body: JSONValue
    package var uid: String
    package var resourceVersion: String
    package var ownership: FieldOwnership

    package init(
        id: ResourceID, apiVersion: String, body: JSONValue, uid: String, resourceVersion: String, ownership: FieldOwnership
    ) {
        self.id = id
        self.apiVersion = apiVersion
        self.body = body
        self.uid = uid
        self.resourceVersion = resourceVersion
        self.ownership = ownership
    }

    package var labels: JSONObject { body[path: "metadata", "labels"]?.objectValue ?? [:] }
    package var annotations: JSONObject { body[path: "metadata", "annotations"]?.objectValue ?? [:] }
    package var isBeingDeleted: Bool { body[path: "metadata", "deletionTimestamp"] != nil }
}

/// The objects of a cluster that matter to one application: those it declares and those it owns. An object that is not in
/// `objects` was looked for and is absent; one that could not be read is an error before this value exists.
package struct LiveState: Sendable, Hashable {
    package var objects: [ResourceID: LiveObject]
    /// What the inventory says the application owns.
    package var inventory: Inventory

    package init(objects: [ResourceID: LiveObject] = [:], inventory: Inventory = Inventory()) {
        self.objects = objects
        self.inventory = inventory
    }
}

/// What an application owns in a cluster: an ApplySet (KEP-3659), held by the cluster itself.
package struct Inventory: Sendable, Hashable {
    /// The members that are known: each carries the ApplySet's `part-of` label.
    package var members: Set<ResourceID>
    /// The kinds and namespaces that the parent object says to look into: a superset of what the members need.
    package var groupKinds: Set<GroupKind>
    package var namespaces: Set<String>
    /// The digest of the hooks that completed last; `nil` when none did.
    package var completedHooks: String?
    /// The digest of the PreDelete hooks that a deletion which did not end has run; `nil` once anything was synced after it.
    package var completedPreDelete: String?

    package init(
        members: Set<ResourceID> = [], groupKinds: Set<GroupKind> = [], namespaces: Set<String> = [], completedHooks: String? = nil,
        completedPreDelete: String? = nil
    ) {
        self.completedHooks = completedHooks
        self.completedPreDelete = completedPreDelete
        self.members = members
        self.groupKinds = groupKinds
        self.namespaces = namespaces
    }
}
