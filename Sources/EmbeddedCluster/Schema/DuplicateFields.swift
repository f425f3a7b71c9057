import ResourceModel

/// Finds members that a JSON text has twice: reading keeps only the last of them.
struct DuplicateFields {
    private let bytes: [UInt8]
    private var position = 0
    private(set) var paths: [String] = []

    /// The paths of members that occur again, in the order of the text; empty for a text that is not JSON.
    static func paths(in bytes: [UInt8]) -> [String] {
        var scanner = DuplicateFields(bytes: bytes)
        scanner.value("")
        return scanner.paths
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var current: UInt8 { position < bytes.count ? bytes[position] : 0 }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[position]) { position += 1 }
    }

    private mutating func value(_ path: String) {
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): object(path)
        case UInt8(ascii: "["): array(path)
        case UInt8(ascii: "\""): _ = string()
        default:
            while position < bytes.count, ![UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]")].contains(current) {
                position += 1
            }
        }
    }

    private mutating func object(_ path: String) {
        position += 1
        var seen: Set<String> = []
        var reported: Set<String> = []
        while position < bytes.count {
            skipSpace()
            if current == UInt8(ascii: "}") {
                position += 1
                return
            }
            guard current == UInt8(ascii: "\"") else {
                position = bytes.count
                return
            }
            let key = string()
            let child = path.isEmpty ? key : "\(path).\(key)"
            if !seen.insert(key).inserted, reported.insert(key).inserted { paths.append(child) }
            skipSpace()
            position += 1  // the colon
            value(child)
            skipSpace()
            if current == UInt8(ascii: ",") { position += 1 }
        }
    }

    private mutating func array(_ path: String) {
        position += 1
        var index = 0
        while position < bytes.count {
            skipSpace()
            if current == UInt8(ascii: "]") {
                position += 1
                return
            }
            let before = position
            value("\(path)[\(index)]")
            if position == before {
                position = bytes.count
                return
            }  // not JSON
            skipSpace()
            if current == UInt8(ascii: ",") { position += 1 }
            index += 1
        }
    }

    private mutating func string() -> String {
        let start = position
        position += 1
        while position < bytes.count, current != UInt8(ascii: "\"") {
            position += current == UInt8(ascii: "\\") ? 2 : 1
        }
        position += 1
        let text = Array(bytes[start..<min(position, bytes.count)])
        // A text that is no JSON string is reported by the reader, not here.
        return (try? JSONValue(parsing: text))?.stringValue ?? String(decoding: text, as: UTF8.self)
    }
}
