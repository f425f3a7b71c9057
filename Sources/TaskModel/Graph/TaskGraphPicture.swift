/// The graph as a drawing program is to show it: phases as boxes, states as colours, the critical path in bold.
package struct TaskGraphPicture: Sendable {
    let graph: TaskGraph
    let title: String
    let states: [TaskStatus.State]
    let isCritical: [Bool]

    /// - Parameters:
    ///   - states: one for each of the graph's tasks.
    ///   - criticalPath: ids of tasks.
    package init(_ graph: TaskGraph, title: String, states: [TaskStatus.State], criticalPath: [String]) {
        self.graph = graph
        self.title = title
        self.states = states
        let ids = Set(criticalPath)
        isCritical = graph.tasks.map { ids.contains($0.id) }
    }

    /// Of each phase the indexes of its tasks; last of those outside of any.
    var members: [[Int]] {
        var members = [[Int]](repeating: [], count: graph.phases.count + 1)
        for (number, task) in graph.tasks.enumerated() {
            members[task.phase.flatMap { graph.phaseIndex[$0] } ?? graph.phases.count].append(number)
        }
        return members
    }

    /// How many edges `mermaid` draws.
    package var mermaidEdgeCount: Int { mermaidEdges.count }

    static func fill(_ state: TaskStatus.State) -> String {
        switch state {
        case .pending: "#ffffff"
        case .blocked: "#e5e7eb"
        case .running: "#bfdbfe"
        case .succeeded: "#bbf7d0"
        case .failed: "#fecaca"
        case .skipped: "#fef3c7"
        }
    }

    /// The title, cut where a box would grow too wide.
    func label(_ task: Int) -> String {
        let title = graph.tasks[task].title
        return title.count > 60 ? title.prefix(59) + "…" : title
    }
}
