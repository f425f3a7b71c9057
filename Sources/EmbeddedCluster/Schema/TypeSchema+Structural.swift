import ResourceModel

extension TypeSchema {
    /// The type that a CustomResourceDefinition's version declares.
    ///
    /// - Parameters:
    ///   - structural: its `openAPIV3Schema`.
    ///   - hasStatus: whether the version has a status subresource, so that writes elsewhere leave `status` alone.
    package convenience init(structural: JSONValue, hasStatus: Bool = false) {
        let node = Self.node(structural, isResource: true)
        self.init(node.shape)
        format = node.format
        required = node.required
        constraints = node.constraints
        hasStatusSubresource = hasStatus
    }

    private static func node(_ source: JSONValue, isResource: Bool) -> TypeSchema {
        guard let object = source.objectValue else { return .deduced }
        let node = TypeSchema(shape(object, isResource: isResource))
        node.format = object["format"]?.stringValue
        node.required = (object["required"]?.arrayValue ?? []).compactMap(\.stringValue)
        node.constraints = SchemaConstraints(object)
        return node
    }

    private static func shape(_ source: JSONObject, isResource: Bool) -> Shape {
        if source["x-kubernetes-int-or-string"]?.boolValue == true { return .scalar(.any) }
        let preserves = source["x-kubernetes-preserve-unknown-fields"]?.boolValue == true
        let isEmbedded = isResource || source["x-kubernetes-embedded-resource"]?.boolValue == true
        switch source["type"]?.stringValue {
        case "array": return list(source)
        case "string": return .scalar(.string)
        case "integer": return .scalar(.integer)
        case "number": return .scalar(.number)
        case "boolean": return .scalar(.boolean)
        case "object": return map(source, isEmbedded: isEmbedded, preserves: preserves)
        default: return isEmbedded ? map(source, isEmbedded: true, preserves: preserves) : .deduced
        }
    }

    private static func list(_ source: JSONObject) -> Shape {
        let relation: Relation =
            switch source["x-kubernetes-list-type"]?.stringValue {
            case "map": .map
            case "set": .set
            default: .atomic
            }
        let keys = (source["x-kubernetes-list-map-keys"]?.arrayValue ?? []).compactMap(\.stringValue).sorted()
        return .list(
            List(element: source["items"].map { node($0, isResource: false) } ?? .deduced, relation: relation, keys: keys))
    }

    private static func map(_ source: JSONObject, isEmbedded: Bool, preserves: Bool) -> Shape {
        var fields: [String: Field] = [:]
        for property in source["properties"]?.objectValue?.members ?? [] {
            var field = Field(schema: node(property.value, isResource: false))
            field.keyDefault = property.value["default"]
            fields[property.key] = field
        }
        var element: TypeSchema?
        switch source["additionalProperties"] {
        case .object(let schema)?: element = node(.object(schema), isResource: false)
        case .bool(true)?: element = .deduced
        default: if preserves { element = .deduced }
        }
        if isEmbedded {
            // What the definition says of metadata restricts it further; it does not declare other fields.
            let restricted = fields["metadata"]?.schema.constraints
            let metadata = SchemaCatalog.builtIn.objectMeta
            fields["apiVersion"] = Field(schema: fields["apiVersion"]?.schema ?? .string)
            fields["kind"] = Field(schema: fields["kind"]?.schema ?? .string)
            if let restricted {
                let copy = TypeSchema(metadata.shape)
                copy.constraints = restricted
                fields["metadata"] = Field(schema: copy)
            } else {
                fields["metadata"] = Field(schema: metadata)
            }
        } else if fields.isEmpty, element == nil {
            return .deduced
        }
        return .map(Map(fields: fields, element: element, isAtomic: source["x-kubernetes-map-type"]?.stringValue == "atomic"))
    }
}
