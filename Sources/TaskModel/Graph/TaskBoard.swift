import ResourceModel

/// A list of tasks with where each stands: what the commands show, out of documents or of a cluster.
package struct TaskBoard: Sendable {
    package var title: String
    /// Where it is from: a list's name and namespace, or paths of documents.
    package var origin: String
    package let graph: TaskGraph
    /// One for each of the graph's tasks, as everything below.
    package let statuses: [TaskStatus]
    package let states: [TaskStatus.State]
    package let runs: [TaskRun]
    /// Names of the `Task` objects; empty when it is from documents.
    package let names: [String]
    package var counts: [StatedCount] = []
    package var warnings: [Problem] = []
    package var paths: [String] = []

    package var tasks: [DeclaredTask] { graph.tasks }
    package var phases: [TaskPhase] { graph.phases }

    /// What documents say: ticked tasks have succeeded, all others are pending.
    /// - Throws: `Problems`: see `TaskGraph`.
    package init(_ document: TaskDocument) throws {
        title = document.title
        origin = document.paths.joined(separator: ", ")
        paths = document.paths
        graph = try TaskGraph(document)
        statuses = document.tasks.map { task in
            var status = TaskStatus()
            if task.isDone { (status.state, status.reason) = (.succeeded, "Ticked") }
            return status
        }
        states = statuses.map(\.state)
        runs = document.tasks.map { _ in TaskRun() }
        names = []
        counts = document.counts
        warnings = document.warnings
    }

    /// What a cluster holds of one list.
    /// - Parameters:
    ///   - list: `nil` when there are only tasks.
    ///   - tasks: in any order; they are sorted by place in the list, then by name.
    /// - Throws: `Problems`: see `TaskGraph`.
    package init(list: TaskListSpec?, origin: String, tasks: [(name: String, spec: TaskSpec, status: TaskStatus)]) throws {
        let tasks = tasks.sorted { ($0.spec.index, $0.name) < ($1.spec.index, $1.name) }
        title = list?.title ?? tasks.first?.spec.list ?? ""
        self.origin = origin
        paths = list?.documents ?? []
        graph = try TaskGraph(phases: Self.phases(list?.phases ?? [], of: tasks.map(\.spec.task)), tasks: tasks.map(\.spec.task))
        statuses = tasks.map { $0.status }
        states = statuses.map(\.state)
        runs = tasks.map(\.spec.run)
        names = tasks.map(\.name)
    }

    /// The declared phases; where there are none, as beside tasks written by hand, those that the tasks name: they wait for nothing, since
    /// nobody said in which order they come.
    package static func phases(_ declared: [TaskPhase], of tasks: [DeclaredTask]) -> [TaskPhase] {
        guard declared.isEmpty else { return declared }
        var phases: [TaskPhase] = []
        var known: Set<String> = []
        for task in tasks {
            guard let id = task.phase, known.insert(id).inserted else { continue }
            var phase = TaskPhase(id: id, title: id, source: task.source)
            phase.dependencies = []
            phases.append(phase)
        }
        return phases
    }

    package func phase(of task: Int) -> TaskPhase? { tasks[task].phase.flatMap(graph.phase) }
    /// The task's own, else its phase's.
    package func priority(of task: Int) -> TaskPriority? { tasks[task].priority ?? phase(of: task)?.priority }
    /// The task's own, else its phase's.
    package func story(of task: Int) -> String? { tasks[task].story ?? phase(of: task)?.story }

    /// Whether nothing more is to come of the task: succeeded or skipped.
    package func hasEnded(_ task: Int) -> Bool { statuses[task].state == .succeeded || statuses[task].state == .skipped }

    /// What is left, by estimates; see `TaskGraph.schedule`.
    package func schedule(workers: Int? = nil, defaultHours: Double = TaskGraph.defaultHours) -> TaskSchedule {
        let ended = Set(tasks.indices.filter(hasEnded).map { tasks[$0].id })
        return graph.schedule(workers: workers, defaultHours: defaultHours) { ended.contains($0) }
    }
}

/// How far a phase, or a whole list, has come.
package struct TaskProgress: Sendable, Hashable {
    /// `nil` for the whole list, and for the tasks outside of any phase.
    package var phase: TaskPhase?
    package var title: String
    package var counts: [TaskStatus.State: Int] = [:]

    package init(phase: TaskPhase? = nil, title: String, states: some Sequence<TaskStatus.State>) {
        self.phase = phase
        self.title = title
        for state in states { counts[state, default: 0] += 1 }
    }

    package var total: Int { counts.values.reduce(0, +) }
    /// Succeeded or skipped.
    package var done: Int { counts[.succeeded, default: 0] + counts[.skipped, default: 0] }
    /// Rounded, but 100 only when all is done and 0 only when nothing is; 100 of nothing.
    package var percent: Int {
        guard total > 0, done < total else { return 100 }
        return done == 0 ? 0 : min(99, max(1, (done * 200 + total) / (2 * total)))
    }
}

extension TaskBoard {
    /// Of each phase in order, then of the tasks outside of any when there are some.
    package var progressByPhase: [TaskProgress] {
        var states = [[TaskStatus.State]](repeating: [], count: phases.count + 1)
        for (number, task) in tasks.enumerated() { states[task.phase.flatMap { graph.phaseIndex[$0] } ?? phases.count].append(statuses[number].state) }
        var result = phases.indices.map { TaskProgress(phase: phases[$0], title: phases[$0].title, states: states[$0]) }
        if let rest = states.last, !rest.isEmpty { result.append(TaskProgress(title: phases.isEmpty ? title : "(no phase)", states: rest)) }
        return result
    }

    package var progress: TaskProgress { TaskProgress(title: title, states: states) }
}
