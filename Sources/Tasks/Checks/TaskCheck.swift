/// What is known of one program that a task's command runs, before it runs.
package struct TaskCheck: Sendable, Hashable {
    /// The program as the command names it: `kubectl`, `./deploy.sh`.
    package var tool: String
    /// The simple command that it stands in.
    package var command: String
    /// Where it was found; `nil` when it was not.
    package var path: String?
    /// What it says of itself, in one line.
    package var version: String?
    /// Sentences: what it would read or change.
    package var touches: [String] = []
    /// Whether it changes anything; `nil` where its words do not tell.
    package var writes: Bool?
    /// Sentences: why it would fail, or wait for ever.
    package var problems: [String] = []

    package init(tool: String, command: String) {
        self.tool = tool
        self.command = command
    }
}

/// A program's arguments, told apart as far as its options are known.
struct CommandArguments {
    /// By name with its dashes, `true` for one without a value.
    private(set) var options: [String: [String]] = [:]
    private(set) var operands: [String] = []

    /// - Parameter valued: options that take the word after them.
    init(_ words: ArraySlice<String>, valued: Set<String>) {
        var rest = words
        while let word = rest.popFirst() {
            guard word.hasPrefix("-"), word.count > 1 else {
                operands.append(word)
                continue
            }
            if word == "--" {
                operands += rest
                break
            }
            if let equals = word.firstIndex(of: "=") {
                options[String(word[..<equals]), default: []].append(String(word[word.index(after: equals)...]))
            } else if valued.contains(word) {
                options[word, default: []].append(rest.popFirst() ?? "")
            } else if !word.hasPrefix("--"), word.count > 2, valued.contains(String(word.prefix(2))) {
                options[String(word.prefix(2)), default: []].append(String(word.dropFirst(2)))
            } else {
                options[word, default: []].append("true")
            }
        }
    }

    /// The last value of the first of these options that is there.
    func value(_ names: String...) -> String? { names.lazy.compactMap { options[$0]?.last }.first }
    func values(_ names: String...) -> [String] { names.flatMap { options[$0] ?? [] } }
    func has(_ names: String...) -> Bool { names.contains { options[$0] != nil && options[$0]?.last != "false" } }
}
