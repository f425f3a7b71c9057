import ResourceModel

/// How two values of one type differ, as sets of paths.
package struct FieldComparison: Sendable, Hashable {
    package var added = FieldSet()
    package var modified = FieldSet()
    package var removed = FieldSet()

    /// What the writer of the newer value has set.
    package var written: FieldSet { added.union(modified) }
    package var isEmpty: Bool { added.isEmpty && modified.isEmpty && removed.isEmpty }

    /// Without the paths of `fields` and all below them.
    func excluding(_ fields: FieldSet) -> FieldComparison {
        if fields.isEmpty { return self }
        return FieldComparison(
            added: added.recursiveDifference(fields), modified: modified.recursiveDifference(fields),
            removed: removed.recursiveDifference(fields))
    }
}

extension TypeSchema {
    package func comparison(from old: JSONValue, to new: JSONValue) -> FieldComparison {
        let delta = delta(old, new)
        return FieldComparison(added: delta.added.children, modified: delta.modified.children, removed: delta.removed.children)
    }

    private struct Mark {
        var isMember = false
        var children = FieldSet()
        var isEmpty: Bool { !isMember && children.isEmpty }
    }

    private struct Delta {
        var added = Mark()
        var modified = Mark()
        var removed = Mark()
    }

    /// Collects the children's marks; the sets sort themselves.
    private struct Collector {
        var added: [FieldSet.Entry] = []
        var modified: [FieldSet.Entry] = []
        var removed: [FieldSet.Entry] = []

        mutating func add(_ element: @autoclosure () -> PathElement, _ delta: Delta) {
            if !delta.added.isEmpty { Self.append(element(), delta.added, to: &added) }
            if !delta.modified.isEmpty { Self.append(element(), delta.modified, to: &modified) }
            if !delta.removed.isEmpty { Self.append(element(), delta.removed, to: &removed) }
        }

        private static func append(_ element: PathElement, _ mark: Mark, to entries: inout [FieldSet.Entry]) {
            entries.append(.init(element: element, isMember: mark.isMember, children: mark.children))
        }

        func delta(isAdded: Bool, isRemoved: Bool) -> Delta {
            Delta(
                added: Mark(isMember: isAdded, children: FieldSet(added)),
                modified: Mark(children: FieldSet(modified)),
                removed: Mark(isMember: isRemoved, children: FieldSet(removed)))
        }
    }

    private static func leaf(_ old: JSONValue?, _ new: JSONValue?) -> Delta {
        var delta = Delta()
        if old == nil {
            delta.added.isMember = true
        } else if new == nil {
            delta.removed.isMember = true
        } else if old != new {
            delta.modified.isMember = true
        }
        return delta
    }

    /// At least one of the two is there.
    private func delta(_ old: JSONValue?, _ new: JSONValue?) -> Delta {
        switch shape {
        case .scalar, .opaque: return Self.leaf(old, new)
        case .deduced:
            guard Self.isObjectOrNothing(old), Self.isObjectOrNothing(new) else { return Self.leaf(old, new) }
            return members(old, new) { _ in (self, false) }
        case .map(let map):
            if map.isAtomic { return Self.leaf(old, new) }
            return members(old, new) { name in
                if let field = map.fields[name] { return (field.schema, field.alwaysPresent) }
                return (map.element ?? .opaque, false)
            }
        case .list(let list):
            if list.relation == .atomic { return Self.leaf(old, new) }
            return items(old, new, list)
        }
    }

    private static func isObjectOrNothing(_ value: JSONValue?) -> Bool {
        switch value {
        case nil, .object: true
        default: false
        }
    }

    private func members(
        _ old: JSONValue?, _ new: JSONValue?, type: (String) -> (schema: TypeSchema, alwaysPresent: Bool)
    ) -> Delta {
        let left = old?.objectValue ?? JSONObject()
        let right = new?.objectValue ?? JSONObject()
        if left.isEmpty && right.isEmpty { return Self.leaf(old, new) }
        var collector = Collector()
        let other = right.count > 16 ? right.dictionary : nil
        for member in left.members {
            let (schema, alwaysPresent) = type(member.key)
            var counterpart = other.map { $0[member.key] } ?? right[member.key]
            if counterpart == nil, alwaysPresent { counterpart = schema.zero }
            collector.add(.field(member.key), schema.delta(member.value, counterpart))
        }
        let known = left.count > 16 ? left.dictionary : nil
        for member in right.members {
            if let known { if known[member.key] != nil { continue } } else if left.contains(member.key) { continue }
            let (schema, alwaysPresent) = type(member.key)
            collector.add(.field(member.key), schema.delta(alwaysPresent ? schema.zero : Optional.none, member.value))
        }
        return collector.delta(isAdded: old == nil, isRemoved: new == nil)
    }

    /// What Go has where JSON has nothing.
    private var zero: JSONValue {
        switch shape {
        case .map: .object(JSONObject())
        case .scalar(.string) where format == nil: ""
        default: .null
        }
    }

    private func items(_ old: JSONValue?, _ new: JSONValue?, _ list: List) -> Delta {
        let left = old?.arrayValue ?? []
        let right = new?.arrayValue ?? []
        if left.isEmpty && right.isEmpty { return Self.leaf(old, new) }
        var collector = Collector()
        let before = Self.grouped(left, list)
        let after = Self.grouped(right, list)
        for (position, element) in before.elements.enumerated() {
            let mine = before.items[position]
            let theirs = after.index[element].map { after.items[$0] } ?? []
            collector.add(element, list.element.delta(ofItems: mine, theirs))
        }
        for (position, element) in after.elements.enumerated() where before.index[element] == nil {
            collector.add(element, list.element.delta(ofItems: [], after.items[position]))
        }
        return collector.delta(isAdded: old == nil, isRemoved: new == nil)
    }

    /// The items of one path element, of which there should be one: several are owned as a whole.
    private func delta(ofItems old: [JSONValue], _ new: [JSONValue]) -> Delta {
        var result: Delta
        switch (old.count > 1, new.count > 1) {
        case (false, false): result = delta(old.first, new.first)
        case (true, true):
            result = Delta()
            result.modified.isMember = old != new
        case (true, false):
            result = new.isEmpty ? Delta() : delta(nil, new[0])
            result.removed.isMember = true
        case (false, true):
            result = old.isEmpty ? Delta() : delta(old[0], nil)
            result.added.isMember = true
        }
        return result
    }

    private static func grouped(
        _ items: [JSONValue], _ list: List
    ) -> (elements: [PathElement], items: [[JSONValue]], index: ElementIndex) {
        var elements: [PathElement] = []
        var groups: [[JSONValue]] = []
        var index = ElementIndex(capacity: items.count)
        for item in items {
            guard let element = try? list.element(of: item) else { continue }  // no identity, no owner
            if index.insert(element, elements.count) {
                elements.append(element)
                groups.append([item])
            } else if let position = index[element] {
                groups[position].append(item)
            }
        }
        return (elements, groups, index)
    }
}
