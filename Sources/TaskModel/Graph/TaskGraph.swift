import ResourceModel

/// What of a list of tasks must have ended before what.
///
/// Its nodes are the tasks and, for each phase, a begin and an end; a barrier between two phases is one edge, whatever they hold.
/// So the graph is linear in tasks and named dependencies. Building it and each pass over it take time linear in its size.
///
/// Two kinds of "before" are told apart. What stands before a task in its phase, and a phase before another, counts with all that
/// came before in turn: a ticked task does not open the way past one before it that is not. What a task depends on by name counts
/// alone: ended is ended.
package struct TaskGraph: Sendable {
    package let phases: [TaskPhase]
    /// In the order in which they were given; every array of this type goes by it.
    package let tasks: [DeclaredTask]
    let index: [String: Int]
    let phaseIndex: [String: Int]
    let edges: TaskEdges
    /// All nodes, each after what it waits for; among tasks that could come next the first given one.
    let sorted: [Int]

    /// - Parameters:
    ///   - phases: a phase waits for the one before it here unless its `dependencies` say otherwise.
    ///   - tasks: in the order in which they stand; ids are unique.
    /// - Throws: `Problems`: ids used twice, ids and phases that nothing has, cycles (each with its edges' reasons and places).
    package init(phases: [TaskPhase], tasks: [DeclaredTask]) throws {
        let names = TaskNames(phases: phases, tasks: tasks)
        guard names.problems.isEmpty else { throw Problems(names.problems) }
        self.phases = phases
        self.tasks = tasks
        index = names.tasks
        phaseIndex = names.phases
        edges = TaskEdges(phases: phases, tasks: tasks, names: names)
        sorted = edges.sorted()
        if sorted.count < edges.count { throw Problems(cycleProblems(placed: sorted)) }
    }

    /// The graph of a document's tasks.
    package init(_ document: TaskDocument) throws { try self.init(phases: document.phases, tasks: document.tasks) }

    package func contains(_ id: String) -> Bool { index[id] != nil }
    /// The task's index in `tasks`.
    package func place(of id: String) -> Int? { index[id] }
    package func task(_ id: String) -> DeclaredTask? { index[id].map { tasks[$0] } }
    package func phase(_ id: String) -> TaskPhase? { phaseIndex[id].map { phases[$0] } }

    /// The id, of those there are, that is written most like this one.
    package func nearest(to id: String) -> String? { index.keys.nearest(to: id) }
}

/// What a node of a `TaskGraph` is.
enum TaskNode: Hashable {
    case task(Int)
    case begin(phase: Int)
    case end(phase: Int)
}
