/// The edges of a `TaskGraph` between numbered nodes: task `i` is node `i`, then come begin and end of each phase.
struct TaskEdges: Sendable {
    /// Why one node waits for another.
    enum Reason: UInt8, Sendable {
        /// By name.
        case dependency
        /// By place in the phase.
        case order
        /// A phase's begin or end is one of the two.
        case phase
    }

    struct Edge: Sendable {
        var node: Int
        var reason: Reason
    }

    let taskCount: Int
    /// Nodes in all.
    let count: Int
    private let after: Adjacency
    private let before: Adjacency

    init(phases: [TaskPhase], tasks: [DeclaredTask], names: TaskNames) {
        taskCount = tasks.count
        count = tasks.count + 2 * phases.count
        var builder = TaskEdgeBuilder(phases: phases, tasks: tasks, names: names)
        builder.build()
        after = Adjacency(count: count, edges: builder.edges.map { ($0.from, $0.to, $0.reason) })
        before = Adjacency(count: count, edges: builder.edges.map { ($0.to, $0.from, $0.reason) })
    }

    /// What waits for the node.
    func successors(_ node: Int) -> ArraySlice<Edge> { after[node] }
    /// What the node waits for.
    func predecessors(_ node: Int) -> ArraySlice<Edge> { before[node] }

    func begin(_ phase: Int) -> Int { taskCount + 2 * phase }
    func end(_ phase: Int) -> Int { taskCount + 2 * phase + 1 }
    func isTask(_ node: Int) -> Bool { node < taskCount }

    func kind(_ node: Int) -> TaskNode {
        if node < taskCount { return .task(node) }
        let (phase, part) = (node - taskCount).quotientAndRemainder(dividingBy: 2)
        return part == 0 ? .begin(phase: phase) : .end(phase: phase)
    }

    /// All nodes in topological order (Kahn), among tasks the first first; those on a cycle, and behind one, are missing.
    func sorted() -> [Int] {
        var waiting = (0..<count).map { before[$0].count }
        var order: [Int] = []
        order.reserveCapacity(count)
        var tasks = BinaryHeap<Int>(<)
        var inner: [Int] = []
        func note(_ node: Int) { if isTask(node) { tasks.insert(node) } else { inner.append(node) } }
        for node in 0..<count where waiting[node] == 0 { note(node) }
        while let node = inner.popLast() ?? tasks.popFirst() {
            order.append(node)
            for edge in after[node] {
                waiting[edge.node] -= 1
                if waiting[edge.node] == 0 { note(edge.node) }
            }
        }
        return order
    }

    /// For each node its edges, all in one array.
    private struct Adjacency: Sendable {
        private var starts: [Int]
        private var edges: [Edge]

        init(count: Int, edges list: [(from: Int, to: Int, reason: Reason)]) {
            starts = [Int](repeating: 0, count: count + 1)
            for edge in list { starts[edge.from + 1] += 1 }
            for node in 0..<count { starts[node + 1] += starts[node] }
            var next = starts
            edges = [Edge](repeating: Edge(node: 0, reason: .order), count: list.count)
            for edge in list {
                edges[next[edge.from]] = Edge(node: edge.to, reason: edge.reason)
                next[edge.from] += 1
            }
        }

        subscript(node: Int) -> ArraySlice<Edge> { edges[starts[node]..<starts[node + 1]] }
    }
}

/// Draws the edges of a list: see `DeclaredTask.Order` and `TaskPhase.dependencies` for the rules.
private struct TaskEdgeBuilder {
    let phases: [TaskPhase]
    let tasks: [DeclaredTask]
    let names: TaskNames
    var edges: [(from: Int, to: Int, reason: TaskEdges.Reason)] = []

    init(phases: [TaskPhase], tasks: [DeclaredTask], names: TaskNames) {
        self.phases = phases
        self.tasks = tasks
        self.names = names
        edges.reserveCapacity(3 * tasks.count)
    }

    private func begin(_ phase: Int) -> Int { tasks.count + 2 * phase }
    private func end(_ phase: Int) -> Int { tasks.count + 2 * phase + 1 }

    mutating func build() {
        var members: [[Int]] = phases.map { _ in [] }
        var outside: [Int] = []
        for (index, task) in tasks.enumerated() {
            if let phase = task.phase, let number = names.phases[phase] { members[number].append(index) } else { outside.append(index) }
        }
        addOrder(of: outside, phase: nil)
        for phase in phases.indices {
            let before = phases[phase].dependencies?.compactMap { names.phases[$0] } ?? (phase > 0 ? [phase - 1] : [])
            for other in before { edges.append((end(other), begin(phase), .phase)) }
            addOrder(of: members[phase], phase: phase)
        }
        for (index, task) in tasks.enumerated() {
            var seen: Set<String> = []
            for id in task.dependencies where seen.insert(id).inserted {
                if let other = names.tasks[id] { edges.append((other, index, .dependency)) }
            }
        }
    }

    /// Each task is waited for by the next sequential one only, so that the edges are no more than two for each task.
    private mutating func addOrder(of members: [Int], phase: Int?) {
        /// What every further task waits for: the last sequential task, else the phase's begin.
        var barrier = phase.map(begin)
        var barrierReason = TaskEdges.Reason.phase
        /// Tasks since the barrier that no sequential one waits for yet; and the last of them that is not parallel.
        var open: [Int] = []
        var lastDeclared: Int?
        for index in members {
            switch tasks[index].order {
            case .declared:
                if let phase { edges.append((begin(phase), index, .phase)) }
                lastDeclared = index
                open.append(index)
            case .parallel:
                if let barrier { edges.append((barrier, index, barrierReason)) }
                if let lastDeclared { edges.append((lastDeclared, index, .order)) }
                open.append(index)
            case .sequential:
                // A parallel task has waited for the barrier already.
                if let barrier, !open.contains(where: { tasks[$0].order == .parallel }) { edges.append((barrier, index, barrierReason)) }
                for other in open { edges.append((other, index, .order)) }
                (barrier, barrierReason, open, lastDeclared) = (index, .order, [], nil)
            }
        }
        guard let phase else { return }
        if let barrier { edges.append((barrier, end(phase), .phase)) }
        for other in open { edges.append((other, end(phase), .phase)) }
    }
}
