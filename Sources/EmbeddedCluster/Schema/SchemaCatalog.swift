import ResourceModel

/// The built-in types' schemas by group, version and kind. Parsed once, on first use.
package final class SchemaCatalog: Sendable {
    package static let builtIn = SchemaCatalog(definitions: SchemaFacts.json)

    private let kinds: [GroupVersionKind: TypeSchema]
    private let definitions: [String: TypeSchema]

    /// The schema of a built-in kind, or nil when this server has no such kind.
    package func schema(for kind: GroupVersionKind) -> TypeSchema? { kinds[kind] }

    /// Every built-in kind with a schema.
    package var kindNames: [GroupVersionKind] { Array(kinds.keys) }

    /// A definition by the end of its name (`meta.v1.ObjectMeta`): for the types that are part of others.
    package func definition(_ suffix: String) -> TypeSchema? {
        definitions[suffix] ?? definitions.first { $0.key.hasSuffix("." + suffix) }?.value
    }

    /// ObjectMeta, which custom resources share.
    package let objectMeta: TypeSchema

    private init(definitions json: StaticString) {
        let text = json.withUTF8Buffer { Array($0) }
        let root: JSONValue
        do { root = try JSONValue(parsing: text) } catch { preconditionFailure("SchemaFacts is not JSON: \(error)") }
        var builder = BuiltInSchemaBuilder(facts: root.objectValue?.members ?? [])
        let built = builder.build()
        definitions = built.definitions
        kinds = built.kinds
        objectMeta = built.definitions["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"] ?? .deduced
    }
}

/// Makes nodes of OpenAPI definitions: first one empty node a definition, then their contents, so that recursion needs no care.
private struct BuiltInSchemaBuilder {
    let facts: [JSONObject.Member]
    var nodes: [String: TypeSchema] = [:]
    /// Strings that only differ in `format`, integers and so on are shared.
    var scalars: [String: TypeSchema] = [:]

    init(facts: [JSONObject.Member]) { self.facts = facts }

    mutating func build() -> (definitions: [String: TypeSchema], kinds: [GroupVersionKind: TypeSchema]) {
        for fact in facts { nodes[fact.key] = TypeSchema(.deduced) }
        var kinds: [GroupVersionKind: TypeSchema] = [:]
        var order: [(String, TypeSchema, JSONObject)] = []
        for fact in facts {
            guard let node = nodes[fact.key], let body = fact.value.objectValue else { continue }
            order.append((fact.key, node, body))
        }
        // Definitions that are not structs first: a reference with its own map type copies the node it refers to.
        for (name, node, body) in order { fill(node, name, body) }
        for (name, node, body) in order { refine(node, name, body) }
        for (_, node, body) in order {
            for kind in body["x-kubernetes-group-version-kind"]?.arrayValue ?? [] {
                guard let group = kind["group"]?.stringValue, let version = kind["version"]?.stringValue,
                    let name = kind["kind"]?.stringValue
                else { continue }
                kinds[GroupVersionKind(group: group, version: version, kind: name)] = node
            }
        }
        return (nodes, kinds)
    }

    private mutating func fill(_ node: TypeSchema, _ name: String, _ body: JSONObject) {
        let short = name.split(separator: ".").last.map(String.init) ?? name
        switch short {
        case "Quantity":
            node.shape = .scalar(.any)
            node.format = "quantity"
        case "IntOrString":
            node.shape = .scalar(.any)
            node.format = "int-or-string"
        case "JSON", "JSONSchemaPropsOrArray", "JSONSchemaPropsOrBool", "JSONSchemaPropsOrStringArray":
            node.shape = .opaque
        case "RawExtension", "FieldsV1", "Patch", "CustomResourceSubresourceStatus": node.shape = .deduced
        default:
            let made = schema(.object(body), in: short)
            node.shape = made.shape
            node.format = made.format
            node.required = made.required
        }
    }

    /// The second pass: references that say more than their definition (`x-kubernetes-map-type` beside `$ref`).
    private mutating func refine(_ node: TypeSchema, _ name: String, _ body: JSONObject) {
        guard case .map(var map) = node.shape else { return }
        var changed = false
        for member in body["properties"]?.objectValue?.members ?? [] {
            guard member.value["$ref"] != nil, let type = member.value["x-kubernetes-map-type"]?.stringValue,
                var field = map.fields[member.key], case .map(var referred) = field.schema.shape
            else { continue }
            referred.isAtomic = type == "atomic"
            let copy = TypeSchema(.map(referred))
            copy.required = field.schema.required
            field.schema = copy
            map.fields[member.key] = field
            changed = true
        }
        if changed { node.shape = .map(map) }
    }

    private mutating func schema(_ value: JSONValue, in owner: String) -> TypeSchema {
        if let reference = value["$ref"]?.stringValue {
            return nodes[String(reference.dropFirst("#/definitions/".count))] ?? .deduced
        }
        switch value["type"]?.stringValue {
        case "array": return list(value, in: owner)
        case "object": return map(value, in: owner)
        case let type?: return scalar(type, format: value["format"]?.stringValue)
        case nil: return .deduced
        }
    }

    private mutating func scalar(_ type: String, format: String?) -> TypeSchema {
        let key = type + "/" + (format ?? "")
        if let known = scalars[key] { return known }
        let kind: TypeSchema.Scalar
        switch type {
        case "string": kind = format == "int-or-string" ? .any : .string
        case "integer": kind = .integer
        case "number": kind = .number
        case "boolean": kind = .boolean
        default: kind = .any
        }
        let node = TypeSchema(.scalar(kind))
        node.format = format
        scalars[key] = node
        return node
    }

    private mutating func list(_ value: JSONValue, in owner: String) -> TypeSchema {
        let relation: TypeSchema.Relation
        switch value["x-kubernetes-list-type"]?.stringValue {
        case "map": relation = .map
        case "set": relation = .set
        default: relation = .atomic
        }
        let keys = (value["x-kubernetes-list-map-keys"]?.arrayValue ?? []).compactMap(\.stringValue).sorted()
        let element = value["items"].map { schema($0, in: owner) } ?? .deduced
        return TypeSchema(.list(.init(element: element, relation: relation, keys: keys)))
    }

    private mutating func map(_ value: JSONValue, in owner: String) -> TypeSchema {
        let isAtomic = value["x-kubernetes-map-type"]?.stringValue == "atomic"
        let properties = value["properties"]?.objectValue?.members ?? []
        let element = value["additionalProperties"].map { schema($0, in: owner) }
        if properties.isEmpty && element == nil && value["properties"] == nil { return .deduced }
        var fields: [String: TypeSchema.Field] = [:]
        for property in properties {
            var field = TypeSchema.Field(schema: schema(property.value, in: owner))
            for strategy in (property.value["x-kubernetes-patch-strategy"]?.stringValue ?? "").split(separator: ",") {
                if strategy == "merge" { field.patchStrategy.insert(.merge) }
                if strategy == "retainKeys" { field.patchStrategy.insert(.retainKeys) }
            }
            field.patchMergeKey = property.value["x-kubernetes-patch-merge-key"]?.stringValue
            field.alwaysPresent = GoShape.isAlwaysPresent(property.key, of: owner)
            field.omitsZero = GoShape.omitsZero(property.key, of: owner)
            if property.key == "protocol", owner == "ContainerPort" || owner == "ServicePort" {
                field.keyDefault = "TCP"
            }
            fields[property.key] = field
        }
        let node = TypeSchema(.map(.init(fields: fields, element: element, isAtomic: isAtomic)))
        node.required = (value["required"]?.arrayValue ?? []).compactMap(\.stringValue)
        return node
    }
}
