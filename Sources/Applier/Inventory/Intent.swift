import KubernetesClient
import ResourceModel

/// The object that is sent for a manifest: the declared body with tracking metadata, and without what only a server writes.
package struct Intent: Sendable, Hashable {
    package let manifest: Manifest
    package let body: JSONValue

    package init(manifest: Manifest, application: String, applySet: ApplySet) {
        self.manifest = manifest
        var body = manifest.body
        // Server-side apply refuses managedFields; the other fields are the server's and would read as drift.
        if var metadata = body["metadata"]?.objectValue {
            for key in ["managedFields", "creationTimestamp", "resourceVersion", "uid", "generation", "selfLink"] {
                metadata.removeValue(forKey: key)
            }
            if metadata["namespace"] == nil, let namespace = manifest.id.namespace { metadata["namespace"] = .string(namespace) }
            if manifest.id.namespace == nil { metadata["namespace"] = nil }
            metadata["labels"] = Self.adding(.string(applySet.id), as: ApplySet.partOfLabel, to: metadata["labels"])
            let tracking = TrackingID(application: application, id: manifest.id).description
            metadata["annotations"] = Self.adding(.string(tracking), as: TrackingID.annotation, to: metadata["annotations"])
            for key in metadata.keys where metadata[key]?.isNull == true { metadata[key] = nil }
            body["metadata"] = .object(metadata)
        }
        if Self.serverWritesStatus(of: manifest.id.groupKind) { body["status"] = nil }
        if manifest.id.groupKind == GroupKind(group: "", kind: "Secret") { Self.encodeStringData(in: &body) }
        self.body = body
    }

    private init(manifest: Manifest, body: JSONValue) {
        self.manifest = manifest
        self.body = body
    }

    /// The same object, sent in another form.
    func with(body: JSONValue) -> Intent { Intent(manifest: manifest, body: body) }

    private static func adding(_ value: JSONValue, as key: String, to map: JSONValue?) -> JSONValue {
        var object = map?.objectValue ?? [:]
        object[key] = value
        return .object(object)
    }

    /// Built-in kinds take status through their subresource only.
    private static func serverWritesStatus(of kind: GroupKind) -> Bool {
        !kind.group.contains(".") || kind.group.hasSuffix(".k8s.io")
    }

    /// `stringData` is write-only: the server answers with `data`, so that is what is compared and applied.
    private static func encodeStringData(in body: inout JSONValue) {
        guard let plain = body["stringData"]?.objectValue else { return }
        var data = body["data"]?.objectValue ?? [:]
        for member in plain {
            data[member.key] = .string(Base64.encode((member.value.stringValue ?? member.value.jsonString).utf8))
        }
        body["data"] = .object(data)
        body["stringData"] = nil
    }
}
