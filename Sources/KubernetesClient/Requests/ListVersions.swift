/// Finds uid and resourceVersion of each object in the text of a list's items, and makes no values of the rest.
///
/// Reads only what is well formed as far as it looks: whoever wants the objects has the text parsed.
struct ListVersions {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position: Int

    /// - Parameter start: where the items' array begins.
    /// - Returns: `uid resourceVersion` of each object; `nil` when the text is not as expected.
    static func read(_ text: [UInt8], from start: Int) -> [String]? {
        text.withUnsafeBufferPointer { bytes in
            var reader = ListVersions(bytes: bytes, position: start)
            return reader.items()
        }
    }

    private init(bytes: UnsafeBufferPointer<UInt8>, position: Int) {
        self.bytes = bytes
        self.position = position
    }

    private mutating func items() -> [String]? {
        skipSpace()
        if current == UInt8(ascii: "n") { return [] }  // Go servers may write an empty list as null
        guard take(UInt8(ascii: "[")) else { return nil }
        var found: [String] = []
        if take(UInt8(ascii: "]")) { return found }
        while true {
            guard let item = item() else { return nil }
            found.append(item)
            if take(UInt8(ascii: "]")) { return found }
            guard take(UInt8(ascii: ",")) else { return nil }
        }
    }

    private mutating func item() -> String? {
        var (uid, version): (String?, String?)
        let isWhole = members { reader, key in
            guard key.elementsEqual("metadata".utf8) else { return reader.skipValue() }
            return reader.members { reader, key in
                if key.elementsEqual("uid".utf8) {
                    uid = reader.text()
                    return uid != nil
                }
                if key.elementsEqual("resourceVersion".utf8) {
                    version = reader.text()
                    return version != nil
                }
                return reader.skipValue()
            }
        }
        guard isWhole, let uid, let version else { return nil }
        return "\(uid) \(version)"
    }

    /// Calls `read` at each member's value, which it has to pass.
    private mutating func members(_ read: (inout ListVersions, Slice<UnsafeBufferPointer<UInt8>>) -> Bool) -> Bool {
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

    private mutating func skipValue() -> Bool {
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
    private mutating func text() -> String? {
        guard let slice = string(), !slice.contains(UInt8(ascii: "\\")) else { return nil }
        return String(validating: slice, as: UTF8.self)
    }

    /// What stands between two quotes.
    private mutating func string() -> Slice<UnsafeBufferPointer<UInt8>>? {
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
