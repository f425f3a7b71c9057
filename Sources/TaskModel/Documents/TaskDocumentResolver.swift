import ResourceModel

/// Makes a document of what was drafted: joins the places of each task, gives ids, finds phases, dependencies and counts.
final class TaskDocumentResolver {
    let reader: TaskDocumentReader
    let path: String
    var drafts: [TaskDraft]
    var headings: [HeadingDraft]
    var document: TaskDocument
    var problems: [Problem] = []
    /// The phase that a heading is.
    var phaseOfHeading: [Int: Int] = [:]
    /// Each kept draft's phase, by index.
    var phases: [Int?] = []
    var references = TaskReferences()
    /// Where a phase was said not to wait for the one before, or for which.
    var phaseDependencies: [Int: Set<Int>] = [:]
    /// The tasks of each phase, and those right under each heading.
    var phaseTasks: [[Int]] = []
    var headingTasks: [Int: [Int]] = [:]
    /// How many tasks each phase has.
    var counts: [Int: Int] = [:]
    /// How many dependencies were stated.
    var stated = 0

    init(_ reader: TaskDocumentReader, title: String?, path: String) {
        self.reader = reader
        self.path = path
        drafts = reader.drafts
        headings = reader.headings
        document = TaskDocument(title: Self.title(title ?? reader.title) ?? path.split(separator: "/").last.map(String.init) ?? path, paths: [path])
    }

    /// - Throws: `Problems`: no task, ids used twice, dependencies on unknown ids.
    func resolve() throws -> TaskDocument {
        decideIdentifiers()
        dropDoubtful()
        joinTwins()
        drafts = drafts.filter { !$0.isDropped }
        guard !drafts.isEmpty else { throw Problems([noTask]) }
        findPhases()
        giveIdentifiers()
        joinSameIdentifiers()
        references = TaskReferences(drafts, document.phases, phases, headings: phaseOfHeading)
        attachLabelled()
        resolveDependencies()
        finish()
        countTasks()
        if !problems.isEmpty { throw Problems(problems) }
        return document
    }

    func location(_ line: Int) -> SourceLocation { SourceLocation(path: path, line: line) }

    func warn(_ code: String, _ message: String, _ line: Int, hint: String? = nil) {
        document.warnings.append(Problem(code: code, severity: .warning, message: message, location: location(line), hint: hint))
    }

    func fail(_ code: String, _ message: String, _ line: Int, hint: String? = nil) {
        // A document of another kind would have thousands.
        guard problems.count < 50 else { return }
        problems.append(Problem(code: code, message: message, location: location(line), hint: hint))
    }

    private static func title(_ heading: String?) -> String? {
        guard let heading, !heading.isEmpty else { return nil }
        for prefix in ["Tasks: ", "Task List: "] where heading.hasPrefix(prefix) { return String(heading.dropFirst(prefix.utf8.count)) }
        return heading
    }

    private var noTask: Problem {
        Problem(
            code: "tasks.none",
            message:
                "declares no task: there is no checklist item (- [ ] text), no numbered requirement (**TASK_001** [HIGH]: text), no heading such as ### Task 1.2: Name, and no table with an id and a task column",
            location: location(0), hint: "tasks in code fences, quotes and comments do not count; see docs/task-documents.md")
    }

    // MARK: Which words are ids

    /// A word such as `S3` at the head of an item is an id when two items begin with such a word, numbers when no two are the same.
    private func decideIdentifiers() {
        var shapes: [String: Set<String>] = [:]
        var numbers: [String: Int] = [:]
        for draft in drafts where !draft.isDropped {
            guard let id = draft.id else { continue }
            if draft.certainty == .likely { shapes[TaskIdentifier.shape(id), default: []].insert(id) }
            if draft.certainty == .number { numbers[id, default: 0] += 1 }
        }
        for index in drafts.indices {
            guard let id = drafts[index].id else { continue }
            switch drafts[index].certainty {
            case .likely where shapes[TaskIdentifier.shape(id), default: []].count < 2: withoutID(index)
            case .number where drafts[index].form == .box && numbers[id, default: 0] > 1: withoutID(index, keepingText: false)
            default: break
            }
        }
    }

    private func withoutID(_ index: Int, keepingText: Bool = true) {
        drafts[index].id = nil
        guard keepingText else { return }
        drafts[index].task.title = drafts[index].whole
        drafts[index].task.details = ""
        drafts[index].key = drafts[index].whole.matchKey
    }

    // MARK: What is no task after all

    private func dropDoubtful() {
        let hasOthers = drafts.contains { !$0.isDropped && $0.certainty != .requirement && !$0.isCriterion }
        for index in drafts.indices {
            // Requirements and criteria are tasks only where there is nothing else.
            if hasOthers, drafts[index].certainty == .requirement, drafts[index].id != nil, drafts[index].form != .box { drafts[index].isDropped = true }
        }
    }

    // MARK: Tasks that stand twice

    /// Gives numbered tasks the phase and section of the unnumbered items that say the same; the k-th goes with the k-th.
    private func joinTwins() {
        var numbered: [String: [Int]] = [:]
        var hasNumbered = false
        for index in drafts.indices where !drafts[index].isDropped && drafts[index].id != nil {
            numbered[drafts[index].key, default: []].append(index)
            hasNumbered = true
        }
        guard hasNumbered else { return dropCriteria(hasTasks: drafts.contains { !$0.isDropped && !$0.isCriterion }) }
        struct Twin { var draft: Int?; var heading: Int?; var line: Int }
        var twins: [String: [Twin]] = [:]
        for index in drafts.indices where !drafts[index].isDropped && drafts[index].id == nil {
            twins[drafts[index].key, default: []].append(Twin(draft: index, heading: drafts[index].heading, line: drafts[index].task.source.line))
        }
        for item in reader.plainItems where numbered[item.key] != nil {
            twins[item.key, default: []].append(Twin(heading: item.heading, line: item.line))
        }
        for (key, owners) in numbered {
            guard let places = twins[key]?.sorted(by: { $0.line < $1.line }) else { continue }
            for (owner, place) in zip(owners, places) {
                drafts[owner].heading = place.heading
                drafts[owner].task.alsoAt.append(location(place.line))
                guard let twin = place.draft else { continue }
                merge(twin, into: owner)
                drafts[twin].isDropped = true
            }
        }
        // What has no number where others have one is a task only in a phase, beside them.
        for index in drafts.indices where !drafts[index].isDropped && drafts[index].id == nil && drafts[index].form == .box {
            if drafts[index].isCriterion {
                dropCriterion(index)
            } else if !(drafts[index].heading.map { isInPhase($0) } ?? false) {
                drafts[index].isDropped = true
            }
        }
    }

    private func dropCriteria(hasTasks: Bool) {
        guard hasTasks else { return }
        for index in drafts.indices where !drafts[index].isDropped && drafts[index].isCriterion && drafts[index].id == nil { dropCriterion(index) }
    }

    /// A ticked or unticked criterion is part of what its section is checked by.
    private func dropCriterion(_ index: Int) {
        drafts[index].isDropped = true
        if let heading = drafts[index].heading { headings[heading].acceptance.append(drafts[index].whole) }
    }

    private func isInPhase(_ heading: Int) -> Bool {
        var index: Int? = heading
        while let at = index {
            if headings[at].isPhase { return true }
            index = headings[at].parent
        }
        return false
    }

    /// Adds what another place says of a task.
    func merge(_ other: Int, into owner: Int) {
        let twin = drafts[other]
        var draft = drafts[owner]
        if twin.isDone == true || draft.isDone == nil { draft.isDone = twin.isDone ?? draft.isDone }
        draft.task.priority = draft.task.priority ?? twin.task.priority
        draft.task.story = draft.task.story ?? twin.task.story
        draft.task.estimate = draft.task.estimate ?? twin.task.estimate
        if draft.task.title.isEmpty { draft.task.title = twin.task.title }
        if twin.task.order == .parallel { draft.task.order = .parallel }
        if draft.task.details.isEmpty {
            draft.task.details = twin.task.details
        } else if !twin.task.details.isEmpty, twin.task.details != draft.task.details {
            draft.task.details += "\n\n" + twin.task.details
        }
        draft.task.commands += twin.task.commands.filter { !draft.task.commands.contains($0) }
        draft.task.deliverables += twin.task.deliverables.filter { !draft.task.deliverables.contains($0) }
        draft.task.acceptance += twin.task.acceptance.filter { !draft.task.acceptance.contains($0) }
        draft.task.risks += twin.task.risks.filter { !draft.task.risks.contains($0) }
        draft.statements += twin.statements
        draft.statesDependencies = draft.statesDependencies || twin.statesDependencies
        draft.phaseName = draft.phaseName ?? twin.phaseName
        drafts[owner] = draft
    }
}
