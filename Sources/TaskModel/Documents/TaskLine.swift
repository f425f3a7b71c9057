/// What the head of an item, paragraph, heading or cell says of a task: `[x] T016 [P] [US1] **Title** - description`.
struct TaskLine {
    /// Whether the box is ticked; `nil` without a box.
    var box: Bool?
    var id: String?
    var certainty = TaskIdentifier.Certainty.certain
    /// `Task 4.2`: the word makes the number an id.
    var hasTaskWord = false
    /// A mark or status word at the head, or of the box.
    var isDone: Bool?
    var isParallel = false
    var story: String?
    var priority: TaskPriority?
    var estimate: TaskEstimate?
    var title = ""
    /// What follows a title in bold.
    var details = ""
    /// All that follows id and tags.
    var rest = ""
    /// The text with the id, for when it turns out to be none.
    var whole = ""
    /// What stands right after the id: `:`, a space, `,`.
    var afterID: UInt8 = 0
    var isMarkedID = false

    private var bytes: [UInt8] = []
    private var index = 0
    /// Ranges of bold text.
    private var strong: [Range<Int>] = []
    private var code: [Range<Int>] = []

    /// - Parameter hasBox: Whether a box may stand there: in items of lists and cells.
    init(_ spans: [MarkdownSpan], hasBox: Bool) {
        flatten(spans)
        skipBlanks()
        if hasBox { readBox() }
        readMarks()
        let start = index
        readIdentifier()
        if id != nil {
            readMarks()
            if hasBox, box == nil, afterID == 0x20 { readBox() }
        }
        readTags()
        rest = text(index..<bytes.count)
        whole = text(start..<bytes.count)
        readTitle()
        readTrailer()
    }

    private mutating func flatten(_ spans: [MarkdownSpan]) {
        for span in spans {
            let start = bytes.count
            bytes += span.text.utf8
            if span.isCode { code.append(start..<bytes.count) } else if span.isStrong { strong.append(start..<bytes.count) }
        }
    }

    private func text(_ range: Range<Int>) -> String {
        range.isEmpty ? "" : String(decoding: bytes[range], as: UTF8.self).oneLine.trimmed
    }

    private mutating func skipBlanks() { while index < bytes.count, bytes[index].isBlank { index += 1 } }

    /// `[ ]`, `[x]`, `[✓]`, `[-]`, `[~]`: ticked for `x` and tick marks.
    private mutating func readBox() {
        guard index + 2 < bytes.count, bytes[index] == 0x5B, let end = bytes[(index + 1)...].prefix(8).firstIndex(of: 0x5D) else { return }
        // `[ ]*` marks an optional task.
        let after = end + 1 < bytes.count && bytes[end + 1] == 0x2A ? end + 2 : end + 1
        guard after == bytes.count || bytes[after].isBlank else { return }
        let mark = String(decoding: bytes[(index + 1)..<end], as: UTF8.self)
        switch mark.trimmed {
        case "", "-", "~", "/", "!", ">", "o": box = false
        case "x", "X", "✓", "✔", "✅", "✔️", "*": box = true
        default: return
        }
        isDone = box
        index = after
        skipBlanks()
    }

    /// Emoji and such before the text; a tick says that the task is done.
    private mutating func readMarks() {
        while true {
            skipBlanks()
            if index + 1 < bytes.count, bytes[index] == 0x7E, bytes[index + 1] == 0x7E {
                index += 2
                continue
            }
            guard index < bytes.count, bytes[index] >= 0xE2 else { return }
            let count = bytes[index] >= 0xF0 ? 4 : 3
            guard index + count <= bytes.count, let scalar = String(decoding: bytes[index..<(index + count)], as: UTF8.self).unicodeScalars.first else { return }
            switch scalar {
            case "✅", "☑", "✔", "✓": isDone = isDone ?? true
            case "→", "←", "↔": return
            default: if !scalar.isDecoration { return }
            }
            index += count
        }
    }

    private mutating func readIdentifier() {
        var start = index
        guard start < bytes.count else { return }
        var closing: UInt8 = 0
        switch bytes[start] {
        case 0x5B: (closing, start) = (0x5D, start + 1)
        case 0x28: (closing, start) = (0x29, start + 1)
        case 0x23: start += 1
        default: break
        }
        var end = 0
        var isWord = false
        if let ticket = TaskIdentifier.ticketEnd(bytes, start) {
            end = ticket
        } else if let number = numberAfterWord(start) {
            (start, end) = number
            isWord = true
        } else if let number = TaskIdentifier.numberEnd(bytes, start, dots: 1) {
            end = number
        } else if closing == 0, let number = TaskIdentifier.numberEnd(bytes, start, dots: 0), number < bytes.count,
            bytes[start - (start > 0 ? 1 : 0)] == 0x23 || bytes[number] == 0x2E || bytes[number] == 0x29 || bytes[number] == 0x3A
        {
            end = number
        } else {
            return
        }
        if closing != 0, end >= bytes.count || bytes[end] != closing { return }
        let name = String(decoding: bytes[start..<end], as: UTF8.self)
        if TaskIdentifier.isPriority(name) { return }
        if closing == 0x5B + 2, name.uppercased().hasPrefix("US") { return }
        var after = closing == 0 ? end : end + 1
        let isNumber = bytes[start].isDigit
        if isNumber, !isWord {
            if after < bytes.count, bytes[after] == 0x2E || bytes[after] == 0x29 { after += 1 }
            guard after < bytes.count, bytes[after] == 0x20 || bytes[after] == 0x3A || strong.contains(where: { $0.upperBound == after }) else { return }
        }
        let next = after < bytes.count ? bytes[after] : 0
        guard next == 0 || next == 0x20 || next == 0x0A || next == 0x3A || next == 0x2E || next == 0x5B || next == 0x7C || next == 0x29 || next >= 0xC2
            || strong.contains(where: { $0.upperBound == after }) || code.contains(where: { $0.upperBound == after })
        else { return }
        id = name
        hasTaskWord = isWord
        afterID = next
        isMarkedID =
            closing == 0x5D || next == 0x3A || strong.contains { $0.contains(start) } || code.contains { $0.contains(start) && $0.upperBound == end }
        if isWord {
            certainty = .certain
        } else if isNumber {
            certainty = name.contains(".") ? .certain : .number
        } else {
            certainty = TaskIdentifier.certainty(name)
            if certainty == .likely, followsTag(after) { certainty = .certain }
        }
        index = after
    }

    /// The number of `Task 4.2`, `Subtask #3`, `Task A1`.
    private func numberAfterWord(_ start: Int) -> (Int, Int)? {
        var index = start
        while index < bytes.count, bytes[index].isLetter { index += 1 }
        guard TaskIdentifier.isTaskWord(bytes[start..<index]), index < bytes.count, bytes[index] == 0x20 else { return nil }
        index += 1
        // `Task ID: 7`.
        if index + 1 < bytes.count, bytes[index] | 0x20 == 0x69, bytes[index + 1] | 0x20 == 0x64 {
            index += 2
            while index < bytes.count, bytes[index] == 0x3A || bytes[index] == 0x20 { index += 1 }
        }
        if index < bytes.count, bytes[index] == 0x23 { index += 1 }
        if let end = TaskIdentifier.ticketEnd(bytes, index) { return (index, end) }
        return TaskIdentifier.numberEnd(bytes, index, dots: 0).map { (index, $0) }
    }

    private func followsTag(_ index: Int) -> Bool {
        var index = index
        while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 0x3A { index += 1 }
        guard index + 2 < bytes.count, bytes[index] == 0x5B, let end = bytes[index...].prefix(20).firstIndex(of: 0x5D) else { return false }
        var probe = self
        return probe.take(tag: String(decoding: bytes[(index + 1)..<end], as: UTF8.self))
    }

    /// `[P] [US1] [MEDIUM] (High) [2h]:` in any order.
    private mutating func readTags() {
        while index < bytes.count {
            let start = index
            skipBlanks()
            guard index < bytes.count else { return }
            let byte = bytes[index]
            if byte == 0x5B || byte == 0x28 {
                let close: UInt8 = byte == 0x5B ? 0x5D : 0x29
                guard let end = bytes[index...].prefix(40).firstIndex(of: close), !(byte == 0x5B && end + 1 < bytes.count && bytes[end + 1] == 0x28),
                    take(tag: String(decoding: bytes[(index + 1)..<end], as: UTF8.self))
                else { return }
                index = end + 1
            } else if id != nil || start > 0, separatorEnd(index) > index, index > 0 {
                index = separatorEnd(index)
            } else {
                return
            }
        }
    }

    /// The end of a `:`, `-`, `–`, `—`, `|` or `.` that parts an id or tag from the text.
    private func separatorEnd(_ index: Int) -> Int {
        guard index < bytes.count else { return index }
        switch bytes[index] {
        case 0x3A, 0x7C: return index + 1
        case 0x2E, 0x29: return id != nil ? index + 1 : index
        case 0x2D: return index + 1 < bytes.count && bytes[index + 1].isBlank ? index + 1 : index
        case 0xE2 where index + 2 < bytes.count && bytes[index + 1] == 0x80 && (bytes[index + 2] == 0x93 || bytes[index + 2] == 0x94): return index + 3
        default: return index
        }
    }

    /// Keeps what a tag in brackets says; `false` for a tag that is part of the text.
    private mutating func take(tag: String) -> Bool {
        let tag = tag.trimmed
        switch tag.uppercased() {
        case "P", "P?", "PARALLEL", "||", "∥": isParallel = true
        case "SEQ", "SEQUENTIAL", "S?", "TODO", "PENDING", "OPEN", "WIP", "IN PROGRESS": break
        case "DONE", "COMPLETE", "COMPLETED", "X", "✓", "✔", "✅": isDone = isDone ?? true
        default:
            if let story = Self.story(tag) {
                self.story = story
            } else if let priority = Self.priority(tag) {
                self.priority = priority
            } else if let estimate = Self.estimate(tag) {
                self.estimate = estimate
            } else {
                return false
            }
        }
        return true
    }

    /// `US1`, `US1, US2`, `Story 3`.
    static func story(_ tag: String) -> String? {
        let names = tag.split { $0 == "," || $0 == "/" || $0 == "&" }.map { String($0).trimmed }
        var stories = [String]()
        for name in names {
            let words = name.words
            if words.count == 1, words[0].hasPrefix("us"), words[0].utf8.count <= 6, words[0].dropFirst(2).utf8.first?.isDigit == true || words[0] == "usx" {
                stories.append(name)
            } else if (words.count == 2 && words[0] == "story") || (words.count == 3 && words[0] == "user" && words[1] == "story") {
                stories.append("US" + words[words.count - 1].uppercased())
            } else {
                return nil
            }
        }
        return stories.isEmpty ? nil : stories.joined(separator: ",")
    }

    /// `MEDIUM`, `Priority: High`, `High Priority`, `🔴 P0`.
    static func priority(_ text: String) -> TaskPriority? {
        guard text.utf8.count <= 60 else { return nil }
        let isPlain = text.utf8.allSatisfy { $0 < 0x80 }
        let plain = (isPlain ? text : String(String.UnicodeScalarView(text.unicodeScalars.filter { !$0.isDecoration }))).trimmed.trimming(["*", "`"])
        if let priority = TaskPriority(plain) { return priority }
        let words = plain.utf8.split { $0 == 0x20 || $0 == 0x3A || $0 == 0x2D || $0 == 0x28 || $0 == 0x29 || $0 == 0x2F }.map { String(Substring($0)) }
        guard words.count <= 3 else { return nil }
        let others = words.filter { $0.lowercased() != "priority" && $0.lowercased() != "prio" }
        // `Priority: P1 (High)` says it twice; `CRITICAL BLOCKER` is no priority.
        guard others.count < words.count, let first = others.first else { return nil }
        if others.count == 2, TaskPriority(others[1]) == nil { return nil }
        return TaskPriority(first)
    }

    /// `2h`, `est: 3 days`.
    static func estimate(_ text: String) -> TaskEstimate? {
        guard text.utf8.contains(where: \.isDigit) else { return nil }
        if let colon = text.firstIndex(of: ":") {
            guard FieldLabel(String(text[..<colon])) == .estimate else { return nil }
            return TaskEstimate(reading: String(text[text.index(after: colon)...]))
        }
        return TaskEstimate(reading: text)
    }

    private mutating func readTitle() {
        skipBlanks()
        title = text(index..<bytes.count)
        // `**Title** - description`, `**T1: Title**: description`.
        guard let range = strong.first(where: { $0.contains(index) }), range.lowerBound == index || id != nil else { return }
        var end = range.upperBound
        let name = text(index..<end)
        guard !name.isEmpty else { return }
        while end < bytes.count, bytes[end].isBlank { end += 1 }
        guard end < bytes.count else {
            title = name.trimming([":"]).trimmed
            return
        }
        var after = separatorEnd(end)
        guard after > end || name.hasSuffix(":") else { return }
        while after < bytes.count, bytes[after].isBlank { after += 1 }
        title = name.trimming([":"]).trimmed
        details = text(after..<bytes.count)
    }

    /// An estimate, a priority or `[P]` in parentheses at the end.
    private mutating func readTrailer() {
        for _ in 0..<3 {
            let last = title.utf8.last
            guard last == 0x29 || last == 0x5D, let open = title.lastIndex(of: last == 0x29 ? "(" : "["), open > title.startIndex else { break }
            let inner = String(title[title.index(after: open)...].dropLast())
            guard inner.utf8.count <= 40, take(tag: inner) else { break }
            title = String(title[..<open]).trimmed
        }
        // `Write API - 4h`.
        if estimate == nil, let digit = title.utf8.last, digit.isDigit || digit.isLetter, let dash = title.range(ofLast: " - ") ?? title.range(ofLast: " — ") {
            if let found = Self.estimate(String(title[dash.upperBound...])), dash.lowerBound > title.startIndex {
                estimate = found
                title = String(title[..<dash.lowerBound]).trimmed
            }
        }
        if title.hasSuffix("~~") { title = String(title.dropLast(2)) }
        // `Build images ✅` is done; what follows a tick says how it went, and stays.
        while let last = title.unicodeScalars.last, last.isDecoration, title.unicodeScalars.count > 1 {
            if last == "✅" || last == "☑" || last == "✔" { isDone = isDone ?? true }
            title.unicodeScalars.removeLast()
            title = title.trimmed
        }
    }
}
