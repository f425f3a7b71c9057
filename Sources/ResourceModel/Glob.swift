/// A glob pattern as Argo CD's directory sources use it: `*` and `?` also match `/` unless a separator is given, `**` always does;
/// `[abc]`, `[a-z]`, `[!a]`, `{yaml,json}` (nested too), and `\` takes the next character as it is.
package struct Glob: Sendable, Hashable {
    /// Why a text is not a pattern.
    package struct Failure: Error, Sendable {
        package var message: String
    }

    private indirect enum Token: Sendable, Hashable {
        case character(Character)
        case anyCharacter
        case anyRun
        case anyRunAcrossSeparators
        case set([ClosedRange<Character>], negated: Bool)
        case alternatives([[Token]])
    }

    package let pattern: String
    private let tokens: [Token]
    private let separator: Character?

    /// - Parameter separator: what `*` and `?` do not match; `nil` lets them match everything.
    package init(_ pattern: String, separator: Character? = nil) throws(Failure) {
        self.pattern = pattern
        self.separator = separator
        var rest = Array(pattern)[...]
        tokens = try Self.tokens(&rest, inBraces: false, pattern: pattern)
    }

    /// Matches the empty text only.
    package static let nothing = Glob()

    private init() { (pattern, tokens, separator) = ("", [], nil) }

    package func matches(_ text: String) -> Bool { matches(tokens[...], Array(text)[...]) }

    private static func tokens(_ rest: inout ArraySlice<Character>, inBraces: Bool, pattern: String) throws(Failure) -> [Token] {
        var result: [Token] = []
        while let character = rest.first {
            if inBraces, character == "," || character == "}" { return result }
            rest.removeFirst()
            switch character {
            case "\\":
                guard let escaped = rest.popFirst() else { throw Failure(message: "`\(pattern)` ends in a lone `\\`") }
                result.append(.character(escaped))
            case "?": result.append(.anyCharacter)
            case "*":
                if rest.first == "*" {
                    while rest.first == "*" { rest.removeFirst() }
                    result.append(.anyRunAcrossSeparators)
                } else {
                    result.append(.anyRun)
                }
            case "[": result.append(try set(&rest, pattern: pattern))
            case "{":
                var alternatives: [[Token]] = []
                repeat {
                    alternatives.append(try tokens(&rest, inBraces: true, pattern: pattern))
                    guard let end = rest.popFirst() else { throw Failure(message: "`{` without `}` in `\(pattern)`") }
                    if end == "}" { break }
                } while true
                result.append(.alternatives(alternatives))
            default: result.append(.character(character))
            }
        }
        if inBraces { throw Failure(message: "`{` without `}` in `\(pattern)`") }
        return result
    }

    private static func set(_ rest: inout ArraySlice<Character>, pattern: String) throws(Failure) -> Token {
        let negated = rest.first == "!" || rest.first == "^"
        if negated { rest.removeFirst() }
        var ranges: [ClosedRange<Character>] = []
        while let first = rest.popFirst() {
            if first == "]", !ranges.isEmpty { return .set(ranges, negated: negated) }
            let low = first == "\\" ? (rest.popFirst() ?? first) : first
            if rest.first == "-", let high = rest.dropFirst().first, high != "]" {
                rest.removeFirst(2)
                guard low <= high else { throw Failure(message: "`\(low)-\(high)` is not a range in `\(pattern)`") }
                ranges.append(low...high)
            } else {
                ranges.append(low...low)
            }
        }
        throw Failure(message: "`[` without `]` in `\(pattern)`")
    }

    private func matches(_ tokens: ArraySlice<Token>, _ text: ArraySlice<Character>) -> Bool {
        guard let token = tokens.first else { return text.isEmpty }
        let later = tokens.dropFirst()
        switch token {
        case .character(let expected):
            return text.first == expected && matches(later, text.dropFirst())
        case .anyCharacter:
            guard let first = text.first, first != separator else { return false }
            return matches(later, text.dropFirst())
        case .set(let ranges, let negated):
            guard let first = text.first, ranges.contains(where: { $0.contains(first) }) != negated else { return false }
            return matches(later, text.dropFirst())
        case .alternatives(let choices):
            return choices.contains { matches(($0 + later)[...], text) }
        case .anyRun, .anyRunAcrossSeparators:
            var text = text
            while true {
                if matches(later, text) { return true }
                guard let first = text.first else { return false }
                if case .anyRun = token, first == separator { return false }
                text = text.dropFirst()
            }
        }
    }
}
