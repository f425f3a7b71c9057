import ResourceModel

extension TaskDocumentReader {
    /// Keeps what a labelled line says of a task.
    func apply(_ field: Field, to index: Int) {
        let value = field.value
        switch field.label {
        case .estimate:
            if let estimate = TaskEstimate(reading: value) ?? TaskEstimate(reading: Self.beforeParenthesis(value)) { drafts[index].task.estimate = estimate }
        case .priority:
            if let priority = TaskLine.priority(value) ?? TaskLine.priority(Self.beforeParenthesis(value)) { drafts[index].task.priority = priority }
        case .dependencies:
            drafts[index].statesDependencies = true
            drafts[index].statements.append(Statement(text: value, line: field.line, isField: true))
        case .blocks:
            drafts[index].statements.append(Statement(text: value, line: field.line, isField: true, isReverse: true))
        case .status: if let isDone = Self.isDone(value) { drafts[index].isDone = isDone }
        case .story: drafts[index].task.story = TaskLine.story(value) ?? drafts[index].task.story
        case .parallel: if ["yes", "true", "✅"].contains(value.lowercased().trimmed) { drafts[index].task.order = .parallel }
        case .title: if drafts[index].task.title.isEmpty { drafts[index].task.title = value }
        case .commands:
            addCommands(field.spans, to: &drafts[index].task)
        case .deliverables, .acceptance, .risks: if !value.isEmpty { add(value, label: field.label, name: field.name, to: index, line: field.line) }
        default: break
        }
        if field.label != .deliverables, field.label != .acceptance, field.label != .risks, field.label != .commands {
            addCommands(field.spans, to: &drafts[index].task)
        }
    }

    /// Keeps what a labelled line says of the phase or section it stands in.
    func apply(_ field: Field) {
        guard let heading else { return }
        let value = field.value.isEmpty ? nil : field.value
        switch field.label {
        case .purpose: headings[heading].purpose = value
        case .goal: headings[heading].goal = value
        case .independentTest: headings[heading].independentTest = value
        case .checkpoint: headings[phaseHeading(heading)].checkpoint = value
        case .estimate: if let value { headings[heading].estimate = TaskEstimate(reading: value) ?? TaskEstimate(reading: Self.beforeParenthesis(value)) }
        case .priority: headings[heading].priority = TaskLine.priority(field.value) ?? headings[heading].priority
        case .dependencies: if let value { headings[heading].statements.append(Statement(text: value, line: field.line, isField: true)) }
        case .story: headings[heading].story = TaskLine.story(field.value) ?? headings[heading].story
        case .deliverables, .acceptance, .risks: if let value { add(value, label: field.label, name: field.name, to: nil, line: field.line) }
        default: break
        }
    }

    /// The next line of a field's value.
    func extend(_ field: Field) {
        guard let heading else { return }
        func joined(_ text: String?) -> String? { text.map { $0 + " " + field.value } ?? field.value }
        switch field.label {
        case .purpose: headings[heading].purpose = joined(headings[heading].purpose)
        case .goal: headings[heading].goal = joined(headings[heading].goal)
        case .independentTest: headings[heading].independentTest = joined(headings[heading].independentTest)
        case .checkpoint: headings[phaseHeading(heading)].checkpoint = joined(headings[phaseHeading(heading)].checkpoint)
        default: break
        }
    }

    /// The phase's heading that a section stands under, or the section's own.
    func phaseHeading(_ heading: Int) -> Int {
        var index: Int? = heading
        while let at = index {
            if headings[at].isPhase { return at }
            index = headings[at].parent
        }
        return heading
    }

    /// Adds a line of a labelled list to the task it belongs to, else to its section.
    func add(_ text: String, label: FieldLabel, name: String, to index: Int?, line: Int) {
        if let index {
            switch label {
            case .acceptance: drafts[index].task.acceptance.append(text)
            case .risks: drafts[index].task.risks.append(text)
            case .dependencies:
                drafts[index].statesDependencies = true
                drafts[index].statements.append(Statement(text: text, line: line, isField: true))
            case .commands: drafts[index].task.commands += CommandReader.commands(block: text, info: "sh").filter { !drafts[index].task.commands.contains($0) }
            case .deliverables, .tasks: drafts[index].task.deliverables.append(text)
            default: break
            }
            return
        }
        if name.utf8.contains(where: \.isDigit) {
            if labelled.last?.name == name, labelled.last?.heading == heading, labelled.last?.label == label {
                labelled[labelled.count - 1].lines.append(text)
            } else {
                labelled.append(LabelledLines(label: label, name: name, lines: [text], heading: heading))
            }
            return
        }
        guard let heading else { return }
        switch label {
        case .deliverables: headings[heading].deliverables.append(text)
        case .acceptance: headings[heading].acceptance.append(text)
        case .risks: headings[heading].risks.append(text)
        case .dependencies: headings[heading].statements.append(Statement(text: text, line: line, isField: true))
        default: break
        }
    }

    static func beforeParenthesis(_ text: String) -> String { String(text.prefix { $0 != "(" }).trimmed }

    /// Whether a status word says that all is done; `nil` when it says nothing.
    static func isDone(_ text: String) -> Bool? {
        let text = text.trimmed
        if text.isEmpty { return nil }
        if text.unicodeScalars.contains(where: { $0 == "✅" || $0 == "☑" || $0 == "✔" || $0 == "✓" }) { return true }
        if text == "[x]" || text == "[X]" || text == "x" || text == "X" || text == "100%" || text == "✔️" { return true }
        let words = text.words
        guard let first = words.first else { return false }
        return ["done", "complete", "completed", "finished", "closed", "shipped", "merged", "resolved", "implemented", "yes"].contains(first)
    }
}

extension Field {
    /// Whether a sentence is about a phase or a story.
    static func phaseSubject(_ text: String) -> Bool {
        let first = text.words.prefix(2)
        return first.first == "phase" || (first.first == "user" && first.last == "story")
    }
}
