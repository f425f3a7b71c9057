/// One object that Git declares, rendered and with its namespace resolved as far as that is possible without a cluster.
package struct Manifest: Sendable, Hashable {
    private struct Members: Sendable, Hashable {
        var id: ResourceID
        var apiVersion: String
        var body: JSONValue
        var source: SourceLocation
        var namespaceIfNamespaced: String?
    }

    private var members: CopyOnWrite<Members>

    package var id: ResourceID {
        _read { yield members.value.id }
        _modify { yield &members.value.id }
    }
    package var apiVersion: String {
        _read { yield members.value.apiVersion }
        _modify { yield &members.value.apiVersion }
    }
    /// The whole object, as it will be applied before tracking metadata is added.
    package var body: JSONValue {
        _read { yield members.value.body }
        _modify { yield &members.value.body }
    }
    /// Where it was declared; for rendered sources the file that the renderer was started on.
    package var source: SourceLocation {
        _read { yield members.value.source }
        _modify { yield &members.value.source }
    }
    /// Set where only the cluster knows whether the kind is namespaced and the object names no namespace: the namespace that the
    /// object goes into if discovery says that it is. `withNamespace(resolvedTo:)` settles it.
    package var namespaceIfNamespaced: String? {
        _read { yield members.value.namespaceIfNamespaced }
        _modify { yield &members.value.namespaceIfNamespaced }
    }

    package init(
        id: ResourceID, apiVersion: String, body: JSONValue, source: SourceLocation, namespaceIfNamespaced: String? = nil
    ) {
        members = CopyOnWrite(
            Members(id: id, apiVersion: apiVersion, body: body, source: source, namespaceIfNamespaced: namespaceIfNamespaced))
    }

    /// The manifest in that namespace, in identity and body; `nil` makes it cluster-scoped.
    package func withNamespace(resolvedTo namespace: String?) -> Manifest {
        var result = self
        result.id.namespace = namespace
        result.namespaceIfNamespaced = nil
        if namespace != body[path: "metadata", "namespace"]?.stringValue
            || (namespace == nil && body[path: "metadata", "namespace"] != nil)
        {
            result.body[path: "metadata", "namespace"] = namespace.map(JSONValue.string)
        }
        return result
    }

    package var groupVersionKind: GroupVersionKind { GroupVersionKind(apiVersion: apiVersion, kind: id.kind) }
    package var annotations: JSONObject { body["metadata"]?["annotations"]?.objectValue ?? [:] }
    package var labels: JSONObject { body["metadata"]?["labels"]?.objectValue ?? [:] }
    /// A Task or a TaskList: the reconciler itself carries out what it declares, after the sync that applies it.
    package var isOfTasks: Bool { id.group == "reconciler.dev" }
}

/// Everything that one application declares at one revision.
package struct DesiredState: Sendable, Hashable {
    /// The application's name, `namespace/name` of the `Application` object reduced to its name.
    package var application: String
    package var revision: Revision
    package var manifests: [Manifest]
    /// SHA-256 over the manifests' canonical bytes, in order of identity; hexadecimal.
    package var digest: String
    /// What rendering noticed and did not stop at.
    package var warnings: [Problem]

    package init(application: String, revision: Revision, manifests: [Manifest], digest: String, warnings: [Problem] = []) {
        self.application = application
        self.revision = revision
        self.manifests = manifests
        self.digest = digest
        self.warnings = warnings
    }
}
