import ResourceModel

/// Reads an expression's text.
struct ExpressionParser {
    private enum Token: Equatable {
        case identifier(String), literal(ExpressionValue), symbol(String), end
    }

    private var tokens: [Token] = []
    private var position = 0
    private var depth = 0

    static func parse(_ text: String) throws(ExpressionError) -> Expression {
        var parser = ExpressionParser()
        parser.tokens = try tokens(of: Array(text.unicodeScalars))
        let expression = try parser.conditional()
        guard parser.current == .end else { throw ExpressionError("Syntax error: unexpected \(parser.shown)") }
        return expression
    }

    private var current: Token { tokens[position] }
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
        guard arguments.count == 2 || (macro == .map && arguments.count == 3), case .identifier(let variable) = arguments[0] else {
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

    // MARK: Tokens

    private static func tokens(of text: [Unicode.Scalar]) throws(ExpressionError) -> [Token] {
        var tokens: [Token] = []
        var index = 0
        while index < text.count {
            let character = text[index]
            if character.properties.isWhitespace {
                index += 1
            } else if character == "/", index + 1 < text.count, text[index + 1] == "/" {
                while index < text.count, text[index] != "\n" { index += 1 }
            } else if isDigit(character) || (character == "." && index + 1 < text.count && isDigit(text[index + 1])) {
                tokens.append(.literal(try number(text, &index)))
            } else if let quote = stringStart(text, index) {
                tokens.append(.literal(.string(try string(text, &index, quote))))
            } else if isNameStart(character) {
                var name = ""
                while index < text.count, isNameStart(text[index]) || isDigit(text[index]) {
                    name.unicodeScalars.append(text[index])
                    index += 1
                }
                switch name {
                case "true": tokens.append(.literal(.bool(true)))
                case "false": tokens.append(.literal(.bool(false)))
                case "null": tokens.append(.literal(.null))
                default: tokens.append(.identifier(name))
                }
            } else {
                let pair = index + 1 < text.count ? String(character) + String(text[index + 1]) : ""
                if ["||", "&&", "<=", ">=", "==", "!="].contains(pair) {
                    tokens.append(.symbol(pair))
                    index += 2
                } else if "()[]{}.,:?!<>+-*/%".unicodeScalars.contains(character) {
                    tokens.append(.symbol(String(character)))
                    index += 1
                } else {
                    throw ExpressionError("Syntax error: token recognition error at: '\(character)'")
                }
            }
        }
        return tokens + [.end]
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
    private static func isNameStart(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_"
    }

    private static func number(_ text: [Unicode.Scalar], _ index: inout Int) throws(ExpressionError) -> ExpressionValue {
        var digits = ""
        var isDouble = false
        if text[index] == "0", index + 1 < text.count, text[index + 1] == "x" {
            index += 2
            while index < text.count, text[index].properties.isASCIIHexDigit {
                digits.unicodeScalars.append(text[index])
                index += 1
            }
            guard let value = Int64(digits, radix: 16) else { throw ExpressionError("invalid int literal 0x\(digits)") }
            return .int(value)
        }
        while index < text.count {
            let scalar = text[index]
            if scalar == "." || scalar == "e" || scalar == "E" {
                isDouble = true
            } else if scalar == "-" || scalar == "+" {
                guard digits.last == "e" || digits.last == "E" else { break }
            } else if !isDigit(scalar) {
                break
            }
            digits.unicodeScalars.append(scalar)
            index += 1
        }
        if index < text.count, text[index] == "u" || text[index] == "U", let value = UInt64(digits) {
            index += 1
            return .uint(value)
        }
        if !isDouble, let value = Int64(digits) { return .int(value) }
        guard isDouble, let value = Double(digits) else { throw ExpressionError("invalid number literal \(digits)") }
        return .double(value)
    }

    private static func stringStart(_ text: [Unicode.Scalar], _ index: Int) -> Int? {
        if text[index] == "\"" || text[index] == "'" { return 0 }
        if text[index] == "r" || text[index] == "R", index + 1 < text.count, text[index + 1] == "\"" || text[index + 1] == "'" {
            return 1
        }
        return nil
    }

    private static func string(_ text: [Unicode.Scalar], _ index: inout Int, _ prefix: Int) throws(ExpressionError) -> String {
        let isRaw = prefix == 1
        index += prefix
        let quote = text[index]
        let isTriple = index + 2 < text.count && text[index + 1] == quote && text[index + 2] == quote
        index += isTriple ? 3 : 1
        var result = ""
        while index < text.count {
            let scalar = text[index]
            if scalar == quote {
                if !isTriple {
                    index += 1
                    return result
                }
                if index + 2 < text.count, text[index + 1] == quote, text[index + 2] == quote {
                    index += 3
                    return result
                }
            }
            index += 1
            guard scalar == "\\", !isRaw else {
                result.unicodeScalars.append(scalar)
                continue
            }
            guard index < text.count else { break }
            result.unicodeScalars.append(try escape(text, &index))
        }
        throw ExpressionError("Syntax error: unterminated string")
    }

    private static func escape(_ text: [Unicode.Scalar], _ index: inout Int) throws(ExpressionError) -> Unicode.Scalar {
        let kind = text[index]
        index += 1
        let simple: [Unicode.Scalar: Unicode.Scalar] = [
            "n": "\n", "t": "\t", "r": "\r", "\\": "\\", "\"": "\"", "'": "'", "`": "`", "?": "?", "a": "\u{7}", "b": "\u{8}",
            "f": "\u{C}", "v": "\u{B}",
        ]
        if let scalar = simple[kind] { return scalar }
        let lengths: [Unicode.Scalar: Int] = ["x": 2, "X": 2, "u": 4, "U": 8]
        guard let length = lengths[kind], index + length <= text.count else {
            throw ExpressionError("Syntax error: invalid escape '\\\(kind)'")
        }
        var digits = ""
        for scalar in text[index..<(index + length)] { digits.unicodeScalars.append(scalar) }
        index += length
        guard let code = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(code) else {
            throw ExpressionError("Syntax error: invalid escape '\\\(kind)\(digits)'")
        }
        return scalar
    }
}
