import ResourceModel

/// Works out an expression's value. Errors are values of `&&` and `||` only where the other side does not decide, as CEL has it.
struct ExpressionEvaluator {
    private var variables: [String: ExpressionValue]
    /// Steps left: rules on large lists of lists must end.
    private var budget = 1_000_000

    init(variables: [String: ExpressionValue]) { self.variables = variables }

    mutating func value(of expression: Expression) throws(ExpressionError) -> ExpressionValue {
        budget -= 1
        if budget < 0 { throw ExpressionError("operation cancelled: actual cost limit exceeded") }
        switch expression {
        case .literal(let value): return value
        case .identifier(let name):
            guard let value = variables[name] else { throw ExpressionError("undeclared reference to '\(name)'") }
            return value
        case .select(let operand, let field): return try member(try value(of: operand), .string(field))
        case .presence(let operand, let field):
            guard case .map(let members) = try value(of: operand) else { throw ExpressionError("no such overload: has()") }
            return .bool(members[.string(field)] != nil)
        case .index(let operand, let index):
            let operand = try value(of: operand)
            return try member(operand, try value(of: index))
        case .list(let items):
            var values: [ExpressionValue] = []
            for item in items { values.append(try value(of: item)) }
            return .list(values)
        case .map(let entries):
            var members: [ExpressionValue: ExpressionValue] = [:]
            for entry in entries { members[try value(of: entry.key)] = try value(of: entry.value) }
            return .map(members)
        case .unary(let sign, let operand): return try unary(sign, try value(of: operand))
        case .binary("&&", let left, let right): return try logical(left, right, decisive: false)
        case .binary("||", let left, let right): return try logical(left, right, decisive: true)
        case .binary(let sign, let left, let right):
            let left = try value(of: left)
            return try ExpressionOperators.apply(sign, left, try value(of: right))
        case .conditional(let condition, let first, let second):
            guard case .bool(let holds) = try value(of: condition) else { throw ExpressionError("no such overload: ?:") }
            return try value(of: holds ? first : second)
        case .call(let target, let name, let arguments):
            var values: [ExpressionValue] = []
            if let target { values.append(try value(of: target)) }
            for argument in arguments { values.append(try value(of: argument)) }
            return try ExpressionFunctions.call(name, values, isMethod: target != nil)
        case .comprehension(let macro, let range, let variable, let bodies):
            return try comprehension(macro, try value(of: range), variable, bodies)
        }
    }

    private func member(_ operand: ExpressionValue, _ key: ExpressionValue) throws(ExpressionError) -> ExpressionValue {
        switch (operand, key) {
        case (.map(let members), _):
            guard let value = members[key] else {
                if case .string(let name) = key { throw ExpressionError("no such key: \(name)") }
                throw ExpressionError("no such key: \(key)")
            }
            return value
        case (.list(let items), .int(let index)):
            guard items.indices.contains(Int(index)) else { throw ExpressionError("index out of bounds: \(index)") }
            return items[Int(index)]
        default: throw ExpressionError("no such overload: \(operand.typeName)[\(key.typeName)]")
        }
    }

    private func unary(_ sign: String, _ operand: ExpressionValue) throws(ExpressionError) -> ExpressionValue {
        switch (sign, operand) {
        case ("!", .bool(let value)): return .bool(!value)
        case ("-", .int(let value)) where value != .min: return .int(-value)
        case ("-", .double(let value)): return .double(-value)
        default: throw ExpressionError("no such overload: \(sign)\(operand.typeName)")
        }
    }

    private mutating func logical(_ left: Expression, _ right: Expression, decisive: Bool) throws(ExpressionError)
        -> ExpressionValue
    {
        let first: Result<ExpressionValue, ExpressionError>
        do throws(ExpressionError) { first = .success(try value(of: left)) } catch { first = .failure(error) }
        if case .success(.bool(decisive)) = first { return .bool(decisive) }
        let second = try value(of: right)
        if case .bool(decisive) = second { return second }
        guard case .bool = try first.get(), case .bool = second else {
            throw ExpressionError("no such overload: \(decisive ? "||" : "&&")")
        }
        return .bool(!decisive)
    }

    private mutating func comprehension(
        _ macro: Expression.Macro, _ range: ExpressionValue, _ variable: String, _ bodies: [Expression]
    ) throws(ExpressionError) -> ExpressionValue {
        let items: [ExpressionValue]
        switch range {
        case .list(let list): items = list
        case .map(let members): items = Array(members.keys)
        default: throw ExpressionError("no such overload: \(macro.rawValue) of \(range.typeName)")
        }
        let outer = variables[variable]
        defer { variables[variable] = outer }
        var kept: [ExpressionValue] = []
        var hits = 0
        var failure: ExpressionError?
        for item in items {
            variables[variable] = item
            if macro == .map {
                if bodies.count == 2 {
                    guard case .bool(let holds) = try value(of: bodies[0]) else { throw ExpressionError("no such overload: map") }
                    if !holds { continue }
                }
                kept.append(try value(of: bodies[bodies.count - 1]))
                continue
            }
            let holds: Bool
            do throws(ExpressionError) {
                guard case .bool(let value) = try value(of: bodies[0]) else {
                    throw ExpressionError("no such overload: \(macro.rawValue)")
                }
                holds = value
            } catch {
                if macro == .filter || macro == .existsOne { throw error }
                failure = error
                continue
            }
            switch macro {
            case .all: if !holds { return .bool(false) }
            case .exists: if holds { return .bool(true) }
            case .existsOne: hits += holds ? 1 : 0
            case .filter: if holds { kept.append(item) }
            case .map: break
            }
        }
        if let failure { throw failure }
        switch macro {
        case .all: return .bool(true)
        case .exists: return .bool(false)
        case .existsOne: return .bool(hits == 1)
        case .map, .filter: return .list(kept)
        }
    }
}
