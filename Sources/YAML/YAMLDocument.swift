import ResourceModel

/// One document of a YAML stream.
package struct YAMLDocument: Sendable {
    package var value: JSONValue
    /// The line of the document's first node; `document` counts the stream's documents from 0, skipped ones included.
    package var location: SourceLocation
    /// The column of the document's first node, from 1.
    package var column: Int
    /// A line for each node of `value` as it was read, in the order in which a walk meets them (`appendPositions`).
    private let lines: [Int32]
    private let original: JSONValue

    package init(value: JSONValue, location: SourceLocation, column: Int = 1) {
        self.init(value: value, location: location, column: column, lines: [])
    }

    init(value: JSONValue, location: SourceLocation, column: Int, lines: [Int32]) {
        self.value = value
        self.original = value
        self.location = location
        self.column = column
        self.lines = lines
    }

    /// The line (from 1) of every node that was read, by JSON pointer (RFC 6901; the root is ""): a member's is that of its key.
    /// Computed at each call, so keep the result. Empty for a document that was not read from YAML.
    package var positions: [String: Int] {
        var result: [String: Int] = [:]
        guard !lines.isEmpty else { return result }
        result.reserveCapacity(lines.count)
        var next = 0
        Self.appendPositions(of: original, pointer: "", lines: lines, next: &next, to: &result)
        return result
    }

    /// The line of the node at a path of member names and item indices; of the nearest node above it when there is none.
    package func line(at path: [String]) -> Int {
        let known = positions
        var path = path[...]
        while true {
            if let line = known[path.map { "/" + Self.escaped($0) }.joined()] { return line }
            if path.popLast() == nil { return location.line }
        }
    }

    private static func appendPositions(
        of value: JSONValue, pointer: String, lines: [Int32], next: inout Int, to result: inout [String: Int]
    ) {
        guard next < lines.count else { return }
        result[pointer] = Int(lines[next])
        next += 1
        switch value {
        case .array(let items):
            for (index, item) in items.enumerated() {
                appendPositions(of: item, pointer: "\(pointer)/\(index)", lines: lines, next: &next, to: &result)
            }
        case .object(let object):
            for member in object {
                let child = "\(pointer)/\(escaped(member.key))"
                appendPositions(of: member.value, pointer: child, lines: lines, next: &next, to: &result)
            }
        default: break
        }
    }

    /// `~` and `/` as a JSON pointer spells them.
    private static func escaped(_ key: String) -> String {
        guard key.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return key }
        var result = ""
        for character in key.unicodeScalars {
            switch character {
            case "~": result += "~0"
            case "/": result += "~1"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
