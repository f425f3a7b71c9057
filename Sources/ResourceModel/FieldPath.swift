/// A field's place in an object, read from the notation of `FieldChange.path`: `.spec.containers[name="web"].image`,
/// `.metadata.labels."example.org/team"`, `.metadata.finalizers["a"]`.
package struct FieldPath: Sendable, Hashable {
    package enum Step: Sendable, Hashable {
        case member(String)
        /// An item of a list that is told by some of its members.
        case keys([String: JSONValue])
        /// An item of a list of scalars.
        case value(JSONValue)
        case index(Int)
    }

    package let steps: [Step]

    package init(steps: [Step]) { self.steps = steps }

    /// `nil` for text in another notation.
    package init?(_ text: String) {
        var steps: [Step] = []
        var rest = text[...]
        while let first = rest.first {
            rest.removeFirst()
            if first == "." {
                if rest.first == "\"" {
                    guard let end = rest.dropFirst().firstIndex(of: "\"") else { return nil }
                    steps.append(.member(String(rest[rest.index(after: rest.startIndex)..<end])))
                    rest = rest[rest.index(after: end)...]
                } else {
                    let end = rest.firstIndex { $0 == "." || $0 == "[" } ?? rest.endIndex
                    steps.append(.member(String(rest[..<end])))
                    rest = rest[end...]
                }
            } else if first == "[", let end = Self.closingBracket(of: rest), let step = Self.item(rest[..<end]) {
                steps.append(step)
                rest = rest[rest.index(after: end)...]
            } else {
                return nil
            }
        }
        self.steps = steps
    }

    /// The bracket that closes one already read; those inside JSON strings do not count.
    private static func closingBracket(of text: Substring) -> Substring.Index? {
        var isQuoted = false
        var isEscaped = false
        for index in text.indices {
            switch text[index] {
            case _ where isEscaped: isEscaped = false
            case "\\" where isQuoted: isEscaped = true
            case "\"": isQuoted.toggle()
            case "]" where !isQuoted: return index
            default: break
            }
        }
        return nil
    }

    private static func item(_ text: Substring) -> Step? {
        if let number = Int(text) { return .index(number) }
        if text.first == "\"" { return (try? JSONValue(parsing: String(text))).map { .value($0) } }  // else another notation
        // `name=JSON,name=JSON` is an object's text but for its braces, quotes and colons.
        var keys: [String: JSONValue] = [:]
        var rest = text
        while let equals = rest.firstIndex(of: "=") {
            let name = String(rest[..<equals])
            rest = rest[rest.index(after: equals)...]
            var end = rest.startIndex
            var value: JSONValue?
            while value == nil {
                guard end < rest.endIndex else { return nil }
                end = rest[rest.index(after: end)...].firstIndex(of: ",") ?? rest.endIndex
                value = try? JSONValue(parsing: String(rest[..<end]))  // a comma inside a string: go on to the next one
            }
            keys[name] = value
            rest = end < rest.endIndex ? rest[rest.index(after: end)...] : rest[end...]
        }
        return keys.isEmpty ? nil : .keys(keys)
    }

    /// What stands there in an object; `nil` when nothing does.
    package func value(in object: JSONValue) -> JSONValue? {
        var current = object
        for step in steps {
            let next: JSONValue? =
                switch step {
                case .member(let name): current[name]
                case .index(let index): current[index]
                case .value(let value): current.arrayValue?.first { $0 == value }
                case .keys(let keys): current.arrayValue?.first { item in keys.allSatisfy { item[$0.key] == $0.value } }
                }
            guard let next else { return nil }
            current = next
        }
        return current
    }

    /// Whether a FieldsV1 tree holds the place, or something above it as a whole.
    package func isHeld(by fields: JSONValue) -> Bool {
        var current = fields
        for (depth, step) in steps.enumerated() {
            let isWhole = depth > 0 && current.objectValue?.allSatisfy { $0.key == "." } ?? true
            let next: JSONValue? =
                switch step {
                case .member(let name): current["f:" + name]
                case .index: nil
                case .value(let value): current["v:" + value.jsonString]
                case .keys(let keys):
                    current.objectValue?.first { member in
                        guard member.key.hasPrefix("k:"), let key = try? JSONValue(parsing: String(member.key.dropFirst(2))) else { return false }
                        return keys.allSatisfy { key[$0.key] == $0.value }
                    }?.value
                }
            guard let next else { return isWhole }
            current = next
        }
        return !steps.isEmpty
    }
}

extension FieldOwnership {
    /// The manager other than `manager` that wrote the field last; `nil` when no other owns it. What only a status update wrote does
    /// not count.
    package func owner(of path: String, otherThan manager: String) -> Entry? {
        guard let place = FieldPath(path) else { return nil }
        return entries.filter { $0.manager != manager && $0.subresource != "status" && place.isHeld(by: $0.fields) }
            .max { ($0.time ?? "") < ($1.time ?? "") }
    }

    /// Whether that manager applied the field and still owns it.
    package func isOwned(_ path: String, by manager: String) -> Bool {
        guard let place = FieldPath(path) else { return false }
        return entries.contains { $0.manager == manager && $0.operation == "Apply" && place.isHeld(by: $0.fields) }
    }
}
