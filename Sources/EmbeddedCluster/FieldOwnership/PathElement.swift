import ResourceModel

/// One step of a path into an object, as field ownership names it.
package enum PathElement: Sendable, Hashable {
    /// A struct's field or a map's key.
    case field(String)
    /// An item of a list of maps, by its keys; sorted by name.
    case key([KeyField])
    /// An item of a set, by its value.
    case value(JSONValue)
    /// An item of a list, by its position.
    case index(Int)

    package struct KeyField: Sendable, Hashable {
        package var name: String
        package var value: JSONValue

        package init(name: String, value: JSONValue) {
            self.name = name
            self.value = value
        }
    }
}

extension PathElement: Comparable {
    private var rank: Int {
        switch self {
        case .field: 0
        case .key: 1
        case .value: 2
        case .index: 3
        }
    }

    /// The server's order: fields, keys, values, indexes; each by its content.
    package static func < (left: PathElement, right: PathElement) -> Bool {
        switch (left, right) {
        case (.field(let a), .field(let b)): return a < b
        case (.key(let a), .key(let b)):
            for (x, y) in zip(a, b) {
                if x.name != y.name { return x.name < y.name }
                let order = compare(x.value, y.value)
                if order != 0 { return order < 0 }
            }
            return a.count < b.count
        case (.value(let a), .value(let b)): return compare(a, b) < 0
        case (.index(let a), .index(let b)): return a < b
        default: return left.rank < right.rank
        }
    }

    /// Negative, zero or positive. Numbers before strings before booleans before the rest, as structured-merge-diff orders them.
    private static func compare(_ left: JSONValue, _ right: JSONValue) -> Int {
        switch (left, right) {
        case (.string(let a), .string(let b)): return a < b ? -1 : a == b ? 0 : 1
        case (.integer(let a), .integer(let b)): return a < b ? -1 : a == b ? 0 : 1
        case (.bool(let a), .bool(let b)): return a == b ? 0 : b ? -1 : 1
        default:
            if let a = left.doubleValue, let b = right.doubleValue { return a < b ? -1 : a == b ? 0 : 1 }
            let a = rank(left)
            let b = rank(right)
            if a != b { return a - b }
            let x = left.canonicalBytes
            let y = right.canonicalBytes
            return x == y ? 0 : x.lexicographicallyPrecedes(y) ? -1 : 1
        }
    }

    private static func rank(_ value: JSONValue) -> Int {
        switch value {
        case .integer, .number: 0
        case .string: 1
        case .bool: 2
        case .array: 3
        case .object: 4
        case .null: 5
        }
    }
}

extension PathElement: CustomStringConvertible {
    /// As messages spell it: `.spec`, `[name="web"]`, `[="a"]`, `[0]`.
    package var description: String {
        switch self {
        case .field(let name): "." + name
        case .key(let fields):
            "[" + fields.map { "\($0.name)=\($0.value.jsonString)" }.joined(separator: ",") + "]"
        case .value(let value): "[=" + value.jsonString + "]"
        case .index(let index): "[\(index)]"
        }
    }
}

extension PathElement {
    /// The member name that stands for this step in FieldsV1: `f:spec`, `k:{"name":"web"}`, `v:"a"`, `i:0`.
    package var encoded: String {
        switch self {
        case .field(let name): return "f:" + name
        case .key(let fields):
            return "k:" + JSONValue.object(JSONObject(fields.map { .init(key: $0.name, value: $0.value) })).jsonString
        case .value(let value): return "v:" + value.jsonString
        case .index(let index): return "i:\(index)"
        }
    }

    /// - Returns: nil for a member name with a prefix of later versions, which readers skip.
    /// - Throws: `FieldsV1Error` when the rest does not fit its prefix.
    package init?(encoded text: String) throws(FieldsV1Error) {
        let bytes = text.utf8
        guard bytes.count >= 2, bytes[bytes.index(after: bytes.startIndex)] == UInt8(ascii: ":") else {
            throw FieldsV1Error(message: "missing colon: \"\(text)\"")
        }
        let rest = String(text.dropFirst(2))
        switch bytes.first {
        case UInt8(ascii: "f"): self = .field(rest)
        case UInt8(ascii: "i"):
            guard let index = Int(rest) else { throw FieldsV1Error(message: "not an index: \"\(text)\"") }
            self = .index(index)
        case UInt8(ascii: "v"): self = .value(try Self.parsed(rest))
        case UInt8(ascii: "k"):
            guard case .object(let object) = try Self.parsed(rest) else {
                throw FieldsV1Error(message: "not a key: \"\(text)\"")
            }
            var fields = object.members.map { KeyField(name: $0.key, value: $0.value) }
            if fields.count > 1 { fields.sort { $0.name < $1.name } }
            self = .key(fields)
        default: return nil
        }
    }

    private static func parsed(_ text: String) throws(FieldsV1Error) -> JSONValue {
        do { return try JSONValue(parsing: text) } catch { throw FieldsV1Error(message: "\(error): \(text)") }
    }
}

/// Why a `fieldsV1` could not be read.
package struct FieldsV1Error: Error, Sendable, Hashable, CustomStringConvertible {
    package var message: String
    package var description: String { "invalid fieldsV1: \(message)" }
}
