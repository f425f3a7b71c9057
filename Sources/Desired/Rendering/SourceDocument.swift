import ResourceModel
import YAML

/// One document of a file (or a part of one) that knows the line of each of its values. Lines are worked out when first asked for.
struct SourceDocument {
    let value: JSONValue
    let location: SourceLocation
    private let lines: LineTable
    /// Where `value` stands in what `lines` knows.
    private let base: String

    init(_ document: YAMLDocument) {
        self.init(value: document.value, location: document.location, lines: LineTable(document), base: "")
    }

    /// - Parameter yaml: the same text read as YAML, for its lines; `nil` when that cannot be done.
    init(value: JSONValue, location: SourceLocation, linesFrom yaml: YAMLDocument?) {
        self.init(value: value, location: location, lines: LineTable(yaml), base: "")
    }

    private init(value: JSONValue, location: SourceLocation, lines: LineTable, base: String) {
        self.value = value
        self.location = location
        self.lines = lines
        self.base = base
    }

    /// The line of the value at a JSON pointer, or of the nearest part above it whose line is known.
    func location(of pointer: String) -> SourceLocation {
        var pointer = pointer[...]
        while true {
            if pointer.isEmpty, base.isEmpty { return location }
            if let line = lines.positions[base + pointer] {
                return SourceLocation(path: location.path, line: line, document: location.document)
            }
            guard let slash = pointer.lastIndex(of: "/") else { return location }
            pointer = pointer[..<slash]
        }
    }

    /// A part as a document of its own.
    func part(_ value: JSONValue, at pointer: String) -> SourceDocument {
        SourceDocument(value: value, location: location(of: pointer), lines: lines, base: base + pointer)
    }

    private final class LineTable {
        private let document: YAMLDocument?
        private(set) lazy var positions: [String: Int] = document?.positions ?? [:]
        init(_ document: YAMLDocument?) { self.document = document }
    }
}
