/// Reads the fields of one protobuf message, in the order they come (protobuf.dev, "Encoding").
struct ProtobufWire {
    struct Field {
        var number: Int
        /// Of a varint or a fixed field; doubles by their bits.
        var integer: Int64
        /// Of a field with a length.
        var bytes: ArraySlice<UInt8>

        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    private var rest: ArraySlice<UInt8>
    /// Whether reading ended at bytes that are no field.
    private(set) var isBroken = false

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// The first field of a message that has one only.
    static func first(_ bytes: ArraySlice<UInt8>) -> Field? {
        var wire = ProtobufWire(bytes)
        return wire.next()
    }

    /// The next field; `nil` at the end, and at bytes that are no field.
    mutating func next() -> Field? {
        if rest.isEmpty || isBroken { return nil }
        guard let tag = varint(), let number = Int(exactly: tag >> 3), number > 0 else { return fail() }
        switch tag & 7 {
        case 0:
            guard let value = varint() else { return fail() }
            return Field(number: number, integer: Int64(bitPattern: value), bytes: [])
        case 1: return fixed(number, 8)
        case 5: return fixed(number, 4)
        case 2:
            guard let length = varint(), length <= UInt64(rest.count) else { return fail() }
            let content = rest.prefix(Int(length))
            rest = rest.dropFirst(Int(length))
            return Field(number: number, integer: 0, bytes: content)
        default: return fail()
        }
    }

    private mutating func fixed(_ number: Int, _ size: Int) -> Field? {
        guard rest.count >= size else { return fail() }
        let value = rest.prefix(size).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        rest = rest.dropFirst(size)
        return Field(number: number, integer: Int64(bitPattern: value), bytes: [])
    }

    private mutating func varint() -> UInt64? {
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64, let byte = rest.popFirst() {
            result |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return result }
            shift += 7
        }
        return nil
    }

    private mutating func fail() -> Field? {
        isBroken = true
        return nil
    }
}
