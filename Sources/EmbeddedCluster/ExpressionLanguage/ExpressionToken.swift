import ResourceModel

/// The words of an expression.
enum ExpressionToken: Equatable {
    case identifier(String)
    case literal(ExpressionValue)
    case symbol(String)
    case end

    static func tokens(of text: [Unicode.Scalar]) throws(ExpressionError) -> [ExpressionToken] {
        var tokens: [ExpressionToken] = []
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
