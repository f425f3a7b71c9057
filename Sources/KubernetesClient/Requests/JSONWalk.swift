/// Walks through JSON text and makes no values of it.
///
/// Reads only what is well formed as far as it looks: whoever wants the values has the text parsed.
struct JSONWalk {
    let bytes: UnsafeBufferPointer<UInt8>
    private(set) var position: Int

    init(_ bytes: UnsafeBufferPointer<UInt8>, from position: Int) {
        self.bytes = bytes
        self.position = position
    }

    /// Calls `read` at each member's value, which it has to pass.
    /// - Returns: whether this was an object, and `read` passed every value.
    mutating func members(_ read: (inout JSONWalk, Slice<UnsafeBufferPointer<UInt8>>) -> Bool) -> Bool {
        guard take(UInt8(ascii: "{")) else { return false }
        if take(UInt8(ascii: "}")) { return true }
        while true {
            guard let key = string(), take(UInt8(ascii: ":")) else { return false }
            skipSpace()
            guard read(&self, key) else { return false }
            if take(UInt8(ascii: "}")) { return true }
            guard take(UInt8(ascii: ",")) else { return false }
        }
    }

    /// Calls `read` at each member's value of the object that these names lead to, where there is one; passes all others.
    mutating func members(
        at names: ArraySlice<String>, _ read: (inout JSONWalk, Slice<UnsafeBufferPointer<UInt8>>) -> Bool
    ) -> Bool {
        guard let name = names.first else { return members(read) }
        return members { walk, key in
            key.elementsEqual(name.utf8) ? walk.members(at: names.dropFirst(), read) : walk.skipValue()
        }
    }

    /// Calls `read` at each element, which it has to pass.
    /// - Returns: whether this was an array, and `read` passed every element.
    mutating func elements(_ read: (inout JSONWalk) -> Bool) -> Bool {
        guard take(UInt8(ascii: "[")) else { return false }
        if take(UInt8(ascii: "]")) { return true }
        while true {
            skipSpace()
            guard read(&self) else { return false }
            if take(UInt8(ascii: "]")) { return true }
            guard take(UInt8(ascii: ",")) else { return false }
        }
    }

    mutating func skipValue() -> Bool {
        skipSpace()
        var depth = 0
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                guard string() != nil else { return false }
                if depth == 0 { return true }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return true }  // the end of what holds a number or a word
                depth -= 1
                if depth == 0 {
                    position += 1
                    return true
                }
            case UInt8(ascii: ","): if depth == 0 { return true }
            default: break
            }
            position += 1
        }
        return false
    }

    /// A string without escapes, as uids and versions are.
    mutating func text() -> String? {
        guard let slice = string(), !slice.contains(UInt8(ascii: "\\")) else { return nil }
        return String(validating: slice, as: UTF8.self)
    }

    /// What stands between two quotes.
    mutating func string() -> Slice<UnsafeBufferPointer<UInt8>>? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return bytes[start..<(position - 1)]
            case UInt8(ascii: "\\"): position += 2
            default: position += 1
            }
        }
        return nil
    }

    /// Passes `null`, if it stands here: Go servers may write an empty list so.
    mutating func takeNull() -> Bool {
        skipSpace()
        guard current == UInt8(ascii: "n") else { return false }
        return skipValue()
    }

    private var current: UInt8 { position < bytes.count ? bytes[position] : 0 }

    /// Passes white space, and this byte if it is there.
    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard current == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while position < bytes.count, bytes[position] == 0x20 || (0x09...0x0D).contains(bytes[position]) { position += 1 }
    }
}
