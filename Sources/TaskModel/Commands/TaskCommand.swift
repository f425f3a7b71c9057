/// A command line with its placeholders replaced by values.
///
/// `${NAME}`, `{{NAME}}`, `{{ .Values.name }}`, `${{ name }}` and `<NAME>` are placeholders. A value is quoted as its place demands, so
/// that it stays one word, or part of one, whatever it holds. `$NAME`, and `${NAME}` without a value, are the shell's own.
package struct TaskCommand: Sendable, Hashable {
    /// What would run.
    package private(set) var text = ""
    /// Placeholders without a value as they are spelled, each once, in the order of the text.
    package private(set) var unresolved: [String] = []
    /// Sentences: values that cannot be put where their placeholder stands without becoming more than a word. Such a placeholder is unresolved too.
    package private(set) var problems: [String] = []

    package init(_ declared: String, variables: [String: String]) {
        var reader = Reader(declared, variables)
        reader.run()
        text = String(reader.output)
        unresolved = reader.unresolved
        problems = reader.problems
    }
}

/// Reads the shell's quoting as far as it takes to know where a placeholder stands: 2.2, 2.6 and 2.7.4 of POSIX' Shell Command Language.
private struct Reader {
    private enum Place: Equatable {
        case plain, double, single
        /// `$'...'`, which only some shells know.
        case dollarSingle
        case backquote
        /// `$(...)`, `(...)`: ends at the parenthesis.
        case parentheses
        case arithmetic
        /// `${...}`.
        case parameter
        case comment
        case hereDocument(isQuoted: Bool)

        /// Quotes do not mean here what they mean elsewhere, so only values that need none are let in.
        var needsPlainValue: Bool { self == .dollarSingle || self == .backquote || self == .arithmetic || self == .parameter }
    }

    private let input: [Unicode.Scalar]
    private let variables: [String: String]
    private let rereader: String?
    private var position = 0
    private var places: [Place] = [.plain]
    private var pendingDocuments: [(delimiter: String, isQuoted: Bool, stripsTabs: Bool)] = []
    var output = String.UnicodeScalarView()
    var unresolved: [String] = []
    var problems: [String] = []

    init(_ text: String, _ variables: [String: String]) {
        input = Array(text.unicodeScalars)
        self.variables = variables
        rereader = Self.rereader(in: text)
    }

    private func peek(_ offset: Int = 0) -> Unicode.Scalar? { position + offset < input.count ? input[position + offset] : nil }

    private func starts(_ text: String) -> Bool {
        var index = position
        for scalar in text.unicodeScalars {
            guard index < input.count, input[index] == scalar else { return false }
            index += 1
        }
        return true
    }

    private mutating func take(_ count: Int = 1) {
        let end = min(position + count, input.count)
        output.append(contentsOf: input[position..<end])
        position = end
    }

    mutating func run() {
        while position < input.count {
            if let found = placeholder() {
                put(found)
                continue
            }
            step()
        }
    }

    // MARK: Quoting

    private mutating func step() {
        guard let scalar = peek(), let place = places.last else { return }
        switch place {
        case .single:
            if scalar == "'" { places.removeLast() }
            take()
        case .dollarSingle:
            if scalar == "'" { places.removeLast() }
            take(scalar == "\\" ? 2 : 1)
        case .comment:
            if scalar == "\n" { places.removeLast() } else { take() }
        case .double:
            if scalar == "\"" {
                places.removeLast()
                take()
            } else {
                stepIntoExpansion(scalar)
            }
        case .hereDocument(let isQuoted):
            if isQuoted { take() } else { stepIntoExpansion(scalar) }
        case .plain, .parentheses, .backquote, .arithmetic, .parameter:
            stepUnquoted(scalar, place)
        }
    }

    /// A backslash or the begin of an expansion; anything else is taken as it is.
    private mutating func stepIntoExpansion(_ scalar: Unicode.Scalar) {
        if scalar == "\\" { return take(2) }
        if scalar == "`" {
            if places.last == .backquote { places.removeLast() } else { places.append(.backquote) }
            return take()
        }
        if starts("$((") {
            places.append(.arithmetic)
            return take(3)
        }
        if starts("$(") {
            places.append(.parentheses)
            return take(2)
        }
        if starts("${") {
            places.append(.parameter)
            return take(2)
        }
        take()
    }

    private mutating func stepUnquoted(_ scalar: Unicode.Scalar, _ place: Place) {
        switch scalar {
        case "'":
            places.append(output.last == "$" ? .dollarSingle : .single)
            take()
        case "\"":
            places.append(.double)
            take()
        case "#" where output.last.map { " \t\n;&|(".unicodeScalars.contains($0) } ?? true && place != .parameter && place != .arithmetic:
            places.append(.comment)
        case "\n":
            take()
            if place == .plain || place == .parentheses { readDocuments() }
        case "(" where place == .parentheses || place == .plain || place == .backquote:
            places.append(.parentheses)
            take()
        case "(" where place == .arithmetic:
            places.append(.arithmetic)
            take()
        case ")" where place == .parentheses:
            places.removeLast()
            take()
        case ")" where place == .arithmetic:
            places.removeLast()
            take(starts("))") && places.last != .arithmetic ? 2 : 1)
        case "}" where place == .parameter:
            places.removeLast()
            take()
        case "<" where starts("<<") && !starts("<<<") && (place == .plain || place == .parentheses):
            noteDocument()
        default:
            stepIntoExpansion(scalar)
        }
    }

    // MARK: Here-documents

    private mutating func noteDocument() {
        take(2)
        var stripsTabs = false
        if peek() == "-" {
            stripsTabs = true
            take()
        }
        while peek() == " " || peek() == "\t" { take() }
        var delimiter = ""
        var isQuoted = false
        while let scalar = peek(), !" \t\n;&|<>()".unicodeScalars.contains(scalar) {
            if scalar == "'" || scalar == "\"" || scalar == "\\" { isQuoted = true } else { delimiter.unicodeScalars.append(scalar) }
            take()
        }
        pendingDocuments.append((delimiter, isQuoted, stripsTabs))
    }

    private mutating func readDocuments() {
        let documents = pendingDocuments
        pendingDocuments = []
        for document in documents {
            places.append(.hereDocument(isQuoted: document.isQuoted))
            let depth = places.count
            while position < input.count {
                var end = position
                while end < input.count, input[end] != "\n" { end += 1 }
                var line = String(String.UnicodeScalarView(input[position..<end]))
                if document.stripsTabs { line = String(line.drop { $0 == "\t" }) }
                if line == document.delimiter {
                    take(end - position + 1)
                    break
                }
                while position < min(end + 1, input.count) {
                    if let found = placeholder() { put(found) } else { step() }
                }
            }
            while places.count >= depth { places.removeLast() }
        }
    }

    // MARK: Placeholders

    private struct Found {
        var spelling: String
        var value: String?
    }

    private mutating func placeholder() -> Found? {
        guard places.last != .comment, let scalar = peek() else { return nil }
        switch scalar {
        case "$" where starts("${{"):
            return template(skipping: 1)
        case "$" where starts("${"):
            guard let (name, end) = word(from: position + 2, closing: "}"), let value = variables[name] else { return nil }
            return Found(spelling: spelling(to: end), value: value)
        case "{" where starts("{{"): return template(skipping: 0)
        case "<": return angle()
        default: return nil
        }
    }

    private func spelling(to end: Int) -> String { String(String.UnicodeScalarView(input[position..<end])) }

    private func word(from start: Int, closing: Unicode.Scalar) -> (String, end: Int)? {
        var end = start
        while end < input.count, input[end] == "_" || (input[end].isASCII && input[end].properties.isAlphabetic)
            || (end > start && input[end].isASCII && ("0"..."9").contains(Character(input[end])))
        { end += 1 }
        guard end > start, end < input.count, input[end] == closing else { return nil }
        return (String(String.UnicodeScalarView(input[start..<end])), end + 1)
    }

    /// `{{ name }}`; what a Go template does with its data (`{{.Names}}`, `{{end}}`, `{{json .}}`) is not for us.
    private func template(skipping prefix: Int) -> Found? {
        let start = position + prefix + 2
        var end = start
        while end < input.count, input[end] != "\n", !(input[end] == "}" && end + 1 < input.count && input[end + 1] == "}") { end += 1 }
        guard end + 1 < input.count, input[end] == "}" else { return nil }
        let inner = String(String.UnicodeScalarView(input[start..<end])).split(separator: " ").joined(separator: " ")
        let allowed = inner.unicodeScalars.allSatisfy { $0 == "_" || $0 == "." || $0 == "-" || ($0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil)) }
        guard allowed, !inner.isEmpty, inner.contains(where: \.isLetter) else { return nil }
        var names = [inner]
        if inner.hasPrefix(".") { names.append(String(inner.dropFirst())) }
        if inner.hasPrefix(".Values.") { names.append(String(inner.dropFirst(8))) }
        let value = names.compactMap { variables[$0] }.first
        let keywords: Set<String> = ["end", "else", "range", "if", "with", "define", "block", "template", "break", "continue"]
        let isCertain = !keywords.contains(inner) && (!inner.hasPrefix(".") || inner.hasPrefix(".Values."))
        guard value != nil || isCertain else { return nil }
        return Found(spelling: spelling(to: end + 2), value: value)
    }

    /// `<NAME>`, unless it is a redirection, or a tag.
    private func angle() -> Found? {
        if case .hereDocument = places.last { return nil }
        var end = position + 1
        guard end < input.count, input[end].isASCII, input[end].properties.isAlphabetic else { return nil }
        while end < input.count, input[end].isASCII,
            input[end].properties.isAlphabetic || ("0"..."9").contains(Character(input[end])) || "_-. ".unicodeScalars.contains(input[end])
        { end += 1 }
        guard end < input.count, input[end] == ">", input[end - 1] != " " else { return nil }
        let name = String(String.UnicodeScalarView(input[position + 1..<end]))
        let found = Found(spelling: spelling(to: end + 1), value: variables[name])
        if found.value != nil { return found }
        // `sort <a.txt>b.txt`, `grep x <in y>out`: a redirection, where a file may stand.
        let isUnquoted = places.last == .plain || places.last == .parentheses
        let followsSpace = position == 0 || input[position - 1] == " " || input[position - 1] == "\t"
        let next = end + 1 < input.count ? input[end + 1] : " "
        let precedesWord = !" \t\n;&|)\"'".unicodeScalars.contains(next)
        if isUnquoted, followsSpace, precedesWord, name.contains(".") || name.contains(" ") { return nil }
        if isUnquoted, next == "&" || next == ">" { return nil }
        if String(String.UnicodeScalarView(input)).contains("</\(name)>") { return nil }
        return found
    }

    private mutating func put(_ found: Found) {
        defer { position += found.spelling.unicodeScalars.count }
        guard let value = found.value else {
            if !unresolved.contains(found.spelling) { unresolved.append(found.spelling) }
            return output.append(contentsOf: found.spelling.unicodeScalars)
        }
        guard let quoted = quoted(value, found.spelling) else {
            if !unresolved.contains(found.spelling) { unresolved.append(found.spelling) }
            return output.append(contentsOf: found.spelling.unicodeScalars)
        }
        output.append(contentsOf: quoted.unicodeScalars)
    }

    // MARK: Values

    private static func isPlain(_ value: String) -> Bool {
        !value.isEmpty && value.unicodeScalars.allSatisfy {
            $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains(Character($0)) || "_@%+=:,./-".unicodeScalars.contains($0))
        }
    }

    private mutating func quoted(_ value: String, _ spelling: String) -> String? {
        if Self.isPlain(value) { return value }
        if value.unicodeScalars.contains("\0") {
            problems.append("the value of `\(spelling)` holds a NUL, which no command line can")
            return nil
        }
        if let rereader {
            problems.append("the value of `\(spelling)` holds characters that `\(rereader)` would read again as its own language: use letters, digits and _@%+=:,./- only")
            return nil
        }
        guard let place = places.last else { return nil }
        // A quote opened inside of a place where quotes are special is special too.
        if places.contains(where: \.needsPlainValue) {
            problems.append("the value of `\(spelling)` cannot be quoted inside of backquotes, ${...}, $((...)) or $'...': move it out, or use letters, digits and _@%+=:,./- only")
            return nil
        }
        switch place {
        case .single: return value.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
        case .double: return Self.escaped(value, "\\\"$`")
        case .hereDocument(let isQuoted):
            if value.unicodeScalars.contains(where: { $0 == "\n" || $0 == "\r" }) {
                problems.append("the value of `\(spelling)` has several lines, and one of them could end the here-document")
                return nil
            }
            return isQuoted ? value : Self.escaped(value, "\\$`")
        default: return "'" + value.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
        }
    }

    private static func escaped(_ value: String, _ special: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in value.unicodeScalars {
            if special.unicodeScalars.contains(scalar) { result.append("\\") }
            result.append(scalar)
        }
        return String(result)
    }

    /// A program in the line that reads its arguments as a language once more.
    private static func rereader(in text: String) -> String? {
        let known: Set<Substring> = [
            "eval", "sh", "bash", "dash", "zsh", "ksh", "ash", "fish", "ssh", "su", "runuser", "watch", "xargs", "parallel", "script", "trap",
            "python", "python3", "perl", "ruby", "node", "php", "awk", "gawk", "mawk",
        ]
        return text.unicodeScalars.split { " \t\n;&|()`\"'".unicodeScalars.contains($0) }
            .map { word in Substring(Substring.UnicodeScalarView(word)).split(separator: "/").last ?? "" }
            .first { known.contains($0) }.map(String.init)
    }
}
