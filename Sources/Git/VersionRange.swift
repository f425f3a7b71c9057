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

/// A constraint on versions as Argo CD's `targetRevision` takes it (https://github.com/Masterminds/semver): comparisons, `^`, `~`,
/// wildcards and hyphen ranges, joined by spaces or commas (and) and `||` (or). Pre-releases match only where one of those that are joined
/// by "and" names one, as `>=1.2-0` and `*-0` do.
struct VersionRange: Sendable {
    private var alternatives: [[Comparator]]

    /// - Returns: nil if `text` is a plain version or no constraint at all: then it is the name of a branch or a tag.
    init?(_ text: String) {
        if Version(text) != nil { return nil }
        alternatives = []
        for part in text.split(separator: "||", omittingEmptySubsequences: false) {
            guard let comparators = VersionRange.comparators(part) else { return nil }
            alternatives.append(comparators)
        }
    }

    func contains(_ version: Version) -> Bool {
        alternatives.contains { comparators in
            let takesPrereleases = comparators.contains { !$0.version.prerelease.isEmpty }
            return (takesPrereleases || version.prerelease.isEmpty) && comparators.allSatisfy { $0.matches(version) }
        }
    }

    private static func comparators(_ text: Substring) -> [Comparator]? {
        var result: [Comparator] = []
        var rest = text
        while true {
            rest = rest.drop { $0 == " " || $0 == "," }
            if rest.isEmpty { return result.isEmpty ? nil : result }
            let symbol = rest.prefix { "=!<>~^".contains($0) }
            rest = rest[symbol.endIndex...].drop { $0 == " " }
            let word = nextWord(&rest)
            let afterDash = rest.drop { $0 == " " }
            if symbol.isEmpty, rest.first == " ", afterDash.hasPrefix("- ") {
                rest = afterDash.dropFirst().drop { $0 == " " }
                guard let low = Comparator(">=", word), let high = Comparator("<=", nextWord(&rest)) else { return nil }
                result += [low, high]
            } else {
                guard let comparator = Comparator(symbol, word) else { return nil }
                result.append(comparator)
            }
        }
    }

    private static func nextWord(_ rest: inout Substring) -> Substring {
        let word = rest.prefix { $0 != " " && $0 != "," }
        rest = rest[word.endIndex...]
        return word
    }
}

/// One comparison. Numbers that are not written, or are wildcards, stand for any.
private struct Comparator: Sendable {
    private enum Relation: Sendable { case less, lessOrEqual, greater, greaterOrEqual, equal, different, sameMinor, compatible }

    private static let relations: [Substring: Relation] = [
        "": .equal, "=": .equal, "!=": .different, ">": .greater, ">=": .greaterOrEqual, "=>": .greaterOrEqual, "<": .less, "<=": .lessOrEqual,
        "=<": .lessOrEqual, "~": .sameMinor, "~>": .sameMinor, "^": .compatible,
    ]

    private let relation: Relation
    /// Its precision says how many numbers are written.
    let version: Version

    init?(_ symbol: Substring, _ word: Substring) {
        guard let relation = Self.relations[symbol], let version = Self.version(word) else { return nil }
        // To be more, less or different than any version is no wish.
        if version.precision == 0, [.less, .greater, .different].contains(relation) { return nil }
        // `*-0` is every version with pre-releases, `x-ray` is a branch.
        if version.precision == 0, symbol.isEmpty, version.prerelease != [], version.prerelease != ["0"] { return nil }
        (self.relation, self.version) = (relation, version)
    }

    private static func version(_ word: Substring) -> Version? {
        let word = word.hasPrefix("v") ? word.dropFirst() : word
        let end = word.firstIndex { $0 == "-" || $0 == "+" } ?? word.endIndex
        let parts = word[..<end].split(separator: ".", omittingEmptySubsequences: false)
        let isWildcard = { (part: Substring) in ["x", "X", "*"].contains(part) }
        guard let first = parts.firstIndex(where: isWildcard) else { return Version(word) }
        guard parts.count <= 3, parts[first...].allSatisfy({ isWildcard($0) || UInt64($0) != nil }) else { return nil }
        var version = Version((first == 0 ? "0" : parts[..<first].joined(separator: ".")) + word[end...])
        version?.precision = first
        return version
    }

    func matches(_ candidate: Version) -> Bool {
        let written = version.precision
        let (theirs, ours) = (candidate.numbers, version.numbers)
        func agree(_ count: Int) -> Bool { theirs.prefix(count) == ours.prefix(count) }
        switch relation {
        case .less: return candidate < version
        case .greaterOrEqual: return candidate >= version
        case .lessOrEqual: return written == 3 ? candidate <= version : !ours.prefix(written).lexicographicallyPrecedes(theirs.prefix(written))
        case .greater: return written == 3 ? candidate > version : ours.prefix(written).lexicographicallyPrecedes(theirs.prefix(written))
        case .equal: return written == 3 ? candidate == version : candidate >= version && agree(written)
        case .different:
            if written == 3 { return candidate != version }
            return !agree(written) || written == 2 && candidate.prerelease != version.prerelease
        case .sameMinor:
            // `~0.0.0` takes everything, as `~*` does.
            return candidate >= version && (agree(min(written, 2)) || written == 3 && ours.allSatisfy { $0 == 0 })
        case .compatible:
            // Up to the first number that is not 0, and to the last that is written.
            let leading = ours.firstIndex { $0 != 0 } ?? written
            return candidate >= version && agree(min(leading + 1, written))
        }
    }
}
