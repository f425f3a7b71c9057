/// One object that Git declares, rendered and with its namespace resolved as far as that is possible without a cluster.
package struct Manifest: Sendable, Hashable {
    package var id: ResourceID
    package var apiVersion: String
    /// The whole object, as it will be applied before tracking metadata is added.
    package var body: JSONValue
    /// Where it was declared; for rendered sources the file that the renderer was started on.
    package var source: SourceLocation

    package init(id: ResourceID, apiVersion: String, body: JSONValue, source: SourceLocation) {
        self.id = id
        self.apiVersion = apiVersion
        self.body = body
        self.source = source
    }

    package var groupVersionKind: GroupVersionKind { GroupVersionKind(apiVersion: apiVersion, kind: id.kind) }
    package var annotations: JSONObject { body[path: "metadata", "annotations"]?.objectValue ?? [:] }
    package var labels: JSONObject { body[path: "metadata", "labels"]?.objectValue ?? [:] }
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
