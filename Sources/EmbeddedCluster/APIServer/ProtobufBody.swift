import ResourceModel

/// Reads protobuf bodies of the few kinds that `kubectl create` and `kubectl auth` send so; field numbers as in Kubernetes' generated.proto.
enum ProtobufBody {
    static let mediaType = "application/vnd.kubernetes.protobuf"

    private indirect enum Shape: Sendable { case text, bytes, flag, map(Shape), list(Shape), message([Int: (String, Shape)]) }

    private static let metadata = Shape.message([
        1: ("name", .text), 2: ("generateName", .text), 3: ("namespace", .text), 5: ("uid", .text), 6: ("resourceVersion", .text),
        11: ("labels", .map(.text)), 12: ("annotations", .map(.text)), 14: ("finalizers", .list(.text)),
    ])

    private static let kinds: [String: Shape] = [
        "Namespace": .message([1: ("metadata", metadata), 2: ("spec", .message([1: ("finalizers", .list(.text))]))]),
        "ConfigMap": .message([
            1: ("metadata", metadata), 2: ("data", .map(.text)), 3: ("binaryData", .map(.bytes)), 4: ("immutable", .flag),
        ]),
        "Secret": .message([
            1: ("metadata", metadata), 2: ("data", .map(.bytes)), 3: ("type", .text), 4: ("stringData", .map(.text)), 5: ("immutable", .flag),
        ]),
        "ServiceAccount": .message([1: ("metadata", metadata), 4: ("automountServiceAccountToken", .flag)]),
        "SelfSubjectAccessReview": .message([
            1: ("metadata", metadata),
            2: (
                "spec",
                .message([
                    1: (
                        "resourceAttributes",
                        .message([
                            1: ("namespace", .text), 2: ("verb", .text), 3: ("group", .text), 4: ("version", .text),
                            5: ("resource", .text), 6: ("subresource", .text), 7: ("name", .text),
                        ])
                    ), 2: ("nonResourceAttributes", .message([1: ("path", .text), 2: ("verb", .text)])),
                ])
            ),
        ]),
        "SelfSubjectReview": .message([1: ("metadata", metadata)]),
    ]

    /// - Returns: `nil` for a kind that is not known in this form, and for bytes that are no such message.
    static func object(_ bytes: [UInt8]) -> JSONValue? {
        guard bytes.starts(with: [0x6B, 0x38, 0x73, 0]) else { return nil }
        let envelope = Shape.message([1: ("type", .message([1: ("apiVersion", .text), 2: ("kind", .text)])), 2: ("raw", .bytes)])
        guard let outer = value(bytes[4...], envelope), let kind = outer[path: "type", "kind"]?.stringValue, let shape = kinds[kind],
            let raw = outer["raw"]?.stringValue.flatMap(Base64.decode), var object = value(raw[...], shape)
        else { return nil }
        object["kind"] = .string(kind)
        object["apiVersion"] = outer[path: "type", "apiVersion"]
        return object
    }

    private static func value(_ bytes: ArraySlice<UInt8>, _ shape: Shape) -> JSONValue? {
        switch shape {
        case .text: return .string(String(decoding: bytes, as: UTF8.self))
        case .bytes: return .string(Base64.encode(Array(bytes)))
        case .flag, .map, .list: return nil
        case .message(let fields): return message(bytes, fields)
        }
    }

    private static func message(_ bytes: ArraySlice<UInt8>, _ fields: [Int: (String, Shape)]) -> JSONValue? {
        var result: JSONValue = [:]
        var rest = bytes
        while !rest.isEmpty {
            guard let tag = varint(&rest) else { return nil }
            var number: UInt64 = 0
            var content: ArraySlice<UInt8> = []
            switch tag & 7 {
            case 0:
                guard let read = varint(&rest) else { return nil }
                number = read
            case 2:
                guard let length = varint(&rest), length <= UInt64(rest.count) else { return nil }
                content = rest.prefix(Int(length))
                rest = rest.dropFirst(Int(length))
            default: return nil
            }
            guard let (name, shape) = fields[Int(tag >> 3)] else { continue }
            switch shape {
            case .flag: result[name] = .bool(number != 0)
            case .list(let element):
                guard let item = value(content, element) else { return nil }
                result[name] = .array((result[name]?.arrayValue ?? []) + [item])
            case .map(let element):
                guard let entry = message(content, [1: ("key", .text), 2: ("value", element)]) else { return nil }
                var map = result[name] ?? [:]
                map[entry["key"]?.stringValue ?? ""] = entry["value"] ?? ""
                result[name] = map
            case .text:
                if !content.isEmpty { result[name] = value(content, shape) }
            default:
                guard let item = value(content, shape) else { return nil }
                result[name] = item
            }
        }
        return result
    }

    private static func varint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = bytes.popFirst(), shift < 64 {
            result |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return result }
            shift += 7
        }
        return nil
    }
}
