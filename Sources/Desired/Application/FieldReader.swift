import ResourceModel

/// Collects what is wrong with one document while it is decoded, so that all of it is reported.
final class DecodingReport {
    /// What messages call the document: `Application canary`.
    var subject: String
    let document: SourceDocument
    private(set) var problems: [Problem] = []

    init(subject: String, document: SourceDocument) {
        self.subject = subject
        self.document = document
    }

    var location: SourceLocation { document.location }

    /// - Parameter pointer: the JSON pointer of what is wrong; the line is that of the nearest part that has one.
    func add(
        _ code: String, _ message: String, at pointer: String, hint: String? = nil, severity: Problem.Severity = .error
    ) {
        problems.append(
            Problem(
                code: code, severity: severity, message: "\(subject): \(message)", location: self.location(of: pointer),
                hint: hint))
    }

    func location(of pointer: String) -> SourceLocation { document.location(of: pointer) }
}

/// One value of a document with its place: decoding asks it for what it expects and the report hears what is wrong.
/// A `null` counts as absent, as it does for the API server.
struct FieldReader {
    let value: JSONValue
    /// JSON pointer, for lines.
    let pointer: String
    /// `spec.source.helm`, for messages.
    let path: String
    let report: DecodingReport

    /// Decodes an object: `body` asks for members by name, and every member that it did not ask for is reported as unknown.
    /// `nil` when the value is not an object, which is reported too.
    func object<Result>(_ body: (MembersReader) -> Result) -> Result? {
        guard case .object(let members) = value else {
            return mismatch("an object")
        }
        let reader = MembersReader(members: members, field: self)
        let result = body(reader)
        reader.reportUnknown()
        return result
    }

    func string() -> String? {
        guard case .string(let text) = value else { return mismatch("a string", quoting: true) }
        return text
    }

    /// A pattern for `Glob`; a text that is none is reported, since it would match nothing where it permits and where it denies.
    /// - Parameter mayDeny: whether a `!` in front of the pattern denies.
    func glob(mayDeny: Bool = false) -> String? {
        guard let text = string() else { return nil }
        do {
            _ = try Glob(mayDeny && text.first == "!" ? String(text.dropFirst()) : text)
        } catch {
            report.add("application.invalid-value", "`\(path)`: \(error.message)", at: pointer)
        }
        return text
    }

    func bool() -> Bool? {
        guard case .bool(let flag) = value else { return mismatch("a boolean") }
        return flag
    }

    func integer() -> Int? {
        guard case .integer(let number) = value else { return mismatch("an integer") }
        return Int(number)
    }

    func items() -> [FieldReader] {
        guard case .array(let items) = value else {
            let _: Int? = mismatch("a list")
            return []
        }
        return items.enumerated().map { index, item in
            FieldReader(value: item, pointer: "\(pointer)/\(index)", path: "\(path)[\(index)]", report: report)
        }
    }

    func stringMap() -> [String: String] {
        guard case .object(let members) = value else {
            let _: Int? = mismatch("a map of strings")
            return [:]
        }
        var result: [String: String] = [:]
        for member in members {
            let field = FieldReader(
                value: member.value, pointer: "\(pointer)/\(escaped(member.key))", path: "\(path).\(member.key)", report: report)
            result[member.key] = field.string()
        }
        return result
    }

    private func mismatch<Result>(_ expected: String, quoting: Bool = false) -> Result? {
        let scalar: Bool
        switch value {
        case .array, .object: scalar = false
        default: scalar = true
        }
        report.add(
            "application.wrong-type",
            "`\(path)` must be \(expected), not \(scalar ? "the \(value.typeName) \(value.jsonString)" : "an \(value.typeName)")",
            at: pointer, hint: quoting && scalar ? "put it in quotes" : nil)
        return nil
    }
}

/// The members of one object, each asked for once by the code that knows what it means.
final class MembersReader {
    let field: FieldReader
    private let members: JSONObject
    private var known: [String] = []

    init(members: JSONObject, field: FieldReader) {
        self.members = members
        self.field = field
    }

    var report: DecodingReport { field.report }

    subscript(name: String) -> FieldReader? {
        known.append(name)
        guard let value = members[name], !value.isNull else { return nil }
        return FieldReader(
            value: value, pointer: "\(field.pointer)/\(escaped(name))", path: field.path.isEmpty ? name : "\(field.path).\(name)",
            report: report)
    }

    func string(_ name: String) -> String? { self[name]?.string() }
    func glob(_ name: String, mayDeny: Bool = false) -> String? { self[name]?.glob(mayDeny: mayDeny) }
    func bool(_ name: String) -> Bool? { self[name]?.bool() }
    func integer(_ name: String) -> Int? { self[name]?.integer() }
    func strings(_ name: String) -> [String] { self[name]?.items().compactMap { $0.string() } ?? [] }
    func globs(_ name: String, mayDeny: Bool = false) -> [String] { self[name]?.items().compactMap { $0.glob(mayDeny: mayDeny) } ?? [] }
    func stringMap(_ name: String) -> [String: String] { self[name]?.stringMap() ?? [:] }
    func object<Result>(_ name: String, _ body: (MembersReader) -> Result) -> Result? { self[name]?.object(body) }
    func objects<Result>(_ name: String, _ body: (MembersReader) -> Result) -> [Result] {
        self[name]?.items().compactMap { $0.object(body) } ?? []
    }

    /// A string that must be there and not be empty.
    func required(_ name: String) -> String {
        guard let reader = self[name] else {
            report.add("application.missing-field", "`\(path(name))` is missing", at: field.pointer)
            return ""
        }
        let text = reader.string()
        if text == "" { report.add("application.missing-field", "`\(path(name))` is empty", at: reader.pointer) }
        return text ?? ""
    }

    /// Refuses a field that Argo CD has and this program does not support yet: ignoring it would do something else than asked.
    func refuse(_ name: String, unless harmless: (JSONValue) -> Bool = { _ in false }, hint: String? = nil) {
        guard let reader = self[name], !harmless(reader.value) else { return }
        report.add("application.unsupported-field", "`\(reader.path)` is not supported yet", at: reader.pointer, hint: hint)
    }

    /// All members, known or not.
    var names: [String] { members.keys }

    /// Names members that may hold anything.
    func ignore(_ names: String...) { known.append(contentsOf: names) }

    fileprivate func reportUnknown() {
        for member in members where !known.contains(member.key) {
            report.add(
                "application.unknown-field", "unknown field `\(path(member.key))`", at: "\(field.pointer)/\(escaped(member.key))",
                hint: nearest(to: member.key, among: known).map { "did you mean `\($0)`?" })
        }
    }

    private func path(_ name: String) -> String { field.path.isEmpty ? name : "\(field.path).\(name)" }
}

/// A member's name as a part of a JSON pointer (RFC 6901, section 3).
private func escaped(_ name: String) -> String {
    guard name.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return name }
    var result = ""
    for character in name {
        switch character {
        case "~": result += "~0"
        case "/": result += "~1"
        default: result.append(character)
        }
    }
    return result
}

/// The candidate that a misspelt word most likely stands for; `nil` when none is near.
package func nearest(to word: String, among candidates: [String]) -> String? {
    let limit = max(1, min(3, word.count / 3))
    let scored = candidates.map { (distance: editDistance(word.lowercased(), $0.lowercased()), name: $0) }
    return scored.filter { $0.distance <= limit }.min { ($0.distance, $0.name) < ($1.distance, $1.name) }?.name
}

/// Levenshtein's distance.
private func editDistance(_ left: String, _ right: String) -> Int {
    let left = Array(left.utf8)
    let right = Array(right.utf8)
    var row = Array(0...right.count)
    for (i, a) in left.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, b) in right.enumerated() {
            let substitution = diagonal + (a == b ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(substitution, row[j] + 1, row[j + 1] + 1)
        }
    }
    return row[right.count]
}

extension String {
    /// `nil` for a text without a character, which says as little as none.
    var nonEmpty: String? { isEmpty ? nil : self }
}
