import Glibc

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
///
/// Its time goes into making strings and arrays, so texts that come again and again in API objects are made once, and the members of
/// an object are gathered on a stack and copied into an array of just their number.
struct JSONParser {
    /// Kubernetes refuses deeper nesting too.
    static let depthLimit = 1000

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    private var depth = 0
    private let members = Gathering<JSONObject.Member>()
    private let items = Gathering<JSONValue>()
    private var strings: StringTable
    private var repeats: RepeatTable

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

    private init(bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
        // A short text repeats too little to pay for the tables.
        let isLong = bytes.count > 32_768
        strings = StringTable(isUsed: isLong)
        repeats = RepeatTable(isUsed: isLong)
    }

    private func failure(_ message: String) -> JSONError { JSONError(message: message, offset: position) }

    /// The byte at the position; 0, which no JSON text holds outside its errors, at the end.
    private var current: UInt8 { position < bytes.count ? bytes[position] : 0 }

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
        guard position < bytes.count else { throw failure("unexpected end") }
        switch bytes[position] {
        case UInt8(ascii: "{"), UInt8(ascii: "["): return try container()
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
            position &+= 1
        }
    }

    private mutating func enter() throws(JSONError) {
        depth += 1
        if depth > Self.depthLimit { throw failure("nested deeper than \(Self.depthLimit)") }
        position += 1
        skipSpace()
    }

    /// An object or an array; one that was read before, byte for byte, is that value again.
    private mutating func container() throws(JSONError) -> JSONValue {
        let start = position
        let slot = depth < Self.depthLimit / 4 ? repeats.slot(of: bytes, at: start) : nil
        if let slot, let (value, end) = repeats.value(in: slot, of: bytes, at: start) {
            position = end
            return value
        }
        let value = bytes[start] == UInt8(ascii: "{") ? try object() : try array()
        if let slot { repeats.keep(value, in: slot, range: start..<position) }
        return value
    }

    private mutating func object() throws(JSONError) -> JSONValue {
        try enter()
        defer { depth -= 1 }
        if current == UInt8(ascii: "}") {
            position += 1
            return .object([:])
        }
        let start = members.count
        while true {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw failure("expected a member name") }
            let key = try string()
            skipSpace()
            guard current == UInt8(ascii: ":") else { throw failure("expected ':'") }
            position += 1
            let value = try value()
            members.append(.init(key: key, value: value))
            skipSpace()
            switch current {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"):
                position += 1
                return .object(Self.unique(members.take(from: start)))
            default: throw failure("expected ',' or '}'")
            }
        }
    }

    private static func unique(_ members: [JSONObject.Member]) -> JSONObject {
        if members.count < 2 { return JSONObject(members) }
        if members.count <= 16 {
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
        if current == UInt8(ascii: "]") {
            position += 1
            return .array([])
        }
        let start = items.count
        while true {
            let value = try value()
            items.append(value)
            skipSpace()
            switch current {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "]"):
                position += 1
                return .array(items.take(from: start))
            default: throw failure("expected ',' or ']'")
            }
        }
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = position
        let isNegative = current == UInt8(ascii: "-")
        if isNegative { position += 1 }
        let digits = position
        guard isDigit(current) else { throw failure("unexpected character") }
        var magnitude: UInt64 = 0
        while isDigit(current) {
            magnitude = magnitude &* 10 &+ UInt64(current &- 0x30)
            position &+= 1
        }
        let count = position - digits
        if count > 1, bytes[digits] == UInt8(ascii: "0") { throw failure("a number must not start with 0") }
        var isInteger = true
        if current == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            guard isDigit(current) else { throw failure("expected a digit") }
            skipDigits()
        }
        if current | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            guard isDigit(current) else { throw failure("expected a digit") }
            skipDigits()
        }
        if isInteger, count <= 18 { return .integer(isNegative ? -Int64(magnitude) : Int64(magnitude)) }
        let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
        if isInteger, let integer = Int64(text) { return .integer(integer) }
        return .number(text)
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
    private mutating func skipDigits() { while isDigit(current) { position &+= 1 } }

    private mutating func string() throws(JSONError) -> String {
        position += 1
        let start = position
        var high: UInt8 = 0
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                let slice = UnsafeBufferPointer(rebasing: bytes[start..<position])
                defer { position &+= 1 }
                if high < 0x80 { return strings.ascii(slice) }
                guard let text = String(validating: slice, as: UTF8.self) else { throw failure("invalid UTF-8 in a string") }
                return text
            }
            if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
            if byte < 0x20 { throw failure("control character in a string") }
            high |= byte
            position &+= 1
        }
        throw failure("unexpected end in a string")
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
        guard position < bytes.count else { throw failure("unexpected end in a string") }
        let kind = bytes[position]
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

/// A stack of elements whose arrays are still being read: each array is allocated once, of its size.
private final class Gathering<Element> {
    private(set) var count = 0
    private var capacity = 64
    private var elements = UnsafeMutablePointer<Element>.allocate(capacity: 64)

    func append(_ element: consuming Element) {
        if count == capacity { grow() }
        (elements + count).initialize(to: element)
        count &+= 1
    }

    private func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: elements, count: count)
        elements.deallocate()
        elements = larger
        capacity *= 2
    }

    /// Moves the elements from that one on into an array.
    func take(from start: Int) -> [Element] {
        let length = count - start
        count = start
        return Array(unsafeUninitializedCapacity: length) { buffer, initialized in
            buffer.baseAddress?.moveInitialize(from: elements + start, count: length)
            initialized = length
        }
    }

    deinit {
        elements.deinitialize(count: count)
        elements.deallocate()
    }
}

/// Strings too long to stand in their own value (15 bytes), each kept in the slot of its hash until another one takes it: field names,
/// images and labels come thousands of times in a list and are stored once.
private struct StringTable {
    private static let slots = 512
    private var table: [String] = []
    private let isUsed: Bool

    init(isUsed: Bool) { self.isUsed = isUsed }

    mutating func ascii(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        guard isUsed, bytes.count > 15, bytes.count <= 96 else { return String(decoding: bytes, as: UTF8.self) }
        if table.isEmpty { table = Array(repeating: "", count: Self.slots) }
        // FNV-1a over the length, the first and the last eight bytes.
        var hash = (0xcbf2_9ce4_8422_2325 ^ UInt64(bytes.count)) &* 0x100_0000_01b3
        let base = UnsafeRawPointer(bytes.baseAddress!)
        hash = (hash ^ base.loadUnaligned(as: UInt64.self)) &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash >> 29
        hash = (hash ^ base.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self)) &* 0x9E37_79B9_7F4A_7C15
        let slot = Int(truncatingIfNeeded: hash >> 40) & (Self.slots - 1)
        let isSame = table[slot].utf8.withContiguousStorageIfAvailable { known in
            known.count == bytes.count && memcmp(known.baseAddress!, bytes.baseAddress!, bytes.count) == 0
        }
        if isSame == true { return table[slot] }
        let text = String(decoding: bytes, as: UTF8.self)
        table[slot] = text
        return text
    }
}

/// Containers of up to half a kilobyte, each kept in the slot of its first bytes until another one takes it. The objects of a list have
/// environment variables, ports, resources and probes in common: those are read once, and stored once.
private struct RepeatTable {
    private static let slots = 1024
    /// What decides the slot; a shorter text has nothing to gain.
    private static let prefix = 32
    private static let longest = 512

    private struct Entry {
        var start = 0
        var length = 0
        var value = JSONValue.null
    }

    private var table: [Entry] = []
    private let isUsed: Bool

    init(isUsed: Bool) { self.isUsed = isUsed }

    mutating func slot(of bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> Int? {
        guard isUsed, start &+ Self.prefix <= bytes.count, bytes[start &+ 1] | 0x20 != UInt8(ascii: "}") else { return nil }
        if table.isEmpty { table = Array(repeating: Entry(), count: Self.slots) }
        let base = UnsafeRawPointer(bytes.baseAddress!) + start
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for offset in stride(from: 0, to: Self.prefix, by: 8) {
            hash = (hash ^ base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 29
        }
        return Int(truncatingIfNeeded: hash >> 40) & (Self.slots - 1)
    }

    /// The slot's value and where its text ends, if that is the text here.
    func value(in slot: Int, of bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> (JSONValue, end: Int)? {
        let (known, length) = (table[slot].start, table[slot].length)
        guard length > 0, start &+ length <= bytes.count else { return nil }
        let base = bytes.baseAddress!
        return memcmp(base + known, base + start, length) == 0 ? (table[slot].value, start &+ length) : nil
    }

    mutating func keep(_ value: JSONValue, in slot: Int, range: Range<Int>) {
        if range.count <= Self.longest { table[slot] = Entry(start: range.lowerBound, length: range.count, value: value) }
    }
}
