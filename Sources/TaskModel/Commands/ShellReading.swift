/// What a command line consists of, as far as a policy has to know: every simple command that it may run, wherever it stands.
package struct ShellReading: Sendable, Hashable {
    /// A word after quote removal.
    package struct Word: Sendable, Hashable {
        package var text: String
        /// The text is what the program will get; otherwise an expansion stands in it as it is spelled.
        package var isKnown = true
        /// A part of it was quoted: it is no keyword.
        package var isQuoted = false
        /// File names may take its place.
        package var hasPattern = false

        package init(text: String, isKnown: Bool = true, isQuoted: Bool = false, hasPattern: Bool = false) {
            self.text = text
            self.isKnown = isKnown
            self.isQuoted = isQuoted
            self.hasPattern = hasPattern
        }
    }

    /// A redirection of a file; those of descriptors (`2>&1`) are left out, and those to and from `/dev/null`.
    package struct Redirection: Sendable, Hashable {
        package var symbol: String
        package var target: Word
    }

    /// A program with its arguments, or assignments alone.
    package struct Command: Sendable, Hashable {
        package var assignments: [(name: String, value: Word)] = []
        package var words: [Word] = []
        package var redirections: [Redirection] = []

        package static func == (left: Command, right: Command) -> Bool {
            left.words == right.words && left.redirections == right.redirections && left.assignments.map(\.name) == right.assignments.map(\.name)
                && left.assignments.map(\.value) == right.assignments.map(\.value)
        }

        package func hash(into hasher: inout Hasher) { hasher.combine(words) }
    }

    /// More than simple commands one after the other.
    package enum Construct: String, Sendable, Hashable, CaseIterable {
        case background = "a command in the background (`&`)"
        case subshell = "a subshell (`(...)`)"
        case group = "a group (`{ ...; }`)"
        case conditional = "`if`"
        case loop = "a loop"
        case substitution = "a command substitution"
        case hereDocument = "a here-document"
    }

    package var commands: [Command] = []
    package var constructs: Set<Construct> = []
}

/// Why a command line cannot be read: it would be something else to another shell, or this reader does not know the form.
package struct ShellReadingProblem: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String
}
