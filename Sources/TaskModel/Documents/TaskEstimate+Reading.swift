extension TaskEstimate {
    /// Reads a text that is a duration and nothing else: `4h`, `2 days`, `0.5d`, `3-4 hours`, `1 week`, `1d 4h`, `~30 min`, `half a day`.
    /// - Parameter unit: Hours of a number without a unit; `nil`: such a number is none.
    /// - Returns: `nil` for every other text: `TBD`, `M`, `3 points`, `Week 2`.
    init?(reading text: String, unit: Double? = nil) {
        var reader = DurationReader(text)
        guard let range = reader.read(unit: unit), range.most > 0 else { return nil }
        self.init(text: text.oneLine.trimmed, minimumHours: range.least, hours: range.most)
    }
}

private struct DurationReader {
    private static let before: Set<String> = ["about", "approx", "approximately", "around", "circa", "ca", "~", "≈", "up", "to", "est", "estimate", "estimated", "effort", "and", "+", ","]
    private static let after: Set<String> = ["each", "total", "max", "maximum", "of", "work", "effort", "+", "."]
    private static let bounds: Set<String> = ["<", "≤", ">", "≥"]
    private static let dashes: Set<String> = ["-", "–", "—", "to", "/"]
    private static let articles: Set<String> = ["a", "an"]

    private var words: [String] = []
    private var index = 0

    init(_ text: String) {
        guard text.utf8.count <= 80 else { return }
        var word = ""
        var kind = 0
        for scalar in text.lowercased().unicodeScalars {
            let next: Int
            switch scalar {
            case "0"..."9", ".": next = 1
            case "a"..."z": next = 2
            case "½":
                word += "0.5"
                kind = 1
                continue
            case "-", "–", "—", "~", "≈", "<", ">", "≤", "≥", "+", "/", ",", "(", ")": next = 3
            default: next = scalar.isDecoration ? 0 : scalar.properties.isWhitespace ? 0 : 4
            }
            if next != kind || next == 3, !word.isEmpty {
                words.append(word)
                word = ""
            }
            if next != 0 { word.unicodeScalars.append(scalar) }
            kind = next
        }
        if !word.isEmpty { words.append(word) }
    }

    /// A sum of ranges; the whole text must be read.
    mutating func read(unit: Double?) -> (least: Double, most: Double)? {
        var sum = (least: 0.0, most: 0.0)
        var count = 0
        while index < words.count {
            skip(Self.before)
            if index == words.count { break }
            // `1 day (8h)` says it twice.
            if words[index] == "(", count > 0 {
                while index < words.count, words[index] != ")" { index += 1 }
                index += 1
                continue
            }
            guard let part = range(unit: count == 0 ? unit : nil) else { return nil }
            sum = (sum.least + part.least, sum.most + part.most)
            count += 1
            skip(Self.after)
        }
        return count > 0 ? sum : nil
    }

    private mutating func range(unit: Double?) -> (least: Double, most: Double)? {
        let isLess = skip(Self.bounds) == "<"
        guard var least = number() else { return nil }
        var first = hours()
        var most = least
        if skip(Self.dashes) != nil {
            guard let second = number() else { return nil }
            most = second
            let last = hours()
            let shared = last ?? first ?? unit
            first = first ?? shared
            guard let first, let shared else { return nil }
            least *= first
            most *= last ?? shared
            return least <= most ? (least, most) : nil
        }
        guard let factor = first ?? unit else { return nil }
        return (isLess ? 0 : least * factor, most * factor)
    }

    @discardableResult
    private mutating func skip(_ some: Set<String>) -> String? {
        var last: String?
        while index < words.count, some.contains(words[index]) {
            last = words[index]
            index += 1
        }
        return last
    }

    private mutating func number() -> Double? {
        guard index < words.count else { return nil }
        let word = words[index]
        if word == "half" {
            index += 1
            skip(Self.articles)
            return 0.5
        }
        if word == "a" || word == "an" || word == "one" {
            index += 1
            return 1
        }
        guard let value = Double(word), value.isFinite, value < 100_000 else { return nil }
        index += 1
        return value
    }

    /// The hours of the unit at the index: of working time, a day has 8 and a week 40.
    private mutating func hours() -> Double? {
        var at = index
        if at < words.count, words[at] == "-" { at += 1 }
        if at < words.count, ["person", "dev", "developer", "man", "working", "business", "work", "ideal", "engineer"].contains(words[at]) { at += 1 }
        if at < words.count, words[at] == "-" { at += 1 }
        guard at < words.count else { return nil }
        let hours: Double
        switch words[at] {
        case "m", "min", "mins", "minute", "minutes": hours = 1.0 / 60
        case "h", "hr", "hrs", "hour", "hours": hours = 1
        case "d", "day", "days", "pd", "md": hours = 8
        case "w", "wk", "wks", "week", "weeks": hours = 40
        case "mo", "month", "months": hours = 160
        default: return nil
        }
        index = at + 1
        return hours
    }
}
