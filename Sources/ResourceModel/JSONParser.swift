extension JSONValue {
    /// Reads one JSON text (RFC 8259) and nothing after it.
    ///
    /// - Throws: `JSONError` with the byte where reading stopped. A text that ends early is an error, never a shorter value.
    ///   Of two members with one key the last one counts, as in Kubernetes.
    package init(parsing bytes: [UInt8]) throws(JSONError) {
        self = try JSONParser.parse(bytes)
    }

    package init(parsing text: String) throws(JSONError) {
        self = try JSONParser.parse(Array(text.utf8))
    }
}

/// A recursive parser over bytes.
struct JSONParser {
    /// Kubernetes refuses deeper nesting too.
    static let depthLimit = 1000

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    private var depth = 0

    static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        let result: Result<JSONValue, JSONError> = bytes.withUnsafeBufferPointer { buffer in
            var parser = JSONParser(bytes: buffer)
            do throws(JSONError) {
                let value = try parser.value()
                parser.skipSpace()
                guard parser.position == buffer.count else { throw parser.failure("unexpected text after the value") }
                return .success(value)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private func failure(_ message: String) -> JSONError { JSONError(message: message, offset: position) }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position &+= 1
            default: return
            }
        }
    }

    private mutating func value() throws(JSONError) -> JSONValue {
        skipSpace()
        guard let first = current else { throw failure("unexpected end") }
        switch first {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): try literal("true"); return .bool(true)
        case UInt8(ascii: "f"): try literal("false"); return .bool(false)
        case UInt8(ascii: "n"): try literal("null"); return .null
        default: return try number()
        }
    }

    private mutating func literal(_ word: StaticString) throws(JSONError) {
        for index in 0..<word.utf8CodeUnitCount {
            guard current == word.utf8Start[index] else { throw failure("invalid literal") }
            position += 1
        }
    }

    private mutating func enter() throws(JSONError) {
        depth += 1
        if depth > Self.depthLimit { throw failure("nested deeper than \(Self.depthLimit)") }
        position += 1
        skipSpace()
    }

    private mutating func object() throws(JSONError) -> JSONValue {
        try enter()
        defer { depth -= 1 }
        var members: [JSONObject.Member] = []
        if current == UInt8(ascii: "}") {
            position += 1
            return .object([:])
        }
        while true {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw failure("expected a member name") }
            let key = try string()
            skipSpace()
            guard current == UInt8(ascii: ":") else { throw failure("expected ':'") }
            position += 1
            members.append(.init(key: key, value: try value()))
            skipSpace()
            switch current {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"):
                position += 1
                return .object(Self.unique(members))
            default: throw failure("expected ',' or '}'")
            }
        }
    }

    private static func unique(_ members: [JSONObject.Member]) -> JSONObject {
        if members.count < 2 { return JSONObject(members) }
        if members.count <= 8 {
            for i in 1..<members.count {
                for j in 0..<i where members[i].key == members[j].key { return merged(members) }
            }
            return JSONObject(members)
        }
        return Set(members.lazy.map(\.key)).count == members.count ? JSONObject(members) : merged(members)
    }

    private static func merged(_ members: [JSONObject.Member]) -> JSONObject {
        var object = JSONObject()
        for member in members { object[member.key] = member.value }
        return object
    }

    private mutating func array() throws(JSONError) -> JSONValue {
        try enter()
        defer { depth -= 1 }
        var items: [JSONValue] = []
        if current == UInt8(ascii: "]") {
            position += 1
            return .array([])
        }
        while true {
            items.append(try value())
            skipSpace()
            switch current {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "]"):
                position += 1
                return .array(items)
            default: throw failure("expected ',' or ']'")
            }
        }
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = position
        if current == UInt8(ascii: "-") { position += 1 }
        let digits = position
        guard let lead = current, isDigit(lead) else { throw failure("unexpected character") }
        skipDigits()
        if lead == UInt8(ascii: "0"), position - digits > 1 { throw failure("a number must not start with 0") }
        var isInteger = true
        if current == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            guard let next = current, isDigit(next) else { throw failure("expected a digit") }
            skipDigits()
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            guard let next = current, isDigit(next) else { throw failure("expected a digit") }
            skipDigits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let integer = Int64(text) { return .integer(integer) }
        return .number(text)
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
    private mutating func skipDigits() { while let byte = current, isDigit(byte) { position += 1 } }

    private mutating func string() throws(JSONError) -> String {
        position += 1
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                defer { position += 1 }
                return try text(bytes[start..<position])
            }
            if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
            if byte < 0x20 { throw failure("control character in a string") }
            position &+= 1
        }
        throw failure("unexpected end in a string")
    }

    private func text(_ slice: Slice<UnsafeBufferPointer<UInt8>>) throws(JSONError) -> String {
        guard let text = String(validating: slice, as: UTF8.self) else { throw failure("invalid UTF-8 in a string") }
        return text
    }

    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var output = Array(bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: output, as: UTF8.self) else { throw failure("invalid UTF-8 in a string") }
                return text
            case UInt8(ascii: "\\"): try escape(into: &output)
            case 0..<0x20: throw failure("control character in a string")
            default: output.append(byte)
            }
        }
        throw failure("unexpected end in a string")
    }

    private mutating func escape(into output: inout [UInt8]) throws(JSONError) {
        guard let kind = current else { throw failure("unexpected end in a string") }
        position += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): output.append(kind)
        case UInt8(ascii: "b"): output.append(0x08)
        case UInt8(ascii: "f"): output.append(0x0C)
        case UInt8(ascii: "n"): output.append(0x0A)
        case UInt8(ascii: "r"): output.append(0x0D)
        case UInt8(ascii: "t"): output.append(0x09)
        case UInt8(ascii: "u"):
            var scalar = UInt32(try hexadecimal())
            if (0xD800..<0xDC00).contains(scalar), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                bytes[position + 1] == UInt8(ascii: "u")
            {
                let resume = position
                position += 2
                let low = UInt32(try hexadecimal())
                if (0xDC00..<0xE000).contains(low) {
                    scalar = 0x10000 + ((scalar - 0xD800) << 10) + (low - 0xDC00)
                } else {
                    position = resume
                }
            }
            // A lone surrogate becomes U+FFFD, as in Go's encoding/json.
            output.append(contentsOf: String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8)
        default: throw failure("invalid escape")
        }
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt16 {
        guard position + 4 <= bytes.count else { throw failure("unexpected end in an escape") }
        var value: UInt16 = 0
        for _ in 0..<4 {
            let byte = bytes[position]
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x41 + 10
            case 0x61...0x66: digit = byte - 0x61 + 10
            default: throw failure("invalid escape")
            }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }
}
