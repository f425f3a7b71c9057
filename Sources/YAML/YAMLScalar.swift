import ResourceModel

/// What a plain scalar means: the rules of sigs.k8s.io/yaml (a copy of go-yaml 2), which kubectl and the API server read with.
/// YAML 1.1 booleans and octals included; sexagesimal numbers and dates stay strings.
enum YAMLScalar {
    enum Resolution: Equatable {
        case string, null
        case bool(Bool)
        case integer(Int64)
        /// Above `Int64.max`.
        case unsigned(UInt64)
        /// Possibly infinite or not a number.
        case float(Double)
    }

    /// What the first byte says: nothing but a string, perhaps a word of the table, perhaps a number.
    private enum Hint { case string, word, number, point }

    private static func hint(_ byte: UInt8) -> Hint {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"): .number
        case UInt8(ascii: "."): .point
        case UInt8(ascii: "y"), UInt8(ascii: "Y"), UInt8(ascii: "n"), UInt8(ascii: "N"), UInt8(ascii: "t"), UInt8(ascii: "T"),
            UInt8(ascii: "f"), UInt8(ascii: "F"), UInt8(ascii: "o"), UInt8(ascii: "O"), UInt8(ascii: "~"):
            .word
        default: .string
        }
    }

    /// What a plain scalar resolves to.
    static func resolve(_ bytes: UnsafeBufferPointer<UInt8>) -> Resolution {
        guard let first = bytes.first else { return .null }
        switch hint(first) {
        case .string: return .string
        case .word:
            guard bytes.count <= 5 else { return .string }
            return word(String(decoding: bytes, as: UTF8.self))
        case .point:
            let text = String(decoding: bytes, as: UTF8.self)
            if let value = notFinite(text) { return .float(value) }
            guard isFloat(bytes), let value = Double(text), value.isFinite else { return .string }
            return .float(value)
        case .number: return numeric(bytes)
        }
    }

    /// The same for a string.
    static func resolve(_ text: String) -> Resolution {
        var text = text
        return text.withUTF8 { resolve($0) }
    }

    private static func word(_ text: String) -> Resolution {
        switch text {
        case "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON": .bool(true)
        case "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF": .bool(false)
        case "~", "null", "Null", "NULL": .null
        default: .string
        }
    }

    private static func notFinite(_ text: String) -> Double? {
        switch text {
        case ".nan", ".NaN", ".NAN": .nan
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": .infinity
        case "-.inf", "-.Inf", "-.INF": -.infinity
        default: nil
        }
    }

    private static func numeric(_ bytes: UnsafeBufferPointer<UInt8>) -> Resolution {
        if bytes.count < 19, bytes[0] != UInt8(ascii: "0") || bytes.count == 1, bytes.allSatisfy({ $0 &- 0x30 < 10 }) {
            var value: Int64 = 0
            for byte in bytes { value = value &* 10 &+ Int64(byte &- 0x30) }
            return .integer(value)
        }
        let text = String(decoding: bytes, as: UTF8.self)
        if let value = notFinite(text) { return .float(value) }
        let plain = text.utf8.contains(UInt8(ascii: "_")) ? text.filter { $0 != "_" } : text
        if let integer = integer(plain) { return integer }
        var copy = plain
        if copy.withUTF8({ isFloat($0) }), let value = Double(plain), value.isFinite { return .float(value) }
        return .string
    }

    /// Go's `strconv.ParseInt(text, 0, 64)`, then `ParseUint`: prefixes 0x, 0o, 0b, and a leading 0 for octal. What exceeds 64
    /// bits unsigned is not an integer; what exceeds them signed becomes a float, as JSON decoding in Kubernetes has it.
    private static func integer(_ text: String) -> Resolution? {
        var digits = Substring(text)
        var negative = false
        if let sign = digits.first, sign == "-" || sign == "+" {
            negative = sign == "-"
            digits = digits.dropFirst()
        }
        var radix = 10
        if digits.first == "0", digits.count > 1 {
            switch digits.dropFirst().first {
            case "x", "X": radix = 16
            case "o", "O": radix = 8
            case "b", "B": radix = 2
            default: radix = 8
            }
            let prefixed = digits.utf8.dropFirst().first.map { $0 > 0x39 } ?? false
            digits = digits.dropFirst(prefixed ? 2 : 1)
        }
        if let first = digits.utf8.first, first != UInt8(ascii: "+"), first != UInt8(ascii: "-"),
            let magnitude = UInt64(digits, radix: radix)
        {
            if magnitude <= UInt64(Int64.max) { return .integer(negative ? -Int64(magnitude) : Int64(magnitude)) }
            if negative { return magnitude == 1 << 63 ? .integer(.min) : nil }
            return text.utf8.first == UInt8(ascii: "+") ? nil : .unsigned(magnitude)
        }
        // go-yaml's own reading of 0b, which lets a sign follow the prefix.
        if text.hasPrefix("0b"), let value = Int64(text.dropFirst(2), radix: 2) { return .integer(value) }
        return nil
    }

    /// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`
    private static func isFloat(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var index = 0
        func digits() -> Bool {
            let start = index
            while index < bytes.count, bytes[index] &- 0x30 < 10 { index += 1 }
            return index > start
        }
        func take(_ choices: StaticString) -> Bool {
            guard index < bytes.count else { return false }
            for choice in 0..<choices.utf8CodeUnitCount where bytes[index] == choices.utf8Start[choice] {
                index += 1
                return true
            }
            return false
        }
        _ = take("+-")
        if take(".") {
            guard digits() else { return false }
        } else {
            guard digits() else { return false }
            if take(".") { _ = digits() }
        }
        if take("eE") {
            _ = take("+-")
            guard digits() else { return false }
        }
        return index == bytes.count
    }
}
