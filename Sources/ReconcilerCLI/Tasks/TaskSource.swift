import Applier
import ArgumentParser
import KubernetesClient
import ResourceModel
import TaskModel

/// Which list of a cluster.
struct TaskListOptions: ParsableArguments {
    @OptionGroup var cluster: ClusterOptions
    @Option(name: .shortAndLong, help: "Namespace of the list (default: all are looked through).")
    var namespace: String?
    @Option(name: .customLong("list"), help: "The TaskList's name; needed where there are several.")
    var list: String?
    @Option(name: .customLong("app"), help: "The list that this application declares.")
    var application: String?
}

/// Where the reading commands find their tasks.
struct TaskSourceOptions: ParsableArguments {
    @Option(name: [.customShort("f"), .customLong("file")], help: "A document, instead of a cluster; `-` for standard input; repeatable.")
    var files: [String] = []
    @OptionGroup var list: TaskListOptions

    /// The tasks of the documents when there are any, else of the cluster. Warnings go to standard error.
    func board(_ arguments: [String] = []) async throws -> TaskBoard {
        let paths = arguments + files
        guard !paths.isEmpty else { return try await TaskCluster.with(list) { try $0.board() } }
        if list.list != nil || list.application != nil || list.namespace != nil {
            throw UsageError("documents are read without a cluster: leave out --list, --app and --namespace, or the documents")
        }
        let board = try TaskBoard(try TaskFiles.document(paths))
        TaskOutput.warn(of: board)
        return board
    }
}

/// Which tasks are shown.
struct TaskFilterOptions: ParsableArguments {
    @Option(name: .customLong("status"), help: "pending, blocked, running, succeeded, failed, skipped; todo (not begun), open (not ended), done; repeatable.")
    var states: [String] = []
    @Option(name: .customLong("phase"), help: "A phase's id, number, title or part of it; repeatable.")
    var phases: [String] = []
    @Option(name: .customLong("priority"), help: "critical, high, medium, low, or P0 to P3; repeatable.")
    var priorities: [String] = []
    @Option(name: .customLong("story"), help: "A story, such as US1; repeatable.")
    var stories: [String] = []

    /// Whether nothing is filtered.
    var isEmpty: Bool { states.isEmpty && phases.isEmpty && priorities.isEmpty && stories.isEmpty }

    /// Indexes of the tasks that fit.
    /// - Throws: `UsageError` for a word that means nothing.
    func tasks(of board: TaskBoard) throws -> [Int] {
        do {
            let filter = try TaskFilter(states: states, phases: phases, priorities: priorities, stories: stories, of: board)
            return board.tasks.indices.filter { filter.includes($0, of: board) }
        } catch {
            throw UsageError("\(error)")
        }
    }
}

/// The tasks of one list of a cluster.
struct TaskCluster {
    let client: KubernetesClient
    let state: String
    let resource: APIResource
    let namespace: String
    let list: TaskListSpec?
    /// The application that declares the list; `nil` for one that none does.
    let application: String?
    /// The `Task` objects as they were read, sorted by place.
    let objects: [(object: JSONValue, spec: TaskSpec)]

    /// Reaches the cluster and finds the list that the options mean.
    static func with<Result>(_ options: TaskListOptions, _ body: (TaskCluster) async throws -> Result) async throws -> Result {
        try await Target.withCluster(options.cluster) { client, state in
            try await body(try await TaskCluster(options, client: client, state: state))
        }
    }

    private struct Key: Hashable, Comparable, CustomStringConvertible {
        var namespace: String
        var name: String
        var description: String { "\(namespace)/\(name)" }
        static func < (left: Key, right: Key) -> Bool { (left.namespace, left.name) < (right.namespace, right.name) }
    }

    init(_ options: TaskListOptions, client: KubernetesClient, state: String) async throws {
        let (tasks, lists): (APIResource, APIResource)
        do {
            (tasks, lists) = (try await client.resource(for: TaskKinds.task), try await client.resource(for: TaskKinds.list))
        } catch let error as DiscoveryError where error.code == "unknown-kind" {
            throw Problem(
                code: "task.none", message: "\(client.server) knows no tasks",
                hint: "sync an application with a source of type `tasks`, or name documents: FILE... or --file")
        }
        var found: [Key: JSONValue] = [:]
        for object in try await client.list(lists, namespace: options.namespace).items { found[Self.key(object, object[path: "metadata", "name"]?.stringValue)] = object }
        var members: [Key: [(object: JSONValue, spec: TaskSpec)]] = [:]
        var problems: [Key: [Problem]] = [:]
        for object in try await client.list(tasks, namespace: options.namespace).items {
            do {
                let spec = try TaskSpec(object: object)
                members[Self.key(object, spec.list), default: []].append((object, spec))
            } catch {
                let name = object[path: "spec", "list"]?.stringValue ?? object[path: "metadata", "labels", TaskKinds.listLabel]?.stringValue
                problems[Self.key(object, name ?? TaskKinds.defaultList), default: []].append(error)
            }
        }
        let all = Set(found.keys).union(members.keys).union(problems.keys).sorted()
        let fitting = all.filter { key in
            (options.list == nil || key.name == options.list)
                && (options.application == nil || Self.application(found[key], members[key]?.first?.object) == options.application)
        }
        let key = try Self.only(fitting, of: all, options)
        if let problems = problems[key] { throw Problems(problems) }
        self.client = client
        self.state = state
        resource = tasks
        namespace = key.namespace
        application = Self.application(found[key], members[key]?.first?.object)
        list = try found[key].map { object throws(Problem) in try TaskListSpec(object: object) }
        objects = (members[key] ?? []).sorted { ($0.spec.index, Self.name($0.object)) < ($1.spec.index, Self.name($1.object)) }
    }

    private static func only(_ fitting: [Key], of all: [Key], _ options: TaskListOptions) throws -> Key {
        if fitting.count == 1 { return fitting[0] }
        let known = "there are: \(all.map(\.description).joined(separator: ", "))"
        guard !all.isEmpty else {
            throw Problem(
                code: "task.none", message: "there is no list of tasks\(options.namespace.map { " in namespace \($0)" } ?? "")",
                hint: "sync an application with a source of type `tasks`, or name documents: FILE... or --file")
        }
        if fitting.count > 1 {
            throw UsageError("there are several lists of tasks: say which with --list NAME, and --namespace where they share a name (\(known))")
        }
        let wanted = [options.list.map { "called `\($0)`" }, options.application.map { "that application \($0) declares" }].compactMap(\.self)
        throw Problem(
            code: "task.unknown-list", message: "there is no list of tasks \(wanted.joined(separator: " and "))",
            hint: all.map(\.name).nearest(to: options.list ?? "").map { "did you mean `\($0)`?" } ?? known)
    }

    private static func key(_ object: JSONValue, _ name: String?) -> Key {
        Key(namespace: object[path: "metadata", "namespace"]?.stringValue ?? "", name: name ?? "")
    }

    private static func name(_ object: JSONValue) -> String { object[path: "metadata", "name"]?.stringValue ?? "" }

    private static func application(_ objects: JSONValue?...) -> String? {
        objects.lazy.compactMap { $0?[path: "metadata", "annotations", TrackingID.annotation]?.stringValue.flatMap(TrackingID.init(parsing:))?.application }.first
    }

    var name: String { list?.name ?? objects.first?.spec.list ?? "" }

    /// The list as all commands show it.
    func board() throws -> TaskBoard {
        try TaskBoard(
            list: list, origin: "\(namespace)/\(name)",
            tasks: objects.map { (Self.name($0.object), $0.spec, TaskStatus($0.object["status"])) })
    }

    /// Sets the status of a task, provided that the object is as `object` was read.
    /// - Throws: `APIError` with `isConflict` when it is not.
    func write(_ status: TaskStatus, of object: JSONValue) async throws {
        var patch: JSONValue = ["status": status.json]
        patch[path: "metadata", "resourceVersion"] = object[path: "metadata", "resourceVersion"]
        _ = try await client.patch(
            resource, namespace: namespace, name: Self.name(object), type: .merge, patch: patch, options: WriteOptions(subresource: "status"))
    }

    /// The object as it is now.
    func current(_ object: JSONValue) async throws -> JSONValue? {
        try await client.get(resource, namespace: namespace, name: Self.name(object))
    }
}
