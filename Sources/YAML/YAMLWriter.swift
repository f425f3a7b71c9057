import ResourceModel

extension YAML {
    /// The value as one YAML document in block style, members in their order, ending with a line break.
    ///
    /// What `documents(in:path:)` and kubectl read back equals the value: strings that would resolve to another type are quoted,
    /// strings of several lines are literal blocks where YAML can carry them. The exception is a number beyond a double's range.
    package static func string(_ value: JSONValue) -> String {
        var writer = YAMLWriter()
        writer.document(value)
        return writer.output
    }

    /// A stream of documents, `---` between them.
    package static func string(documents: [JSONValue]) -> String {
        documents.map { string($0) }.joined(separator: "---\n")
    }
}

/// Writes block style: mappings and sequences on lines of their own, sequences not indented below their key.
struct YAMLWriter {
    private(set) var output = ""

    mutating func document(_ value: JSONValue) {
        switch value {
        case .object(let object) where !object.isEmpty: mapping(object, indentation: 0, continuesLine: false)
        case .array(let items) where !items.isEmpty: sequence(items, indentation: 0, continuesLine: false)
        default: scalar(value, blockIndentation: nil)
        }
    }

    /// - Parameter continuesLine: the first member goes on the line that is already begun (`- key: value`).
    private mutating func mapping(_ object: JSONObject, indentation: Int, continuesLine: Bool) {
        for (index, member) in object.enumerated() {
            if index > 0 || !continuesLine { indent(indentation) }
            key(member.key, indentation: indentation)
            switch member.value {
            case .object(let child) where !child.isEmpty:
                output += "\n"
                mapping(child, indentation: indentation + 2, continuesLine: false)
            case .array(let items) where !items.isEmpty:
                output += "\n"
                sequence(items, indentation: indentation, continuesLine: false)
            default:
                output += " "
                scalar(member.value, blockIndentation: indentation + 2)
            }
        }
    }

    private mutating func sequence(_ items: [JSONValue], indentation: Int, continuesLine: Bool) {
        for (index, item) in items.enumerated() {
            if index > 0 || !continuesLine { indent(indentation) }
            output += "- "
            switch item {
            case .object(let child) where !child.isEmpty: mapping(child, indentation: indentation + 2, continuesLine: true)
            case .array(let items) where !items.isEmpty: sequence(items, indentation: indentation + 2, continuesLine: true)
            default: scalar(item, blockIndentation: indentation + 2)
            }
        }
    }

    private mutating func indent(_ width: Int) {
        for _ in 0..<width { output += " " }
    }

    /// The key with its colon. A parser looks ahead 1024 characters for the colon of a simple key, so longer ones are marked.
    private mutating func key(_ key: String, indentation: Int) {
        let text = YAMLText.isPlain(key) ? key : YAMLText.quoted(key)
        if text.utf8.count <= 512 {
            output += text + ":"
        } else {
            output += "? " + text + "\n"
            indent(indentation)
            output += ":"
        }
    }

    /// A scalar or an empty collection, with its line break.
    /// - Parameter blockIndentation: where the lines of a block would stand; nil where there can be none.
    private mutating func scalar(_ value: JSONValue, blockIndentation: Int?) {
        switch value {
        case .null: output += "null\n"
        case .bool(let value): output += value ? "true\n" : "false\n"
        case .integer(let value): output += "\(value)\n"
        case .number(let literal): output += literal + "\n"
        case .array: output += "[]\n"
        case .object: output += "{}\n"
        case .string(let text):
            if let blockIndentation, YAMLText.fitsBlock(text) {
                block(text, indentation: blockIndentation)
            } else {
                output += (YAMLText.isPlain(text) ? text : YAMLText.quoted(text)) + "\n"
            }
        }
    }

    private mutating func block(_ text: String, indentation: Int) {
        output += "|"
        // Indentation is detected from the first line unless it is given.
        if text.utf8.first == 0x20 || text.utf8.first == 0x0A { output += "2" }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true {
            lines.removeLast()
            if lines.last?.isEmpty == true { output += "+" }
        } else {
            output += "-"
        }
        output += "\n"
        for line in lines {
            if !line.isEmpty {
                indent(indentation)
                output += line
            }
            output += "\n"
        }
    }
}
