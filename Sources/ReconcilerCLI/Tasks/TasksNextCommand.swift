import ArgumentParser
import ResourceModel
import TaskModel

/// `reconciler tasks next`: what can be begun now, and why nothing else can.
struct TasksNextCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "next", abstract: "Show what can be begun now, and what the others wait for.")

    @Argument(help: "Documents, instead of a cluster.")
    var files: [String] = []
    @Option(help: "How many of each, at most.")
    var count: Int = 10
    @OptionGroup var source: TaskSourceOptions
    @Option(name: .shortAndLong, help: "Format of the result.")
    var output: OutputFormat = .table

    func validate() throws {
        guard count > 0 else { throw ValidationError("--count \(count): write 1 or more.") }
    }

    /// One task that is not begun, with what keeps it from being.
    private struct Waiting {
        var task: Int
        var obstacles: [TaskNeighbour]
        /// What the cluster says, where no other task is in the way.
        var message: String?
        var failed: Int?
    }

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            let board = try await source.board(files)
            let (ready, waiting, running) = Self.sorted(board)
            if output == .table {
                print(text(board, ready, waiting, running))
            } else {
                Printing.print(Self.json(board, Array(ready.prefix(count)), ready.count, waiting, running), as: output)
            }
            return 0
        }
    }

    private static func sorted(_ board: TaskBoard) -> (ready: [Int], waiting: [Waiting], running: [Int]) {
        let standings = board.graph.standings(board.states)
        let obstacles = TaskObstacles(board.graph, states: board.states)
        var result: (ready: [Int], waiting: [Waiting], running: [Int]) = ([], [], [])
        for (task, standing) in standings.enumerated() {
            switch standing {
            case .ready:
                // A policy, an approval or a placeholder; a status that only tells of other tasks is out of date.
                if board.statuses[task].isHeldByItself {
                    result.waiting.append(Waiting(task: task, obstacles: [], message: board.statuses[task].message))
                } else {
                    result.ready.append(task)
                }
            case .waiting: result.waiting.append(Waiting(task: task, obstacles: obstacles.obstacles(of: board.tasks[task].id)))
            case .blocked(let by): result.waiting.append(Waiting(task: task, obstacles: obstacles.obstacles(of: board.tasks[task].id), failed: by))
            case .running: result.running.append(task)
            case .ended, .failed: break
            }
        }
        return result
    }

    private func text(_ board: TaskBoard, _ ready: [Int], _ waiting: [Waiting], _ running: [Int]) -> String {
        var parts: [String] = []
        if ready.isEmpty {
            parts.append(Self.nothing(board, waiting, running))
        } else {
            let rows = ready.prefix(count).map { task in
                [
                    TaskOutput.line(board.tasks[task].id), board.priority(of: task)?.description ?? "-", TaskOutput.line(board.tasks[task].phase ?? "-"),
                    Self.manner(board, task), cut(TaskOutput.line(board.tasks[task].title), 100),
                ]
            }
            parts.append(table(["CAN BEGIN", "PRIORITY", "PHASE", "HOW", "TITLE"], rows) + more(ready.count))
        }
        if !running.isEmpty { parts.append("running: " + TaskOutput.line(running.map { board.tasks[$0].id }.joined(separator: ", "))) }
        if !waiting.isEmpty {
            let rows = waiting.prefix(count).map { waiting in
                var reason = waiting.message ?? TaskOutput.obstacles(waiting.obstacles, board)
                if let failed = waiting.failed, !waiting.obstacles.contains(where: { $0.id == board.tasks[failed].id }) {
                    reason += "; \(board.tasks[failed].id) has failed"
                }
                return [TaskOutput.line(board.tasks[waiting.task].id), TaskOutput.line(reason)]
            }
            parts.append(table(["WAITING", "FOR"], rows) + more(waiting.count))
        }
        return parts.joined(separator: "\n\n")
    }

    private static func nothing(_ board: TaskBoard, _ waiting: [Waiting], _ running: [Int]) -> String {
        let failed = board.states.count { $0 == .failed }
        if waiting.isEmpty, running.isEmpty, failed == 0 { return "nothing is left: all \(TaskOutput.number(board.tasks.count, "task")) have ended" }
        return "nothing can be begun now: \(running.count) running, \(failed) failed, \(waiting.count) waiting"
    }

    private func more(_ total: Int) -> String { total > count ? "\n(and \(total - count) more: --count \(total))" : "" }

    private static func manner(_ board: TaskBoard, _ task: Int) -> String {
        let commands = board.tasks[task].commands.count
        if board.runs[task].needsApproval, board.statuses[task].approvedBy == nil { return "after approval" }
        return commands == 0 ? "by hand" : TaskOutput.number(commands, "command")
    }

    private static func json(_ board: TaskBoard, _ ready: [Int], _ total: Int, _ waiting: [Waiting], _ running: [Int]) -> JSONValue {
        [
            "origin": .string(board.origin), "readyCount": .integer(Int64(total)), "ready": .array(ready.map(board.json)),
            "running": .array(running.map { .string(board.tasks[$0].id) }),
            "failed": .array(board.tasks.indices.filter { board.states[$0] == .failed }.map { .string(board.tasks[$0].id) }),
            "waiting": .array(
                waiting.map { waiting in
                    [
                        "id": .string(board.tasks[waiting.task].id), "title": .string(board.tasks[waiting.task].title),
                        "waitsFor": .array(waiting.obstacles.map { TaskOutput.json($0, board) }), "message": waiting.message.map(JSONValue.string) ?? .null,
                        "failed": waiting.failed.map { .string(board.tasks[$0].id) } ?? .null,
                    ]
                }),
        ]
    }
}

extension TaskStatus {
    /// Blocked by something that is not another task: a policy, an approval, a placeholder without a value.
    fileprivate var isHeldByItself: Bool {
        // What was true of other tasks, or of an approval, when a controller looked last may no longer be.
        state == .blocked && !["", "DependencyFailed"].contains(reason) && !(reason == "NeedsApproval" && approvedBy != nil)
    }
}
