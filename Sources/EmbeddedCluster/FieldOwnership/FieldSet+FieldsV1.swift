import ResourceModel

extension FieldSet {
    /// The set as a `fieldsV1` object: `{"f:data":{".":{},"f:x":{}}}`, in the server's order.
    package var fieldsV1: JSONValue {
        var members: [JSONObject.Member] = []
        members.reserveCapacity(entries.count)
        for entry in entries { members.append(.init(key: entry.element.encoded, value: entry.encoded)) }
        return .object(JSONObject(members))
    }

    /// - Throws: `FieldsV1Error` when a member's name or value is none that a server writes.
    package init(fieldsV1 value: JSONValue) throws(FieldsV1Error) {
        guard case .object(let object) = value else {
            throw FieldsV1Error(message: "expected an object, found \(value.typeName)")
        }
        var entries: [Entry] = []
        entries.reserveCapacity(object.count)
        for member in object.members {
            if member.key == "." { continue }  // the parent reads it
            guard let element = try PathElement(encoded: member.key) else { continue }
            guard case .object(let below) = member.value else {
                throw FieldsV1Error(message: "expected an object at \"\(member.key)\", found \(member.value.typeName)")
            }
            if below.isEmpty {
                entries.append(Entry(element: element, isMember: true, children: FieldSet()))
            } else {
                entries.append(
                    Entry(element: element, isMember: below.contains("."), children: try FieldSet(fieldsV1: member.value)))
            }
        }
        self.init(entries)
    }
}

extension FieldSet.Entry {
    fileprivate var encoded: JSONValue {
        if children.isEmpty { return .object(JSONObject()) }
        var members: [JSONObject.Member] = []
        members.reserveCapacity(children.entries.count + 1)
        if isMember { members.append(.init(key: ".", value: .object(JSONObject()))) }
        for entry in children.entries { members.append(.init(key: entry.element.encoded, value: entry.encoded)) }
        return .object(JSONObject(members))
    }
}
