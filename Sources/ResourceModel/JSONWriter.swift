import Glibc

/// Writes values as JSON text into memory of its own: an array's own appending looks at more for each byte.
struct JSONWriter: ~Copyable {
    private var bytes: UnsafeMutablePointer<UInt8>
    private var count = 0
    private var capacity: Int
    /// Members by key and numbers in one spelling: equal values have equal bytes.
    private let isCanonical: Bool

    init(canonical: Bool) {
        isCanonical = canonical
        capacity = 2048
        bytes = .allocate(capacity: capacity)
    }

    deinit { bytes.deallocate() }

    /// What was written.
    var written: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: bytes, count: count) }

    mutating func write(_ value: JSONValue) {
        switch value {
        case .null: append("null")
        case .bool(true): append("true")
        case .bool(false): append("false")
        case .integer(let value): append(String(value))
        case .number(let literal): append(isCanonical ? Self.shortest(literal) : literal)
        case .string(let value): quote(value)
        case .array(let items):
            append(UInt8(ascii: "["))
            for index in items.indices {
                if index > 0 { append(UInt8(ascii: ",")) }
                write(items[index])
            }
            append(UInt8(ascii: "]"))
        case .object(let object): write(object)
        }
    }

    private mutating func write(_ object: JSONObject) {
        append(UInt8(ascii: "{"))
        if isCanonical, !Self.isSorted(object.members) {
            var isFirst = true
            for index in object.members.indices.sorted(by: { Self.precedes(object.members[$0].key, object.members[$1].key) }) {
                write(object.members[index], isFirst: isFirst)
                isFirst = false
            }
        } else {
            for index in object.members.indices { write(object.members[index], isFirst: index == 0) }
        }
        append(UInt8(ascii: "}"))
    }

    private mutating func write(_ member: JSONObject.Member, isFirst: Bool) {
        if !isFirst { append(UInt8(ascii: ",")) }
        quote(member.key)
        append(UInt8(ascii: ":"))
        write(member.value)
    }

    // MARK: Order and spelling

    private static func isSorted(_ members: [JSONObject.Member]) -> Bool {
        for index in members.indices.dropFirst() where !precedes(members[index - 1].key, members[index].key) { return false }
        return true
    }

    /// By bytes.
    private static func precedes(_ left: String, _ right: String) -> Bool {
        let order = left.utf8.withContiguousStorageIfAvailable { left in
            right.utf8.withContiguousStorageIfAvailable { right -> Bool in
                guard let base = left.baseAddress, let other = right.baseAddress else { return left.count < right.count }
                let order = memcmp(base, other, min(left.count, right.count))
                return order == 0 ? left.count < right.count : order < 0
            }
        }
        return (order ?? nil) ?? left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    /// One spelling for each number, so that equal values have equal bytes.
    private static func shortest(_ literal: String) -> String {
        guard let value = Double(literal), value.isFinite else { return literal }
        if value == value.rounded(), abs(value) < 9_007_199_254_740_992 { return String(Int64(value)) }
        return "\(value)"
    }

    // MARK: Bytes

    private mutating func quote(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            // Most text is written as it stands: one look for room, one copy.
            if capacity - count < utf8.count + 2 { grow(by: utf8.count + 2) }
            bytes[count] = UInt8(ascii: "\"")
            count &+= 1
            var start = 0
            var index = Self.plainPrefix(utf8, from: 0)
            while index < utf8.count {
                append(utf8[start..<index])
                escape(utf8[index])
                start = index + 1
                index = Self.plainPrefix(utf8, from: start)
            }
            append(utf8[start...])
        }
        append(UInt8(ascii: "\""))
    }

    /// Where the first byte stands that has to be escaped: a control character, `"` or `\`. Eight bytes at a time, by the tests for bytes below
    /// a value and for zero bytes of https://graphics.stanford.edu/~seander/bithacks.html.
    private static func plainPrefix(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        let (ones, tops): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        var index = start
        if text.count - index >= 8, let base = UnsafeRawPointer(text.baseAddress) {
            while index &+ 8 <= text.count {
                let word = base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                let (quotes, slashes) = (word ^ (ones &* 0x22), word ^ (ones &* 0x5C))
                let special = ((word &- ones &* 0x20) & ~word | (quotes &- ones) & ~quotes | (slashes &- ones) & ~slashes) & tops
                if special != 0 { break }
                index &+= 8
            }
        }
        while index < text.count {
            let byte = text[index]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
            index &+= 1
        }
        return index
    }

    private mutating func escape(_ byte: UInt8) {
        append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(byte)
        case 0x0A: append(UInt8(ascii: "n"))
        case 0x0D: append(UInt8(ascii: "r"))
        case 0x09: append(UInt8(ascii: "t"))
        default:
            append("u00")
            for digit in [byte >> 4, byte & 15] { append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10) }
        }
    }

    private mutating func append(_ byte: UInt8) {
        if count == capacity { grow(by: 1) }
        bytes[count] = byte
        count &+= 1
    }

    private mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append($0[...]) }
    }

    private mutating func append(_ part: Slice<UnsafeBufferPointer<UInt8>>) {
        let part = UnsafeBufferPointer(rebasing: part)
        guard let base = part.baseAddress, part.count > 0 else { return }
        if part.count > capacity - count { grow(by: part.count) }
        (bytes + count).initialize(from: base, count: part.count)
        count += part.count
    }

    private mutating func grow(by number: Int) {
        capacity = max(capacity * 2, count + number)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        larger.initialize(from: bytes, count: count)
        bytes.deallocate()
        bytes = larger
    }
}
