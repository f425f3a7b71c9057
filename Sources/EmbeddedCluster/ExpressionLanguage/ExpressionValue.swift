import ResourceModel

/// A value while an expression is evaluated.
enum ExpressionValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case int(Int64)
    case uint(UInt64)
    case double(Double)
    case string(String)
    case list([ExpressionValue])
    case map([ExpressionValue: ExpressionValue])

    /// - Parameter schema: tells numbers that are written like integers from integers; nil when nothing is known.
    init(_ json: JSONValue, schema: TypeSchema?) {
        switch json {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .integer(let value):
            if case .scalar(.number)? = schema?.shape { self = .double(Double(value)) } else { self = .int(value) }
        case .number(let literal):
            let number = Double(literal) ?? .nan
            if case .scalar(.integer)? = schema?.shape, let whole = Int64(exactly: number) {
                self = .int(whole)
            } else {
                self = .double(number)
            }
        case .string(let value): self = .string(value)
        case .array(let items): self = .list(items.map { ExpressionValue($0, schema: schema?.items) })
        case .object(let object):
            var members: [ExpressionValue: ExpressionValue] = [:]
            for member in object.members {
                members[.string(member.key)] = ExpressionValue(member.value, schema: schema?.member(member.key))
            }
            self = .map(members)
        }
    }

    var typeName: String {
        switch self {
        case .null: "null_type"
        case .bool: "bool"
        case .int: "int"
        case .uint: "uint"
        case .double: "double"
        case .string: "string"
        case .list: "list"
        case .map: "map"
        }
    }

    private var number: Double? {
        switch self {
        case .int(let value): Double(value)
        case .uint(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    /// CEL's equality: numbers by value, whatever their type; values of different kinds differ.
    func isEqual(to other: ExpressionValue) -> Bool {
        switch (self, other) {
        case (.list(let a), .list(let b)): return a.count == b.count && zip(a, b).allSatisfy { $0.isEqual(to: $1) }
        case (.map(let a), .map(let b)):
            return a.count == b.count && a.allSatisfy { key, value in b[key].map { value.isEqual(to: $0) } ?? false }
        default:
            if let a = number, let b = other.number { return a == b }
            return self == other
        }
    }

    /// Negative, zero or positive; nil when the two have no order.
    func order(to other: ExpressionValue) -> Int? {
        switch (self, other) {
        case (.int(let a), .int(let b)): return a < b ? -1 : a == b ? 0 : 1
        case (.uint(let a), .uint(let b)): return a < b ? -1 : a == b ? 0 : 1
        case (.string(let a), .string(let b)):
            return a == b ? 0 : a.unicodeScalars.lexicographicallyPrecedes(b.unicodeScalars) ? -1 : 1
        case (.bool(let a), .bool(let b)): return a == b ? 0 : b ? -1 : 1
        default:
            guard let a = number, let b = other.number else { return nil }
            return a < b ? -1 : a == b ? 0 : 1
        }
    }
}
