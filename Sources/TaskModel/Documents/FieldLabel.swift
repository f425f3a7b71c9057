/// What a label such as `**Estimate**:` announces.
enum FieldLabel {
    case estimate, priority, dependencies, blocks, status, deliverables, acceptance, risks, story, parallel, purpose, goal, independentTest
    case checkpoint, tasks, commands, title
    /// Known, and part of the details only: owner, notes, files.
    case other

    /// Reads a label without its colon, in any case: `Estimated effort`, `P1-01 Deliverables`, `Depends on`; `nil` for other text.
    init?(_ text: String) {
        guard text.utf8.count <= 60 else { return nil }
        let key = text.matchKey
        if let exact = Self.exact[key] {
            self = exact
            return
        }
        let words = key.utf8.split(separator: 0x20).map { String(Substring($0)) }
        guard let first = words.first, words.count <= 6 else { return nil }
        if words.contains("deliverables") || words.contains("deliverable") {
            self = .deliverables
        } else if words.contains("acceptance") || words.contains("criteria") {
            self = .acceptance
        } else if words.contains("risks") || words.contains("risk") {
            self = .risks
        } else if words.count <= 3, first == "estimated" || first == "estimate" || words.contains("effort") || words.contains("duration") || words.contains("estimate") {
            self = .estimate
        } else if words.count <= 3, words.contains("dependencies") {
            self = .dependencies
        } else {
            return nil
        }
    }

    private static let exact: [String: FieldLabel] = [
        "estimate": .estimate, "est": .estimate, "estimation": .estimate, "effort": .estimate, "duration": .estimate, "time": .estimate,
        "hours": .estimate, "timeline": .estimate, "size": .estimate, "estimated time": .estimate,
        "priority": .priority, "prio": .priority, "importance": .priority, "severity": .priority,
        "dependencies": .dependencies, "dependency": .dependencies, "depends on": .dependencies, "depends": .dependencies,
        "blocked by": .dependencies, "prerequisites": .dependencies, "prerequisite": .dependencies, "pre requisites": .dependencies,
        "requires": .dependencies, "predecessors": .dependencies, "predecessor": .dependencies, "after": .dependencies, "needs": .dependencies,
        "blocks": .blocks, "blocking": .blocks, "status": .status, "state": .status, "done": .status,
        "outputs": .deliverables, "output": .deliverables, "artifacts": .deliverables,
        "definition of done": .acceptance, "dod": .acceptance, "done when": .acceptance, "success metrics": .acceptance, "success": .acceptance,
        "mitigation": .risks, "mitigations": .risks, "story": .story, "user story": .story, "stories": .story, "parallel": .parallel,
        "purpose": .purpose, "goal": .goal, "goals": .goal, "objective": .goal, "objectives": .goal, "independent test": .independentTest,
        "checkpoint": .checkpoint, "gate": .checkpoint, "milestone": .checkpoint,
        "tasks": .tasks, "subtasks": .tasks, "sub tasks": .tasks, "steps": .tasks, "implementation steps": .tasks, "checklist": .tasks,
        "action items": .tasks, "to do": .tasks, "todo": .tasks,
        "command": .commands, "commands": .commands, "title": .title, "name": .title,
        "owner": .other, "assignee": .other, "assigned to": .other, "assigned": .other, "team": .other, "notes": .other, "note": .other,
        "files": .other, "file": .other, "description": .other, "details": .other, "summary": .other, "tests": .other, "test strategy": .other,
        "context": .other, "rationale": .other, "why": .other, "input": .other, "requirements": .other, "implementation": .other, "labels": .other,
        "tags": .other, "technical details": .other, "implementation notes": .other, "testing": .other, "story points": .other, "points": .other,
        "reference": .other, "references": .other, "type": .other, "component": .other, "complexity": .other, "risk level": .other,
    ]
}

/// A label with its value, on one line of a paragraph or in one item.
struct Field {
    var label: FieldLabel
    /// The label's own words: `P1-01 Deliverables`.
    var name: String
    var value: String
    var spans: [MarkdownSpan]
    var line: Int

    /// The fields of one line: `**Estimate**: 2 days | **Priority**: High`; empty when it begins with no known label.
    static func read(_ spans: [MarkdownSpan]) -> [Field] {
        // Without a colon only bold text is a label.
        guard spans.contains(where: { $0.isStrong || $0.text.utf8.contains(0x3A) }) else { return [] }
        var fields = [Field]()
        for part in parts(spans) {
            guard let field = one(part) else {
                // What follows a field up to the next label is its value.
                if fields.isEmpty { return [] }
                fields[fields.count - 1].value += " | " + part.plainText
                continue
            }
            fields.append(field)
        }
        return fields
    }

    /// The line, cut before each bold label and at `|`, `·`, `•`.
    private static func parts(_ spans: [MarkdownSpan]) -> [[MarkdownSpan]] {
        var parts = [[MarkdownSpan]]()
        var current = [MarkdownSpan]()
        for (index, span) in spans.enumerated() {
            if span.isStrong, !span.isCode, !current.isEmpty {
                let colon = span.text.firstIndex(of: ":")
                let name = colon.map { String(span.text[..<$0]) } ?? span.text
                let isFollowed = index + 1 < spans.count && spans[index + 1].text.hasPrefix(":")
                if colon != nil || isFollowed, FieldLabel(name) != nil {
                    parts.append(current)
                    current = []
                }
            }
            let mayPart = span.text.utf8.contains { $0 == 0x7C || $0 == 0xB7 || $0 == 0xA2 }
            guard mayPart, !span.isCode, span.text.contains(" | ") || span.text.contains(" · ") || span.text.contains(" • ") else {
                current.append(span)
                continue
            }
            for (place, piece) in span.text.split(whereSeparator: { $0 == "|" || $0 == "·" || $0 == "•" }).enumerated() {
                if place > 0 {
                    parts.append(current)
                    current = []
                }
                var span = span
                span.text = String(piece)
                current.append(span)
            }
        }
        parts.append(current)
        return parts.filter { !$0.plainText.isEmpty }
    }

    private static func one(_ spans: [MarkdownSpan]) -> Field? {
        guard let first = spans.first(where: { !$0.text.trimmed.isEmpty }), !first.isCode else { return nil }
        var text = spans.plainText
        let line = first.line
        text = String(Substring(text.unicodeScalars.drop { $0.isDecoration || $0 == " " }))
        if let colon = text.utf8.firstIndex(of: 0x3A), text.utf8.distance(from: text.startIndex, to: colon) <= 60 {
            let name = String(text[..<colon]).trimming(["*", "_", " "])
            // In plain text only what cannot be a sentence is a label.
            guard let label = FieldLabel(name), first.isStrong || name.words.count <= 3 else { return nil }
            let value = String(text[text.index(after: colon)...]).trimmed.trimming(["*"])
            return Field(label: label, name: name, value: value.trimmed, spans: spans, line: line)
        }
        // `**Deliverables**` alone.
        guard first.isStrong, spans.allSatisfy({ $0.isStrong || $0.text.trimmed.isEmpty }), let label = FieldLabel(text) else { return nil }
        return Field(label: label, name: text, value: "", spans: spans, line: line)
    }
}
