import CLibYAML
import ResourceModel

extension YAMLComposer {
    /// A mapping while it is read: the top of the stack of members.
    private struct Draft {
        /// Where its members begin.
        let start: Int
        var hasMerge = false
        /// Places by key, once there are many.
        var index: [String: Int] = [:]
    }

    private func place(of key: String, in draft: Draft) -> Int? {
        members.count - draft.start > 16 ? draft.index[key] : members.firstPlace(of: key, from: draft.start)
    }

    private func append(_ member: JSONObject.Member, _ facts: OpenMembers.Facts, to draft: inout Draft) {
        members.append(member, facts)
        let count = members.count - draft.start
        if count == 17 {
            for place in draft.start..<members.count { draft.index[members.key(place)] = place }
        } else if count > 17 {
            draft.index[member.key] = members.count - 1
        }
    }

    /// The rest of a mapping whose start was read.
    mutating func mapping() throws(YAMLError) -> JSONObject {
        var draft = Draft(start: members.count)
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
            let place = place(of: key, in: draft)
            if let place, case let line = members.facts(place).keyLine, line > 0 {
                throw events.failure(.duplicateKey, "duplicate key '\(key)', first on line \(line); keep one of the two", at: mark)
            }
            let from = lines.count
            let value = try node(try events.next())
            lines[from] = Self.line(mark)
            let facts = OpenMembers.Facts(span: from..<lines.count, keyLine: Self.line(mark))
            if let place { members.replace(place, value, facts) } else { append(.init(key: key, value: value), facts, to: &draft) }
        }
        if draft.hasMerge {
            let ordered = (draft.start..<members.count).flatMap { lines[members.facts($0).span] }
            lines.replaceSubrange(start..., with: ordered)
        }
        return JSONObject(members.take(from: draft.start))
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
            if let place = place(of: member.key, in: draft) {
                members.replace(place, member.value, OpenMembers.Facts(span: span, keyLine: members.facts(place).keyLine))
            } else {
                append(member, OpenMembers.Facts(span: span, keyLine: 0), to: &draft)
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
