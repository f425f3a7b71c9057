/// How a string is written so that it is read back as the same string.
enum YAMLText {
    /// Whether the string can stand as it is: one line, no character that means something to YAML, nothing that this reader,
    /// or one with the rules of YAML 1.2 or of dates and sexagesimal numbers, would take for another type.
    static func isPlain(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            guard let first = bytes.first, let last = bytes.last, bytes.count <= 1024 else { return false }
            guard isWord(first) || first == UInt8(ascii: "/") || first == UInt8(ascii: "_") else { return false }
            guard last != UInt8(ascii: ":"), last != UInt8(ascii: " ") else { return false }
            var looksNumeric = first &- 0x30 < 10
            for index in 0..<bytes.count {
                let byte = bytes[index]
                switch byte {
                case UInt8(ascii: ":"):
                    if bytes[index + 1] == UInt8(ascii: " ") { return false }
                case UInt8(ascii: " "):
                    if bytes[index + 1] == UInt8(ascii: "#") { return false }
                case UInt8(ascii: "#"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "/"),
                    UInt8(ascii: "@"), UInt8(ascii: "+"), UInt8(ascii: "="), UInt8(ascii: "%"), UInt8(ascii: "("),
                    UInt8(ascii: ")"), UInt8(ascii: "*"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "$"),
                    UInt8(ascii: ";"), UInt8(ascii: "'"), UInt8(ascii: "!"), UInt8(ascii: "?"), UInt8(ascii: "~"),
                    UInt8(ascii: "^"), UInt8(ascii: "|"), UInt8(ascii: "&"):
                    break
                default:
                    guard isWord(byte) else { return false }
                }
                if looksNumeric, !isNumberLike(byte) { looksNumeric = false }
            }
            if looksNumeric { return false }
            return YAMLScalar.resolve(bytes) == .string
        }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26
    }

    /// Characters of numbers, dates and times in any of YAML's versions.
    private static func isNumberLike(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"),
            UInt8(ascii: "x"), UInt8(ascii: "X"), UInt8(ascii: "o"), UInt8(ascii: "O"), UInt8(ascii: "T"), UInt8(ascii: "t"),
            UInt8(ascii: "Z"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "+"), UInt8(ascii: "-"),
            UInt8(ascii: " "):
            true
        default: false
        }
    }

    /// Whether a literal block carries the string: several lines, all of them printable, not only line breaks, and no tab where
    /// indentation is looked for.
    static func fitsBlock(_ text: String) -> Bool {
        guard text.utf8.contains(0x0A), text.utf8.contains(where: { $0 != 0x0A && $0 != 0x20 }) else { return false }
        if text.utf8.first == 0x09 { return false }
        return text.unicodeScalars.allSatisfy { $0 == "\n" || $0 == "\t" || isPrintable($0) }
    }

    /// What may stand unescaped: YAML's printable characters without its further line breaks and the byte order mark.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20..<0x7F, 0xA0..<0x2028, 0x202A..<0xD800, 0xE000..<0xFEFF, 0xFF00..<0xFFFE, 0x10000...0x10FFFF: true
        default: false
        }
    }

    /// The string in double quotes, on one line.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where isPrintable(scalar): result.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return result + "\""
    }
}
