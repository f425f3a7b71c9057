/// A line or a table's row that may state a number of tasks.
struct CountLine {
    var text = ""
    /// A row of a table with a column of numbers of tasks.
    var cells: [String] = []
    var table: TaskTable?
    var line: Int
    var heading: Int?

    init(text: String, line: Int, heading: Int?) {
        self.text = text
        self.line = line
        self.heading = heading
    }

    init(cells: [String], table: TaskTable, line: Int, heading: Int?) {
        self.cells = cells
        self.table = table
        self.line = line
        self.heading = heading
    }
}

/// Numbers of tasks in a sentence.
enum StatedNumber {
    /// The number that a text states: `Total Tasks: 335 across 47 phases`, `(4 tasks)`, `51 tasks in total`.
    /// - Returns: `isAll` when nothing else stands there, `isTotal` when it says that it counts all; `nil` without an exact number.
    static func tasks(_ text: String) -> (number: Int, isAll: Bool, isTotal: Bool)? {
        guard text.utf8.count <= 400, text.utf8.contains(where: \.isDigit), namesTask(text) else { return nil }
        let words = tokens(text)
        for (index, word) in words.enumerated() {
            guard word == "task" || word == "tasks", index > 0 || index + 1 < words.count else { continue }
            let isTotal =
                words.prefix(index).suffix(3).contains { ["total", "overall", "altogether", "contains", "comprises"].contains($0) }
                || words.dropFirst(index + 1).prefix(3).contains { ["total", "overall", "altogether", "across"].contains($0) }
            // `Total Tasks: 335`, `Tasks: 12`, `Number of tasks = 4`.
            var next = index + 1
            if next < words.count, ["count", "total"].contains(words[next]) { next += 1 }
            if next + 1 < words.count, words[next] == ":" || words[next] == "=" {
                let label = words[..<index].allSatisfy { ["total", "number", "of", "overall", "all", "estimated", "the", "#", "implementation"].contains($0) }
                if label, let number = number(words, next + 1), !isApproximate(words, next + 1) {
                    let total = isTotal || words[..<index].contains("total") || words[..<index].contains("number") || words[..<index].contains("all")
                    return (number, next + 2 == words.count || words.count - next <= 3, total)
                }
            }
            // `(4 tasks)`, `51 implementation tasks`.
            for back in 1...2 where index >= back {
                guard let number = number(words, index - back) else { continue }
                if back == 2, !["implementation", "total", "individual", "actionable", "development", "numbered"].contains(words[index - 1]) { continue }
                if isApproximate(words, index - back) { break }
                let all = words.prefix(index - back).allSatisfy { ["total", ":", "a", "of"].contains($0) } && index + 1 >= words.count
                return (number, all, isTotal || (back == 2 && words[index - 1] == "total"))
            }
        }
        return nil
    }

    /// Whether `task` stands anywhere, in any case.
    private static func namesTask(_ text: String) -> Bool {
        var matched = 0
        for byte in text.utf8 {
            if byte | 0x20 == Self.task[matched] { matched += 1 } else { matched = byte | 0x20 == Self.task[0] ? 1 : 0 }
            if matched == Self.task.count { return true }
        }
        return false
    }
    private static let task = Array("task".utf8)

    private static func number(_ words: [String], _ index: Int) -> Int? {
        guard index < words.count, words[index].utf8.allSatisfy(\.isDigit), words[index].utf8.count <= 7 else { return nil }
        // `T005-T010`, `12/51`, `3.2`, `10+`.
        if index + 1 < words.count, ["/", "+", "-", "–", "."].contains(words[index + 1]) { return nil }
        if index > 0, ["/", "-", "–", "."].contains(words[index - 1]) { return nil }
        return Int(words[index])
    }

    private static func isApproximate(_ words: [String], _ index: Int) -> Bool {
        words.prefix(index).suffix(2).contains { ["~", "about", "approximately", "around", "roughly", "least", "most", "to", "max", "maximum", "<", ">", "≈", "over", "than", "other", "phase", "sprint"].contains($0) }
    }

    private static func tokens(_ text: String) -> [String] {
        var tokens = [String]()
        var word = ""
        var wasDigit = false
        for scalar in text.lowercased().unicodeScalars {
            let isWord = scalar.isLetter || scalar.isDigit || scalar.value >= 0xC0 && scalar.properties.isAlphabetic
            if isWord, word.isEmpty || wasDigit == scalar.isDigit || !wasDigit {
                word.unicodeScalars.append(scalar)
            } else {
                if !word.isEmpty { tokens.append(word) }
                word = isWord ? String(scalar) : ""
            }
            wasDigit = scalar.isDigit
            if !isWord, !scalar.properties.isWhitespace, scalar != "*", scalar != "(", scalar != ")", scalar != "[", scalar != "]", scalar != "," {
                tokens.append(String(scalar))
            }
        }
        if !word.isEmpty { tokens.append(word) }
        return tokens
    }
}
