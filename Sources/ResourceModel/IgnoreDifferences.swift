/// Differences that do not make an application OutOfSync. All conditions that are stated must hold.
/// https://argo-cd.readthedocs.io/en/stable/user-guide/diffing/
package struct IgnoreDifferences: Sendable, Hashable {
    package var group: Glob
    package var kind: Glob
    package var name: String?
    package var namespace: String?
    package var jsonPointers: [JSONPointer] = []
    /// Each selects paths, as in jq's `del(…)`.
    package var jqPathExpressions: [String] = []
    /// What these managers own live is theirs to change.
    package var managedFieldsManagers: [String] = []

    package init(
        group: Glob, kind: Glob, name: String? = nil, namespace: String? = nil, jsonPointers: [JSONPointer] = [],
        jqPathExpressions: [String] = [], managedFieldsManagers: [String] = []
    ) {
        self.group = group
        self.kind = kind
        self.name = name
        self.namespace = namespace
        self.jsonPointers = jsonPointers
        self.jqPathExpressions = jqPathExpressions
        self.managedFieldsManagers = managedFieldsManagers
    }

    /// An empty name or namespace states nothing; an empty group is the core group.
    package func matches(_ id: ResourceID) -> Bool {
        group.matches(id.group) && kind.matches(id.kind)
            && (name ?? "" == "" || name == id.name) && (namespace ?? "" == "" || namespace == id.namespace)
    }
}
