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
        if Self.isBuiltIn(manifest.id.groupKind) {
            body["status"] = nil  // taken through the subresource only
            Self.spellQuantities(in: &body, kind: manifest.id.groupKind)
        }
        if Self.hasNullTimestamp(body) { Self.dropCreationTimestamps(in: &body) }
        if manifest.id.groupKind == GroupKind(group: "", kind: "Secret") { Self.encodeStringData(in: &body) }
        if manifest.id.group == "rbac.authorization.k8s.io" { Self.dropServersRules(in: &body) }
        Self.fillDefaults(in: &body, kind: manifest.id.groupKind)
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

    private static func isBuiltIn(_ kind: GroupKind) -> Bool {
        !kind.group.utf8.contains(UInt8(ascii: ".")) || kind.group.hasSuffix(".k8s.io")
    }

    private static func hasNullTimestamp(_ value: JSONValue) -> Bool {
        switch value {
        case .object(let object): object.members.contains { $0.value.isNull ? $0.key == "creationTimestamp" : hasNullTimestamp($0.value) }
        case .array(let items): items.contains(where: hasNullTimestamp)
        default: false
        }
    }

    /// Generators write `creationTimestamp: null` into every metadata, templates included.
    private static func dropCreationTimestamps(in value: inout JSONValue) {
        switch value {
        case .object(var members):
            guard members.contains(where: { !$0.value.isScalar || ($0.key == "creationTimestamp" && $0.value.isNull) }) else { return }
            members.removeAll { $0.key == "creationTimestamp" && $0.value.isNull }
            for index in members.indices where !members[index].value.isScalar {
                var member = members[index]
                dropCreationTimestamps(in: &member.value)
                members[index] = member
            }
            value = .object(members)
        case .array(var items):
            for index in items.indices { dropCreationTimestamps(in: &items[index]) }
            value = .array(items)
        default: break
        }
    }

    /// An aggregated role's rules are its controller's; a role without rules has none, however that is written.
    private static func dropServersRules(in body: inout JSONValue) {
        let isAggregated = body[path: "aggregationRule", "clusterRoleSelectors"]?.arrayValue?.isEmpty == false
        if isAggregated || body["rules"]?.isNull == true { body["rules"] = nil }
    }

    /// `stringData` is write-only: the server answers with `data`, so that is what is compared and applied.
    private static func encodeStringData(in body: inout JSONValue) {
        if body["data"]?.isNull == true { body["data"] = nil }
        var data = body["data"]?.objectValue ?? [:]
        // A null is the empty value, which is what the server makes of it.
        for index in data.indices where data[index].value.isNull { data[index].value = "" }
        if body["data"] != nil { body["data"] = .object(data) }
        guard let plain = body["stringData"]?.objectValue else {
            body["stringData"] = nil
            return
        }
        for member in plain {
            let text = member.value.isNull ? "" : member.value.stringValue ?? member.value.jsonString
            data[member.key] = .string(Base64.encode(text.utf8))
        }
        body["data"] = .object(data)
        body["stringData"] = nil
    }
}
