/// What still stands in the way of tasks, given the states of all.
package struct TaskObstacles: Sendable {
    private let graph: TaskGraph
    private let hasEnded: [Bool]
    /// Ended, and so is all that came before it by place.
    private let isClear: [Bool]
    /// Of each phase, whether a task of it has not ended.
    private let isOpen: [Bool]

    /// Linear in the graph's size.
    /// - Parameter states: one for each of the graph's tasks.
    package init(_ graph: TaskGraph, states: [TaskStatus.State]) {
        let hasEnded = states.map { $0 == .succeeded || $0 == .skipped }
        var isOpen = [Bool](repeating: false, count: graph.phases.count)
        for (number, task) in graph.tasks.enumerated() where !hasEnded[number] {
            if let phase = task.phase.flatMap({ graph.phaseIndex[$0] }) { isOpen[phase] = true }
        }
        var isClear = [Bool](repeating: false, count: graph.edges.count)
        for node in graph.sorted {
            isClear[node] =
                (node >= hasEnded.count || hasEnded[node])
                && graph.edges.predecessors(node).allSatisfy { $0.reason == .dependency || isClear[$0.node] }
        }
        (self.graph, self.hasEnded, self.isOpen, self.isClear) = (graph, hasEnded, isOpen, isClear)
    }

    /// Tasks that it depends on and that have not ended, the nearest tasks before it by place that have not, and phases of which
    /// something has not; empty when it could begin, or has ended, and for an unknown id.
    package func obstacles(of id: String) -> [TaskNeighbour] {
        guard let start = graph.index[id], !hasEnded[start] else { return [] }
        var named: Set<Int> = []
        var placed: Set<Int> = []
        var phases: Set<Int> = []
        var seen: Set<Int> = [start]
        var rest = [start]
        while let node = rest.popLast() {
            for edge in graph.edges.predecessors(node) {
                if edge.reason == .dependency {
                    if node == start, !hasEnded[edge.node] { named.insert(edge.node) }
                    continue
                }
                guard !isClear[edge.node], seen.insert(edge.node).inserted else { continue }
                switch graph.edges.kind(edge.node) {
                case .task(let number) where !hasEnded[number]: placed.insert(number)
                case .end(let phase) where isOpen[phase]: phases.insert(phase)
                default: rest.append(edge.node)  // it has ended, and something before it has not
                }
            }
        }
        return named.sorted().map { TaskNeighbour(id: graph.tasks[$0].id, reason: .dependency) }
            + placed.subtracting(named).sorted().map { TaskNeighbour(id: graph.tasks[$0].id, reason: .order) }
            + phases.sorted().map { TaskNeighbour(id: graph.phases[$0].id, reason: .phase) }
    }
}
