import ArgumentParser
import ResourceModel
import TaskModel

/// `reconciler tasks show`: everything about one task.
struct TasksShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one task: what it says, what it waits for, what waits for it, its last run.")

    @Argument(help: "The task's id.")
    var id: String
    @OptionGroup var source: TaskSourceOptions
    @Option(name: .shortAndLong, help: "Format of the result.")
    var output: OutputFormat = .table

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            let board = try await source.board()
            let task = try board.task(named: id)
            if output == .table { print(Self.text(board, task)) } else { Printing.print(Self.json(board, task), as: output) }
            return 0
        }
    }

    private static func json(_ board: TaskBoard, _ task: Int) -> JSONValue {
        let id = board.tasks[task].id
        var value = board.json(task)
        value["waitsFor"] = .array(
            TaskObstacles(board.graph, states: board.states).obstacles(of: id).map { TaskOutput.json($0, board) })
        value["predecessors"] = .array(board.graph.predecessors(of: id).map { TaskOutput.json($0, board) })
        value["successors"] = .array(board.graph.successors(of: id).map { TaskOutput.json($0, board) })
        value["run"] = board.runs[task].json
        return value
    }

    private static func text(_ board: TaskBoard, _ task: Int) -> String {
        let declared = board.tasks[task]
        let status = board.statuses[task]
        var lines: [String] = []
        func fact(_ name: String, _ text: String?) {
            guard let text, !text.isEmpty else { return }
            lines.append(name + String(repeating: " ", count: max(1, 14 - name.count)) + TaskOutput.line(text))
        }
        func list(_ name: String, _ texts: [String]) {
            guard !texts.isEmpty else { return }
            lines.append("\(name):")
            for text in texts { lines += TaskOutput.lines(text).enumerated().map { ($0.offset == 0 ? "  - " : "    ") + $0.element } }
        }
        fact("task", "\(declared.id) \(declared.title)")
        fact("state", state(status))
        fact("phase", declared.phase.map { id in board.phase(of: task).map { $0.title == id ? id : "\(id) (\($0.title))" } ?? id })
        fact("section", declared.section)
        fact("priority", board.priority(of: task).map { $0.text == $0.description ? $0.text : "\($0) (\($0.text))" })
        fact("story", board.story(of: task))
        fact("order", order(declared.order))
        fact("estimate", declared.estimate?.text)
        fact("source", declared.source.path.isEmpty ? nil : "\(declared.source)")
        fact("also at", declared.alsoAt.map(\.description).joined(separator: ", "))
        lines += runs(board, task)
        let obstacles = TaskObstacles(board.graph, states: board.states).obstacles(of: declared.id)
        if !board.hasEnded(task) { fact("waits for", obstacles.isEmpty ? "nothing" : TaskOutput.obstacles(obstacles, board, limit: 20)) }
        fact("comes after", neighbours(board.graph.predecessors(of: declared.id)))
        fact("opens", neighbours(board.graph.successors(of: declared.id)))
        let later = board.graph.descendants(of: declared.id).count
        if later > 0 { fact("in all", "\(TaskOutput.number(later, "task")) behind it") }
        if !declared.details.isEmpty { lines += [""] + TaskOutput.lines(declared.details) + [""] }
        list("commands", declared.commands)
        list("deliverables", declared.deliverables)
        list("acceptance", declared.acceptance)
        list("risks", declared.risks)
        while lines.last == "" { lines.removeLast() }
        return lines.joined(separator: "\n")
    }

    private static func neighbours(_ neighbours: [TaskNeighbour]) -> String {
        let words = neighbours.prefix(20).map { neighbour in
            switch neighbour.reason {
            case .dependency: "\(neighbour.id) (by name)"
            case .order: neighbour.id
            case .phase: "phase \(neighbour.id)"
            }
        }
        return words.joined(separator: ", ") + (neighbours.count > 20 ? " and \(neighbours.count - 20) more" : "")
    }

    private static func order(_ order: DeclaredTask.Order) -> String {
        switch order {
        case .sequential: "after the tasks before it in its phase"
        case .parallel: "beside its neighbours that are marked [P]"
        case .declared: "as soon as what it depends on by name has ended"
        }
    }

    static func state(_ status: TaskStatus) -> String {
        let reason = status.reason.isEmpty ? "" : " (\(status.reason))"
        return status.state.rawValue + reason + (status.message.isEmpty ? "" : ": \(status.message)")
    }

    /// Attempts, times, exit code, log, approval, as far as they are known.
    private static func runs(_ board: TaskBoard, _ task: Int) -> [String] {
        let status = board.statuses[task]
        var facts: [(String, String)] = []
        if status.attempts > 0 { facts.append(("attempts", "\(status.attempts)")) }
        if let started = status.startedAt {
            let ended = status.finishedAt.map { ", ended \(Clocks.text($0)) UTC (\(Int(($0 - started).rounded())) s)" } ?? ""
            facts.append(("last attempt", "began \(Clocks.text(started)) UTC\(ended)"))
        } else if let finished = status.finishedAt {
            facts.append(("ended", "\(Clocks.text(finished)) UTC"))
        }
        if let code = status.exitCode { facts.append(("exit code", "\(code)")) }
        if let next = status.nextAttemptAt { facts.append(("next attempt", "not before \(Clocks.text(next)) UTC")) }
        if let log = status.log { facts.append(("log", "\(log) (reconciler tasks logs \(board.tasks[task].id))")) }
        if board.runs[task].needsApproval { facts.append(("approval", status.approvedBy.map { "by \($0)" } ?? "is needed: reconciler tasks approve \(board.tasks[task].id)")) }
        return facts.map { $0.0 + String(repeating: " ", count: 14 - $0.0.count) + TaskOutput.line($0.1) }
    }
}
