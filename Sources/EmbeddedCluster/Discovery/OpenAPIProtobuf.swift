import ResourceModel

/// An OpenAPI v2 document in protobuf (`openapi.v2.Document` of gnostic's OpenAPIv2.proto): the only form that kubectl 1.27 asks for.
/// Writes what clients read of it: the definitions with their types and extensions, and the operations' query parameters.
enum OpenAPIProtobuf {
    /// What the answer says; the request spells it with an `@`, which no media type may have.
    static let mediaType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

    static func document(_ json: JSONValue) -> [UInt8] {
        var output = Message()
        output.text(1, json["swagger"]?.stringValue)
        output.message(2) { info in
            info.text(1, json[path: "info", "title"]?.stringValue)
            info.text(2, json[path: "info", "version"]?.stringValue)
        }
        output.message(8) { paths in
            for path in json["paths"]?.objectValue ?? [:] {
                paths.message(2) { named in
                    named.text(1, path.key)
                    named.message(2) { pathItem(path.value, &$0) }
                }
            }
        }
        output.message(9) { definitions in namedSchemas(json["definitions"], &definitions) }
        return output.bytes
    }

    private static func namedSchemas(_ schemas: JSONValue?, _ output: inout Message) {
        for entry in schemas?.objectValue ?? [:] {
            output.message(1) { named in
                named.text(1, entry.key)
                named.message(2) { schema(entry.value, &$0) }
            }
        }
    }

    private static func schema(_ json: JSONValue, _ output: inout Message) {
        output.text(1, json["$ref"]?.stringValue)
        output.text(2, json["format"]?.stringValue)
        output.text(4, json["description"]?.stringValue)
        for name in json["required"]?.arrayValue ?? [] { output.text(19, name.stringValue) }
        if let additional = json["additionalProperties"] {
            output.message(21) { item in
                if let flag = additional.boolValue { item.flag(2, flag) } else { item.message(1) { schema(additional, &$0) } }
            }
        }
        if let type = json["type"]?.stringValue { output.message(22) { $0.text(1, type) } }
        if let items = json["items"] { output.message(23) { list in list.message(1) { schema(items, &$0) } } }
        if let properties = json["properties"] { output.message(25) { namedSchemas(properties, &$0) } }
        extensions(json, field: 31, &output)
    }

    private static func extensions(_ json: JSONValue, field: Int, _ output: inout Message) {
        for member in json.objectValue ?? [:] where member.key.hasPrefix("x-") {
            output.message(field) { named in
                named.text(1, member.key)
                // The value is YAML; JSON is YAML too.
                named.message(2) { $0.text(2, member.value.jsonString + "\n") }
            }
        }
    }

    private static func pathItem(_ json: JSONValue, _ output: inout Message) {
        for (name, field) in [("get", 2), ("put", 3), ("post", 4), ("delete", 5), ("patch", 8)] {
            guard let operation = json[name] else { continue }
            output.message(field) { message in
                for parameter in operation["parameters"]?.arrayValue ?? [] {
                    message.message(8) { item in
                        item.message(1) { parameterMessage in
                            parameterMessage.message(2) { nonBody in
                                nonBody.message(3) { query in
                                    query.text(2, "query")
                                    query.text(4, parameter["name"]?.stringValue)
                                    query.text(6, "string")
                                }
                            }
                        }
                    }
                }
                extensions(operation, field: 13, &message)
            }
        }
    }

    /// A protobuf message being written.
    private struct Message {
        var bytes: [UInt8] = []

        mutating func text(_ field: Int, _ value: String?) {
            guard let value else { return }
            append(field, Array(value.utf8))
        }

        mutating func flag(_ field: Int, _ value: Bool) {
            varint(UInt64(field << 3))
            bytes.append(value ? 1 : 0)
        }

        mutating func message(_ field: Int, _ build: (inout Message) -> Void) {
            var inner = Message()
            build(&inner)
            append(field, inner.bytes)
        }

        private mutating func append(_ field: Int, _ content: [UInt8]) {
            varint(UInt64(field << 3 | 2))
            varint(UInt64(content.count))
            bytes.append(contentsOf: content)
        }

        private mutating func varint(_ value: UInt64) {
            var rest = value
            while rest >= 0x80 {
                bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
        }
    }
}
