import Crypto
import ResourceModel

/// The manifests of all sources put together: namespaces resolved, repeated objects taken once.
struct ManifestSet {
    private(set) var manifests: [Manifest]
    private(set) var problems: [Problem] = []

    /// - Parameter namespace: the destination's, for namespaced objects that name none.
    init(_ rendered: [Manifest], destinationNamespace namespace: String?) {
        manifests = []
        let scopes = KindScopes(definedIn: rendered)
        var resolved: [Manifest] = []
        for manifest in rendered {
            if let manifest = resolve(manifest, scopes, namespace) { resolved.append(manifest) }
        }
        deduplicate(resolved)
    }

    private mutating func resolve(_ manifest: Manifest, _ scopes: KindScopes, _ namespace: String?) -> Manifest? {
        let destination = namespace?.nonEmpty
        switch scopes.isNamespaced(manifest.id.groupKind) {
        case false: return manifest.withNamespace(resolvedTo: nil)
        case true where manifest.id.namespace != nil: return manifest
        case true:
            guard let destination else {
                problems.append(
                    Problem(
                        code: "manifest.namespace-missing",
                        message: "names no namespace, and neither does the application's destination",
                        location: manifest.source, resource: manifest.id,
                        hint: "set `spec.destination.namespace` of the application or `metadata.namespace` of the object"))
                return nil
            }
            return manifest.withNamespace(resolvedTo: destination)
        case nil:
            guard manifest.id.namespace == nil else { return manifest }
            var open = manifest
            open.namespaceIfNamespaced = destination
            return open
        }
    }

    /// The last declaration of an object wins, at the place of the first, as in Argo CD.
    private mutating func deduplicate(_ resolved: [Manifest]) {
        var places: [ResourceID: Int] = [:]
        for manifest in resolved {
            // An object that the server names is another one each time.
            let isGenerated = manifest.body[path: "metadata", "name"]?.stringValue?.isEmpty ?? true
            guard !isGenerated, let place = places[manifest.id] else {
                if !isGenerated { places[manifest.id] = manifests.count }
                manifests.append(manifest)
                continue
            }
            problems.append(
                Problem(
                    code: "RepeatedResourceWarning", severity: .warning,
                    message: "is declared twice: this one replaces \(manifests[place].source)", location: manifest.source,
                    resource: manifest.id, hint: "remove one of the two"))
            manifests[place] = manifest
        }
    }

    /// SHA-256 over the canonical bytes of the manifests in order of identity.
    static func digest(of manifests: [Manifest]) async -> String {
        let order = manifests.indices.sorted { manifests[$0].id < manifests[$1].id }
        let bodies = await order.concurrentMap { manifests[$0].body.canonicalBytes }
        var hash = SHA256()
        for body in bodies {
            hash.update(data: body)
            hash.update(data: [0x0A])
        }
        return hash.finalize().hexadecimal
    }
}
