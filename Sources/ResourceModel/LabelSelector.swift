/// A label selector as a query parameter writes it (`app=web,tier in (a,b),!old`) or as an object does (`matchLabels`, `matchExpressions`).
package struct LabelSelector: Sendable, Hashable {
    enum Operator: Sendable, Hashable { case exists, doesNotExist, isIn, notIn, greater, less }

    package struct Requirement: Sendable, Hashable {
        package var key: String
        var comparison: Operator
        package var values: [String]
        /// Whether it compares numbers.
        package var isOrder: Bool { comparison == .greater || comparison == .less }
    }

    package internal(set) var requirements: [Requirement] = []

    /// Whether it selects everything.
    package var isEmpty: Bool { requirements.isEmpty }

    package init() {}

    /// From a `LabelSelector` object. Unknown operators match nothing.
    package init(object: JSONValue?) {
        for member in object?["matchLabels"]?.objectValue ?? [:] {
            requirements.append(Requirement(key: member.key, comparison: .isIn, values: [member.value.stringValue ?? ""]))
        }
        for expression in object?["matchExpressions"]?.arrayValue ?? [] {
            let values = expression["values"]?.arrayValue?.compactMap(\.stringValue) ?? []
            let comparison: Operator
            switch expression["operator"]?.stringValue {
            case "NotIn": comparison = .notIn
            case "Exists": comparison = .exists
            case "DoesNotExist": comparison = .doesNotExist
            default: comparison = .isIn
            }
            requirements.append(Requirement(key: expression["key"]?.stringValue ?? "", comparison: comparison, values: values))
        }
    }

    package func matches(_ labels: JSONValue?) -> Bool {
        let labels = labels?.objectValue
        return requirements.allSatisfy { requirement in
            let value = labels?[requirement.key]?.stringValue
            switch requirement.comparison {
            case .exists: return value != nil
            case .doesNotExist: return value == nil
            case .isIn: return value.map { requirement.values.contains($0) } ?? false
            case .notIn: return value.map { !requirement.values.contains($0) } ?? true
            case .greater, .less:
                guard let number = value.flatMap(Int64.init), let bound = requirement.values.first.flatMap(Int64.init) else { return false }
                return requirement.comparison == .greater ? number > bound : number < bound
            }
        }
    }

    /// The selector as `kubectl` and the scale subresource write it.
    package var text: String {
        requirements.map { requirement in
            let set = requirement.values.sorted().joined(separator: ",")
            switch requirement.comparison {
            case .exists: return requirement.key
            case .doesNotExist: return "!\(requirement.key)"
            case .isIn: return requirement.values.count == 1 ? "\(requirement.key)=\(set)" : "\(requirement.key) in (\(set))"
            case .notIn: return "\(requirement.key) notin (\(set))"
            case .greater: return "\(requirement.key)>\(set)"
            case .less: return "\(requirement.key)<\(set)"
            }
        }.sorted().joined(separator: ",")
    }
}

extension LabelSelector {
    /// Why a text is no selector, in the words of a Kubernetes API server.
    package struct Failure: Error, Sendable, CustomStringConvertible {
        package var description: String
    }

    /// - Throws: `Failure` for text that is no selector.
    package init(parsing text: String) throws(Failure) {
        var parser = SelectorParser(text: text)
        requirements = try parser.requirements()
    }
}

/// Reads the text form of a label selector.
private struct SelectorParser {
    private let tokens: [String]
    private var position = 0

    init(text: String) {
        var tokens: [String] = []
        var word = ""
        var rest = Substring(text)
        func flush() {
            if !word.isEmpty { tokens.append(word) }
            word = ""
        }
        while let character = rest.popFirst() {
            switch character {
            case " ", "\t": flush()
            case ",", "(", ")", "<", ">":
                flush()
                tokens.append(String(character))
            case "=":
                flush()
                if rest.first == "=" {
                    rest.removeFirst()
                    tokens.append("==")
                } else {
                    tokens.append("=")
                }
            case "!":
                flush()
                if rest.first == "=" {
                    rest.removeFirst()
                    tokens.append("!=")
                } else {
                    tokens.append("!")
                }
            default: word.append(character)
            }
        }
        flush()
        self.tokens = tokens
    }

    private var current: String? { position < tokens.count ? tokens[position] : nil }

    private static let symbols: Set<String> = [",", "(", ")", "<", ">", "=", "==", "!", "!="]

    private func failure(_ expected: String) -> LabelSelector.Failure {
        LabelSelector.Failure(description: "unable to parse requirement: found '\(current ?? "")', expected: \(expected)")
    }

    mutating func requirements() throws(LabelSelector.Failure) -> [LabelSelector.Requirement] {
        var result: [LabelSelector.Requirement] = []
        while current != nil {
            result.append(try requirement())
            if current == "," {
                position += 1
                if current == nil { throw failure("identifier after ','") }
            } else if current != nil {
                throw failure("',' or 'end of string'")
            }
        }
        return result
    }

    private mutating func word(_ expected: String) throws(LabelSelector.Failure) -> String {
        guard let token = current, !Self.symbols.contains(token) else { throw failure(expected) }
        position += 1
        return token
    }

    private mutating func requirement() throws(LabelSelector.Failure) -> LabelSelector.Requirement {
        if current == "!" {
            position += 1
            return .init(key: try word("identifier"), comparison: .doesNotExist, values: [])
        }
        let key = try word("!, identifier, or ','")
        guard let token = current, token != "," else { return .init(key: key, comparison: .exists, values: []) }
        position += 1
        switch token {
        case "=", "==": return .init(key: key, comparison: .isIn, values: [try value()])
        case "!=": return .init(key: key, comparison: .notIn, values: [try value()])
        case ">": return .init(key: key, comparison: .greater, values: [try word("identifier")])
        case "<": return .init(key: key, comparison: .less, values: [try word("identifier")])
        case "in": return .init(key: key, comparison: .isIn, values: try values())
        case "notin": return .init(key: key, comparison: .notIn, values: try values())
        default:
            position -= 1
            throw failure("in, notin, =, ==, !=, gt, lt")
        }
    }

    private mutating func value() throws(LabelSelector.Failure) -> String {
        if current == nil || current == "," { return "" }
        return try word("identifier")
    }

    private mutating func values() throws(LabelSelector.Failure) -> [String] {
        guard current == "(" else { throw failure("'('") }
        // What is missing is an empty value: `in ()`, `in (a,)`.
        var result: [String] = []
        repeat {
            position += 1
            result.append(current == "," || current == ")" ? "" : try word("identifier"))
        } while current == ","
        guard current == ")" else { throw failure("',' or ')'") }
        position += 1
        return result
    }
}
