import CLibYAML
import ResourceModel

extension YAMLComposer {
    /// A mapping while it is read.
    private struct Draft {
        var members: [JSONObject.Member] = []
        /// For each member, the lines of its value within the composer's `lines`.
        var spans: [Range<Int>] = []
        /// For each member, the line of its own key; 0 when only a merge brought it.
        var keyLines: [Int32] = []
        var hasMerge = false
        /// Positions by key, once there are many.
        var index: [String: Int] = [:]

        func position(of key: String) -> Int? {
            if members.count > 16 { return index[key] }
            return members.firstIndex { $0.key == key }
        }

        mutating func append(_ member: JSONObject.Member, span: Range<Int>, keyLine: Int32) {
            members.append(member)
            spans.append(span)
            keyLines.append(keyLine)
            if members.count == 17 {
                for (position, member) in members.enumerated() { index[member.key] = position }
            } else if members.count > 17 {
                index[member.key] = members.count - 1
            }
        }
    }

    /// The rest of a mapping whose start was read.
    mutating func mapping() throws(YAMLError) -> JSONObject {
        var draft = Draft()
        let start = lines.count
        while true {
            let event = try events.next()
            if event.pointee.type == YAML_MAPPING_END_EVENT { break }
            let mark = event.pointee.start_mark
            if Self.isMerge(event) {
                try merge(into: &draft)
                continue
            }
            let key = try key(event)
            let position = draft.position(of: key)
            if let position, draft.keyLines[position] > 0 {
                throw events.failure(
                    .duplicateKey,
                    "duplicate key '\(key)', first on line \(draft.keyLines[position]); keep one of the two", at: mark)
            }
            let from = lines.count
            let value = try node(try events.next())
            lines[from] = Self.line(mark)
            let span = from..<lines.count
            if let position {
                draft.members[position].value = value
                draft.spans[position] = span
                draft.keyLines[position] = Self.line(mark)
            } else {
                draft.append(.init(key: key, value: value), span: span, keyLine: Self.line(mark))
            }
        }
        if draft.hasMerge {
            let ordered = draft.spans.flatMap { lines[$0] }
            lines.replaceSubrange(start..., with: ordered)
        }
        return JSONObject(draft.members)
    }

    private static func isMerge(_ event: UnsafePointer<yaml_event_t>) -> Bool {
        guard event.pointee.type == YAML_SCALAR_EVENT else { return false }
        let scalar = event.pointee.data.scalar
        guard scalar.length == 2, scalar.value[0] == UInt8(ascii: "<"), scalar.value[1] == UInt8(ascii: "<") else { return false }
        if let tag = scalar.tag { return String(cString: tag) == "tag:yaml.org,2002:merge" }
        return scalar.style == YAML_PLAIN_SCALAR_STYLE
    }

    /// Reads the value of `<<` and takes its members over. As in kubectl, and unlike the merge key's description, they replace
    /// members that stand before the `<<`; members that stand after it replace them.
    private mutating func merge(into draft: inout Draft) throws(YAMLError) {
        draft.hasMerge = true
        let event = try events.next()
        let mark = event.pointee.start_mark
        let start = lines.count
        let value = try node(event)
        switch value {
        case .object(let object): take(object, linesFrom: start + 1, into: &draft)
        case .array(let items):
            var from = start + 1
            var objects: [(object: JSONObject, lines: Int)] = []
            for item in items {
                guard case .object(let object) = item else { throw wantsMapping(at: mark) }
                objects.append((object, from + 1))
                from += Self.nodeCount(item)
            }
            // The first of a list wins, so it is taken last.
            for (object, lines) in objects.reversed() { take(object, linesFrom: lines, into: &draft) }
        default: throw wantsMapping(at: mark)
        }
    }

    private func wantsMapping(at mark: yaml_mark_t) -> YAMLError {
        events.failure(.value, "a merge key (<<) takes a mapping or a list of mappings", at: mark)
    }

    private func take(_ object: JSONObject, linesFrom start: Int, into draft: inout Draft) {
        var from = start
        for member in object {
            let span = from..<(from + Self.nodeCount(member.value))
            from = span.upperBound
            if let position = draft.position(of: member.key) {
                draft.members[position].value = member.value
                draft.spans[position] = span
            } else {
                draft.append(member, span: span, keyLine: 0)
            }
        }
    }

    private static func nodeCount(_ value: JSONValue) -> Int {
        switch value {
        case .array(let items): items.reduce(1) { $0 + nodeCount($1) }
        case .object(let object): object.reduce(1) { $0 + nodeCount($1.value) }
        default: 1
        }
    }
}
