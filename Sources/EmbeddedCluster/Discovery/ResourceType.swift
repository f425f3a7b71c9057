import ResourceModel

/// A resource that the API server serves, in one version.
package struct ResourceType: Sendable {
    struct Subresource: Sendable {
        var name: String
        /// Empty group and version: those of the resource.
        var group: String
        var version: String
        var kind: String
        var verbs: [String]
    }

    package var group: String
    package var version: String
    package var kind: String
    package var listKind: String
    package var plural: String
    var singular: String
    var shortNames: [String] = []
    var categories: [String] = []
    package var isNamespaced: Bool
    var verbs: [String]
    var subresources: [Subresource] = []
    var storageVersionHash: String?
    /// Where the store keeps its objects; the same for all versions.
    var storageKey: String
    /// The version that objects are stored in.
    var storageVersion: String
    /// Of a resource that a CustomResourceDefinition declares.
    var custom: CustomResource?

    package var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }
    package var gvk: GroupVersionKind { GroupVersionKind(group: group, version: version, kind: kind) }
    /// `deployments.apps`: how messages name the resource.
    var qualifiedPlural: String { group.isEmpty ? plural : "\(plural).\(group)" }

    func subresource(_ name: String) -> Subresource? { subresources.first { $0.name == name } }

    func key(namespace: String?, name: String) -> ObjectKey {
        ObjectKey(resource: storageKey, namespace: isNamespaced ? namespace ?? "" : "", name: name)
    }

    /// `/apis/apps/v1/namespaces/NS/deployments/NAME`.
    func path(namespace: String?, name: String? = nil, subresource: String? = nil) -> String {
        var path = group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
        if isNamespaced, let namespace { path += "/namespaces/\(namespace)" }
        path += "/\(plural)"
        if let name { path += "/\(name)" }
        if let subresource { path += "/\(subresource)" }
        return path
    }
}

/// What a CustomResourceDefinition says about one version of its resource.
package final class CustomResource: Sendable {
    struct Column: Sendable {
        var name: String
        var type: String
        var format: String
        var description: String
        var jsonPath: String
        var priority: Int64
    }

    /// The structural schema as it stands in the definition.
    let openAPIV3Schema: JSONValue
    let schema: TypeSchema
    let hasStatus: Bool
    let specReplicasPath: [String]?
    let statusReplicasPath: [String]?
    let labelSelectorPath: [String]?
    let columns: [Column]
    /// JSON paths that field selectors can use.
    let selectableFields: [String]

    /// - Parameter version: an entry of the definition's `spec.versions`.
    init(definition: JSONValue, version: JSONValue) {
        openAPIV3Schema = version[path: "schema", "openAPIV3Schema"] ?? ["type": "object", "x-kubernetes-preserve-unknown-fields": true]
        hasStatus = version[path: "subresources", "status"] != nil
        schema = TypeSchema(structural: openAPIV3Schema, hasStatus: hasStatus)
        let scale = version[path: "subresources", "scale"]
        specReplicasPath = Self.path(scale?["specReplicasPath"])
        statusReplicasPath = Self.path(scale?["statusReplicasPath"])
        labelSelectorPath = Self.path(scale?["labelSelectorPath"])
        columns = (version["additionalPrinterColumns"]?.arrayValue ?? []).map { column in
            let path = column["jsonPath"]?.stringValue ?? ""
            return Column(
                name: column["name"]?.stringValue ?? "", type: column["type"]?.stringValue ?? "string",
                format: column["format"]?.stringValue ?? "",
                description: column["description"]?.stringValue
                    ?? "Custom resource definition column (in JSONPath format): \(path)",
                jsonPath: path, priority: column["priority"]?.integerValue ?? 0)
        }
        selectableFields = (version["selectableFields"]?.arrayValue ?? []).compactMap { $0["jsonPath"]?.stringValue }
    }

    var hasScale: Bool { specReplicasPath != nil }

    private static func path(_ value: JSONValue?) -> [String]? {
        value?.stringValue.map { $0.split(separator: ".").map(String.init) }
    }
}
