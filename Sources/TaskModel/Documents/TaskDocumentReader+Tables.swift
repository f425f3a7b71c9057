import ResourceModel

extension TaskDocumentReader {
    /// Reads a table: of tasks, of what is said of tasks elsewhere, of numbers of tasks, or of something else.
    func readTable(_ block: MarkdownBlock) {
        guard let head = block.children.first else { return }
        let table = TaskTable(head.children.map(\.plainText))
        let rows = block.children.dropFirst()
        // Rows are one line each, and the last is the table's end.
        let firstLine = block.endLine - rows.count + 1
        let isOther = heading.map { headings[$0].label == .risks } ?? false
        if !isOther, table.listsTasks {
            for (offset, row) in rows.enumerated() { readRow(row.children, table, firstLine + offset) }
        }
        if table.count != nil, table.id == nil || table.title == nil {
            for (offset, row) in rows.enumerated() {
                countLines.append(CountLine(cells: row.children.map(\.plainText), table: table, line: firstLine + offset, heading: heading))
            }
        }
        if label?.isHeading == false { label = nil }
    }

    private func readRow(_ cells: [MarkdownBlock], _ table: TaskTable, _ number: Int) {
        func cell(_ column: Int?) -> MarkdownBlock? { column.flatMap { $0 < cells.count ? cells[$0] : nil } }
        func text(_ column: Int?) -> String { cell(column)?.plainText ?? "" }
        guard let titleCell = cell(table.title) else { return }
        var line = TaskLine(titleCell.spans, hasBox: true)
        let name = Self.cellID(text(table.id))
        if table.id != nil {
            // `**Total**` has no id; a row under a merged cell goes on.
            guard !name.id.isEmpty, !titleCell.plainText.isEmpty || name.isID else { return }
            if name.id.words.contains("total") || titleCell.plainText.words.first == "total" { return }
            if !name.isID { return }
            let own = line.id
            if own == nil || own?.uppercased() != name.id.uppercased() {
                if own != nil { line = TaskLine([MarkdownSpan(text: line.whole, isCode: false, isStrong: true, line: number)], hasBox: false) }
            }
            line.id = name.id
            line.certainty = name.id.utf8.allSatisfy(\.isDigit) ? .number : .certain
            if let certain = Optional(TaskIdentifier.certainty(name.id)), certain == .requirement { line.certainty = .requirement }
        } else if line.id == nil, line.title.isEmpty || line.title.words.first == "total" {
            return
        }
        var draft = draft(line, .row, at: number)
        if table.id != nil {
            draft.whole = titleCell.plainText
            draft.task.title = line.id == name.id && line.title.isEmpty ? "" : line.title
        }
        draft.heading = heading
        if let isDone = name.isDone { draft.isDone = draft.isDone ?? isDone }
        draft.task.priority = TaskLine.priority(text(table.priority)) ?? draft.task.priority
        let estimate = text(table.estimate)
        draft.task.estimate = TaskEstimate(reading: estimate, unit: table.unit) ?? TaskEstimate(reading: Self.beforeParenthesis(estimate), unit: table.unit) ?? draft.task.estimate
        if table.status != nil, let isDone = Self.isDone(text(table.status)) { draft.isDone = isDone }
        draft.task.story = TaskLine.story(text(table.story)) ?? draft.task.story
        if ["yes", "true", "p", "[p]", "x", "✅", "✓"].contains(text(table.parallel).lowercased()) { draft.task.order = .parallel }
        if table.dependencies != nil {
            draft.statesDependencies = true
            draft.statements.append(Statement(text: text(table.dependencies), line: number, isField: true))
        }
        if table.blocks != nil { draft.statements.append(Statement(text: text(table.blocks), line: number, isField: true, isReverse: true)) }
        if !text(table.phase).isEmpty { draft.phaseName = text(table.phase) }
        draft.task.deliverables = Self.entries(cell(table.deliverables))
        draft.task.acceptance = Self.entries(cell(table.acceptance))
        draft.task.risks = Self.entries(cell(table.risks))
        let details = text(table.details)
        if !details.isEmpty, details != "-", details != "—" { draft.task.details += (draft.task.details.isEmpty ? "" : "\n\n") + details }
        for column in [table.title, table.details, table.commands] { if let cell = cell(column) { addCommands(cell.spans, to: &draft.task) } }
        drafts.append(draft)
    }

    /// The id in a cell: without marks, boxes and `Task`.
    private static func cellID(_ text: String) -> (id: String, isID: Bool, isDone: Bool?) {
        let line = TaskLine([MarkdownSpan(text: text, isCode: false, isStrong: false, line: 0)], hasBox: true)
        if let id = line.id, line.rest.isEmpty { return (id, true, line.isDone) }
        let plain = line.whole.trimming(["*", "`", "#", "[", "]", ".", " ", ":"])
        let isWord = !plain.isEmpty && plain.utf8.count <= 24 && plain.utf8.allSatisfy { $0.isWordByte || $0 == 0x2D || $0 == 0x2E } && plain.utf8.contains(where: \.isDigit)
        return (plain, isWord, line.isDone)
    }

    /// A cell's entries, parted by line breaks or `;`.
    private static func entries(_ cell: MarkdownBlock?) -> [String] {
        guard let cell else { return [] }
        return cell.spans.lines.map(\.plainText).joined(separator: ";").split(separator: ";")
            .map { String($0).trimmed.trimming(["•"]).trimmed }.filter { !$0.isEmpty && $0 != "-" && $0 != "—" }
    }
}
