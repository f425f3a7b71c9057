/// A JSON value: the form in which every manifest and every live object travels through the program.
///
/// Numbers stay exact: an integer that fits 64 bits is `.integer`, every other number keeps its literal (`.number`).
/// Equality ignores the order of an object's members and the spelling of a number (`1.0` equals `1`).
package enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// A number that is not an `Int64`, as a valid JSON literal: `1.5`, `1e9`, `18446744073709551615`.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

extension JSONValue: Hashable {
    package static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.integer(let a), .integer(let b)): a == b
        case (.string(let a), .string(let b)): a == b
        case (.array(let a), .array(let b)): a == b
        case (.object(let a), .object(let b)): a == b
        case (.number(let a), .number(let b)): a == b || Double(a) == Double(b)
        case (.integer(let a), .number(let b)), (.number(let b), .integer(let a)): Double(b) == Double(a)
        default: false
        }
    }

    package func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0 as UInt8)
        case .bool(let value): hasher.combine(value)
        case .integer(let value): hasher.combine(Double(value))
        case .number(let literal): hasher.combine(Double(literal) ?? 0)
        case .string(let value): hasher.combine(value)
        case .array(let items): hasher.combine(items)
        case .object(let object): hasher.combine(object)
        }
    }
}

extension JSONValue {
    /// The object's members, or `nil` when this is not an object.
    package var objectValue: JSONObject? { if case .object(let value) = self { value } else { nil } }
    package var arrayValue: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    package var stringValue: String? { if case .string(let value) = self { value } else { nil } }
    package var integerValue: Int64? { if case .integer(let value) = self { value } else { nil } }
    package var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var doubleValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let literal): Double(literal)
        default: nil
        }
    }
    package var isNull: Bool { if case .null = self { true } else { false } }

    /// The member of that name; `nil` when it is missing or this is not an object. Setting on a non-object makes it an object;
    /// setting `nil` removes the member.
    package subscript(key: String) -> JSONValue? {
        get { objectValue?[key] }
        set {
            guard case .object(var object) = self else {
                if let newValue { self = .object(JSONObject([.init(key: key, value: newValue)])) }
                return
            }
            self = .null  // keeps the storage uniquely referenced while it is changed
            object[key] = newValue
            self = .object(object)
        }
    }

    /// The value at a path of member names: `body[path: "spec", "replicas"]`. Setting makes the objects on the way.
    package subscript(path keys: String...) -> JSONValue? {
        get { self[path: keys] }
        set { self[path: keys] = newValue }
    }

    package subscript(path keys: [String]) -> JSONValue? {
        get {
            var current = self
            for key in keys {
                guard let next = current[key] else { return nil }
                current = next
            }
            return current
        }
        set {
            guard let first = keys.first else { return }
            if keys.count == 1 {
                self[first] = newValue
                return
            }
            let rest = Array(keys.dropFirst())
            let existing: JSONValue? = self[first]
            if existing == nil && newValue == nil { return }
            var child: JSONValue = existing ?? .object([:])
            self[first] = .null  // as above: no second reference while the child is changed
            child[path: rest] = newValue
            self[first] = child
        }
    }

    /// The item at that index of an array; `nil` when it is out of range or this is not an array.
    package subscript(index: Int) -> JSONValue? {
        guard let items = arrayValue, items.indices.contains(index) else { return nil }
        return items[index]
    }

    /// What a message calls this kind of value: `object`, `array`, `string`, `integer`, `number`, `boolean`, `null`.
    package var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(floatLiteral value: Double) { self = .number("\(value)") }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements.map { .init(key: $0.0, value: $0.1) }))
    }
    package init(nilLiteral: ()) { self = .null }
}
