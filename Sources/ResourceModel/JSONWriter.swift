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
        append(UInt8(ascii: "\""))
        text.withUTF8 { utf8 in
            var start = 0
            for index in 0..<utf8.count {
                let byte = utf8[index]
                guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
                append(utf8[start..<index])
                start = index + 1
                escape(byte)
            }
            append(utf8[start...])
        }
        append(UInt8(ascii: "\""))
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
