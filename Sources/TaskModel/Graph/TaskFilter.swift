import ResourceModel

/// Which tasks of a board are shown: those that fit one word of each kind that is given.
package struct TaskFilter: Sendable, Hashable {
    private var states: Set<TaskStatus.State> = []
    private var phases: Set<String> = []
    private var priorities: Set<TaskPriority.Level> = []
    private var stories: Set<String> = []
    private var isForPhases = false

    /// - Parameters:
    ///   - states: names of states in any case, or what people say for them: `todo` (pending or blocked), `open` (not ended), `done`,
    ///     `doing`, `error`.
    ///   - phases: an id, a number, a title or a part of one, in any case.
    ///   - priorities: as in documents.
    ///   - stories: `US1`, in any case.
    /// - Throws: a `Problem` with code `task.filter` that lists what there is.
    package init(states: [String] = [], phases: [String] = [], priorities: [String] = [], stories: [String] = [], of board: TaskBoard) throws(Problem) {
        for word in states { self.states.formUnion(try Self.states(word)) }
        for word in phases {
            let found = Self.phases(word, in: board.phases)
            guard !found.isEmpty else {
                let known = board.phases.map { "\($0.id) (\($0.title))" }
                throw Problem(
                    code: "task.filter", message: "no phase is called `\(word)`",
                    hint: known.isEmpty ? "the list has no phases" : "there are: \(known.joined(separator: ", "))")
            }
            self.phases.formUnion(found)
        }
        isForPhases = !phases.isEmpty
        for word in priorities {
            guard let priority = TaskPriority(word) else {
                throw Problem(code: "task.filter", message: "`\(word)` is no priority", hint: "write critical, high, medium or low, or P0 to P3")
            }
            self.priorities.insert(priority.level)
        }
        self.stories = Set(stories.map { $0.lowercased() })
    }

    package func includes(_ task: Int, of board: TaskBoard) -> Bool {
        if !states.isEmpty, !states.contains(board.statuses[task].state) { return false }
        if isForPhases, !(board.tasks[task].phase.map(phases.contains) ?? false) { return false }
        if !priorities.isEmpty, !(board.priority(of: task).map { priorities.contains($0.level) } ?? false) { return false }
        if !stories.isEmpty, !(board.story(of: task).map { stories.contains($0.lowercased()) } ?? false) { return false }
        return true
    }

    private static func states(_ word: String) throws(Problem) -> Set<TaskStatus.State> {
        if let state = TaskStatus.State.allCases.first(where: { $0.rawValue.lowercased() == word.lowercased() }) { return [state] }
        switch word.lowercased() {
        case "todo", "to-do": return [.pending, .blocked]
        case "open", "left": return [.pending, .blocked, .running, .failed]
        case "done", "complete", "completed", "success": return [.succeeded]
        case "doing", "in-progress", "started", "active": return [.running]
        case "error", "failure": return [.failed]
        default:
            throw Problem(
                code: "task.filter", message: "`\(word)` is no state",
                hint: "write \(TaskStatus.State.allCases.map { $0.rawValue.lowercased() }.joined(separator: ", ")), todo, open or done")
        }
    }

    /// The phases that a word names; an exact name wins over a part of one.
    package static func phases(_ word: String, in phases: [TaskPhase]) -> [String] {
        let word = word.lowercased()
        let exact = phases.filter { $0.id.lowercased() == word || $0.title.lowercased() == word }
        if !exact.isEmpty { return exact.map(\.id) }
        if word.allSatisfy({ $0.isNumber || $0 == "." }) {
            return phases.filter { phase in
                [phase.title, phase.id].contains { text in
                    // The first number of `Phase 5: Name` or `phase-5`.
                    let number = text.drop { !$0.isNumber }.prefix { $0.isNumber || $0 == "." }
                    return number == word || number == word + "."
                }
            }.map(\.id)
        }
        return phases.filter { $0.title.lowercased().contains(word) || $0.id.lowercased().contains(word) }.map(\.id)
    }
}
