import ArgumentParser
import Applier
import KubernetesClient
import ResourceModel
import ServiceLifecycle
import Store
import TaskModel
import Tasks

/// `reconciler tasks run`: run what may run, until nothing goes on.
struct TasksRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run the commands of tasks in order, as far as a policy permits.",
        discussion: """
            Runs the tasks of a list in the cluster; documents (FILE...) are put into the cluster first, as a list of their own. Nothing may run
            unless --policy FILE or --allow PATTERN permits it. --dry-run shows every command as it would be run, and needs no cluster for
            documents.
            """)

    @Argument(help: "Documents to run; without any, a list in the cluster.")
    var documents: [String] = []
    @OptionGroup var source: TaskSourceOptions
    @OptionGroup var filter: TaskFilterOptions
    @Option(name: .customLong("task"), help: "Only this task, by id; repeatable.")
    var tasks: [String] = []
    @Flag(help: "Show what would run, with values put in, and what the policy and the tools say; run nothing.")
    var dryRun = false
    @Option(help: "A TaskPolicy file ($RECONCILER_TASK_POLICY, `tasks.policy` in reconciler.yaml).")
    var policy: String?
    @Option(help: "A pattern of commands that may run, as 'make *'; repeatable.")
    var allow: [String] = []
    @Option(name: .customLong("var"), help: "NAME=VALUE for placeholders; repeatable.")
    var variables: [String] = []
    @Option(help: "Attempts at a time (default: the list's, 4).")
    var parallelism: Int?
    @Option(help: "Of one attempt, for documents: 90s, 5m (default: 10m).")
    var timeout: String?
    @Option(help: "Attempts beyond the first, for documents.")
    var retries: Int?
    @Option(help: "Where commands of documents run (default: the current directory).")
    var workingDirectory: String?
    @Option(name: .shortAndLong, help: "Format of the result.")
    var output: OutputFormat = .table

    func validate() throws {
        for text in variables where !text.contains("=") || text.hasPrefix("=") { throw ValidationError("--var \(text): write NAME=VALUE") }
        if let timeout, Duration(goNotation: timeout) == nil { throw ValidationError("--timeout \(timeout): write 90s, 5m or 1h30m") }
        if let parallelism, parallelism < 1 { throw ValidationError("--parallelism must be at least 1") }
    }

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            let paths = documents + source.files
            let permitted = try permission()
            if dryRun {
                let board = try await paths.isEmpty ? source.board() : TaskBoard(try TaskFiles.document(paths))
                return await TaskRehearsal(
                    board: board, chosen: try chosen(board), policy: permitted, variables: values, root: root, run: paths.isEmpty ? nil : try declaredRun(),
                    namespace: source.list.namespace ?? "default"
                ).show(as: output)
            }
            return try await Target.withCluster(source.list.cluster) { client, state in
                let operation = TaskOperation(
                    client: client, history: try HistoryStore(path: state + "/reconciler.db"), state: state, logger: Log.logger("reconciler"), policy: permitted,
                    variables: values)
                var place = source.list
                if !paths.isEmpty {
                    let document = try TaskFiles.document(paths)
                    let put = TaskDocumentList(
                        client: client, document: document, name: source.list.list, namespace: source.list.namespace ?? "default", run: try declaredRun(),
                        parallelism: parallelism ?? 4)
                    try await put.apply()
                    (place.list, place.namespace) = (put.name, put.namespace)
                }
                let cluster = try await TaskCluster(place, client: client, state: state)
                let board = try cluster.board()
                let chosen = try chosen(board)
                let work = TaskOperation.Work(
                    list: cluster.name, namespace: cluster.namespace, application: cluster.application ?? cluster.name,
                    revision: Revision(
                        repository: paths.isEmpty ? "" : "files", ref: paths.isEmpty ? "cluster" : paths.joined(separator: " "), commit: "", author: "",
                        subject: board.title, committedAt: Int64(Clocks.now())), root: root)
                let names = chosen.map { Set($0.map { board.names[$0] }) }
                let status = try await untilSignalled {
                    try await operation.run(work, chosen: names, trigger: "tasks:\(Person.name)") { event in
                        if let line = TaskText.line(event, list: work.list) { Terminal.error(line) }
                    }
                }
                let end = try await TaskCluster(place, client: client, state: state).board()
                return try report(status, end, chosen: chosen)
            }
        }
    }

    private var values: [String: String] {
        Dictionary(
            variables.map { text in
                let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return (String(parts[0]), String(parts[1]))
            }, uniquingKeysWith: { _, last in last })
    }

    private var root: String { Files.absolute(workingDirectory ?? ".") }

    /// What the policy file and the flags permit together.
    private func permission() throws -> TaskPolicy {
        var settings = try Settings(source.list.cluster)
        if let policy { settings.taskPolicy = policy }
        var permitted = try settings.policyOfTasks()
        permitted.add(allowing: allow)
        return permitted
    }

    private func declaredRun() throws -> TaskRun {
        var run = TaskRun()
        if let duration = timeout.flatMap({ Duration(goNotation: $0) }) { run.timeoutSeconds = duration.inSeconds }
        run.retry.limit = retries ?? 0
        return run
    }

    /// Indexes of the tasks that may be begun; `nil` when nothing was chosen, which means all.
    private func chosen(_ board: TaskBoard) throws -> [Int]? {
        guard !tasks.isEmpty || !filter.isEmpty else { return nil }
        var chosen = filter.isEmpty ? Array(board.tasks.indices) : try filter.tasks(of: board)
        if !tasks.isEmpty {
            for id in tasks where !board.graph.contains(id) {
                throw Problem(
                    code: "task.unknown", message: "there is no task `\(id)` in \(board.origin)", hint: board.graph.nearest(to: id).map { "did you mean `\($0)`?" })
            }
            let wanted = Set(tasks)
            chosen = chosen.filter { wanted.contains(board.tasks[$0].id) }
        }
        guard !chosen.isEmpty else { throw Problem(code: "task.none-selected", message: "no task of \(board.origin) is chosen by these filters") }
        return chosen
    }

    /// 1 when something failed, 3 when the policy, or a missing value, kept something from running, else 0.
    private func report(_ status: TaskListStatus, _ board: TaskBoard, chosen: [Int]?) throws -> Int32 {
        let indexes = chosen ?? Array(board.tasks.indices)
        let refused = indexes.filter { ["Policy", "Placeholder", "NoRunner"].contains(board.statuses[$0].reason) }
        let failed = indexes.filter { board.statuses[$0].state == .failed }
        if output == .table {
            print("\(board.origin): \(status.progress) \(status.state.rawValue)")
            for index in failed { print("  failed \(board.tasks[index].id): \(board.statuses[index].message)") }
            for index in refused { print("  refused \(board.tasks[index].id): \(board.statuses[index].message)") }
            if failed.isEmpty, refused.isEmpty, !status.message.isEmpty { print("  \(status.message)") }
        } else {
            Printing.print(
                [
                    "list": .string(board.origin), "status": status.json,
                    "tasks": .array(indexes.map { ["id": .string(board.tasks[$0].id), "status": board.statuses[$0].json] }),
                ], as: output)
        }
        return failed.isEmpty ? refused.isEmpty ? 0 : 3 : 1
    }

    /// The commands that run are stopped when the process is told to end.
    private func untilSignalled<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let outcome = OneTime<Value>()
        let service = BodyService { await outcome.put(await Result(body)) }
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)], cancellationSignals: [.sigterm, .sigint],
                logger: Log.logger("reconciler")))
        try await group.run()
        guard let result = await outcome.value else { throw CancellationError() }
        return try result.get()
    }
}

private struct BodyService: Service {
    let body: @Sendable () async -> Void
    func run() async throws { await body() }
}

private actor OneTime<Value: Sendable> {
    private(set) var value: Result<Value, any Error>?
    func put(_ value: Result<Value, any Error>) { self.value = value }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
