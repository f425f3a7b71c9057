/// What a heading's words say: a phase with priority, story and estimate, a section on dependencies, a label for lists.
struct HeadingWording {
    /// Without priority, estimate and decoration.
    var title: String
    var isPhase = false
    var isDependency = false
    /// Shows how others work, or lists what was said already: no tasks of its own.
    var isExample = false
    var label: FieldLabel?
    var priority: TaskPriority?
    var story: String?
    var estimate: TaskEstimate?

    init(_ heading: String) {
        title = Self.plain(heading)
        let words = title.words
        let numberless = Array(words.drop { $0.utf8.allSatisfy(\.isDigit) })
        isPhase = Self.isPhase(title, words)
        isDependency =
            words.contains("dependencies") || words.contains("dependency") || (words.contains("critical") && words.contains("path"))
            || ((words.contains("execution") || words.contains("implementation") || words.contains("task")) && words.contains("order"))
        if isDependency, isPhase, !words.contains("dependencies"), !words.contains("dependency") { isDependency = false }
        isExample = words.contains("example") || words.contains("examples") || words.contains("format") || words.contains("legend")
        if let story = Self.storyOf(words) { self.story = story }
        readTrailers()
        if isPhase {
            isDependency = isDependency && words.first.map { !Self.phaseWords.contains($0) } ?? false
        } else if priority == nil {
            priority = TaskLine.priority(numberless.joined(separator: " ")) ?? Self.leadingPriority(title)
        }
        if !isPhase, !isDependency, numberless.count <= 5 { label = Self.label(numberless) }
    }

    /// Only what can head nothing but criteria, deliverables or risks.
    private static func label(_ words: [String]) -> FieldLabel? {
        if words.contains("acceptance") || words.contains("criteria") { return .acceptance }
        if words.starts(with: ["definition", "of", "done"]) || words.starts(with: ["success", "metrics"]) || words.starts(with: ["done", "when"]) { return .acceptance }
        if words.contains("deliverables") || words.contains("deliverable") { return .deliverables }
        if words.contains("risks") || words.first == "risk" { return .risks }
        return nil
    }

    /// Without decoration and marks: emoji and `MVP` at the end, emoji at the head.
    private static func plain(_ heading: String) -> String {
        if heading.utf8.allSatisfy({ $0 < 0x80 }) { return heading.oneLine }
        var scalars = String.UnicodeScalarView()
        for scalar in heading.unicodeScalars where !scalar.isDecoration || scalar == "→" || scalar == "↔" { scalars.append(scalar) }
        return String(scalars).oneLine.trimmed
    }

    private static let phaseWords: Set<String> = ["phase", "milestone", "sprint", "stage", "iteration", "epic", "week", "wave", "part", "track", "workstream"]

    /// `Phase 3: ...`, `Sprint 2`, `Milestone A`, `Final Phase`, each with a chapter's number before it or without.
    /// - Parameter words: the title's.
    private static func isPhase(_ title: String, _ words: [String]) -> Bool {
        let whole = title
        let title = withoutNumber(whole)
        let words = title.utf8.count == whole.utf8.count ? words : title.words
        guard let first = words.first else { return false }
        if phaseWords.contains(first), words.count > 1 {
            let second = words[1]
            if second.utf8.first?.isDigit == true || second.utf8.count == 1 { return true }
            if second.utf8.count <= 4, second.allSatisfy({ "ivx".contains($0) }) { return true }
            if ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"].contains(second) { return true }
            return title.utf8.dropFirst(first.utf8.count).first == 0x3A
        }
        return words.count >= 2 && (first == "final" || first == "last") && words[1] == "phase"
    }

    /// Without a chapter's number: `3.1 Phase 2` is `Phase 2`.
    static func withoutNumber(_ title: String) -> String {
        guard let first = title.utf8.first, first.isDigit || first == 0x2E || first == 0x29 else { return title }
        let bytes = Array(title.utf8)
        var index = 0
        while index < bytes.count, bytes[index].isDigit || bytes[index] == 0x2E || bytes[index] == 0x29 { index += 1 }
        guard index > 0, index < bytes.count, bytes[index].isBlank else { return title }
        return String(decoding: bytes[index...], as: UTF8.self).trimmed
    }

    /// `User Story 3 ...`, `US3 ...` anywhere in the heading.
    private static func storyOf(_ words: [String]) -> String? {
        for (index, word) in words.enumerated() {
            if word == "story", index > 0, words[index - 1] == "user", index + 1 < words.count, words[index + 1].utf8.first?.isDigit == true {
                return "US" + words[index + 1].uppercased()
            }
            if word.hasPrefix("us"), word.utf8.count > 2, word.utf8.dropFirst(2).allSatisfy(\.isDigit) { return word.uppercased() }
        }
        return nil
    }

    /// `Story 1.1: As a user ...`.
    static func isStory(_ title: String) -> Bool {
        let words = plain(title).words
        guard words.count > 2 else { return false }
        if words[0] == "story" { return words[1].utf8.first?.isDigit == true }
        return words[0] == "user" && words[1] == "story" && words[2].utf8.first?.isDigit == true
    }

    /// `P1 - Must have`, `Critical: ...`, `High Priority Tasks`.
    private static func leadingPriority(_ title: String) -> TaskPriority? {
        let words = withoutNumber(title).unicodeScalars.split { $0 == " " || $0 == ":" || $0 == "-" || $0 == "(" || $0 == "–" }.map { String($0) }
        guard let first = words.first, let priority = TaskPriority(first) else { return nil }
        if first.uppercased().hasPrefix("P"), first.utf8.count == 2 { return priority }
        return words.count > 1 && words[1].lowercased() == "priority" ? priority : nil
    }

    /// `(Priority: P1)`, `(2 weeks)`, `- 3 days`, `MVP` at the end.
    private mutating func readTrailers() {
        for _ in 0..<4 {
            if title.hasSuffix(" MVP") { title = String(title.dropLast(4)).trimmed }
            guard title.hasSuffix(")") || title.hasSuffix("]"), let open = title.lastIndex(where: { $0 == "(" || $0 == "[" }), open > title.startIndex else { return }
            let inner = String(title[title.index(after: open)...].dropLast())
            var isTaken = false
            var isWhole = true
            for part in inner.split(whereSeparator: { $0 == "," || $0 == ";" || $0 == "|" }).map({ String($0).trimmed }) {
                if let priority = TaskLine.priority(part) {
                    self.priority = priority
                    isTaken = true
                } else if let estimate = TaskLine.estimate(part) {
                    self.estimate = estimate
                    isTaken = true
                } else if let number = StatedNumber.tasks(part), number.isAll {
                    isTaken = true
                } else {
                    isWhole = false
                }
            }
            guard isTaken, isWhole else { return }
            title = String(title[..<open]).trimmed.trimming(["-", "–", "—", " "])
        }
    }
}
