extension FieldPath: CustomStringConvertible {
    package var description: String {
        steps.map { step in
            switch step {
            case .member(let name): "." + Self.escaped(name)
            case .keys(let keys): "[" + keys.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.jsonString)" }.joined(separator: ",") + "]"
            case .value(let value): "[\(value.jsonString)]"
            case .index(let index): "[\(index)]"
            }
        }.joined()
    }

    /// A member's name as the notation writes it.
    package static func escaped(_ name: String) -> String { name.contains { ".[/".contains($0) } ? "\"\(name)\"" : name }

    /// The names of the members on the way, without the items of lists.
    package var names: [String] { steps.compactMap { if case .member(let name) = $0 { name } else { nil } } }

    /// The place in one document as a JSON pointer, as far down as there is something, and how many steps that is.
    ///
    /// An item told by several members is found also where the document leaves some of them to their defaults.
    package func pointer(in document: JSONValue) -> (pointer: JSONPointer, depth: Int) {
        var tokens: [String] = []
        var current = document
        for step in steps {
            guard let (token, next) = Self.follow(step, in: current) else { break }
            tokens.append(token)
            current = next
        }
        return (JSONPointer(tokens: tokens), tokens.count)
    }

    /// Whether the document has something at this very place.
    package func isPresent(in document: JSONValue) -> Bool { pointer(in: document).depth == steps.count }

    /// What stands there, items found as `pointer(in:)` finds them; `nil` when nothing does.
    package func found(in document: JSONValue) -> JSONValue? {
        var current = document
        for step in steps {
            guard let (_, next) = Self.follow(step, in: current) else { return nil }
            current = next
        }
        return current
    }

    private static func follow(_ step: Step, in value: JSONValue) -> (token: String, value: JSONValue)? {
        if case .member(let name) = step { return value[name].map { (name, $0) } }
        guard let items = value.arrayValue, let index = index(of: step, in: items) else { return nil }
        return (String(index), items[index])
    }

    private static func index(of step: Step, in items: [JSONValue]) -> Int? {
        switch step {
        case .member: return nil
        case .index(let index): return items.indices.contains(index) ? index : nil
        case .value(let value): return items.firstIndex(of: value)
        case .keys(let keys):
            return items.firstIndex { item in keys.allSatisfy { item[$0.key] == $0.value } }
                ?? items.firstIndex { item in
                    keys.contains { item[$0.key] == $0.value } && keys.allSatisfy { item[$0.key] == nil || item[$0.key] == $0.value }
                }
        }
    }

    /// The document with another value at this place; `nil` takes away what is there. Objects and items on the way are made where
    /// they are missing.
    package func setting(_ value: JSONValue?, in document: JSONValue) -> JSONValue {
        Self.setting(value, at: steps[...], in: document)
    }

    private static func setting(_ value: JSONValue?, at steps: ArraySlice<Step>, in document: JSONValue) -> JSONValue {
        guard let step = steps.first else { return value ?? .null }
        let rest = steps.dropFirst()
        var result = document
        if case .member(let name) = step {
            if rest.isEmpty {
                result[name] = value
            } else if value != nil || document[name] != nil {
                result[name] = setting(value, at: rest, in: document[name] ?? (isItem(rest.first) ? [] : [:]))
            }
            return result
        }
        var items = document.arrayValue ?? []
        if let index = index(of: step, in: items) {
            if rest.isEmpty, value == nil { items.remove(at: index) } else { items[index] = setting(value, at: rest, in: items[index]) }
        } else if value != nil {
            var item: JSONValue = [:]
            if case .keys(let keys) = step { item = .object(JSONObject(keys.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: $0.value) })) }
            items.append(setting(value, at: rest, in: item))
        }
        return .array(items)
    }

    /// Whether the place is an item that is told by its number only.
    package var endsInIndex: Bool { if case .index? = steps.last { true } else { false } }

    /// The document with the value as one more item of the list that holds this place.
    package func appending(_ value: JSONValue, in document: JSONValue) -> JSONValue {
        let list = FieldPath(steps: Array(steps.dropLast()))
        return list.setting(.array((list.value(in: document)?.arrayValue ?? []) + [value]), in: document)
    }

    private static func isItem(_ step: Step?) -> Bool {
        if case .member? = step { false } else { step != nil }
    }

    /// Every place in a document that holds no further ones, in the notation of differences: items that have names are told by them.
    package static func leaves(of document: JSONValue) -> [FieldPath] {
        var found: [FieldPath] = []
        func walk(_ value: JSONValue, _ steps: [Step]) {
            switch value {
            case .object(let members) where !members.isEmpty:
                for member in members { walk(member.value, steps + [.member(member.key)]) }
            case .array(let items) where !items.isEmpty:
                for (index, item) in items.enumerated() {
                    walk(item, steps + [item["name"].map { .keys(["name": $0]) } ?? .index(index)])
                }
            default: found.append(FieldPath(steps: steps))
            }
        }
        walk(document, [])
        return found
    }
}
