import CLibYAML
import ResourceModel

/// libyaml's parser over a text in memory: one event at a time.
///
/// The parser stores pointers into itself and into the input, so it lives on the heap and the input must outlive it.
final class YAMLEventStream {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let event: UnsafeMutablePointer<yaml_event_t>
    private let input: UnsafeBufferPointer<UInt8>
    private let path: String
    /// The index of the document being read; counted by the composer.
    var document = 0

    /// - Parameter input: valid for as long as the stream lives, without a byte order mark.
    init(input: UnsafeBufferPointer<UInt8>, path: String) throws(YAMLError) {
        self.input = input
        self.path = path
        parser = .allocate(capacity: 1)
        event = .allocate(capacity: 1)
        event.initialize(to: yaml_event_t())
        parser.initialize(to: yaml_parser_t())
        guard yaml_parser_initialize(parser) == 1 else {
            throw YAMLError(
                code: .limit, message: "out of memory for the YAML parser", location: SourceLocation(path: path, line: 0), column: 0)
        }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, input.baseAddress, input.count)
    }

    deinit {
        yaml_event_delete(event)
        yaml_parser_delete(parser)
        event.deallocate()
        parser.deallocate()
    }

    /// The next event. What it points to is gone with the next call.
    func next() throws(YAMLError) -> UnsafePointer<yaml_event_t> {
        yaml_event_delete(event)
        guard yaml_parser_parse(parser, event) == 1 else { throw parserError() }
        return UnsafePointer(event)
    }

    /// An error at a mark of libyaml's.
    func failure(_ code: YAMLError.Code, _ message: String, at mark: yaml_mark_t) -> YAMLError {
        failure(code, message, line: Int(mark.line) + 1, column: Int(mark.column) + 1)
    }

    func failure(_ code: YAMLError.Code, _ message: String, line: Int, column: Int) -> YAMLError {
        YAMLError(
            code: code, message: message, location: SourceLocation(path: path, line: line, document: document), column: column)
    }

    private func parserError() -> YAMLError {
        let state = parser.pointee
        let problem = state.problem.map { String(cString: $0) } ?? "not YAML"
        switch state.error {
        case YAML_READER_ERROR:
            let (line, column) = place(ofByte: Int(state.problem_offset))
            if problem.contains("control characters") {
                let code = String(state.problem_value, radix: 16, uppercase: true)
                return failure(.syntax, "character U+\(code) is not allowed here; quote and escape it", line: line, column: column)
            }
            return failure(.encoding, "not UTF-8: \(problem)", line: line, column: column)
        case YAML_MEMORY_ERROR:
            return failure(.limit, "out of memory for the YAML parser", at: state.mark)
        default:
            let mark = state.problem_mark
            var message = problem
            if let context = state.context {
                message = "\(String(cString: context)) that starts on line \(Int(state.context_mark.line) + 1), \(problem)"
            }
            if let hint = hint(for: problem, at: mark) { message += "; \(hint)" }
            return failure(.syntax, message, at: mark)
        }
    }

    private func hint(for problem: String, at mark: yaml_mark_t) -> String? {
        let line = text(ofLine: Int(mark.line))
        if line.prefix(while: { $0 == 0x20 || $0 == 0x09 }).contains(0x09) { return "tabs cannot indent YAML, use spaces" }
        switch problem {
        case "found character that cannot start any token": return "quote the value"
        case "mapping values are not allowed in this context": return "quote a value that contains ': ', or check the indentation"
        case "did not find expected key": return "check the indentation"
        case "did not find expected ',' or ']'", "did not find expected ',' or '}'", "found unexpected end of stream":
            return "something that was opened is not closed before the text ends or goes on"
        default: return nil
        }
    }

    private func text(ofLine number: Int) -> Slice<UnsafeBufferPointer<UInt8>> {
        var start = 0
        for _ in 0..<number {
            guard let end = input[start...].firstIndex(of: 0x0A) else { return input[input.count...] }
            start = end + 1
        }
        return input[start..<(input[start...].firstIndex(of: 0x0A) ?? input.count)]
    }

    private func place(ofByte offset: Int) -> (line: Int, column: Int) {
        let before = input[..<min(max(offset, 0), input.count)]
        let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        // Characters, not bytes: continuation bytes do not count.
        return (before.count { $0 == 0x0A } + 1, before[start...].count { $0 & 0xC0 != 0x80 } + 1)
    }
}
