import KubernetesClient
import Logging
import ResourceModel
import TaskModel

/// Something that became of a task while its list was driven.
package enum TaskEvent: Sendable {
    /// With the status that says so.
    case begun(TaskRecord)
    case ended(TaskRecord, seconds: Double)
    /// The list's counts are others.
    case progressed(TaskListStatus)
}

/// Drives lists of tasks behind one API server: writes where each task stands, and runs what may run.
package struct TaskController: Sendable {
    /// How tasks are run; `nil` settles what follows from the specifications alone.
    package struct Running: Sendable {
        /// Tells the attempts of this machine, and this state directory, from those of others.
        package var identity: String
        package var runners: [TaskRun.Runner: any TaskRunner]
        /// The attempt as it will be begun, or why it must not be: placeholders, policy, working directory.
        package var preparation: @Sendable (TaskRecord) -> Result<TaskAttempt, TaskRefusal>
        /// Object names of the tasks that may be begun; `nil` for all.
        package var chosen: Set<String>?
        /// Whether commands that run are stopped when driving is cancelled; else they go on and are found again.
        package var stopsCommands: Bool

        package init(
            identity: String, runners: [TaskRun.Runner: any TaskRunner], chosen: Set<String>? = nil, stopsCommands: Bool = true,
            preparation: @escaping @Sendable (TaskRecord) -> Result<TaskAttempt, TaskRefusal>
        ) {
            self.identity = identity
            self.runners = runners
            self.preparation = preparation
            self.chosen = chosen
            self.stopsCommands = stopsCommands
        }
    }

    /// How long a list is driven.
    package enum Extent: Sendable {
        /// One pass.
        case once
        /// Until nothing goes on and nothing more can begin.
        case settled
        /// Until cancelled.
        case forever
    }

    package let client: KubernetesClient
    package let running: Running?
    let logger: Logger
    let now: @Sendable () -> Double
    let lot: @Sendable () -> Double

    /// - Parameters:
    ///   - now: seconds since 1970-01-01 UTC.
    ///   - lot: 0 up to 1; draws pauses.
    package init(
        client: KubernetesClient, running: Running?, logger: Logger, now: @escaping @Sendable () -> Double,
        lot: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
        self.client = client
        self.running = running
        self.logger = logger
        self.now = now
        self.lot = lot
    }

    /// Drives one list.
    /// - Returns: the list as it stood in the end.
    /// - Throws: what cannot be read (`Problems`: a cycle, a field), `CancellationError`, what the API server says.
    @discardableResult
    package func drive(
        _ list: String, namespace: String, _ extent: Extent, onEvent: @escaping @Sendable (TaskEvent) -> Void = { _ in }
    ) async throws -> TaskListStatus {
        let tasks = try await client.resource(for: TaskKinds.task, preferring: TaskKinds.version)
        let lists = try await client.resource(for: TaskKinds.list, preferring: TaskKinds.version)
        let driver = TaskListDriver(self, list: list, namespace: namespace, tasks: tasks, lists: lists, onEvent: onEvent)
        return try await driver.drive(extent)
    }

    /// The lists of a namespace, or of all, that have tasks or an object.
    package func lists(namespace: String?) async throws -> [(namespace: String, name: String)] {
        var found: Set<[String]> = []
        let lists = try await client.resource(for: TaskKinds.list, preferring: TaskKinds.version)
        for object in try await client.list(lists, namespace: namespace).items {
            found.insert([object[path: "metadata", "namespace"]?.stringValue ?? "", object[path: "metadata", "name"]?.stringValue ?? ""])
        }
        let tasks = try await client.resource(for: TaskKinds.task, preferring: TaskKinds.version)
        for object in try await client.list(tasks, namespace: namespace).items {
            let record = try TaskRecord(object: object)
            found.insert([record.namespace, record.spec.list])
        }
        return found.map { ($0[0], $0[1]) }.sorted { $0 < $1 }
    }
}
