/// The operators on two values.
enum ExpressionOperators {
    static func apply(_ sign: String, _ left: ExpressionValue, _ right: ExpressionValue) throws(ExpressionError)
        -> ExpressionValue
    {
        switch sign {
        case "==": return .bool(left.isEqual(to: right))
        case "!=": return .bool(!left.isEqual(to: right))
        case "in":
            switch right {
            case .list(let items): return .bool(items.contains { $0.isEqual(to: left) })
            case .map(let members): return .bool(members[left] != nil)
            default: throw overload(sign, left, right)
            }
        case "<", "<=", ">", ">=":
            guard let order = left.order(to: right) else { throw overload(sign, left, right) }
            switch sign {
            case "<": return .bool(order < 0)
            case "<=": return .bool(order <= 0)
            case ">": return .bool(order > 0)
            default: return .bool(order >= 0)
            }
        default: return try arithmetic(sign, left, right)
        }
    }

    private static func overload(_ sign: String, _ left: ExpressionValue, _ right: ExpressionValue) -> ExpressionError {
        ExpressionError("no such overload: \(left.typeName) \(sign) \(right.typeName)")
    }

    private static func arithmetic(
        _ sign: String, _ left: ExpressionValue, _ right: ExpressionValue
    ) throws(ExpressionError) -> ExpressionValue {
        switch (left, right) {
        case (.int(let a), .int(let b)): return .int(try integer(sign, a, b))
        case (.uint(let a), .uint(let b)): return .uint(try integer(sign, a, b))
        case (.double(let a), .double(let b)):
            switch sign {
            case "+": return .double(a + b)
            case "-": return .double(a - b)
            case "*": return .double(a * b)
            case "/": return .double(a / b)
            default: throw overload(sign, left, right)
            }
        case (.string(let a), .string(let b)) where sign == "+": return .string(a + b)
        case (.list(let a), .list(let b)) where sign == "+": return .list(a + b)
        default: throw overload(sign, left, right)
        }
    }

    private static func integer<T: FixedWidthInteger>(_ sign: String, _ a: T, _ b: T) throws(ExpressionError) -> T {
        let result: (partialValue: T, overflow: Bool)
        switch sign {
        case "+": result = a.addingReportingOverflow(b)
        case "-": result = a.subtractingReportingOverflow(b)
        case "*": result = a.multipliedReportingOverflow(by: b)
        case "/":
            if b == 0 { throw ExpressionError("division by zero") }
            result = a.dividedReportingOverflow(by: b)
        default:
            if b == 0 { throw ExpressionError("modulus by zero") }
            result = a.remainderReportingOverflow(dividingBy: b)
        }
        if result.overflow { throw ExpressionError("integer overflow") }
        return result.partialValue
    }
}
