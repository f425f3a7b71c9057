import ResourceModel

/// Unknown and duplicate fields: what `fieldValidation=Strict` refuses and `Warn` warns of.
package enum FieldValidation {
    /// The problems as the server words them: `unknown field "spec.foo"`, `duplicate field "data.a"`; each once.
    ///
    /// - Parameters:
    ///   - bytes: the JSON text that `body` was read from, for duplicates; nil when they are of no interest.
    package static func problems(in body: JSONValue, raw bytes: [UInt8]?, schema: TypeSchema) -> [String] {
        var problems = (bytes.map { DuplicateFields.paths(in: $0) } ?? []).map { "duplicate field \"\($0)\"" }
        var unknown: [String] = []
        collectUnknown(in: body, schema, "", &unknown)
        problems += unknown.map { "unknown field \"\($0)\"" }
        return problems
    }

    /// `body` without fields that its schema does not declare.
    package static func pruned(_ body: JSONValue, schema: TypeSchema) -> JSONValue {
        switch schema.shape {
        case .map(let map):
            guard case .object(let object) = body else { return body }
            var members: [JSONObject.Member] = []
            members.reserveCapacity(object.count)
            for member in object.members {
                guard let type = map.fields[member.key]?.schema ?? map.element else { continue }
                members.append(.init(key: member.key, value: pruned(member.value, schema: type)))
            }
            return .object(JSONObject(members))
        case .list(let list):
            guard case .array(let items) = body else { return body }
            return .array(items.map { pruned($0, schema: list.element) })
        case .deduced where schema.prunesAll:
            return body.objectValue == nil ? body : .object(JSONObject())
        default: return body
        }
    }

    private static func collectUnknown(in value: JSONValue, _ schema: TypeSchema, _ path: String, _ found: inout [String]) {
        switch (schema.shape, value) {
        case (.map(let map), .object(let object)):
            for member in object.members {
                if let type = map.fields[member.key]?.schema ?? map.element {
                    switch member.value {
                    case .object, .array:
                        collectUnknown(in: member.value, type, path.isEmpty ? member.key : "\(path).\(member.key)", &found)
                    default: break
                    }
                } else {
                    found.append(path.isEmpty ? member.key : "\(path).\(member.key)")
                }
            }
        case (.list(let list), .array(let items)):
            for (index, item) in items.enumerated() { collectUnknown(in: item, list.element, "\(path)[\(index)]", &found) }
        case (.deduced, .object(let object)) where schema.prunesAll:
            for member in object.members { found.append(path.isEmpty ? member.key : "\(path).\(member.key)") }
        default: break
        }
    }
}

extension TypeSchema {
    /// A custom resource's `type: object` without properties: nothing in it is declared, so nothing is kept.
    fileprivate var prunesAll: Bool {
        guard let constraints else { return false }
        return constraints.source["type"]?.stringValue == "object" && !constraints.preservesUnknownFields
            && constraints.source["additionalProperties"] == nil
    }
}
