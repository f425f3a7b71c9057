/// A version as tags spell it: `1.2.3`, `v1.2`, `1.2.3-rc.1+build`. https://semver.org, missing parts count as 0.
struct Version: Sendable, Hashable, Comparable {
    var numbers: [UInt64]
    var prerelease: [String]
    /// How many of major, minor and patch were written.
    var precision: Int

    init?(_ text: some StringProtocol) {
        var rest = Substring(text)
        if rest.hasPrefix("v") { rest.removeFirst() }
        if let plus = rest.firstIndex(of: "+") { rest = rest[..<plus] }
        prerelease = []
        if let dash = rest.firstIndex(of: "-") {
            prerelease = rest[rest.index(after: dash)...].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            rest = rest[..<dash]
            guard prerelease.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(Version.isIdentifier) }) else { return nil }
        }
        let parts = rest.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...3).contains(parts.count) else { return nil }
        numbers = []
        for part in parts {
            guard part.utf8.allSatisfy({ (48...57).contains($0) }), let number = UInt64(part) else { return nil }
            numbers.append(number)
        }
        precision = numbers.count
        while numbers.count < 3 { numbers.append(0) }
    }

    private static func isIdentifier(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == UInt8(ascii: "-")
    }

    static func < (left: Version, right: Version) -> Bool {
        for (a, b) in zip(left.numbers, right.numbers) where a != b { return a < b }
        if left.prerelease.isEmpty || right.prerelease.isEmpty { return !left.prerelease.isEmpty && right.prerelease.isEmpty }
        for (a, b) in zip(left.prerelease, right.prerelease) where a != b {
            switch (UInt64(a), UInt64(b)) {
            case (let x?, let y?): return x < y
            case (_?, nil): return true
            case (nil, _?): return false
            case (nil, nil): return a < b
            }
        }
        return left.prerelease.count < right.prerelease.count
    }

    static func == (left: Version, right: Version) -> Bool { left.numbers == right.numbers && left.prerelease == right.prerelease }
    func hash(into hasher: inout Hasher) {
        hasher.combine(numbers)
        hasher.combine(prerelease)
    }
}

/// A constraint on versions as Argo CD's `targetRevision` takes it: comparisons, `^`, `~`, wildcards and hyphen ranges, joined
/// by spaces or commas (and) and `||` (or). Pre-releases match only where the constraint names one.
struct VersionRange: Sendable {
    private struct Comparator: Sendable {
        enum Relation: Sendable { case less, lessOrEqual, greater, greaterOrEqual, equal, different }
        var relation: Relation
        var version: Version
        /// Stands for `!=1.2.x`: different from everything that the bounds include.
        var upper: Version?
        var allowsPrerelease: Bool

        func matches(_ candidate: Version) -> Bool {
            if !candidate.prerelease.isEmpty && !allowsPrerelease { return false }
            switch relation {
            case .less: return candidate < version
            case .lessOrEqual: return candidate <= version
            case .greater: return candidate > version
            case .greaterOrEqual: return candidate >= version
            case .equal: return candidate == version
            case .different:
                if let upper { return candidate < version || candidate >= upper }
                return candidate != version
            }
        }
    }

    private var alternatives: [[Comparator]]

    /// - Returns: nil if `text` is a plain version or no constraint at all: then it is the name of a branch or a tag.
    init?(_ text: String) {
        if Version(text) != nil { return nil }
        alternatives = []
        for part in text.split(separator: "||", omittingEmptySubsequences: false) {
            guard let comparators = VersionRange.comparators(String(part)) else { return nil }
            alternatives.append(comparators)
        }
    }

    func contains(_ version: Version) -> Bool {
        alternatives.contains { $0.allSatisfy { $0.matches(version) } }
    }

    private static func comparators(_ text: String) -> [Comparator]? {
        if let hyphen = text.firstRange(of: " - ") {
            let bounds = (text[..<hyphen.lowerBound], text[hyphen.upperBound...])
            guard let low = terms(">=\(trimmed(bounds.0))"), let high = terms("<=\(trimmed(bounds.1))") else { return nil }
            return low + high
        }
        return terms(text)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }

    private static func terms(_ text: String) -> [Comparator]? {
        var result: [Comparator] = []
        var rest = text[...]
        while true {
            rest = rest.drop { $0 == " " || $0 == "," }
            if rest.isEmpty { return result.isEmpty ? nil : result }
            let symbol = rest.prefix { "=!<>~^".contains($0) }
            rest = rest[symbol.endIndex...].drop { $0 == " " }
            let word = rest.prefix { $0 != " " && $0 != "," }
            rest = rest[word.endIndex...]
            guard let term = term(String(symbol), word) else { return nil }
            result += term
        }
    }

    private static func term(_ symbol: String, _ word: Substring) -> [Comparator]? {
        var word = word
        if word.hasPrefix("v") { word.removeFirst() }
        var parts = word.split(separator: ".", omittingEmptySubsequences: false)
        var wildcard = false
        if let first = parts.firstIndex(where: { ["x", "X", "*"].contains($0) }) {
            guard parts.count <= 3, parts[first...].allSatisfy({ ["x", "X", "*"].contains($0) || UInt64($0) != nil }) else { return nil }
            parts = Array(parts[..<first])
            wildcard = true
        }
        if parts.isEmpty {
            guard wildcard, ["", "=", ">=", "=>", "<=", "=<", "~", "~>", "^"].contains(symbol), let zero = Version("0") else { return nil }
            return [Comparator(relation: .greaterOrEqual, version: zero, allowsPrerelease: false)]
        }
        guard let version = Version(parts.joined(separator: ".")) else { return nil }
        let prerelease = !version.prerelease.isEmpty
        let partial = version.precision < 3
        func one(_ relation: Comparator.Relation, _ version: Version) -> Comparator {
            Comparator(relation: relation, version: version, allowsPrerelease: prerelease)
        }
        func below(_ upper: Version) -> [Comparator] { [one(.greaterOrEqual, version), one(.less, upper)] }
        switch symbol {
        case "", "=":
            return partial ? below(bumped(version, version.precision - 1)) : [one(.equal, version)]
        case "!=":
            var comparator = one(.different, version)
            if partial { comparator.upper = bumped(version, version.precision - 1) }
            return [comparator]
        case ">": return partial ? [one(.greaterOrEqual, bumped(version, version.precision - 1))] : [one(.greater, version)]
        case ">=", "=>": return [one(.greaterOrEqual, version)]
        case "<": return [one(.less, version)]
        case "<=", "=<": return partial ? [one(.less, bumped(version, version.precision - 1))] : [one(.lessOrEqual, version)]
        case "~", "~>": return below(bumped(version, min(version.precision - 1, 1)))
        case "^":
            let leading = version.numbers.firstIndex { $0 != 0 } ?? (version.precision - 1)
            return below(bumped(version, min(leading, version.precision - 1)))
        default: return nil
        }
    }

    /// `version` with the number at `index` raised and what follows set to 0.
    private static func bumped(_ version: Version, _ index: Int) -> Version {
        var result = version
        result.prerelease = []
        result.numbers[index] &+= 1
        for later in (index + 1)..<max(index + 1, 3) { result.numbers[later] = 0 }
        return result
    }
}
