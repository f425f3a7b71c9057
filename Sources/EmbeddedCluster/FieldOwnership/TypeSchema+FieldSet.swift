import ResourceModel

extension TypeSchema {
    /// The paths that a manager who applies `value` comes to own: its leaves and its list items.
    ///
    /// `value` must have no violations; what does not fit its type counts as a leaf.
    package func fieldSet(of value: JSONValue) -> FieldSet { owned(in: value).children }

    private func owned(in value: JSONValue) -> (isLeaf: Bool, children: FieldSet) {
        switch shape {
        case .scalar, .opaque: return (true, FieldSet())
        case .deduced:
            guard case .object(let object) = value else { return (true, FieldSet()) }
            return (false, members(of: object) { _ in (self, false) })
        case .map(let map):
            if map.isAtomic { return (true, FieldSet()) }
            guard case .object(let object) = value else { return (!value.isNull, FieldSet()) }
            return (
                false,
                members(of: object) { name in
                    if let field = map.fields[name] { return (field.schema, true) }
                    return (map.element ?? .opaque, false)
                }
            )
        case .list(let list):
            if list.relation == .atomic { return (true, FieldSet()) }
            guard case .array(let items) = value else { return (!value.isNull, FieldSet()) }
            return (false, Self.items(items, of: list))
        }
    }

    private func members(of object: JSONObject, type: (String) -> (schema: TypeSchema, isDeclared: Bool)) -> FieldSet {
        var entries: [FieldSet.Entry] = []
        entries.reserveCapacity(object.count)
        for member in object.members {
            let (schema, isDeclared) = type(member.key)
            let (isLeaf, children) = schema.owned(in: member.value)
            let isEmpty: Bool
            switch member.value {
            case .null: isEmpty = true
            case .object(let below): isEmpty = below.isEmpty
            default: isEmpty = false
            }
            entries.append(
                .init(element: .field(member.key), isMember: isLeaf || isEmpty || !isDeclared, children: children))
        }
        return FieldSet(entries)
    }

    private static func items(_ items: [JSONValue], of list: List) -> FieldSet {
        var entries: [FieldSet.Entry] = []
        entries.reserveCapacity(items.count)
        var seen = ElementIndex(capacity: items.count)
        for item in items {
            guard let element = try? list.element(of: item) else { continue }  // an item without identity has no path
            let (_, children) = list.relation == .map ? list.element.owned(in: item) : (true, FieldSet())
            if seen.insert(element, entries.count) {
                entries.append(.init(element: element, isMember: true, children: children))
            } else if let index = seen[element] {
                entries[index].children = FieldSet()  // duplicates are owned as a whole
            }
        }
        return FieldSet(entries)
    }
}
