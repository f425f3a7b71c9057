import ArgumentParser
import Glibc
import ResourceModel
import TaskModel
import Tasks

/// `reconciler tasks logs`: what an attempt printed.
struct TasksLogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "logs", abstract: "Print what a task's last attempt, or an earlier one, wrote.")

    @Argument(help: "The task's id.")
    var id: String
    @Option(help: "Number of the attempt, from 1 (default: the last).")
    var attempt: Int?
    @Flag(name: .shortAndLong, help: "Go on until the attempt ends.")
    var follow = false
    @OptionGroup var list: TaskListOptions

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            try await TaskCluster.with(list) { cluster in
                let board = try cluster.board()
                let task = try board.task(named: id)
                let log = try Self.log(board.tasks[task].id, board.statuses[task], attempt: attempt)
                _ = (log, cluster.state, follow)
                throw Problem(code: "task.no-log", message: "there is no runner for \(log)")
            }
        }
    }

    /// The reference of the attempt's log.
    static func log(_ id: String, _ status: TaskStatus, attempt: Int?) throws -> String {
        guard let last = status.log, status.attempts > 0 else {
            throw Problem(
                code: "task.no-log", message: "task \(id) has no log: it is \(status.state.rawValue)\(status.reason.isEmpty ? "" : " (\(status.reason))")",
                hint: "only tasks that were run have one")
        }
        guard let attempt, attempt != status.attempts else { return last }
        guard (1...status.attempts).contains(attempt) else {
            throw UsageError("--attempt \(attempt): task \(id) has \(TaskOutput.number(status.attempts, "attempt"))")
        }
        // `process:LIST/TASK/ATTEMPT`, `job:NAMESPACE/NAME-ATTEMPT`: the attempt is the last part.
        let end = "\(status.attempts)"
        guard last.hasSuffix(end) else { throw Problem(code: "task.no-log", message: "task \(id): only the last attempt's log is known: \(last)") }
        return last.dropLast(end.count) + "\(attempt)"
    }
}
