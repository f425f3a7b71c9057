/// The members of a JSON object in the order they were read. Keys are unique; lookup is linear, which is fastest for the few
/// members that API objects have (large maps are looked up through `dictionary`).
package struct JSONObject: Sendable {
    package struct Member: Sendable, Hashable {
        package var key: String
        package var value: JSONValue

        package init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    package private(set) var members: [Member]

    /// - Parameter members: members with unique keys; the caller vouches for that.
    package init(_ members: [Member] = []) { self.members = members }

    package subscript(key: String) -> JSONValue? {
        get { index(of: key).map { members[$0].value } }
        set {
            if let index = index(of: key) {
                if let newValue { members[index].value = newValue } else { members.remove(at: index) }
            } else if let newValue {
                members.append(Member(key: key, value: newValue))
            }
        }
    }

    package subscript(key: String, default fallback: @autoclosure () -> JSONValue) -> JSONValue {
        get { self[key] ?? fallback() }
        set { self[key] = newValue }
    }

    /// Where the key stands; `nil` when it is not there. By place, because going over the members would copy each of them.
    /// - Parameter expected: the place that is looked at first.
    package func index(of key: String, expected: Int = 0) -> Int? {
        if expected < members.count, members[expected].key == key { return expected }
        for place in members.indices where members[place].key == key { return place }
        return nil
    }

    package var keys: [String] { members.map(\.key) }
    package func contains(_ key: String) -> Bool { index(of: key) != nil }
    package mutating func removeValue(forKey key: String) { self[key] = nil }
    package mutating func removeAll(where predicate: (Member) -> Bool) { members.removeAll(where: predicate) }

    /// The members by key, for maps too large for linear search.
    package var dictionary: [String: JSONValue] {
        Dictionary(members.map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last })
    }
}

extension JSONObject: RandomAccessCollection {
    package var startIndex: Int { 0 }
    package var endIndex: Int { members.count }
    package subscript(position: Int) -> Member {
        get { members[position] }
        set { members[position].value = newValue.value }
    }
}

extension JSONObject: Hashable {
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.members.count == right.members.count else { return false }
        if left.members.count > 16 {
            let other = right.dictionary
            return left.members.allSatisfy { other[$0.key] == $0.value }
        }
        return left.members.indices.allSatisfy { place in
            guard let counterpart = right.index(of: left.members[place].key, expected: place) else { return false }
            return left.members[place].value == right.members[counterpart].value
        }
    }

    package func hash(into hasher: inout Hasher) {
        // Order must not matter: combine the members' own hashes commutatively.
        var sum = 0
        for member in members { sum &+= member.hashValue }
        hasher.combine(sum)
        hasher.combine(members.count)
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(elements.map { Member(key: $0.0, value: $0.1) })
    }
}
