import ResourceModel

/// A set of paths into an object: what a manager owns. A path may be in the set without its parents or children being in it.
package struct FieldSet: Sendable, Hashable {
    /// A step that is in the set itself (`isMember`), or has paths below it that are, or both.
    package struct Entry: Sendable, Hashable {
        package var element: PathElement
        package var isMember: Bool
        package var children: FieldSet

        var isEmpty: Bool { !isMember && children.entries.isEmpty }
    }

    /// Sorted by element; none is empty.
    package private(set) var entries: [Entry]

    package init() { entries = [] }

    /// - Parameter entries: with distinct elements, in any order; empty ones are left out.
    package init(_ entries: [Entry]) {
        var kept = entries
        kept.removeAll { $0.isEmpty }
        self.entries = Self.isSorted(kept) ? kept : kept.sorted { $0.element < $1.element }
    }

    /// - Parameter paths: paths of field names, for the sets that are written in code.
    package init(paths: [[String]]) {
        self.init()
        for path in paths { insert(path.map { .field($0) }) }
    }

    private init(sorted entries: [Entry]) { self.entries = entries }

    package var isEmpty: Bool { entries.isEmpty }

    private static func isSorted(_ entries: [Entry]) -> Bool {
        var index = 1
        while index < entries.count {
            if !(entries[index - 1].element < entries[index].element) { return false }
            index += 1
        }
        return true
    }

    /// Adds a path; the empty path adds nothing.
    package mutating func insert(_ path: [PathElement]) { insert(path[...]) }

    private mutating func insert(_ path: ArraySlice<PathElement>) {
        guard let first = path.first else { return }
        let index = position(of: first)
        if index == entries.count || entries[index].element != first {
            entries.insert(Entry(element: first, isMember: false, children: FieldSet()), at: index)
        }
        if path.count == 1 { entries[index].isMember = true } else { entries[index].children.insert(path.dropFirst()) }
    }

    private func position(of element: PathElement) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].element < element { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The entry for a step, or nil when neither it nor anything below it is in the set.
    package subscript(element: PathElement) -> Entry? {
        let index = position(of: element)
        return index < entries.count && entries[index].element == element ? entries[index] : nil
    }

    package func contains(_ path: [PathElement]) -> Bool {
        var set = self
        for (index, element) in path.enumerated() {
            guard let entry = set[element] else { return false }
            if index == path.count - 1 { return entry.isMember }
            set = entry.children
        }
        return false
    }

    /// Every path of the set, parents before children.
    package var paths: [[PathElement]] {
        var result: [[PathElement]] = []
        collect(prefix: [], into: &result)
        return result
    }

    private func collect(prefix: [PathElement], into result: inout [[PathElement]]) {
        for entry in entries {
            let path = prefix + [entry.element]
            if entry.isMember { result.append(path) }
            entry.children.collect(prefix: path, into: &result)
        }
    }
}

extension FieldSet {
    package func union(_ other: FieldSet) -> FieldSet {
        if other.isEmpty { return self }
        if isEmpty { return other }
        return merged(with: other) { left, right in
            switch (left, right) {
            case (let left?, let right?):
                Entry(
                    element: left.element, isMember: left.isMember || right.isMember,
                    children: left.children.union(right.children))
            case (let left?, nil): left
            case (nil, let right): right
            }
        }
    }

    /// The paths that are in this set and not in the other; a path of the other does not take its children along.
    package func difference(_ other: FieldSet) -> FieldSet {
        if other.isEmpty || isEmpty { return self }
        return merged(with: other) { left, right in
            guard let left else { return nil }
            guard let right else { return left }
            return Entry(
                element: left.element, isMember: left.isMember && !right.isMember,
                children: left.children.difference(right.children))
        }
    }

    /// As `difference`, and a path of the other takes everything below it along.
    package func recursiveDifference(_ other: FieldSet) -> FieldSet {
        if other.isEmpty || isEmpty { return self }
        return merged(with: other) { left, right in
            guard let left else { return nil }
            guard let right else { return left }
            if right.isMember { return nil }
            return Entry(
                element: left.element, isMember: left.isMember, children: left.children.recursiveDifference(right.children))
        }
    }

    package func intersection(_ other: FieldSet) -> FieldSet {
        if other.isEmpty { return other }
        if isEmpty { return self }
        return merged(with: other) { left, right in
            guard let left, let right else { return nil }
            return Entry(
                element: left.element, isMember: left.isMember && right.isMember,
                children: left.children.intersection(right.children))
        }
    }

    /// Walks both sorted lists at once.
    private func merged(with other: FieldSet, _ combine: (Entry?, Entry?) -> Entry?) -> FieldSet {
        var result: [Entry] = []
        result.reserveCapacity(Swift.max(entries.count, other.entries.count))
        var left = 0
        var right = 0
        func add(_ entry: Entry?) { if let entry, !entry.isEmpty { result.append(entry) } }
        while left < entries.count || right < other.entries.count {
            if right == other.entries.count {
                add(combine(entries[left], nil))
                left += 1
            } else if left == entries.count {
                add(combine(nil, other.entries[right]))
                right += 1
            } else if entries[left].element == other.entries[right].element {
                add(combine(entries[left], other.entries[right]))
                left += 1
                right += 1
            } else if entries[left].element < other.entries[right].element {
                add(combine(entries[left], nil))
                left += 1
            } else {
                add(combine(nil, other.entries[right]))
                right += 1
            }
        }
        return FieldSet(sorted: result)
    }

    /// The set with every declared struct field on the way to a path added: who gives up `spec.a.b` gives up an empty `a` too.
    func withNamedParents(_ schema: TypeSchema?) -> FieldSet {
        FieldSet(
            sorted: entries.map { entry in
                var entry = entry
                if !entry.children.isEmpty {
                    if case .field(let name) = entry.element, schema?.field(name) != nil { entry.isMember = true }
                    entry.children = entry.children.withNamedParents(schema?.descended(to: entry.element))
                }
                return entry
            })
    }
}

extension FieldSet {
    /// The set as it stands when what was granular has become atomic: its owner keeps the whole.
    func reconciled(with schema: TypeSchema) -> FieldSet {
        FieldSet(
            sorted: entries.map { entry in
                guard !entry.children.isEmpty, let type = schema.descended(to: entry.element) else { return entry }
                var entry = entry
                if type.isAtomic {
                    entry.isMember = true
                    entry.children = FieldSet()
                } else {
                    entry.children = entry.children.reconciled(with: type)
                }
                return entry
            })
    }
}

extension TypeSchema {
    fileprivate var isAtomic: Bool {
        switch shape {
        case .map(let map): map.isAtomic
        case .list(let list): list.relation == .atomic
        case .opaque, .scalar: true
        case .deduced: false
        }
    }

    /// The type of what a step leads to.
    func descended(to element: PathElement) -> TypeSchema? {
        if case .field(let name) = element { member(name) } else { items }
    }
}
