import ResourceModel

extension TypeSchema {
    /// `live` with what `patch` says laid over it: maps by key, lists by their kind, all else replaced.
    package func merged(_ live: JSONValue, with patch: JSONValue) -> JSONValue {
        switch shape {
        case .scalar, .opaque: return patch
        case .deduced:
            guard case .object(let left) = live, case .object(let right) = patch else { return patch }
            return .object(members(left, right) { _ in self })
        case .map(let map):
            guard !map.isAtomic, case .object(let left) = live, !left.isEmpty else { return patch }
            guard case .object(let right) = patch else { return live }
            return .object(members(left, right) { map.fields[$0]?.schema ?? map.element ?? .opaque })
        case .list(let list):
            guard list.relation != .atomic, case .array(let left) = live, !left.isEmpty else { return patch }
            guard case .array(let right) = patch else { return live }
            return .array(Self.items(left, right, list))
        }
    }

    private func members(_ left: JSONObject, _ right: JSONObject, type: (String) -> TypeSchema) -> JSONObject {
        var members = left.members
        var positions: [String: Int]?
        if members.count > 16 {
            positions = Dictionary(
                members.enumerated().map { ($0.element.key, $0.offset) }, uniquingKeysWith: { first, _ in first })
        }
        for member in right.members {
            let position = positions.map { $0[member.key] } ?? members.firstIndex { $0.key == member.key }
            if let position {
                members[position].value = type(member.key).merged(members[position].value, with: member.value)
            } else {
                members.append(member)
            }
        }
        return JSONObject(members)
    }

    /// The server's order: live items stay where they are, unless the patch orders items that both have.
    private static func items(_ left: [JSONValue], _ right: [JSONValue], _ list: List) -> [JSONValue] {
        var leftIndex = ElementIndex(capacity: left.count)
        var rightIndex = ElementIndex(capacity: right.count)
        var leftElements: [PathElement] = []
        var rightElements: [PathElement] = []
        for (index, item) in left.enumerated() {
            let element = (try? list.element(of: item)) ?? .index(index)  // keeps an item that has no identity
            _ = leftIndex.insert(element, index)
            leftElements.append(element)
        }
        for (index, item) in right.enumerated() {
            let element = (try? list.element(of: item)) ?? .index(-1 - index)
            _ = rightIndex.insert(element, index)
            rightElements.append(element)
        }
        var shared = rightElements.filter { leftIndex[$0] != nil }[...]
        var next = shared.popFirst()
        var mergedRight = ElementIndex(capacity: right.count)
        var out: [JSONValue] = []
        out.reserveCapacity(max(left.count, right.count))
        func combined(_ rightPosition: Int) -> JSONValue {
            guard let leftPosition = leftIndex[rightElements[rightPosition]] else { return right[rightPosition] }
            return list.element.merged(left[leftPosition], with: right[rightPosition])
        }
        var l = 0
        var r = 0
        while l < left.count || r < right.count {
            if l < left.count, r < right.count {
                if leftElements[l] == rightElements[r] {
                    _ = mergedRight.insert(rightElements[r], r)
                    out.append(combined(r))
                    l += 1
                    r += 1
                    next = shared.popFirst()
                    continue
                }
                if rightIndex[leftElements[l]] != nil, let next, next != leftElements[l] {
                    l += 1  // shared, but the patch wants another one first
                    continue
                }
            }
            if l < left.count {
                if rightIndex[leftElements[l]] == nil {
                    out.append(left[l])
                    l += 1
                    continue
                } else if mergedRight[leftElements[l]] != nil {
                    l += 1
                }
            }
            if r < right.count {
                _ = mergedRight.insert(rightElements[r], r)
                out.append(combined(r))
                if next == rightElements[r] { next = shared.popFirst() }
                r += 1
            }
        }
        return out
    }

    /// `value` without the paths of `set`. A map or list that this empties becomes nil.
    package func removing(_ set: FieldSet, from value: JSONValue) -> JSONValue? {
        switch shape {
        case .scalar, .opaque: return value
        case .deduced:
            guard case .object(let object) = value else { return value.arrayValue == nil ? value : nil }
            return Self.members(object, removing: set) { _ in self }
        case .map(let map):
            guard !map.isAtomic, case .object(let object) = value else { return nil }
            return Self.members(object, removing: set) { map.fields[$0]?.schema ?? map.element ?? .opaque }
        case .list(let list):
            guard list.relation != .atomic, case .array(let items) = value else { return nil }
            var kept: [JSONValue] = []
            kept.reserveCapacity(items.count)
            for item in items {
                guard let element = try? list.element(of: item), let entry = set[element] else {  // no identity, no owner
                    kept.append(item)
                    continue
                }
                if entry.isMember { continue }
                kept.append(list.element.removing(entry.children, from: item) ?? .null)
            }
            return kept.isEmpty ? nil : .array(kept)
        }
    }

    private static func members(_ object: JSONObject, removing set: FieldSet, type: (String) -> TypeSchema) -> JSONValue? {
        var kept: [JSONObject.Member] = []
        kept.reserveCapacity(object.count)
        for member in object.members {
            guard let entry = set[.field(member.key)] else {
                kept.append(member)
                continue
            }
            if entry.isMember { continue }
            if entry.children.isEmpty {
                kept.append(member)
            } else if let value = type(member.key).removing(entry.children, from: member.value) {
                kept.append(.init(key: member.key, value: value))
            } else {
                kept.append(.init(key: member.key, value: .null))
            }
        }
        return kept.isEmpty ? nil : .object(JSONObject(kept))
    }
}
