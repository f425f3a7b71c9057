import Glibc
import ResourceModel
import TaskModel

/// How commands show tasks.
enum TaskOutput {
    /// What is strange about documents, on standard error.
    static func warn(of board: TaskBoard) {
        for warning in board.warnings { Terminal.error("\(warning.severity.rawValue): \(warning)") }
        for count in board.counts where count.stated != count.found {
            Terminal.error("warning: \(count.source): \(count.subject): \(count.stated) tasks are stated, \(count.found) were found")
        }
    }

    /// `51 tasks in 9 phases`, and what the documents say themselves.
    static func summary(_ board: TaskBoard) -> String {
        let phases = board.phases.isEmpty ? "" : " in \(number(board.phases.count, "phase"))"
        let met = board.counts.count { $0.stated == $0.found }
        let stated = board.counts.isEmpty ? "" : "; \(met) of \(number(board.counts.count, "stated count")) met"
        return "\(number(board.tasks.count, "task"))\(phases), \(board.progress.done) done\(stated)"
    }

    static func number(_ count: Int, _ word: String) -> String { count == 1 ? "1 \(word)" : "\(count) \(word)s" }

    /// ID, state, priority, phase, title.
    static func table(_ board: TaskBoard, _ tasks: [Int]) -> String {
        let rows = tasks.map { task in
            [
                line(board.tasks[task].id), board.states[task].rawValue, board.priority(of: task)?.description ?? "-",
                line(board.tasks[task].phase ?? "-"), cut(line(board.tasks[task].title), 100),
            ]
        }
        return ReconcilerCLI.table(["ID", "STATE", "PRIORITY", "PHASE", "TITLE"], rows)
    }

    /// Text out of a document for a terminal: one line, and nothing that a terminal would obey.
    static func line(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            result.unicodeScalars.append(isControl ? (scalar == "\n" || scalar == "\t" ? " " : "\u{FFFD}") : scalar)
        }
        return result
    }

    /// The same for text of several lines.
    static func lines(_ text: String) -> [String] { text.split(separator: "\n", omittingEmptySubsequences: false).map { line(String($0)) } }

    /// Hours of work as days of eight hours, hours and minutes: `2d 3h`.
    static func work(_ hours: Double) -> String {
        let minutes = Int((hours * 60).rounded())
        guard minutes > 0 else { return "0h" }
        let parts = [(minutes / 480, "d"), (minutes % 480 / 60, "h"), (minutes % 60, "m")]
        return parts.filter { $0.0 > 0 }.map { "\($0.0)\($0.1)" }.joined(separator: " ")
    }

    /// `T003`, `T004 (Failed)`, `phase setup`: what a task waits for.
    static func obstacles(_ neighbours: [TaskNeighbour], _ board: TaskBoard, limit: Int = 4) -> String {
        let shown = neighbours.prefix(limit).map { neighbour in
            if neighbour.reason == .phase { return "phase \(neighbour.id)" }
            let state = board.graph.place(of: neighbour.id).map { board.states[$0] }
            return state == .failed || state == .running ? "\(neighbour.id) (\(state?.rawValue ?? ""))" : neighbour.id
        }
        return line(shown.joined(separator: ", ") + (neighbours.count > limit ? " and \(neighbours.count - limit) more" : ""))
    }

    static func json(_ neighbour: TaskNeighbour, _ board: TaskBoard) -> JSONValue {
        var value: JSONValue = ["id": .string(neighbour.id), "reason": .string(neighbour.reason.rawValue)]
        if neighbour.reason != .phase, let place = board.graph.place(of: neighbour.id) { value["state"] = .string(board.states[place].rawValue) }
        return value
    }

    static let isTerminal = isatty(STDOUT_FILENO) == 1
}

extension TaskBoard {
    /// The task of that id, or one that differs from it only in case or zeros in front of numbers.
    /// - Throws: a `Problem` with the nearest id.
    func task(named id: String) throws -> Int {
        if let place = graph.place(of: id) { return place }
        if let name = names.firstIndex(of: id) { return name }
        let alike = tasks.indices.filter { tasks[$0].id.lowercased() == id.lowercased() }
        if alike.count == 1 { return alike[0] }
        throw Problem(
            code: "task.unknown", message: "there is no task `\(id)` in \(origin)",
            hint: graph.nearest(to: id).map { "did you mean `\($0)`?" } ?? "`reconciler tasks list` shows all")
    }
}
