import ResourceModel

/// Why a body can't be read as its type: the server answers 400 BadRequest.
package struct DecodingFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// Without the leading words `Deployment in version "v1" cannot be handled as a Deployment: `.
    package var message: String
    package var description: String { message }
}

/// What reading into a built-in type and writing it out again makes of a body: quantities in their canonical form; unknown
/// fields, nulls, empty lists and maps gone, and zeros of the fields that Go leaves out.
package enum BuiltInDecoding {
    /// - Throws: `DecodingFailure` at the first value that does not fit its type.
    package static func decoded(_ body: JSONValue, schema: TypeSchema) throws(DecodingFailure) -> JSONValue {
        try decoded(body, schema, path: "") ?? .object(JSONObject())
    }

    private static func decoded(_ value: JSONValue, _ schema: TypeSchema, path: String) throws(DecodingFailure) -> JSONValue? {
        switch schema.shape {
        case .opaque, .deduced: return value
        case .scalar(let kind): return try scalar(value, kind, schema.format, path: path)
        case .list(let list):
            guard case .array(let items) = value else {
                if value.isNull { return nil }
                throw mismatch(value, path, "slice")
            }
            var result: [JSONValue] = []
            result.reserveCapacity(items.count)
            for item in items {
                let decoded = try decoded(item, list.element, path: path)
                if let decoded, !decoded.isNull { result.append(decoded) } else { result.append(zero(list.element)) }
            }
            return .array(result)
        case .map(let map):
            guard case .object(let object) = value else {
                if value.isNull { return nil }
                throw mismatch(value, path, map.element == nil ? "struct" : "map")
            }
            return .object(try members(object, map, schema, path: path))
        }
    }

    private static func members(
        _ object: JSONObject, _ map: TypeSchema.Map, _ schema: TypeSchema, path: String
    ) throws(DecodingFailure) -> JSONObject {
        var members: [JSONObject.Member] = []
        members.reserveCapacity(object.count)
        for member in object.members {
            if let field = map.fields[member.key] {
                guard let value = try decoded(member.value, field.schema, path: path + "." + member.key), !value.isNull else {
                    if field.alwaysPresent {
                        if case .map = field.schema.shape {
                            members.append(.init(key: member.key, value: [:]))
                        } else {
                            members.append(.init(key: member.key, value: .null))
                        }
                    }
                    continue
                }
                if isLeftOut(value, field, isRequired: schema.required.contains(member.key)) { continue }
                members.append(.init(key: member.key, value: value))
            } else if let element = map.element {
                let value = try decoded(member.value, element, path: path + "." + member.key) ?? .null
                members.append(.init(key: member.key, value: value.isNull ? zero(element) : value))
            }
        }
        return JSONObject(members)
    }

    private static func isLeftOut(_ value: JSONValue, _ field: TypeSchema.Field, isRequired: Bool) -> Bool {
        if isRequired { return false }
        switch value {
        case .array(let items): if case .list = field.schema.shape { return items.isEmpty } else { return false }
        case .object(let object):
            guard object.isEmpty, case .map(let map) = field.schema.shape else { return false }
            return map.fields.isEmpty
        case .integer(0), .bool(false), .string(""): return field.omitsZero
        default: return false
        }
    }

    private static func zero(_ schema: TypeSchema) -> JSONValue {
        switch schema.shape {
        case .scalar(.string): ""
        case .scalar(.integer), .scalar(.number): 0
        case .scalar(.boolean): false
        case .scalar(.any): schema.format == "quantity" ? "0" : 0
        case .map: [:]
        default: .null
        }
    }

    private static func scalar(
        _ value: JSONValue, _ kind: TypeSchema.Scalar, _ format: String?, path: String
    ) throws(DecodingFailure) -> JSONValue? {
        if value.isNull { return nil }
        switch kind {
        case .string:
            guard case .string(let text) = value else { throw mismatch(value, path, "string") }
            if format == "byte", !isBase64(text) { throw DecodingFailure(message: "illegal base64 data at \(path.dropFirst())") }
            return value
        case .boolean:
            guard case .bool = value else { throw mismatch(value, path, "bool") }
            return value
        case .integer:
            switch value {
            case .integer(let number):
                if format == "int32", Int32(exactly: number) == nil { throw mismatch(value, path, "int32") }
                return value
            case .number(let literal):
                guard let number = Double(literal), let whole = Int64(exactly: number) else {
                    throw mismatch(value, path, format ?? "int64")
                }
                return .integer(whole)
            default: throw mismatch(value, path, format ?? "int64")
            }
        case .number:
            guard value.doubleValue != nil else { throw mismatch(value, path, "float64") }
            return value
        case .any:
            if format == "quantity" {
                guard let quantity = Quantity(value) else {
                    throw DecodingFailure(
                        message: "quantities must match the regular expression "
                            + "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$' (\(path.dropFirst()))")
                }
                return .string(quantity.canonical)
            }
            switch value {
            case .string: return value
            case .integer(let number) where Int32(exactly: number) != nil: return value
            default: throw mismatch(value, path, "intstr.IntOrString")
            }
        }
    }

    private static func isBase64(_ text: String) -> Bool {
        let bytes = text.utf8.filter { $0 != 0x0A && $0 != 0x0D }
        guard bytes.count % 4 == 0 else { return false }
        let padding = bytes.suffix(2).filter { $0 == UInt8(ascii: "=") }.count
        return bytes.dropLast(padding).allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2F: true
            default: false
            }
        }
    }

    private static func mismatch(_ value: JSONValue, _ path: String, _ type: String) -> DecodingFailure {
        let found =
            switch value {
            case .bool: "bool"
            case .integer, .number: "number"
            default: value.typeName
            }
        return DecodingFailure(
            message: "json: cannot unmarshal \(found) into Go struct field \(path.dropFirst()) of type \(type)")
    }
}
