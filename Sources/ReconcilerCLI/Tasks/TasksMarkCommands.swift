import ArgumentParser
import KubernetesClient
import ResourceModel
import TaskModel
import Tasks

/// Which list, and how the result is shown: the options of the commands that change tasks.
struct TaskMarkOptions: ParsableArguments {
    @OptionGroup var list: TaskListOptions
    @Option(name: .shortAndLong, help: "Format of the result.")
    var output: OutputFormat = .table

    /// Marks tasks; nothing is written when any of them is refused.
    /// - Parameter chosen: the tasks of the board; some may be as wished already.
    func mark(_ mark: TaskMark, check: (TaskBoard, Int) throws -> Void = { _, _ in }, _ chosen: (TaskBoard) throws -> [Int]) async throws {
        let changes = try await TaskCluster.with(list) { cluster in
            let board = try cluster.board()
            var tasks: [Int] = []
            for task in try chosen(board) where !tasks.contains(task) { tasks.append(task) }
            var refusals: [Refusal] = []
            for task in tasks {
                do {
                    if try status(mark, board.statuses[task], board, task) != nil { try check(board, task) }
                } catch let refusal as Refusal {
                    refusals.append(refusal)
                }
            }
            if !refusals.isEmpty {
                let more = tasks.count > 1 ? "\nnothing was changed" : ""
                throw Refusal(code: "task-state", message: refusals.map(\.message).joined(separator: "\n") + more)
            }
            var changes: [Change] = []
            for task in tasks { changes.append(try await apply(mark, to: task, of: board, in: cluster)) }
            if changes.contains(where: { $0.after != nil }) { await count(cluster) }
            return changes
        }
        show(changes)
    }

    private struct Change {
        var id: String
        var before: TaskStatus
        /// `nil`: nothing was to do.
        var after: TaskStatus?
    }

    private func status(_ mark: TaskMark, _ status: TaskStatus, _ board: TaskBoard, _ task: Int) throws -> TaskStatus? {
        try mark.status(after: status, of: board.tasks[task], run: board.runs[task], by: Person.name, at: Clocks.now())
    }

    /// Writes the status; when somebody else has written meanwhile, decides once more on what is there now.
    private func apply(_ mark: TaskMark, to task: Int, of board: TaskBoard, in cluster: TaskCluster) async throws -> Change {
        var object = cluster.objects[task].object
        var before = board.statuses[task]
        for attempt in 1...2 {
            guard let after = try status(mark, before, board, task) else { return Change(id: board.tasks[task].id, before: before, after: nil) }
            do {
                try await cluster.write(after, of: object)
                return Change(id: board.tasks[task].id, before: before, after: after)
            } catch let error as APIError where error.isConflict && attempt == 1 {
                guard let current = try await cluster.current(object) else {
                    throw Problem(code: "task.gone", message: "task \(board.tasks[task].id) was deleted meanwhile", hint: "`reconciler tasks list` shows what there is")
                }
                (object, before) = (current, TaskStatus(current["status"]))
            }
        }
        return Change(id: board.tasks[task].id, before: before, after: nil)
    }

    /// Lets the list, and what waited for the tasks, say so at once; otherwise the next sync or run does.
    private func count(_ cluster: TaskCluster) async {
        let logger = Log.logger("reconciler")
        do {
            let controller = TaskController(client: cluster.client, running: nil, logger: logger, now: Clocks.now)
            try await controller.drive(cluster.name, namespace: cluster.namespace, .once)
        } catch {
            logger.warning("the tasks are marked; the list \(cluster.name) could not be counted again: \(error)")
        }
    }

    private func show(_ changes: [Change]) {
        if output != .table {
            Printing.print(
                .array(
                    changes.map { change in
                        [
                            "id": .string(change.id), "before": .string(change.before.state.rawValue),
                            "after": .string((change.after ?? change.before).state.rawValue), "changed": .bool(change.after != nil),
                            "status": (change.after ?? change.before).json,
                        ]
                    }), as: output)
            return
        }
        for change in changes {
            guard let after = change.after else {
                let by = change.before.approvedBy.map { ", approved by \($0)" } ?? ""
                print("\(change.id): unchanged: \(change.before.state.rawValue)\(by)")
                continue
            }
            let approval = after.approvedBy != nil && change.before.approvedBy == nil
            print("\(change.id): " + (approval ? "approved" : "\(change.before.state.rawValue) -> \(after.state.rawValue)"))
        }
        if changes.isEmpty { Terminal.error("nothing to do") }
    }
}

/// `reconciler tasks start`: somebody works on it.
struct TasksStartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "start", abstract: "Mark a task as begun by hand.")

    @Argument(help: "The task's id.")
    var id: String
    @Flag(help: "Even if what it waits for has not ended.")
    var force = false
    @OptionGroup var options: TaskMarkOptions

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            try await options.mark(
                .start,
                check: { board, task in
                    let obstacles = TaskObstacles(board.graph, states: board.states).obstacles(of: board.tasks[task].id)
                    guard !force, !obstacles.isEmpty else { return }
                    throw Refusal(
                        code: "task-waits", message: "start \(board.tasks[task].id): it waits for \(TaskOutput.obstacles(obstacles, board)); --force begins it all the same")
                }
            ) { [try $0.task(named: id)] }
            return 0
        }
    }
}

/// `reconciler tasks done`: it is done.
struct TasksDoneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "done", abstract: "Mark tasks as done by hand.")

    @Argument(help: "Ids of tasks.")
    var ids: [String]
    @OptionGroup var options: TaskMarkOptions

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            try await options.mark(.done) { board in try ids.map { try board.task(named: $0) } }
            return 0
        }
    }
}

/// `reconciler tasks fail`: it cannot be done as it is.
struct TasksFailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "fail", abstract: "Mark a task as failed; what waits for it stays blocked.")

    @Argument(help: "The task's id.")
    var id: String
    @Option(help: "Why: a sentence.")
    var reason: String
    @OptionGroup var options: TaskMarkOptions

    func validate() throws {
        guard !reason.allSatisfy(\.isWhitespace) else { throw ValidationError("--reason is empty: write why it failed.") }
    }

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            try await options.mark(.fail(reason)) { [try $0.task(named: id)] }
            return 0
        }
    }
}

/// `reconciler tasks skip`: nobody will do it.
struct TasksSkipCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "skip", abstract: "Mark a task as one that nobody will do; what waits for it goes on.")

    @Argument(help: "The task's id.")
    var id: String
    @Option(help: "Why: a sentence.")
    var reason: String = ""
    @OptionGroup var options: TaskMarkOptions

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            try await options.mark(.skip(reason)) { [try $0.task(named: id)] }
            return 0
        }
    }
}

/// `reconciler tasks reset`: as if nothing had happened.
struct TasksResetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Make tasks pending again: failures, ends and approvals are forgotten.")

    @Argument(help: "Ids of tasks.")
    var ids: [String] = []
    @Flag(help: "All that were begun, marked or approved, but for ticked and running ones.")
    var all = false
    @OptionGroup var options: TaskMarkOptions

    func validate() throws {
        if ids.isEmpty != all { throw ValidationError(all ? "write ids or --all, not both." : "say which tasks: ids, or --all.") }
    }

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            try await options.mark(.reset) { board in
                guard all else { return try ids.map { try board.task(named: $0) } }
                return board.tasks.indices.filter { task in
                    let status = board.statuses[task]
                    let isRun = status.state == .running && status.reason != TaskMark.startedByHand
                    return !board.tasks[task].isDone && !isRun && (status.state.isFinal || status.state == .running || status.failures > 0 || status.approvedBy != nil)
                }
            }
            return 0
        }
    }
}

/// `reconciler tasks approve`: it may run.
struct TasksApproveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "approve", abstract: "Let tasks run that wait for an approval.")

    @Argument(help: "Ids of tasks.")
    var ids: [String]
    @OptionGroup var options: TaskMarkOptions

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            try await options.mark(.approve) { board in try ids.map { try board.task(named: $0) } }
            return 0
        }
    }
}
