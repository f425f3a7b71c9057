/// Reads POSIX' Shell Command Language (2.2 quoting, 2.6 expansions, 2.7 redirections, 2.9 commands) into the simple commands in it.
///
/// It is strict on purpose: what one shell reads otherwise than another (`$'...'`, `<(...)`, `[[`, `&>`), and what it does not know
/// (`case`, functions), is a problem, never a guess.
package struct ShellReader {
    private typealias Word = ShellReading.Word

    private let input: [Character]
    private var position = 0
    private var reading = ShellReading()
    private var documents: [(delimiter: String, isQuoted: Bool, stripsTabs: Bool)] = []
    private var depth: Int
    /// Values of variables that are known; another's stands in the word as it is spelled.
    private let variables: [String: String]

    package static func reading(_ text: String, variables: [String: String] = [:]) throws(ShellReadingProblem) -> ShellReading {
        try reading(text, variables, depth: 0)
    }

    private static func reading(_ text: String, _ variables: [String: String], depth: Int) throws(ShellReadingProblem) -> ShellReading {
        guard depth < 16 else { throw ShellReadingProblem(description: "substitutions are nested too deeply") }
        guard text.utf8.count <= 1 << 20 else { throw ShellReadingProblem(description: "it is longer than a mebibyte") }
        if let odd = text.unicodeScalars.first(where: { ($0.value < 32 && $0 != "\n" && $0 != "\t") || $0.value == 127 }) {
            throw ShellReadingProblem(description: "it holds the control character U+\(String(odd.value, radix: 16, uppercase: true))")
        }
        var reader = ShellReader(text, variables, depth)
        try reader.list(until: [])
        if reader.position < reader.input.count { throw ShellReadingProblem(description: "`\(reader.input[reader.position])` stands where no command can") }
        if let open = reader.documents.first { throw ShellReadingProblem(description: "the here-document `\(open.delimiter)` does not begin") }
        return reader.reading
    }

    private init(_ text: String, _ variables: [String: String], _ depth: Int) {
        input = text.unicodeScalars.map { Character($0) }
        self.variables = variables
        self.depth = depth
    }

    private func problem(_ text: String) -> ShellReadingProblem { ShellReadingProblem(description: text) }

    private func peek(_ offset: Int = 0) -> Character? { position + offset < input.count ? input[position + offset] : nil }

    private func starts(_ text: String) -> Bool {
        var index = position
        for character in text {
            guard index < input.count, input[index] == character else { return false }
            index += 1
        }
        return true
    }

    // MARK: Commands

    /// Blanks, joined lines and comments.
    private mutating func skipBlanks() {
        while let character = peek() {
            if character == " " || character == "\t" {
                position += 1
            } else if starts("\\\n") {
                position += 2
            } else if character == "#" {
                while position < input.count, input[position] != "\n" { position += 1 }
            } else {
                return
            }
        }
    }

    private mutating func skipNewlines() throws(ShellReadingProblem) {
        while true {
            skipBlanks()
            guard peek() == "\n" else { return }
            position += 1
            try readDocuments()
        }
    }

    /// The keyword that stands here, not read yet.
    private func keyword() -> String? {
        var end = position
        while end < input.count, input[end].isASCII, input[end].isLetter || "{}!".contains(input[end]) { end += 1 }
        guard end > position, end == input.count || " \t\n;&|()<>#".contains(input[end]) else { return nil }
        let word = String(input[position..<end])
        let known: Set<String> = [
            "if", "then", "elif", "else", "fi", "while", "until", "for", "do", "done", "case", "esac", "in", "function", "select", "coproc", "{", "}", "!",
            "time",
        ]
        return known.contains(word) ? word : nil
    }

    private mutating func expect(_ word: String) throws(ShellReadingProblem) {
        try skipNewlines()
        guard keyword() == word else { throw problem("`\(word)` is missing") }
        position += word.count
    }

    /// Commands up to a keyword of the set, a closing parenthesis or the end.
    private mutating func list(until ends: Set<String>) throws(ShellReadingProblem) {
        var needsCommand = false
        while true {
            try skipNewlines()
            guard let character = peek() else { break }
            if character == ")" { break }
            if let word = keyword(), ends.contains(word) { break }
            try command()
            needsCommand = false
            skipBlanks()
            if starts("&&") || starts("||") {
                position += 2
                needsCommand = true
            } else if starts(";;") || starts("|&") || starts("&>") {
                throw problem("`\(String(input[position..<position + 2]))` is not in every shell")
            } else if peek() == ";" {
                position += 1
            } else if peek() == "&" {
                reading.constructs.insert(.background)
                position += 1
            } else if peek() == "|" {
                position += 1
                needsCommand = true
            } else if let next = peek(), next != "\n", next != ")" {
                throw problem("`\(next)` stands where no command can")
            }
        }
        if needsCommand { throw problem("a command is missing at the end") }
    }

    private mutating func command() throws(ShellReadingProblem) {
        guard depth < 64 else { throw problem("it is nested too deeply") }
        depth += 1
        defer { depth -= 1 }
        if starts("((") { throw problem("`((` is not in every shell") }
        if peek() == "(" {
            position += 1
            reading.constructs.insert(.subshell)
            try list(until: [])
            guard peek() == ")" else { throw problem("a `)` is missing") }
            position += 1
            return try trailingRedirections()
        }
        guard let word = keyword() else { return try simpleCommand() }
        switch word {
        case "!":
            position += 1
            skipBlanks()
            return try command()
        case "time":  // a keyword to some shells, a program to others; what it runs is a command to both
            return try simpleCommand()
        case "{":
            position += 1
            reading.constructs.insert(.group)
            try list(until: ["}"])
            try expect("}")
        case "if":
            position += 2
            reading.constructs.insert(.conditional)
            try list(until: ["then"])
            try expect("then")
            try list(until: ["elif", "else", "fi"])
            while keyword() == "elif" {
                position += 4
                try list(until: ["then"])
                try expect("then")
                try list(until: ["elif", "else", "fi"])
            }
            if keyword() == "else" {
                position += 4
                try list(until: ["fi"])
            }
            try expect("fi")
        case "while", "until":
            position += 5
            reading.constructs.insert(.loop)
            try list(until: ["do"])
            try expect("do")
            try list(until: ["done"])
            try expect("done")
        case "for":
            position += 3
            reading.constructs.insert(.loop)
            try loopHead()
            try expect("do")
            try list(until: ["done"])
            try expect("done")
        default:
            throw problem(["then", "elif", "else", "fi", "do", "done", "esac", "in", "}"].contains(word) ? "`\(word)` stands where no command can" : "`\(word)` is not looked into")
        }
        try trailingRedirections()
    }

    private mutating func loopHead() throws(ShellReadingProblem) {
        skipBlanks()
        guard let name = try word(), Self.isName(name.text), !name.isQuoted else { throw problem("`for` without a name") }
        try skipNewlines()
        if keyword() == "in" {
            position += 2
            skipBlanks()
            while try word() != nil { skipBlanks() }
        }
        skipBlanks()
        if peek() == ";" { position += 1 }
    }

    private mutating func trailingRedirections() throws(ShellReadingProblem) {
        var command = ShellReading.Command()
        skipBlanks()
        while try redirection(&command) { skipBlanks() }
        if !command.redirections.isEmpty { reading.commands.append(command) }
    }

    private mutating func simpleCommand() throws(ShellReadingProblem) {
        var command = ShellReading.Command()
        let start = position
        while true {
            skipBlanks()
            if try redirection(&command) { continue }
            let before = position
            guard let word = try word() else { break }
            if command.words.isEmpty, let assignment = assignment(from: before) {
                command.assignments.append((assignment, word))
                continue
            }
            command.words.append(word)
            if command.words.count == 1 {
                skipBlanks()
                if peek() == "(" { throw problem("it defines the function `\(word.text)`") }
                if ["[[", "function", "select", "coproc", "let", "declare", "typeset"].contains(word.text) { throw problem("`\(word.text)` is not in every shell") }
            }
        }
        if position == start {
            throw problem(peek().map { "`\($0)` stands where no command can" } ?? "a command is missing at the end")
        }
        reading.commands.append(command)
    }

    /// The name, when the word that begins there has the form `NAME=...` with nothing quoted in the name.
    private func assignment(from start: Int) -> String? {
        var end = start
        while end < input.count, input[end].isASCII, input[end].isLetter || input[end] == "_" || (end > start && input[end].isNumber) { end += 1 }
        // `NAME+=` and `NAME[0]=` are other shells' assignments.
        guard end > start, end < input.count else { return nil }
        if input[end] == "=" { return String(input[start..<end]) }
        if input[end] == "+", end + 1 < input.count, input[end + 1] == "=" { return String(input[start..<end]) }
        if input[end] == "[", input[end...].contains("=") { return String(input[start..<end]) }
        return nil
    }

    static func isName(_ text: String) -> Bool {
        text.first?.isNumber == false && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    }

    // MARK: Redirections

    private mutating func redirection(_ command: inout ShellReading.Command) throws(ShellReadingProblem) -> Bool {
        var end = position
        while end < input.count, input[end].isASCII, input[end].isNumber { end += 1 }
        guard end < input.count, input[end] == "<" || input[end] == ">" else { return false }
        position = end
        guard let symbol = ["<<<", "<<-", "<<", "<&", "<>", "<(", ">(", ">>", ">&", ">|", "<", ">"].first(where: { starts($0) }) else { return false }
        guard !["<<<", "<(", ">("].contains(symbol) else { throw problem("`\(symbol)` is not in every shell") }
        position += symbol.count
        skipBlanks()
        let start = position
        guard let target = try word() else { throw problem("nothing follows `\(symbol)`") }
        switch symbol {
        case "<<", "<<-":
            reading.constructs.insert(.hereDocument)
            guard !input[start..<position].contains("$"), !input[start..<position].contains("`") else { throw problem("the here-document's end holds an expansion") }
            documents.append((target.text, target.isQuoted, symbol == "<<-"))
        case "<&", ">&":
            if target.isKnown, target.text == "-" || target.text.allSatisfy({ $0.isASCII && $0.isNumber }) { break }
            command.redirections.append(.init(symbol: symbol, target: target))
        default:
            if target.isKnown, target.text == "/dev/null" { break }
            command.redirections.append(.init(symbol: symbol, target: target))
        }
        return true
    }

    private mutating func readDocuments() throws(ShellReadingProblem) {
        let pending = documents
        documents = []
        for document in pending {
            var body = ""
            var isClosed = false
            while position < input.count {
                var end = position
                while end < input.count, input[end] != "\n" { end += 1 }
                var line = String(input[position..<end])
                position = min(end + 1, input.count)
                if document.stripsTabs { line = String(line.drop { $0 == "\t" }) }
                if line == document.delimiter {
                    isClosed = true
                    break
                }
                body += line + "\n"
            }
            guard isClosed else { throw problem("the here-document `\(document.delimiter)` does not end") }
            if !document.isQuoted {
                var inner = ShellReader(body, variables, depth)
                var ignored = Word(text: "")
                while inner.position < inner.input.count { try inner.quotedStep(&ignored, isDocument: true) }
                take(inner.reading)
            }
        }
    }

    private mutating func take(_ inner: ShellReading) {
        reading.commands += inner.commands
        reading.constructs.formUnion(inner.constructs)
    }

    // MARK: Words

    /// The word that begins here; `nil` when none does.
    private mutating func word() throws(ShellReadingProblem) -> Word? {
        var word = Word(text: "")
        let start = position
        scan: while let character = peek() {
            switch character {
            case " ", "\t", "\n", ";", "&", "|", "<", ">", "(", ")": break scan
            case "'":
                guard let end = input[(position + 1)...].firstIndex(of: "'") else { throw problem("a `'` is missing") }
                word.text += String(input[position + 1..<end])
                word.isQuoted = true
                position = end + 1
            case "\"":
                word.isQuoted = true
                position += 1
                while peek() != "\"" {
                    guard peek() != nil else { throw problem("a `\"` is missing") }
                    try quotedStep(&word, isDocument: false)
                }
                position += 1
            case "\\":
                guard let next = peek(1) else { throw problem("it ends in a lone `\\`") }
                if next != "\n" {
                    word.text.append(next)
                    word.isQuoted = true
                }
                position += 2
            case "$", "`": try expansion(&word, isInQuotes: false)
            case "*", "?", "[":
                word.hasPattern = true
                word.text.append(character)
                position += 1
            case "{":
                if braces() { word.isKnown = false }
                word.text.append(character)
                position += 1
            default:
                word.text.append(character)
                position += 1
            }
        }
        return position == start ? nil : word
    }

    /// `{a,b}` and `{1..3}` become several words in some shells.
    private func braces() -> Bool {
        var index = position + 1
        var level = 1
        while index < input.count, !" \t\n;&|<>".contains(input[index]) {
            if input[index] == "{" { level += 1 }
            if input[index] == "}" { level -= 1 }
            if level == 0 { return false }
            if level == 1, input[index] == "," || (input[index] == "." && index + 1 < input.count && input[index + 1] == ".") { return true }
            index += 1
        }
        return false
    }

    /// One step inside of double quotes, or of a here-document.
    private mutating func quotedStep(_ word: inout Word, isDocument: Bool) throws(ShellReadingProblem) {
        guard let character = peek() else { return }
        switch character {
        case "\\":
            guard let next = peek(1) else {
                position += 1
                return
            }
            if next == "\n" {
            } else if "$`\\".contains(next) || (next == "\"" && !isDocument) {
                word.text.append(next)
            } else {
                word.text.append(character)
                word.text.append(next)
            }
            position += 2
        case "$", "`": try expansion(&word, isInQuotes: true)
        default:
            word.text.append(character)
            position += 1
        }
    }

    // MARK: Expansions

    private mutating func expansion(_ word: inout Word, isInQuotes: Bool) throws(ShellReadingProblem) {
        let start = position
        defer { if !word.isKnown, position > start { word.text += String(input[start..<min(position, input.count)]) } }
        if peek() == "`" {
            word.isKnown = false
            return try backquotes()
        }
        guard let next = peek(1) else {
            word.text.append("$")
            position += 1
            return
        }
        switch next {
        case "(":
            word.isKnown = false
            if peek(2) == "(" { return try arithmetic() }
            position += 2
            try substitution()
        case "'" where !isInQuotes, "\"" where !isInQuotes: throw problem("`$\(next)` is not in every shell")
        case "{":
            let wasKnown = word.isKnown
            word.isKnown = false
            try parameter(&word, wasKnown: wasKnown, isInQuotes: isInQuotes, start: start)
        case "[": throw problem("`$[` is not in every shell")
        default:
            var end = position + 1
            if next.isASCII, next.isLetter || next == "_" {
                while end < input.count, input[end].isASCII, input[end].isLetter || input[end].isNumber || input[end] == "_" { end += 1 }
                let name = String(input[position + 1..<end])
                position = end
                if word.isKnown, let value = plainValue(name, isInQuotes) {
                    word.text += value
                } else {
                    word.isKnown = false
                }
            } else if "@*#?-$!0123456789".contains(next) {
                word.isKnown = false
                position += 2
            } else {
                word.text.append("$")
                position += 1
            }
        }
    }

    /// A known value that stays what it is: unquoted it must not be split or matched with file names.
    private func plainValue(_ name: String, _ isInQuotes: Bool) -> String? {
        guard let value = variables[name] else { return nil }
        if isInQuotes { return value }
        return value.isEmpty || value.contains(where: { " \t\n*?[]\\".contains($0) }) ? nil : value
    }

    private mutating func substitution() throws(ShellReadingProblem) {
        reading.constructs.insert(.substitution)
        guard depth < 32 else { throw problem("substitutions are nested too deeply") }
        depth += 1
        defer { depth -= 1 }
        // A here-document that began outside ends outside.
        let outer = documents
        documents = []
        try list(until: [])
        guard peek() == ")" else { throw problem("a `)` is missing") }
        guard documents.isEmpty else { throw problem("a here-document does not end in its substitution") }
        documents = outer
        position += 1
    }

    private mutating func backquotes() throws(ShellReadingProblem) {
        reading.constructs.insert(.substitution)
        var inner = ""
        var index = position + 1
        while index < input.count, input[index] != "`" {
            if input[index] == "\\", index + 1 < input.count {
                // 2.6.3: a backslash goes before these; inside of double quotes shells differ about `"`.
                if !"$`\\".contains(input[index + 1]) { inner.append("\\") }
                if input[index + 1] == "\"" { throw problem("`\\\"` between backquotes is not the same in every shell") }
                inner.append(input[index + 1])
                index += 2
            } else {
                inner.append(input[index])
                index += 1
            }
        }
        guard index < input.count else { throw problem("a backquote is missing") }
        position = index + 1
        take(try Self.reading(inner, variables, depth: depth + 1))
    }

    private mutating func arithmetic() throws(ShellReadingProblem) {
        position += 3
        var level = 2
        while level > 0 {
            guard let character = peek() else { throw problem("a `))` is missing") }
            if "`'\"[".contains(character) || starts("$(") || starts("${") { throw problem("`\(character)` inside of `$((...))` is not looked into") }
            if character == "(" { level += 1 }
            if character == ")" { level -= 1 }
            position += 1
        }
    }

    private mutating func parameter(_ word: inout Word, wasKnown: Bool, isInQuotes: Bool, start: Int) throws(ShellReadingProblem) {
        var end = position + 2
        while end < input.count, input[end].isASCII, input[end].isLetter || input[end].isNumber || input[end] == "_" { end += 1 }
        guard end < input.count else { throw problem("a `}` is missing") }
        if input[end] == "}" {
            let name = String(input[position + 2..<end])
            position = end + 1
            if wasKnown, let value = plainValue(name, isInQuotes) {
                word.text += value
                word.isKnown = true
            }
            return
        }
        position = end
        while peek() != "}" {
            guard let character = peek() else { throw problem("a `}` is missing") }
            var inner = Word(text: "")
            switch character {
            case "'" where !isInQuotes:
                guard let close = input[(position + 1)...].firstIndex(of: "'") else { throw problem("a `'` is missing") }
                position = close + 1
            case "'": throw problem("a `'` inside of `\"${...}\"` is not the same in every shell")
            case "\"":
                if isInQuotes { throw problem("a `\"` inside of `\"${...}\"` is not the same in every shell") }
                position += 1
                while peek() != "\"" {
                    guard peek() != nil else { throw problem("a `\"` is missing") }
                    try quotedStep(&inner, isDocument: false)
                }
                position += 1
            case "@": throw problem("`${...@}` is not in every shell")
            default: try quotedStep(&inner, isDocument: false)
            }
        }
        position += 1
    }
}
