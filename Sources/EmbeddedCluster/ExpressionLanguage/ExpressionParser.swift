import ResourceModel

/// Reads an expression's text.
struct ExpressionParser {
    private enum Token: Equatable {
        case identifier(String)
        case literal(ExpressionValue)
        case symbol(String)
        case end
    }

    private var tokens: [ExpressionToken] = []
    private var position = 0
    private var depth = 0

    static func parse(_ text: String) throws(ExpressionError) -> Expression {
        var parser = ExpressionParser()
        parser.tokens = try ExpressionToken.tokens(of: Array(text.unicodeScalars))
        let expression = try parser.conditional()
        guard parser.current == .end else { throw ExpressionError("Syntax error: unexpected \(parser.shown)") }
        return expression
    }

    private var current: ExpressionToken { tokens[position] }
    private var shown: String {
        switch current {
        case .identifier(let name): "'\(name)'"
        case .symbol(let text): "'\(text)'"
        case .literal(let value): "literal \(value)"
        case .end: "end of the rule"
        }
    }

    private mutating func accept(_ symbols: String...) -> String? {
        if case .symbol(let text) = current, symbols.contains(text) {
            position += 1
            return text
        }
        return nil
    }

    private mutating func expect(_ symbol: String) throws(ExpressionError) {
        if accept(symbol) == nil { throw ExpressionError("Syntax error: expected '\(symbol)', found \(shown)") }
    }

    private mutating func conditional() throws(ExpressionError) -> Expression {
        depth += 1
        defer { depth -= 1 }
        if depth > 100 { throw ExpressionError("Syntax error: nested too deeply") }
        let condition = try binary(0)
        guard accept("?") != nil else { return condition }
        let first = try binary(0)
        try expect(":")
        return .conditional(condition, first, try conditional())
    }

    private static let levels: [[String]] = [
        ["||"], ["&&"], ["<", "<=", ">", ">=", "==", "!=", "in"], ["+", "-"], ["*", "/", "%"],
    ]

    private mutating func binary(_ level: Int) throws(ExpressionError) -> Expression {
        if level == Self.levels.count { return try unary() }
        var left = try binary(level + 1)
        while true {
            let found: String
            switch current {
            case .symbol(let text) where Self.levels[level].contains(text): found = text
            case .identifier("in") where level == 2: found = "in"
            default: return left
            }
            position += 1
            left = .binary(found, left, try binary(level + 1))
        }
    }

    private mutating func unary() throws(ExpressionError) -> Expression {
        if accept("!") != nil { return .unary("!", try unary()) }
        if accept("-") != nil {
            switch try unary() {
            case .literal(.int(let value)): return .literal(.int(-value))
            case .literal(.double(let value)): return .literal(.double(-value))
            case let operand: return .unary("-", operand)
            }
        }
        return try member()
    }

    private mutating func member() throws(ExpressionError) -> Expression {
        var operand = try primary()
        while true {
            if accept(".") != nil {
                guard case .identifier(let name) = current else {
                    throw ExpressionError("Syntax error: expected a name after '.', found \(shown)")
                }
                position += 1
                operand = accept("(") != nil ? try call(operand, name) : .select(operand, Self.unescaped(name))
            } else if accept("[") != nil {
                let index = try conditional()
                try expect("]")
                operand = .index(operand, index)
            } else {
                return operand
            }
        }
    }

    private mutating func arguments(until close: String) throws(ExpressionError) -> [Expression] {
        var found: [Expression] = []
        while accept(close) == nil {
            if !found.isEmpty {
                try expect(",")
                if accept(close) != nil { break }
            }
            found.append(try conditional())
        }
        return found
    }

    private mutating func call(_ target: Expression, _ name: String) throws(ExpressionError) -> Expression {
        let arguments = try arguments(until: ")")
        guard let macro = Expression.Macro(rawValue: name) else {
            return .call(target: target, name: name, arguments: arguments)
        }
        guard arguments.count == 2 || (macro == .map && arguments.count == 3), case .identifier(let variable) = arguments[0]
        else {
            throw ExpressionError("Syntax error: '\(name)' takes a variable and an expression")
        }
        return .comprehension(macro, target, variable: variable, Array(arguments.dropFirst()))
    }

    private mutating func primary() throws(ExpressionError) -> Expression {
        let token = current
        position += token == .end ? 0 : 1
        switch token {
        case .literal(let value): return .literal(value)
        case .identifier(let name):
            guard accept("(") != nil else { return .identifier(name) }
            let arguments = try arguments(until: ")")
            if name == "has" {
                guard arguments.count == 1, case .select(let operand, let field) = arguments[0] else {
                    throw ExpressionError("invalid argument to has() macro")
                }
                return .presence(operand, field)
            }
            return .call(target: nil, name: name, arguments: arguments)
        case .symbol("("):
            let inner = try conditional()
            try expect(")")
            return inner
        case .symbol("["): return .list(try arguments(until: "]"))
        case .symbol("{"):
            var entries: [Expression.MapEntry] = []
            while accept("}") == nil {
                if !entries.isEmpty { try expect(",") }
                let key = try conditional()
                try expect(":")
                entries.append(.init(key: key, value: try conditional()))
            }
            return .map(entries)
        default: throw ExpressionError("Syntax error: unexpected \(token == .end ? "end of the rule" : "\(token)")")
        }
    }

    /// Field names that CEL could not spell are escaped in rules.
    private static func unescaped(_ name: String) -> String {
        guard name.contains("__") else { return name }
        var result = ""
        var rest = name[...]
        let escapes = [("__underscores__", "__"), ("__dot__", "."), ("__dash__", "-"), ("__slash__", "/")]
        let keywords = [
            "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
            "loop", "package", "namespace", "return",
        ]
        if name.hasPrefix("__"), name.hasSuffix("__"), keywords.contains(String(name.dropFirst(2).dropLast(2))) {
            return String(name.dropFirst(2).dropLast(2))
        }
        while !rest.isEmpty {
            if let escape = escapes.first(where: { rest.hasPrefix($0.0) }) {
                result += escape.1
                rest = rest.dropFirst(escape.0.count)
            } else {
                result.append(rest.removeFirst())
            }
        }
        return result
    }
}
