import ResourceModel

extension TaskDocumentResolver {
    /// Gives lines under a label that names a task or phase to it, and sections' lines to their task or phase.
    func attachLabelled() {
        var sizes: [Int: Int] = [:]
        var first: [Int: Int] = [:]
        for (index, draft) in drafts.enumerated() {
            guard let heading = draft.heading else { continue }
            sizes[heading, default: 0] += 1
            first[heading] = first[heading] ?? index
        }
        for lines in reader.labelled {
            if let task = task(named: lines.name) {
                attach(lines.lines, lines.label, to: task)
            } else if let heading = lines.heading, let at = phaseHeading(heading), let phase = phaseOfHeading[at] {
                attach(lines.lines, lines.label, toPhase: phase)
            }
        }
        for (index, heading) in headings.enumerated() where !(heading.deliverables.isEmpty && heading.acceptance.isEmpty && heading.risks.isEmpty) {
            let single = sizes[index] == 1 ? first[index] : nil
            let owner = heading.label == nil ? nil : task(named: heading.title)
            for (label, lines) in [(FieldLabel.deliverables, heading.deliverables), (.acceptance, heading.acceptance), (.risks, heading.risks)] where !lines.isEmpty {
                if let task = owner ?? single {
                    attach(lines, label, to: task)
                } else if let at = phaseHeading(index), let phase = phaseOfHeading[at] {
                    attach(lines, label, toPhase: phase)
                }
            }
        }
    }

    /// The task whose id stands among a label's words.
    private func task(named name: String) -> Int? {
        let bytes = Array(name.utf8)
        for start in bytes.indices {
            if let end = TaskIdentifier.ticketEnd(bytes, start) ?? TaskIdentifier.numberEnd(bytes, start, dots: 1) {
                if let task = references.task(String(decoding: bytes[start..<end], as: UTF8.self), in: nil) { return task }
            }
        }
        return nil
    }

    private func attach(_ lines: [String], _ label: FieldLabel, to task: Int) {
        switch label {
        case .deliverables: drafts[task].task.deliverables += lines
        case .acceptance: drafts[task].task.acceptance += lines
        case .risks: drafts[task].task.risks += lines
        default: break
        }
    }

    private func attach(_ lines: [String], _ label: FieldLabel, toPhase phase: Int) {
        switch label {
        case .deliverables: document.phases[phase].deliverables += lines
        case .acceptance:
            document.phases[phase].acceptance += lines
            // A phase is checked by its criteria where nothing else is said.
            if document.phases[phase].checkpoint == nil { document.phases[phase].checkpoint = lines.joined(separator: "; ") }
        case .risks: document.phases[phase].risks += lines
        default: break
        }
    }

    /// Puts what headings say into the tasks, and the tasks into the document.
    func finish() {
        for index in drafts.indices {
            var task = drafts[index].task
            task.isDone = drafts[index].isDone ?? false
            if let phase = phases[index] { task.phase = document.phases[phase].id }
            if let heading = drafts[index].heading {
                // The document's title is no section of it.
                if phaseOfHeading[heading] == nil, headings[heading].level > 1 || headings[heading].title != reader.title { task.section = headings[heading].title }
                var above: Int? = heading
                while let at = above, phaseOfHeading[at] == nil {
                    task.priority = task.priority ?? headings[at].priority
                    task.story = task.story ?? headings[at].story
                    above = headings[at].parent
                }
            }
            if task.order == .sequential, drafts[index].statesDependencies { task.order = .declared }
            if task.title.isEmpty { task.title = task.id }
            document.tasks.append(task)
        }
        reader.text.warnings.forEach { document.warnings.append($0) }
    }

    // MARK: Counts

    /// Compares the numbers of tasks that the document states with what was found.
    func countTasks() {
        var seen = Set<String>()
        for line in reader.countLines {
            guard let stated = line.table != nil ? rowCount(line) : sentenceCount(line) else { continue }
            guard seen.insert("\(stated.source.line) \(stated.subject)").inserted else { continue }
            document.counts.append(stated)
            if stated.stated != stated.found {
                warn("tasks.count", "states \(stated.stated) tasks for \(stated.subject), but \(stated.found) were found", stated.source.line, hint: "correct the number, or see docs/task-documents.md for what counts as a task")
            }
        }
        document.counts.sort { $0.source.line < $1.source.line }
        document.warnings.sort { ($0.location?.line ?? 0) < ($1.location?.line ?? 0) }
    }

    private static let whole = "the whole document"

    private func sentenceCount(_ line: CountLine) -> StatedCount? {
        guard let number = StatedNumber.tasks(line.text) else { return nil }
        let source = location(line.line)
        let sentence = OrderSentence.firstGroup(line.text, references)
        if let phase = line.heading.flatMap({ phaseOfHeading[$0] }), headings[line.heading ?? 0].line == line.line {
            return StatedCount(subject: document.phases[phase].id, stated: number.number, found: count(phase), source: source)
        }
        if let sentence, sentence.tasks.isEmpty, sentence.phases.count == 1 {
            return StatedCount(subject: document.phases[sentence.phases[0]].id, stated: number.number, found: count(sentence.phases[0]), source: source)
        }
        if let sentence, !sentence.isEmpty, !number.isTotal { return nil }
        if let phase = line.heading.flatMap({ phaseOfHeading[$0] }), number.isAll, line.heading.map({ headings[$0].isPhase }) == true, document.phases[phase].source.line != line.line,
            !number.isTotal || (number.number != drafts.count && number.number == count(phase))
        {
            return StatedCount(subject: document.phases[phase].id, stated: number.number, found: count(phase), source: source)
        }
        guard number.isTotal else { return nil }
        return StatedCount(subject: Self.whole, stated: number.number, found: drafts.count, source: source)
    }

    private func count(_ phase: Int) -> Int {
        if counts.isEmpty { for case let phase? in phases { counts[phase, default: 0] += 1 } }
        return counts[phase, default: 0]
    }

    /// A row of a table such as `| Phase 2A: Cluster | T005–T006 | 2 |`.
    private func rowCount(_ line: CountLine) -> StatedCount? {
        guard let table = line.table, let column = table.count, column < line.cells.count, let number = Int(line.cells[column].trimmed), let name = line.cells.first else { return nil }
        let source = location(line.line)
        let words = name.words
        if words.first == "total" || words.first == "all" || words.first == "sum" || words.last == "total" {
            return StatedCount(subject: Self.whole, stated: number, found: drafts.count, source: source)
        }
        let ids = table.ids.flatMap { $0 < line.cells.count ? OrderSentence.firstGroup(line.cells[$0], references, all: true) : nil }
        if words.count > 1, words[0] == "phase", let phase = references.phase(number: words[1]) {
            // A part of a phase: `Phase 2A`, with its tasks under a heading `2A`.
            if document.phases[phase].id != "phase-\(words[1])" {
                let inSection = document.tasks.filter { $0.phase == document.phases[phase].id && $0.section?.words.first == words[1] }.count
                let found = ids.map(\.tasks.count) ?? inSection
                return StatedCount(subject: "\(words[0].capitalizedWord) \(words[1].uppercased())", stated: number, found: inSection > 0 ? inSection : found, source: source)
            }
            return StatedCount(subject: document.phases[phase].id, stated: number, found: count(phase), source: source)
        }
        if let found = references.phase(named: words[...]) {
            return StatedCount(subject: document.phases[found.phase].id, stated: number, found: count(found.phase), source: source)
        }
        if let group = references.story(words.first ?? ""), group.phases.count == 1 {
            return StatedCount(subject: document.phases[group.phases[0]].id, stated: number, found: count(group.phases[0]), source: source)
        }
        if let priority = TaskLine.priority(name) {
            let found = document.tasks.filter { ($0.priority ?? document.phase($0.phase)?.priority)?.level == priority.level }.count
            return StatedCount(subject: "priority \(priority)", stated: number, found: found, source: source)
        }
        if let ids, !ids.tasks.isEmpty { return StatedCount(subject: name, stated: number, found: ids.tasks.count, source: source) }
        return nil
    }
}

extension String {
    fileprivate var capitalizedWord: String { prefix(1).uppercased() + dropFirst() }
}

extension OrderSentence {
    /// The tasks and phases that a line names first, or all of them.
    static func firstGroup(_ text: String, _ references: TaskReferences, all: Bool = false) -> TaskReferences.Group? {
        OrderSentence(text, about: Group(), in: nil, references, hasNames: false).named(all: all)
    }

    private func named(all: Bool) -> TaskReferences.Group? {
        var group = TaskReferences.Group()
        for token in groups {
            group.formUnion(token)
            if !all { break }
        }
        return group.isEmpty ? nil : group
    }
}
