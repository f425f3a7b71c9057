import ResourceModel

/// What makes a schema structural.
///
/// https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
enum DefinitionSchemaRules {
    static func causes(in schema: JSONValue, path: String) -> [FieldCause] {
        var causes: [FieldCause] = []
        let type = schema["type"]?.stringValue ?? ""
        if type.isEmpty {
            causes.append(.required("\(path).type", "must not be empty at the root"))
        } else if type != "object" {
            causes.append(.invalid("\(path).type", .string(type), "must be object at the root"))
        }
        node(schema.objectValue ?? JSONObject(), path, isRoot: true, "object fields", &causes)
        return causes
    }

    private static let types = ["array", "boolean", "integer", "number", "object", "string"]

    private static func node(
        _ schema: JSONObject, _ path: String, isRoot: Bool = false, _ place: String, _ causes: inout [FieldCause]
    ) {
        let type = schema["type"]?.stringValue ?? ""
        let isIntOrString = schema["x-kubernetes-int-or-string"]?.boolValue == true
        let preserves = schema["x-kubernetes-preserve-unknown-fields"]?.boolValue == true
        if type.isEmpty {
            if !isRoot, !isIntOrString, !preserves {
                causes.append(.required("\(path).type", "must not be empty for specified \(place)"))
            }
        } else if !types.contains(type) {
            causes.append(.notSupported("\(path).type", .string(type), types))
        }
        if isIntOrString, !type.isEmpty {
            causes.append(
                .forbidden("\(path).type", "must be empty if x-kubernetes-int-or-string is true"))
        }
        if schema["$ref"] != nil { causes.append(.forbidden("\(path).$ref", "$ref is not supported")) }
        for name in ["definitions", "dependencies", "patternProperties", "additionalItems"] where schema[name] != nil {
            causes.append(.forbidden("\(path).\(name)", "\(name) is not supported"))
        }
        if schema["uniqueItems"]?.boolValue == true {
            causes.append(
                .forbidden(
                    "\(path).uniqueItems", "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"))
        }
        if let pattern = schema["pattern"]?.stringValue, PatternCache.matches("", pattern) == nil {
            causes.append(.invalid("\(path).pattern", .string(pattern), "must be a valid regular expression"))
        }
        checkExtensions(schema, type, path, &causes)
        checkChildren(schema, type, path, &causes)
        if let value = schema["default"] {
            let typed = TypeSchema(structural: ["type": "object", "properties": ["default": .object(schema)]])
            for var cause in StructuralSchema.validated(["default": value], old: nil, schema: typed) {
                cause.field = cause.field.hasPrefix("default") ? "\(path).\(cause.field)" : "\(path).default"
                causes.append(cause)
            }
        }
        for (index, rule) in (schema["x-kubernetes-validations"]?.arrayValue ?? []).enumerated() {
            let field = "\(path).x-kubernetes-validations[\(index)].rule"
            let text = rule["rule"]?.stringValue ?? ""
            if text.isEmpty {
                causes.append(.required(field, "rule is not specified"))
            } else if let problem = ValidationRule.problem(in: text, schema: typed(schema, isRoot: isRoot)) {
                causes.append(.invalid(field, .string(text), "compilation failed: \(problem)"))
            }
        }
    }

    private static func typed(_ schema: JSONObject, isRoot: Bool) -> TypeSchema? {
        if isRoot { return TypeSchema(structural: .object(schema)) }
        return TypeSchema(structural: ["type": "object", "properties": ["value": .object(schema)]]).field("value")?.schema
    }

    private static func checkExtensions(_ schema: JSONObject, _ type: String, _ path: String, _ causes: inout [FieldCause]) {
        if let listType = schema["x-kubernetes-list-type"]?.stringValue {
            if type != "array" {
                causes.append(
                    .invalid("\(path).type", .string(type), "must be array if x-kubernetes-list-type is specified"))
            }
            if !["atomic", "map", "set"].contains(listType) {
                causes.append(.notSupported("\(path).x-kubernetes-list-type", .string(listType), ["atomic", "map", "set"]))
            }
            let keys = schema["x-kubernetes-list-map-keys"]?.arrayValue ?? []
            if listType == "map" {
                if keys.isEmpty {
                    causes.append(
                        .required("\(path).x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map"))
                }
                let items = schema["items"]?.objectValue ?? JSONObject()
                if items["type"]?.stringValue != "object" {
                    causes.append(
                        .invalid(
                            "\(path).items.type", items["type"] ?? "",
                            "must be object if parent array's x-kubernetes-list-type is map"))
                }
                let required = items["required"]?.arrayValue ?? []
                for (index, key) in keys.enumerated() {
                    guard let name = key.stringValue, let property = items["properties"]?[name] else {
                        causes.append(
                            .invalid(
                                "\(path).x-kubernetes-list-map-keys[\(index)]", key,
                                "entries must all be names of item properties"))
                        continue
                    }
                    if !required.contains(key), property["default"] == nil {
                        causes.append(
                            .required(
                                "\(path).items.properties[\(name)].default",
                                "this property is in x-kubernetes-list-map-keys, "
                                    + "so it must have a default or be a required property"
                            ))
                    }
                }
            } else if !keys.isEmpty {
                causes.append(
                    .forbidden("\(path).x-kubernetes-list-map-keys", "must be empty if x-kubernetes-list-type is not map"))
            }
        }
        if let mapType = schema["x-kubernetes-map-type"]?.stringValue, !["atomic", "granular"].contains(mapType) {
            causes.append(.notSupported("\(path).x-kubernetes-map-type", .string(mapType), ["atomic", "granular"]))
        }
        if schema["x-kubernetes-embedded-resource"]?.boolValue == true, type != "object" {
            causes.append(
                .invalid("\(path).type", .string(type), "must be object if x-kubernetes-embedded-resource is true"))
        }
    }

    private static func checkChildren(_ schema: JSONObject, _ type: String, _ path: String, _ causes: inout [FieldCause]) {
        let properties = schema["properties"]?.objectValue?.members ?? []
        for property in properties.sorted(by: { $0.key < $1.key }) {
            node(property.value.objectValue ?? JSONObject(), "\(path).properties[\(property.key)]", "object fields", &causes)
        }
        if let additional = schema["additionalProperties"] {
            if !properties.isEmpty, additional != false {
                causes.append(
                    .forbidden("\(path).additionalProperties", "additionalProperties and properties are mutual exclusive"))
            }
            if let object = additional.objectValue { node(object, "\(path).additionalProperties", "object fields", &causes) }
        }
        if let items = schema["items"] {
            if let object = items.objectValue {
                node(object, "\(path).items", "array items", &causes)
            } else {
                causes.append(.forbidden("\(path).items", "items must be a schema object and not an array"))
            }
        } else if type == "array" {
            causes.append(.required("\(path).items", "must be specified"))
        }
    }
}
