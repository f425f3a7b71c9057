import ResourceModel

extension YAMLScalar {
    /// An explicit tag that does not fit its scalar.
    struct TagMismatch: Error {
        var message: String
    }

    private static let prefix = "tag:yaml.org,2002:"
    static let binaryTag = prefix + "binary"

    /// What a scalar with an explicit tag is. Tags that YAML does not define, and those of collections, leave a string.
    static func resolve(_ bytes: UnsafeBufferPointer<UInt8>, tag: String) throws(TagMismatch) -> Resolution {
        guard tag.hasPrefix(prefix) else { return .string }
        let name = tag.dropFirst(prefix.count)
        let resolution = resolve(bytes)
        switch (name, resolution) {
        case ("bool", .bool), ("null", .null), ("int", .integer), ("int", .unsigned), ("float", .float): return resolution
        case ("float", .integer(let value)): return .float(Double(value))
        case ("float", .unsigned(let value)): return .float(Double(value))
        case ("timestamp", _) where isTimestamp(bytes): return .string
        case ("binary", _):
            guard base64(bytes) != nil else { throw TagMismatch(message: "!!binary needs base64") }
            return .string
        case ("bool", _), ("null", _), ("int", _), ("float", _), ("timestamp", _):
            let text = String(decoding: bytes, as: UTF8.self)
            throw TagMismatch(message: "'\(text)' is a \(resolution.typeName), which does not fit its tag !!\(name)")
        default: return .string
        }
    }

    /// `2001-12-14`, perhaps with a time after it: what go-yaml takes for a timestamp, days and hours not checked.
    private static func isTimestamp(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let parts = bytes.split(separator: UInt8(ascii: "-"), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].count == 4, (1...2).contains(parts[1].count) else { return false }
        let isDigit: (UInt8) -> Bool = { $0 &- 0x30 < 10 }
        return parts[0].allSatisfy(isDigit) && parts[1].allSatisfy(isDigit) && parts[2].first.map(isDigit) == true
    }

    /// Standard base64 with its padding; line breaks are skipped, as Go skips them. Nil when it is anything else.
    static func base64(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        var output: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        var padding = 0
        for byte in bytes where byte != 0x0A && byte != 0x0D {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = byte - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = byte - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): digit = 62
            case UInt8(ascii: "/"): digit = 63
            case UInt8(ascii: "="):
                padding += 1
                continue
            default: return nil
            }
            guard padding == 0 else { return nil }
            bits = bits << 6 | UInt32(digit)
            count += 1
            if count % 4 == 0 {
                output += [UInt8(truncatingIfNeeded: bits >> 16), UInt8(truncatingIfNeeded: bits >> 8), UInt8(truncatingIfNeeded: bits)]
                bits = 0
            }
        }
        guard (count + padding) % 4 == 0, padding <= 2 else { return nil }
        if padding == 2 { output.append(UInt8(truncatingIfNeeded: bits >> 4)) }
        if padding == 1 {
            output += [UInt8(truncatingIfNeeded: bits >> 10), UInt8(truncatingIfNeeded: bits >> 2)]
        }
        return output
    }
}
