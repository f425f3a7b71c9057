import ResourceModel

extension TaskDocumentReader {
    /// Reads a list's items: tasks, parts of the task `under` it, statements on order, or lines of a label.
    func readList(_ list: MarkdownBlock, under parent: Int?) {
        for item in list.children { readItem(item, under: parent) }
    }

    private func readItem(_ item: MarkdownBlock, under parent: Int?) {
        guard let first = item.children.first, first.kind == .paragraph else {
            // An item that begins with a list, a code block or nothing.
            readParts(item.children[...], under: parent)
            return
        }
        let lines = first.spans.lines
        let head = titleLines(lines)
        let line = TaskLine(head, hasBox: true)
        let owner = parent ?? self.owner
        if line.box != nil || line.id != nil, let draft = itemTask(line, head, item, owner) {
            drafts.append(draft)
            let index = drafts.count - 1
            let rest = lines.dropFirst(head.isEmpty ? 0 : lineCount(head, lines))
            for spans in rest { for field in Field.read(spans) { apply(field, to: index) } }
            let count = drafts.count
            readParts(item.children.dropFirst(), under: index)
            let end = drafts.count > count ? drafts[count].task.source.line - 1 : item.endLine
            let more = trimmedLines(first.endLine + 1, end)
            if !more.isEmpty { drafts[index].task.details += (drafts[index].task.details.isEmpty ? "" : "\n\n") + more }
            return
        }
        readPlainItem(item, first, lines, line, parent: parent)
    }

    /// The lines of the first paragraph up to the first that is a field.
    private func titleLines(_ lines: [[MarkdownSpan]]) -> [MarkdownSpan] {
        var head = [MarkdownSpan]()
        for (index, spans) in lines.enumerated() {
            if index > 0 {
                if !Field.read(spans).isEmpty { break }
                head.append(MarkdownSpan(text: " ", isCode: false, isStrong: false, line: spans[0].line))
            }
            head += spans
        }
        return head
    }

    private func lineCount(_ head: [MarkdownSpan], _ lines: [[MarkdownSpan]]) -> Int {
        var count = 1
        while count < lines.count, Field.read(lines[count]).isEmpty { count += 1 }
        return count
    }

    /// The task that an item is; `nil` when it is a part of another, or none.
    private func itemTask(_ line: TaskLine, _ spans: [MarkdownSpan], _ item: MarkdownBlock, _ owner: Int?) -> TaskDraft? {
        let criterion = label?.label == .acceptance || label?.label == .risks
        var isID = line.id != nil
        if line.box == nil {
            // Without a box only an id makes a task of an item, and only where no order is stated.
            guard isID, !isInDependencies, label == nil || label?.label == .tasks else { return nil }
            guard line.certainty == .certain || line.certainty == .requirement || line.isMarkedID, !line.rest.isEmpty else { return nil }
            if line.id?.utf8.first?.isDigit == true, !line.hasTaskWord, !line.isMarkedID || owner != nil { return nil }
            if line.certainty == .likely { return nil }
            guard line.rest.utf8.count > 1, !TaskSentence.isMention(after: line.rest), line.afterID != 0x2C else { return nil }
            if !line.isMarkedID, line.afterID != 0x5B, TaskSentence.beginsLower(line.rest) { return nil }
        } else {
            if line.rest.isEmpty, !isID { return nil }
            isID = isID && (line.certainty == .certain || line.isMarkedID)
            if !isID || line.certainty == .requirement, owner != nil || criterion || label?.label == .deliverables {
                if owner != nil || label != nil, !(owner == nil && label?.isHeading == true && label?.label == .acceptance) { return nil }
            }
        }
        var draft = draft(line, line.box != nil ? .box : .bullet, at: item.line)
        draft.heading = heading
        draft.isCriterion = criterion
        addCommands(spans, to: &draft.task)
        return draft
    }

    /// An item that is no task of its own.
    private func readPlainItem(_ item: MarkdownBlock, _ first: MarkdownBlock, _ lines: [[MarkdownSpan]], _ line: TaskLine, parent: Int?) {
        let owner = parent ?? self.owner
        let text = line.box != nil ? (line.id != nil ? line.whole : line.rest) : first.plainText
        if isInDependencies, owner == nil {
            for spans in lines { stateOrder(spans.plainText, spans[0].line, subject: heading.map { headings[$0].title }) }
            addCountLines(first)
            readParts(item.children.dropFirst(), under: parent)
            return
        }
        let fields = line.box == nil ? lines.flatMap(Field.read) : []
        if !fields.isEmpty {
            for field in fields {
                if let owner { apply(field, to: owner) } else { apply(field) }
            }
            let saved = label
            let takesLists: [FieldLabel] = [.deliverables, .acceptance, .risks, .dependencies]
            if let last = fields.last, last.value.isEmpty || takesLists.contains(last.label) { label = (last.label, last.name, false) }
            readParts(item.children.dropFirst(), under: parent)
            label = saved
            return
        }
        if owner == nil, label == nil, item.children.count > 1, HeadingWording(text).isPhase, item.children.contains(where: { if case .list = $0.kind { true } else { false } }) {
            openHeading(first, 7, [])
            readParts(item.children.dropFirst(), under: nil)
            return
        }
        let key = line.rest.matchKey
        if let label, label.label != .tasks || owner != nil, label.label != .other {
            add(text, label: label.label, name: label.name, to: owner, line: item.line)
            // Criteria may be what a numbered list names too.
            if owner == nil { plainItems.append(PlainItem(key: key, heading: heading, line: item.line)) }
        } else if let owner {
            if line.box != nil || (drafts[owner].form == .heading && parent == nil) { drafts[owner].task.deliverables.append(text) }
            if line.box == nil { addCommands(first.spans, to: &drafts[owner].task) }
            addStatement(text, item.line, to: owner)
        } else if !key.isEmpty {
            plainItems.append(PlainItem(key: key, heading: heading, line: item.line))
            addCountLines(first)
        }
        readParts(item.children.dropFirst(), under: parent)
    }

    /// What stands in an item below its first paragraph.
    private func readParts(_ parts: ArraySlice<MarkdownBlock>, under parent: Int?) {
        for part in parts {
            switch part.kind {
            case .list: readList(part, under: parent)
            case .code(let info): readCode(part, info, under: parent ?? owner)
            case .paragraph: readFields(part, under: parent ?? owner)
            case .table: readTable(part)
            default: break
            }
        }
    }
}
