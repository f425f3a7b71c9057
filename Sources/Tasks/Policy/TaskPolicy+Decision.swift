import TaskModel

extension TaskPolicy {
    /// Whether all of an attempt's commands may run; the first that may not decides.
    package func decision(on commands: [String], in situation: Situation) -> Decision {
        var allowed: [String] = []
        do {
            try judge(situation)
            for command in commands { allowed += try judge(command, situation) }
        } catch {
            return Decision(isAllowed: false, reason: error.reason)
        }
        return Decision(isAllowed: true, reason: allowed.isEmpty ? "there is nothing to run" : allowed.joined(separator: "; "))
    }

    /// Whether one command line may run.
    package func decision(on command: String, in situation: Situation = Situation()) -> Decision { decision(on: [command], in: situation) }

    fileprivate struct Denial: Error { var reason: String }

    private func judge(_ situation: Situation) throws(Denial) {
        if let runners, !runners.contains(situation.runner) {
            throw Denial(reason: "\(origin) permits no \(situation.runner.rawValue): add it to `runners`")
        }
        if let workingDirectories {
            let place = Self.normalized(situation.workingDirectory)
            guard workingDirectories.contains(where: { place == Self.normalized($0) || place.hasPrefix(Self.normalized($0) + "/") || Self.normalized($0) == "" }) else {
                throw Denial(reason: "\(origin) permits no command in \(situation.workingDirectory): add it to `workingDirectories`")
            }
        }
        for name in situation.environment.keys.sorted() { try judge(variable: name) }
    }

    /// Without a slash at the end; `..` goes up.
    private static func normalized(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return parts.map { "/" + $0 }.joined()
    }

    /// Variables by which a program becomes another one. Only a name that is written out permits them.
    private static let powerful: [String] = [
        "PATH", "IFS", "ENV", "BASH_*", "SHELLOPTS", "BASHOPTS", "PS4", "PROMPT_COMMAND", "CDPATH", "LD_*", "DYLD_*", "GCONV_PATH", "PYTHON*", "PERL*", "RUBY*", "NODE_*",
        "JAVA_TOOL_OPTIONS", "GIT_*", "EDITOR", "VISUAL", "PAGER", "BROWSER", "SHELL", "MAKEFLAGS", "MAKEFILES", "GNUMAKEFLAGS", "KUBECTL_EXTERNAL_DIFF", "HOME",
        "RECONCILER_*",
    ]

    private func judge(variable name: String) throws(Denial) {
        if environment.contains(name) { return }
        if !Self.powerful.contains(where: { Self.matches($0, name) }), environment.contains(where: { Self.matches($0, name) }) { return }
        throw Denial(reason: "\(origin) does not permit a command to set `\(name)`: add `environment: [\(name)]`")
    }

    // MARK: Command lines

    private func judge(_ text: String, _ situation: Situation, depth: Int = 0) throws(Denial) -> [String] {
        guard depth < 8 else { throw Denial(reason: "`\(Self.short(text))` is nested too deeply") }
        let reading: ShellReading
        do {
            reading = try Self.reading(text, situation)
        } catch {
            throw Denial(reason: "`\(Self.short(text))` cannot be looked into: \(error)")
        }
        if !permitsShell, let construct = ShellReading.Construct.allCases.first(where: reading.constructs.contains) {
            throw Denial(reason: "`\(Self.short(text))` has \(construct.rawValue): write it without, or set `shell: true` in \(origin)")
        }
        var allowed: [String] = []
        for command in reading.commands { allowed += try judge(command, situation, depth) }
        return allowed
    }

    /// The values of variables count only where nothing in the line can change them.
    private static func reading(_ text: String, _ situation: Situation) throws(ShellReadingProblem) -> ShellReading {
        let plain = try ShellReader.reading(text)
        let changers: Set<String> = ["export", "read", "readonly", "local", "unset", "getopts", ".", "source", "eval", "set", "printf", "mapfile", "readarray", "shift"]
        let mayChange =
            plain.constructs.contains(.loop) || text.contains("=")
            || plain.commands.contains { $0.words.first.map { changers.contains($0.text) } ?? false }
        return mayChange ? plain : try ShellReader.reading(text, variables: situation.inherited.merging(situation.environment) { $1 })
    }

    private func judge(_ command: ShellReading.Command, _ situation: Situation, _ depth: Int) throws(Denial) -> [String] {
        let line = Self.text(command)
        if let redirection = command.redirections.first, !permitsShell {
            throw Denial(
                reason: "`\(Self.short(line))` redirects with `\(redirection.symbol) \(redirection.target.text)`: write it without, or set `shell: true` in \(origin)")
        }
        for assignment in command.assignments { try judge(variable: assignment.name) }
        let all = command.words + command.assignments.map(\.value)
        if let unknown = all.first(where: { !$0.isKnown }), !permitsShell {
            throw Denial(
                reason: "`\(Self.short(line))` has `\(unknown.text)`, whose value is not known before it runs: write the value, or set `shell: true` in \(origin)")
        }
        return try judge(command.words, situation, depth)
    }

    private func judge(_ words: [ShellReading.Word], _ situation: Situation, _ depth: Int) throws(Denial) -> [String] {
        guard let program = words.first else { return [] }
        let line = Self.line(words)
        guard depth < 8 else { throw Denial(reason: "`\(Self.short(line))` is nested too deeply") }
        guard program.isKnown, !program.hasPattern, !program.text.isEmpty else {
            throw Denial(reason: "`\(Self.short(line))`: which program it runs is not known before it runs")
        }
        try deny(words, situation)
        if ["export", "readonly"].contains(program.text) {
            let names = words.dropFirst().map { $0.text.prefix { $0 != "=" } }
            guard words.dropFirst().allSatisfy(\.isKnown), !names.isEmpty, !names.contains(where: { $0.hasPrefix("-") }) else {
                throw Denial(reason: "`\(Self.short(line))`: which variables it sets is not known before it runs")
            }
            for name in names { try judge(variable: String(name)) }
            return ["`environment` of \(origin) permits `\(Self.short(line))`"]
        }
        let wrapping = Wrapping(words)
        if wrapping.isWrapper { for start in words.indices.dropFirst() { try deny(Array(words[start...]), situation) } }
        switch wrapping {
        case .none, .opaque: return [try allow(words, situation)]
        case .words(let inner):
            if inner.takesMore, !permitsShell {
                throw Denial(reason: "`\(Self.short(line))` adds arguments that are not known before it runs: set `shell: true` in \(origin)")
            }
            for name in inner.variables { try judge(variable: name) }
            return try judge(inner.words, situation, depth + 1)
        case .several(let commands):
            var allowed = [try allow(words, situation)]
            for inner in commands { allowed += try judge(inner, situation, depth + 1) }
            return allowed
        case .text(let word):
            guard word.isKnown else { throw Denial(reason: "`\(Self.short(line))`: what it runs is not known before it runs") }
            return try judge(word.text, situation, depth: depth + 1)
        case .unreadable(let why): throw Denial(reason: "`\(Self.short(line))` cannot be looked into: \(why)")
        }
    }

    // MARK: Rules

    private func applies(_ rule: Rule, _ situation: Situation) -> Bool {
        if let names = rule.namespaces, !names.contains(where: { Self.matches($0, situation.namespace) }) { return false }
        if let names = rule.lists, !names.contains(where: { Self.matches($0, situation.list) }) { return false }
        if let runners = rule.runners, !runners.contains(situation.runner) { return false }
        return true
    }

    private func deny(_ words: [ShellReading.Word], _ situation: Situation) throws(Denial) {
        let texts = [Self.line(words), Self.guardedLine(words)]
        for rule in rules where !rule.isAllowing && applies(rule, situation) && texts.contains(where: { Self.matches(rule.pattern, $0) }) {
            throw Denial(reason: "\(rule) denies `\(Self.short(texts[0]))`")
        }
    }

    private func allow(_ words: [ShellReading.Word], _ situation: Situation) throws(Denial) -> String {
        let text = Self.guardedLine(words)
        // `./scripts/*` is no leave to run `./scripts/../evil`.
        let climbs = words.first?.text.split(separator: "/").contains("..") ?? false
        if let rule = rules.first(where: { $0.isAllowing && applies($0, situation) && Self.matches($0.pattern, text) && (!climbs || $0.pattern.contains("..")) }) {
            return "\(rule) allows `\(Self.short(Self.line(words)))`"
        }
        let line = Self.short(Self.line(words))
        if climbs { throw Denial(reason: "no rule allows `\(line)`: a rule for a program whose path goes up must say `..` itself") }
        if let rule = rules.first(where: { $0.isAllowing && Self.matches($0.pattern, text) }) {
            throw Denial(reason: "\(rule) allows `\(line)`, but not in namespace \(situation.namespace), list \(situation.list), as a \(situation.runner.rawValue)")
        }
        let advice = "add `allow: \(Self.suggestion(words))` to \(origin)"
        throw Denial(reason: rules.isEmpty ? "nothing may run without a rule, so not `\(line)`: \(advice)" : "no rule allows `\(line)`: \(advice)")
    }

    /// The program, and the word after it where that looks like one of its verbs.
    private static func suggestion(_ words: [ShellReading.Word]) -> String {
        guard words.count > 1 else { return words.first?.text ?? "" }
        let verb = words[1].text
        let isVerb = words.count > 2 && verb.allSatisfy { $0.isASCII && ($0.isLetter || $0 == "-") } && !verb.hasPrefix("-")
        return isVerb ? "\(words[0].text) \(verb) *" : "\(words[0].text) *"
    }

    /// `*` stands for any characters; a last ` *` for nothing too.
    static func matches(_ pattern: String, _ text: String) -> Bool {
        if pattern.hasSuffix(" *"), matches(String(pattern.dropLast(2)), text) { return true }
        let (pattern, text) = (Array(pattern.unicodeScalars), Array(text.unicodeScalars))
        var (at, star, mark) = (0, -1, 0)
        var index = 0
        while index < text.count {
            if at < pattern.count, pattern[at] == "*" {
                star = at
                mark = index
                at += 1
            } else if at < pattern.count, pattern[at] == text[index] {
                at += 1
                index += 1
            } else if star >= 0 {
                at = star + 1
                mark += 1
                index = mark
            } else {
                return false
            }
        }
        while at < pattern.count, pattern[at] == "*" { at += 1 }
        return at == pattern.count
    }

    private static func line(_ words: [ShellReading.Word]) -> String { words.map(\.text).joined(separator: " ") }

    /// Blanks inside of a word are not the blanks of a pattern: `"make build"` is a program of that name.
    private static func guardedLine(_ words: [ShellReading.Word]) -> String {
        words.map { word in
            word.text.isEmpty ? "\u{E001}" : String(String.UnicodeScalarView(word.text.unicodeScalars.map { $0.properties.isWhitespace ? "\u{E000}" : $0 }))
        }.joined(separator: " ")
    }

    private static func text(_ command: ShellReading.Command) -> String {
        (command.assignments.map { "\($0.name)=\($0.value.text.drop { $0 != "=" }.dropFirst())" } + [line(command.words)]).joined(separator: " ")
    }

    private static func short(_ text: String) -> String {
        let line = text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "; ")
        return line.count > 120 ? line.prefix(117) + "..." : line
    }
}
