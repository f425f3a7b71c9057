import Desired
import Glibc
import KubernetesClient
import Logging
import ResourceModel
import Store
import SystemPackage
import TaskModel
import Tasks

/// What running tasks takes, put together: `sync`, `run` and `tasks run` share it.
struct TaskOperation: Sendable {
    let client: KubernetesClient
    let history: HistoryStore
    /// The state directory.
    let state: String
    let logger: Logger
    /// Which commands may run; without a rule none.
    var policy: TaskPolicy
    /// Values for placeholders that win over the declared ones.
    var variables: [String: String] = [:]

    /// One list, whose it is, and at which revision.
    struct Work: Sendable, Hashable {
        var list: String
        var namespace: String
        /// The name under which the history tells of it.
        var application: String
        var revision: Revision
        /// Where relative working directories begin.
        var root: String
    }

    /// Writes where each task stands; runs nothing.
    @discardableResult
    func settle(_ list: String, namespace: String) async throws -> TaskListStatus {
        try await controller(nil).drive(list, namespace: namespace, .once)
    }

    /// Runs what may run until nothing goes on, and records it.
    func run(
        _ work: Work, chosen: Set<String>? = nil, trigger: String, onEvent: @escaping @Sendable (TaskEvent) -> Void = { _ in }
    ) async throws -> TaskListStatus {
        try await drive(work, .settled, chosen: chosen, stopsCommands: true, trigger: trigger, onEvent: onEvent)
    }

    /// Drives a list until cancelled; commands that run then go on, and are found again by whoever drives the list next.
    func serve(_ work: Work, onEvent: @escaping @Sendable (TaskEvent) -> Void) async throws {
        _ = try await drive(work, .forever, chosen: nil, stopsCommands: false, trigger: "tasks", onEvent: onEvent)
    }

    private func drive(
        _ work: Work, _ extent: TaskController.Extent, chosen: Set<String>?, stopsCommands: Bool, trigger: String,
        onEvent: @escaping @Sendable (TaskEvent) -> Void
    ) async throws -> TaskListStatus {
        let running = TaskController.Running(
            identity: try identity(), runners: runners(), chosen: chosen, stopsCommands: stopsCommands
        ) { [policy, variables] record in
            TaskPreparation(record: record, root: work.root, policy: policy, variables: variables).attempt()
        }
        let record = TaskHistory(history: history, application: work.application, revision: work.revision, trigger: trigger, isLong: extent == .forever)
        let controller = controller(running)
        return try await record.whileTold { tell in
            try await controller.drive(work.list, namespace: work.namespace, extent) { event in
                tell(event)
                onEvent(event)
            }
        }
    }

    private func controller(_ running: TaskController.Running?) -> TaskController {
        TaskController(client: client, running: running, logger: logger, now: Clocks.now)
    }

    /// Both runners, also for reading logs.
    func runners() -> [TaskRun.Runner: any TaskRunner] {
        [.process: ProcessTaskRunner(directory: "\(state)/tasks"), .job: JobTaskRunner(client: client)]
    }

    /// `HOST/…`, the same for every process that uses this state directory, and no other.
    private func identity() throws -> String {
        let file = "\(state)/tasks/identity"
        try Files.makeDirectory("\(state)/tasks")
        if access(file, R_OK) != 0 {
            let host = Person.name.split(separator: "@").last.map(String.init) ?? "localhost"
            let text = "\(host)/\(String(UInt64.random(in: 0...UInt64.max), radix: 16))\n"
            let draft = "\(file).\(getpid())"
            try Files.write(Array(text.utf8), to: draft)
            // Of two processes that make one at the same time, the first wins.
            if link(draft, file) != 0, errno != EEXIST {
                throw Problem(code: "file", message: "cannot write \(file): \(String(cString: strerror(errno)))")
            }
            unlink(draft)
        }
        return String(decoding: try Files.read(file), as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
    }
}

/// Makes the attempt that a task's next run is, or says why it must not be.
struct TaskPreparation {
    let record: TaskRecord
    let root: String
    let policy: TaskPolicy
    let variables: [String: String]

    /// The commands with values put in.
    var commands: [TaskCommand] {
        let values = record.spec.run.variables.merging(variables) { _, given in given }
        return record.spec.task.commands.map { TaskCommand($0, variables: values) }
    }

    /// Of a process absolute; of a Job only what is declared, since no directory of this machine is in an image.
    var workingDirectory: String {
        if record.spec.run.runner == .job { return record.spec.run.workingDirectory ?? "" }
        guard let declared = record.spec.run.workingDirectory, !declared.isEmpty, declared != "." else { return root }
        return declared.hasPrefix("/") ? declared : "\(root)/\(declared)"
    }

    func attempt() -> Result<TaskAttempt, TaskRefusal> {
        let commands = commands
        if let problem = commands.flatMap(\.problems).first { return .failure(TaskRefusal(reason: "Placeholder", message: problem)) }
        let unresolved = commands.flatMap(\.unresolved)
        if let first = unresolved.first {
            let name = first.filter { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" || $0 == "." }
            let more = unresolved.count > 1 ? " and \(unresolved.count - 1) more have" : " has"
            return .failure(
                TaskRefusal(reason: "Placeholder", message: "\(first)\(more) no value: give `--var \(name)=VALUE`, or `run.variables` in the source or the Task"))
        }
        let run = record.spec.run
        var situation = TaskPolicy.Situation(
            namespace: record.namespace, list: record.spec.list, runner: run.runner, workingDirectory: workingDirectory, environment: run.environment)
        if run.runner == .process { situation.inherited = ProcessTaskRunner.ownEnvironment }
        let decision = policy.decision(on: commands.map(\.text), in: situation)
        guard decision.isAllowed else { return .failure(TaskRefusal(reason: "Policy", message: decision.reason)) }
        return .success(
            TaskAttempt(
                namespace: record.namespace, list: record.spec.list, task: record.spec.task.id, name: record.name, number: record.status.attempts,
                commands: commands.map(\.text), environment: run.environment, workingDirectory: workingDirectory, timeoutSeconds: run.timeoutSeconds,
                startedAt: record.status.startedAt ?? Clocks.now(), image: run.image))
    }
}
