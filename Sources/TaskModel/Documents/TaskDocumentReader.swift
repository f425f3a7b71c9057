import ResourceModel

/// Walks a document's blocks once and drafts tasks, headings and statements; `TaskDocumentResolver` makes a document of them.
final class TaskDocumentReader {
    let text: DocumentText
    let path: String
    var drafts: [TaskDraft] = []
    var headings: [HeadingDraft] = []
    var plainItems: [PlainItem] = []
    var statements: [Statement] = []
    var labelled: [LabelledLines] = []
    /// Lines, rows and headings that may state a number of tasks.
    var countLines: [CountLine] = []
    /// The first heading of the first level.
    var title: String?

    /// The innermost heading.
    var heading: Int?
    /// Tasks whose heading or paragraph everything below belongs to, outermost first; a paragraph has level 7.
    private(set) var scopes: [(draft: Int, level: Int)] = []
    /// The label of the next list, `isHeading` until the next heading.
    var label: (label: FieldLabel, name: String, isHeading: Bool)?

    init(_ tree: MarkdownTree, _ text: DocumentText, path: String) {
        self.text = text
        self.path = path
        for (index, block) in tree.blocks.enumerated() { read(block, tree.blocks[(index + 1)...]) }
        closeScopes(from: 0, before: text.lineStarts.count + 1)
    }

    /// The task that what comes next belongs to.
    var owner: Int? { scopes.last?.draft }

    var isInDependencies: Bool { heading.map { headings[$0].isDependency } ?? false }

    func location(_ line: Int) -> SourceLocation { SourceLocation(path: path, line: line) }

    /// - Parameter next: The blocks after it.
    private func read(_ block: MarkdownBlock, _ next: ArraySlice<MarkdownBlock>) {
        switch block.kind {
        case .heading(let level): openHeading(block, level, next)
        case .paragraph: readParagraph(block)
        case .list:
            readList(block, under: nil)
            if label?.isHeading == false { label = nil }
        case .table: readTable(block)
        case .code(let info): readCode(block, info, under: owner)
        case .quote:
            // Tasks in a quote are somebody else's; labels in it are this document's.
            for inner in block.children where inner.kind == .paragraph { readFields(inner, under: owner) }
        case .rule: closeScopes(from: 7, before: block.line)
        default: break
        }
    }

    // MARK: Headings

    /// - Parameter level: 7 for a phase that is headed by a bold line or an item.
    func openHeading(_ block: MarkdownBlock, _ level: Int, _ next: ArraySlice<MarkdownBlock>) {
        closeScopes(from: level, before: block.line)
        let title = block.plainText
        // Generators write a task's fields as headings of its own level.
        if let draft = drafts.indices.last, drafts[draft].form == .heading, heading.map({ headings[$0].task == draft && headings[$0].level == level }) == true,
            let field = Field.read(block.spans).first, !field.value.isEmpty
        {
            apply(field, to: draft)
            drafts[draft].task.details = ""
            scopes = [(draft, level)]
            return
        }
        label = nil
        var parent = heading
        while let index = parent, headings[index].level >= level { parent = headings[index].parent }
        var draft = HeadingDraft(level: level, title: title, line: block.line, parent: parent)
        let wording = HeadingWording(title)
        let above = parent.map { headings[$0] }
        draft.isDependency = wording.isDependency || (above?.isDependency == true && !wording.isPhase)
        draft.isPhase = wording.isPhase && !wording.isDependency && scopes.isEmpty
        // `#### P1-03: Ship` below the criteria is about that task again.
        let isTask = wording.label == nil && above?.label != nil && TaskLine(block.spans, hasBox: true).id != nil
        draft.label = wording.label ?? (draft.isPhase || isTask ? nil : above?.label)
        draft.story = wording.story
        draft.priority = wording.priority
        draft.estimate = wording.estimate
        if draft.isPhase { draft.title = wording.title }
        if TaskSentence.mayStateOrder(title) { draft.statements.append(Statement(text: title, line: block.line)) }
        headings.append(draft)
        heading = headings.count - 1
        countLines.append(CountLine(text: title, line: block.line, heading: heading))
        if draft.label != nil, let own = draft.label {
            label = (own, title, true)
            return
        }
        if !draft.isPhase, !draft.isDependency, !wording.isExample { draftHeadingTask(block, level, next) }
        if level == 1, self.title == nil, drafts.isEmpty { self.title = title }
    }

    private func draftHeadingTask(_ block: MarkdownBlock, _ level: Int, _ next: ArraySlice<MarkdownBlock>) {
        let line = TaskLine(block.spans, hasBox: true)
        let isStory = HeadingWording.isStory(block.plainText)
        guard line.id != nil || line.box != nil || isStory else { return }
        let isNumber = !line.hasTaskWord && line.id?.utf8.first?.isDigit == true && line.box == nil
        // `### 2.3 Configure DNS` is a chapter, and `### Story 1.1: ...` a heading of tasks, unless what follows makes a task of it.
        if isNumber || isStory, !ChapterSurvey(next, below: level).isTask(isStory: isStory) || level < 3 { return }
        if !isNumber, !isStory, line.certainty == .likely, line.afterID != 0x3A, !line.isMarkedID { return }
        var draft = draft(line, .heading, at: block.line)
        draft.heading = headings[headings.count - 1].parent
        if isStory {
            draft.id = nil
            draft.task.title = headings[headings.count - 1].title
            draft.task.story = headings[headings.count - 1].story
        }
        drafts.append(draft)
        headings[headings.count - 1].task = drafts.count - 1
        scopes.append((drafts.count - 1, level))
    }

    // MARK: Scopes

    /// Ends the scopes of a level and deeper, and keeps what stood in them as details.
    func closeScopes(from level: Int, before line: Int) {
        while let scope = scopes.last, scope.level >= level {
            scopes.removeLast()
            let draft = drafts[scope.draft]
            let first = draft.task.source.line + 1
            let end = nestedLine(after: scope.draft) ?? line
            let more = trimmedLines(first, end - 1)
            if !more.isEmpty {
                drafts[scope.draft].task.details += (draft.task.details.isEmpty ? "" : "\n\n") + more
            }
        }
        if level < 7 { label = nil }
    }

    /// The line of the first task that was drafted inside another.
    func nestedLine(after draft: Int) -> Int? {
        draft + 1 < drafts.count && !drafts[draft + 1].isDropped ? drafts[draft + 1].task.source.line : nil
    }

    func trimmedLines(_ first: Int, _ last: Int) -> String {
        var lines = text.lines(first, last).utf8.split(separator: 0x0A, omittingEmptySubsequences: false).map { Substring($0) }[...]
        while let line = lines.first, line.utf8.allSatisfy(\.isBlank) { lines.removeFirst() }
        while let line = lines.last, line.utf8.allSatisfy(\.isBlank) { lines.removeLast() }
        if lines.last == "---" { lines.removeLast() }
        let indent = lines.filter { !$0.utf8.allSatisfy(\.isBlank) }.map { $0.utf8.prefix { $0 == 0x20 }.count }.min() ?? 0
        return lines.map { line in Substring(line.utf8.dropFirst(min(indent, line.utf8.prefix { $0 == 0x20 }.count))) }.joined(separator: "\n").trimmed
    }

    // MARK: Paragraphs

    private func readParagraph(_ block: MarkdownBlock) {
        if isInDependencies, scopes.isEmpty {
            for line in block.spans.lines { stateOrder(line.plainText, line[0].line, subject: heading.map { headings[$0].title }) }
            addCountLines(block)
            return
        }
        let lines = block.spans.lines
        guard let first = lines.first else { return }
        if lines.count == 1, first[0].isStrong, scopes.allSatisfy({ $0.level == 7 }), first.dropFirst().allSatisfy({ $0.isStrong || $0.text.utf8.first == 0x28 || $0.text.hasPrefix(" (") }),
            HeadingWording(first.plainText).isPhase
        {
            // `**Phase 1: Setup**` alone heads what follows.
            openHeading(block, 7, [])
            return
        }
        let fields = Field.read(first)
        if fields.isEmpty, let line = paragraphTask(first) {
            closeScopes(from: 7, before: block.line)
            // Several numbered lines in one paragraph are several tasks.
            var current: Int?
            for spans in lines {
                if current == nil || paragraphTask(spans) != nil, Field.read(spans).isEmpty {
                    let line = spans == first ? line : TaskLine(spans, hasBox: true)
                    if current != nil { closeScopes(from: 7, before: spans[0].line) }
                    var draft = draft(line, .paragraph, at: spans[0].line)
                    draft.heading = heading
                    addCommands(spans, to: &draft.task)
                    drafts.append(draft)
                    current = drafts.count - 1
                    scopes.append((drafts.count - 1, 7))
                } else if let current {
                    let fields = Field.read(spans)
                    for field in fields { apply(field, to: current) }
                    if fields.isEmpty { addCommands(spans, to: &drafts[current].task) }
                }
            }
            label = nil
            return
        }
        readFields(block, under: owner, known: fields)
    }

    /// A paragraph that begins with a certain id is a task: `**TASK_001** [MEDIUM]: text`.
    private func paragraphTask(_ spans: [MarkdownSpan]) -> TaskLine? {
        guard heading.map({ headings[$0].label == nil }) ?? true else { return nil }
        let line = TaskLine(spans, hasBox: true)
        guard let id = line.id, !line.rest.isEmpty else { return nil }
        if !line.hasTaskWord, id.utf8.first?.isDigit == true, line.box == nil { return nil }
        guard line.certainty == .certain || line.certainty == .requirement || line.isMarkedID else { return nil }
        guard line.isMarkedID || line.afterID == 0x3A || line.afterID == 0x5B || line.rest != line.whole, !TaskSentence.isMention(after: line.rest) else { return nil }
        return line.isMarkedID || line.afterID == 0x3A || line.priority != nil || line.isParallel || line.story != nil || line.box != nil ? line : nil
    }

    /// A paragraph's labelled lines, its commands and statements.
    /// - Parameter known: the fields of the first line, where they were read already.
    func readFields(_ block: MarkdownBlock, under draft: Int?, known: [Field]? = nil) {
        var last: Field?
        let lines = block.spans.lines
        var wasField = false
        for (index, spans) in lines.enumerated() {
            let fields = index == 0 ? known ?? Field.read(spans) : Field.read(spans)
            if fields.isEmpty, wasField, let field = last, field.value.isEmpty == false || lines.count > 1 {
                // A value that goes on in the next line.
                var more = field
                more.value = spans.plainText
                if draft == nil { extend(more) }
            }
            for field in fields {
                if let draft, label(names: field.name, other: draft) == false { apply(field, to: draft) } else { apply(field) }
                last = field
            }
            wasField = !fields.isEmpty
            if fields.isEmpty {
                if let draft {
                    addCommands(spans, to: &drafts[draft].task)
                    addStatement(spans.plainText, spans[0].line, to: draft)
                } else if heading != nil, TaskSentence.mayStateOrder(spans.plainText), Field.phaseSubject(spans.plainText) {
                    statements.append(Statement(text: spans.plainText, line: spans[0].line))
                }
            }
        }
        if let last, last.value.isEmpty, wasField {
            label = (last.label, last.name, false)
        } else if wasField == false, label?.isHeading == false {
            label = nil
        }
        if draft == nil { addCountLines(block) }
    }

    /// Whether a label names a task other than the one it stands under.
    private func label(names name: String, other draft: Int) -> Bool {
        let bytes = Array(name.utf8)
        guard bytes.contains(where: \.isDigit), let id = drafts[draft].id else { return false }
        for start in bytes.indices {
            if let end = TaskIdentifier.ticketEnd(bytes, start) { return String(decoding: bytes[start..<end], as: UTF8.self).uppercased() != id.uppercased() }
        }
        return false
    }

    func addCountLines(_ block: MarkdownBlock) {
        for spans in block.spans.lines { countLines.append(CountLine(text: spans.plainText, line: spans[0].line, heading: heading)) }
    }

    // MARK: Code

    func readCode(_ block: MarkdownBlock, _ info: String, under draft: Int?) {
        if let draft {
            for command in CommandReader.commands(block: block.literal, info: info) where !drafts[draft].task.commands.contains(command) {
                drafts[draft].task.commands.append(command)
            }
        } else if isInDependencies {
            for (offset, line) in block.literal.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
                let isFenced = text.lines(block.line, block.line).trimmed.hasPrefix("```") || text.lines(block.line, block.line).trimmed.hasPrefix("~~~")
                stateOrder(String(line).trimming(["│", "|", " ", "┌", "┐", "└", "┘", "─"]), block.line + offset + (isFenced ? 1 : 0), subject: nil)
            }
        }
        if label?.isHeading == false { label = nil }
    }

    func stateOrder(_ line: String, _ number: Int, subject: String?) {
        if TaskSentence.mayStateOrder(line) { statements.append(Statement(text: line, line: number, subject: subject)) }
    }

    // MARK: Drafts

    /// A draft of what a task's line says.
    func draft(_ line: TaskLine, _ form: TaskDraft.Form, at number: Int) -> TaskDraft {
        var task = DeclaredTask(id: "", title: line.title, source: location(number))
        task.details = line.details
        task.priority = line.priority
        task.story = line.story
        task.estimate = line.estimate
        if line.isParallel { task.order = .parallel }
        var draft = TaskDraft(form: form, task: task, whole: line.whole, key: line.rest.matchKey)
        draft.id = line.id
        draft.certainty = line.certainty
        draft.isDone = line.isDone
        if TaskSentence.mayStateOrder(line.rest) { draft.statements.append(Statement(text: line.rest, line: number)) }
        return draft
    }

    func addCommands(_ spans: [MarkdownSpan], to task: inout DeclaredTask) {
        for (index, span) in spans.enumerated() where span.isCode {
            let before = index > 0 && !spans[index - 1].isCode ? spans[index - 1].text : ""
            if let command = CommandReader.command(span: span.text, after: before), !task.commands.contains(command) { task.commands.append(command) }
        }
    }

    func addStatement(_ text: String, _ line: Int, to draft: Int) {
        if TaskSentence.mayStateOrder(text) { drafts[draft].statements.append(Statement(text: text, line: line)) }
    }
}
