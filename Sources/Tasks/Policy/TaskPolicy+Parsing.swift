import ResourceModel
import TaskModel
import YAML

extension TaskPolicy {
    /// Reads a policy file; strict, since a misspelled `deny` would let everything pass.
    /// - Throws: `Problems` with a line each, `YAMLError`.
    package init(parsing bytes: [UInt8], path: String) throws {
        let documents = try YAML.documents(in: bytes, path: path).filter { $0.value != .null }
        guard documents.count == 1, let document = documents.first else {
            throw Problems([
                Problem(
                    code: "policy.documents", message: "a policy is one YAML document; there are \(documents.count)",
                    location: SourceLocation(path: path, line: 1))
            ])
        }
        var reader = PolicyReader(document: document, path: path)
        self.init()
        reader.read(into: &self)
        origin = path
        if !reader.problems.isEmpty { throw Problems(reader.problems) }
    }
}

private struct PolicyReader {
    let document: YAMLDocument
    let path: String
    var problems: [Problem] = []

    private func location(_ place: [String]) -> SourceLocation {
        SourceLocation(path: path, line: document.line(at: place), document: document.location.document)
    }

    private mutating func complain(_ place: [String], _ message: String, _ hint: String? = nil) {
        problems.append(Problem(code: "policy.field", message: message, location: location(place), hint: hint))
    }

    mutating func read(into policy: inout TaskPolicy) {
        guard case .object(let fields) = document.value else { return complain([], "a policy is a mapping with `rules:`") }
        if document.value["apiVersion"]?.stringValue != "reconciler.dev/v1alpha1" {
            complain(["apiVersion"], "`apiVersion` is not reconciler.dev/v1alpha1")
        }
        if document.value["kind"]?.stringValue != "TaskPolicy" { complain(["kind"], "`kind` is not TaskPolicy") }
        for field in fields {
            let place = [field.key]
            switch field.key {
            case "apiVersion", "kind", "metadata": break
            case "shell":
                if let flag = field.value.boolValue { policy.permitsShell = flag } else { complain(place, "`shell` is true or false") }
            case "workingDirectories":
                policy.workingDirectories = texts(field.value, place)
                for directory in policy.workingDirectories ?? [] where !directory.hasPrefix("/") {
                    complain(place, "the working directory `\(directory)` is not absolute")
                }
            case "runners": policy.runners = runners(field.value, place)
            case "environment":
                policy.environment = texts(field.value, place) ?? []
                for name in policy.environment where name == "*" || name.dropLast(name.hasSuffix("*") ? 1 : 0).contains("*") {
                    complain(place, "`\(name)` is neither a variable's name nor the begin of names (`PREFIX_*`)")
                }
            case "rules":
                guard let items = field.value.arrayValue else {
                    complain(place, "`rules` is a list")
                    continue
                }
                for (index, item) in items.enumerated() {
                    if let rule = rule(item, index) { policy.rules.append(rule) }
                }
            default:
                complain(place, "unknown field `\(field.key)`", "known are rules, shell, workingDirectories, runners and environment")
            }
        }
    }

    private mutating func rule(_ item: JSONValue, _ index: Int) -> TaskPolicy.Rule? {
        let place = ["rules", "\(index)"]
        guard case .object(let fields) = item else {
            complain(place, "rule \(index + 1) is not a mapping", "write `- allow: make *`")
            return nil
        }
        var rule = TaskPolicy.Rule(isAllowing: true, pattern: "", number: index + 1, location: location(place))
        var patterns = 0
        for field in fields {
            let here = place + [field.key]
            switch field.key {
            case "allow", "deny":
                patterns += 1
                rule.isAllowing = field.key == "allow"
                rule.location = location(here)
                if let text = field.value.stringValue, text.contains(where: { !$0.isWhitespace }) {
                    rule.pattern = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                } else {
                    complain(here, "`\(field.key)` is a command's pattern, as in `make *`", field.value.stringValue == nil ? "quote a pattern that begins with `*`" : nil)
                }
            case "namespaces": rule.namespaces = texts(field.value, here)
            case "lists": rule.lists = texts(field.value, here)
            case "runners": rule.runners = runners(field.value, here)
            case "comment", "reason": break
            default: complain(here, "unknown field `\(field.key)` of a rule", "known are allow, deny, namespaces, lists, runners and comment")
            }
        }
        if patterns != 1 { complain(place, "rule \(index + 1) needs either `allow` or `deny`") }
        return patterns == 1 ? rule : nil
    }

    private mutating func texts(_ value: JSONValue, _ place: [String]) -> [String]? {
        guard let items = value.arrayValue, items.allSatisfy({ $0.stringValue != nil }) else {
            complain(place, "`\(place.last ?? "")` is a list of texts")
            return nil
        }
        return items.compactMap(\.stringValue)
    }

    private mutating func runners(_ value: JSONValue, _ place: [String]) -> [TaskRun.Runner]? {
        guard let names = texts(value, place) else { return nil }
        for name in names where TaskRun.Runner(rawValue: name) == nil { complain(place, "`\(name)` is no runner: Process or Job") }
        return names.compactMap(TaskRun.Runner.init(rawValue:))
    }
}
