import CLibYAML
import ResourceModel

/// Builds values from libyaml's events, one document after the other.
struct YAMLComposer {
    /// What an anchor stands for, and what using it costs.
    private struct Anchor {
        var value: JSONValue
        /// Nil for a plain value; what the scalar resolves to otherwise, since keys spell some types differently.
        var scalar: YAMLScalar.Resolution?
        var lines: [Int32]
        var height: Int
        var bytes: Int
    }

    let events: YAMLEventStream
    private let path: String
    private var anchors: [String: Anchor] = [:]
    private var openAnchors: Set<String> = []
    /// A line for each node, in the order of a walk through the value.
    var lines: [Int32] = []
    private var depth = 0
    /// The deepest nesting since the innermost anchored node began, and the bytes of scalars so far: what anchors record.
    private var deepest = 0
    private var scalarBytes = 0
    let members = OpenMembers()
    private var aliasNodes = 0
    private var aliasBytes = 0

    init(events: YAMLEventStream, path: String) {
        self.events = events
        self.path = path
    }

    /// Reads the stream to its end.
    mutating func documents() throws(YAMLError) -> [YAMLDocument] {
        var documents: [YAMLDocument] = []
        while true {
            let event = try events.next()
            switch event.pointee.type {
            case YAML_STREAM_START_EVENT, YAML_DOCUMENT_END_EVENT: continue
            case YAML_STREAM_END_EVENT: return documents
            case YAML_DOCUMENT_START_EVENT:
                let start = event.pointee.data.document_start
                if start.version_directive != nil || start.tag_directives.start != start.tag_directives.end {
                    throw events.failure(
                        .syntax, "kubectl does not read directives (%YAML, %TAG); remove the line", at: event.pointee.start_mark)
                }
                if let document = try document() { documents.append(document) }
                events.document += 1
            default:
                throw events.failure(.syntax, "unexpected content between documents", at: event.pointee.start_mark)
            }
        }
    }

    private mutating func document() throws(YAMLError) -> YAMLDocument? {
        anchors.removeAll()
        lines.removeAll(keepingCapacity: true)
        (depth, deepest, scalarBytes, aliasNodes, aliasBytes) = (0, 0, 0, 0, 0)
        let event = try events.next()
        let mark = event.pointee.start_mark
        let value = try node(event)
        if value.isNull { return nil }
        let location = SourceLocation(path: path, line: Int(mark.line) + 1, document: events.document)
        return YAMLDocument(value: value, location: location, column: Int(mark.column) + 1, lines: lines)
    }

    /// The node that an event starts.
    mutating func node(_ event: UnsafePointer<yaml_event_t>) throws(YAMLError) -> JSONValue {
        let mark = event.pointee.start_mark
        switch event.pointee.type {
        case YAML_SCALAR_EVENT: return try scalar(event)
        case YAML_ALIAS_EVENT:
            guard let name = event.pointee.data.alias.anchor else { return .null }
            return try expand(Self.text(name), at: mark).value
        case YAML_SEQUENCE_START_EVENT, YAML_MAPPING_START_EVENT: break
        default: throw events.failure(.syntax, "unexpected end of a document", at: mark)
        }
        let isMapping = event.pointee.type == YAML_MAPPING_START_EVENT
        let anchor = isMapping ? event.pointee.data.mapping_start.anchor : event.pointee.data.sequence_start.anchor
        guard let name = anchor.map({ Self.text($0) }) else { return try collection(isMapping: isMapping, at: mark) }

        let (start, outerDeepest, bytesBefore) = (lines.count, deepest, scalarBytes)
        deepest = depth
        anchors[name] = nil
        openAnchors.insert(name)
        defer { openAnchors.remove(name) }
        let value = try collection(isMapping: isMapping, at: mark)
        anchors[name] = Anchor(
            value: value, scalar: nil, lines: Array(lines[start...]), height: deepest - depth, bytes: scalarBytes - bytesBefore)
        deepest = max(deepest, outerDeepest)
        return value
    }

    private mutating func collection(isMapping: Bool, at mark: yaml_mark_t) throws(YAMLError) -> JSONValue {
        lines.append(Self.line(mark))
        try enter(1, at: mark)
        depth += 1
        defer { depth -= 1 }
        if isMapping { return .object(try mapping()) }
        var items: [JSONValue] = []
        while true {
            let event = try events.next()
            if event.pointee.type == YAML_SEQUENCE_END_EVENT { return .array(items) }
            items.append(try node(event))
        }
    }

    /// Notes that what follows nests by that many levels more.
    private mutating func enter(_ levels: Int, at mark: yaml_mark_t) throws(YAMLError) {
        deepest = max(deepest, depth + levels)
        if deepest > YAML.depthLimit {
            throw events.failure(.limit, "nested deeper than \(YAML.depthLimit) levels", at: mark)
        }
    }

    // MARK: Scalars

    private mutating func scalar(_ event: UnsafePointer<yaml_event_t>) throws(YAMLError) -> JSONValue {
        let scalar = event.pointee.data.scalar
        let mark = event.pointee.start_mark
        lines.append(Self.line(mark))
        scalarBytes &+= scalar.length
        let resolution = try resolution(of: event)
        guard let value = resolution.jsonValue(text: Self.string(event)) else {
            throw events.failure(
                .value, "\(Self.string(event)) has no JSON form; quote it if it is meant as text", at: mark)
        }
        if let name = scalar.anchor {
            anchors[Self.text(name)] = Anchor(
                value: value, scalar: resolution, lines: [Self.line(mark)], height: 0, bytes: scalar.length)
        }
        return value
    }

    /// The text of a mapping's key, scalar or alias.
    mutating func key(_ event: UnsafePointer<yaml_event_t>) throws(YAMLError) -> String {
        let mark = event.pointee.start_mark
        let (resolution, text): (YAMLScalar.Resolution, String)
        switch event.pointee.type {
        case YAML_SCALAR_EVENT:
            resolution = try self.resolution(of: event)
            text = Self.string(event)
            scalarBytes &+= event.pointee.data.scalar.length
            if let name = event.pointee.data.scalar.anchor {
                anchors[Self.text(name)] = Anchor(
                    value: resolution.jsonValue(text: text) ?? .null, scalar: resolution, lines: [Self.line(mark)], height: 0,
                    bytes: text.utf8.count)
            }
        case YAML_ALIAS_EVENT:
            let name = event.pointee.data.alias.anchor.map { Self.text($0) } ?? ""
            let anchor = try expand(name, at: mark)
            lines.removeLast(anchor.lines.count)
            guard let scalar = anchor.scalar else { fallthrough }
            (resolution, text) = (scalar, anchor.value.stringValue ?? "")
        default:
            throw events.failure(.value, "a mapping's key must be a string, not a collection", at: mark)
        }
        if let key = resolution.key(text: text) { return key }
        throw events.failure(.value, "a mapping's key cannot be \(resolution.typeName) (\(text)); quote it", at: mark)
    }

    private func resolution(of event: UnsafePointer<yaml_event_t>) throws(YAMLError) -> YAMLScalar.Resolution {
        let scalar = event.pointee.data.scalar
        let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
        guard let tag = scalar.tag else {
            return scalar.plain_implicit == 1 && scalar.style == YAML_PLAIN_SCALAR_STYLE ? YAMLScalar.resolve(bytes) : .string
        }
        do throws(YAMLScalar.TagMismatch) {
            return try YAMLScalar.resolve(bytes, tag: Self.text(tag))
        } catch {
            throw events.failure(.value, error.message, at: event.pointee.start_mark)
        }
    }

    // MARK: Aliases

    /// What an alias stands for; its lines are appended and its cost counted.
    private mutating func expand(_ name: String, at mark: yaml_mark_t) throws(YAMLError) -> Anchor {
        guard let anchor = anchors[name] else {
            let problem = openAnchors.contains(name) ? "anchor '\(name)' contains itself" : "unknown anchor '\(name)'"
            throw events.failure(.syntax, problem, at: mark)
        }
        try enter(anchor.height, at: mark)
        aliasNodes += anchor.lines.count
        aliasBytes += anchor.bytes
        scalarBytes += anchor.bytes
        if aliasNodes > YAML.aliasNodeLimit || aliasBytes > YAML.aliasByteLimit {
            throw events.failure(
                .limit, "the document's aliases expand to more than \(YAML.aliasNodeLimit) nodes or \(YAML.aliasByteLimit) bytes",
                at: mark)
        }
        lines.append(contentsOf: anchor.lines)
        return anchor
    }

    // MARK: Marks and texts

    static func line(_ mark: yaml_mark_t) -> Int32 { Int32(truncatingIfNeeded: mark.line &+ 1) }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>) -> String { String(cString: pointer) }

    /// A scalar's text; `!!binary` is decoded, with what is not UTF-8 replaced as Go's JSON replaces it.
    private static func string(_ event: UnsafePointer<yaml_event_t>) -> String {
        let scalar = event.pointee.data.scalar
        let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
        if let tag = scalar.tag, text(tag) == YAMLScalar.binaryTag, let decoded = YAMLScalar.base64(bytes) {
            return String(decoding: decoded, as: UTF8.self)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
