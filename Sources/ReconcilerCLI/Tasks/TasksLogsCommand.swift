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
                let runner: any TaskRunner
                switch cluster.objects[task].spec.run.runner {
                case .process: runner = ProcessTaskRunner(directory: "\(cluster.state)/tasks")
                case .job: runner = JobTaskRunner(client: cluster.client)
                }
                let log = try Self.log(board, task, attempt: attempt, runner: runner, cluster)
                var isEmpty = true
                for try await line in runner.output(of: log, follow: follow) {
                    print(line)
                    // Whoever follows sees each line as it comes.
                    if follow { fflush(nil) }
                    isEmpty = false
                }
                if isEmpty { Terminal.error("\(log) is empty") }
                return 0
            }
        }
    }

    /// Where the attempt's output is.
    /// - Throws: a `Problem` when nothing was run, `UsageError` for an attempt that there was not.
    private static func log(_ board: TaskBoard, _ task: Int, attempt: Int?, runner: any TaskRunner, _ cluster: TaskCluster) throws -> String {
        let (declared, status) = (board.tasks[task], board.statuses[task])
        if let attempt, !(1...max(1, status.attempts)).contains(attempt) {
            throw UsageError("--attempt \(attempt): task \(declared.id) has \(TaskOutput.number(status.attempts, "attempt"))")
        }
        if attempt == nil || attempt == status.attempts, let last = status.log { return last }
        let number = attempt ?? status.attempts
        // A task that is done by hand is begun without anything being run.
        guard number > 0, attempt != nil || status.reason != TaskMark.startedByHand, !declared.commands.isEmpty else {
            let reason = status.reason.isEmpty ? "" : " (\(status.reason))"
            throw Problem(
                code: "task.no-log", message: "task \(declared.id) has no log: it is \(status.state.rawValue)\(reason)", hint: "only what was run has one")
        }
        var named = TaskAttempt(
            namespace: cluster.namespace, list: cluster.objects[task].spec.list, task: declared.id, name: board.names[task], number: number,
            commands: [], environment: [:], workingDirectory: "/", timeoutSeconds: 0, startedAt: 0)
        named.uid = cluster.objects[task].object[path: "metadata", "uid"]?.stringValue ?? ""
        return runner.log(of: named)
    }
}
