/// What a task waits for directly, or what waits for it.
package struct TaskNeighbour: Sendable, Hashable {
    package enum Reason: String, Sendable, Hashable {
        /// Named by the task that waits.
        case dependency = "Dependency"
        /// By place in the phase.
        case order = "Order"
        /// A phase as a whole.
        case phase = "Phase"
    }

    /// A task's id, or a phase's where that is the reason.
    package var id: String
    package var reason: Reason

    package init(id: String, reason: Reason) {
        self.id = id
        self.reason = reason
    }
}

extension TaskGraph {
    /// All ids, each after what it waits for; where several could come next, the one given first.
    package var order: [String] { sorted.lazy.filter(edges.isTask).map { tasks[$0].id } }

    /// What directly must have ended before the task: tasks named, tasks by their place, then phases; none for an unknown id.
    package func predecessors(of id: String) -> [TaskNeighbour] { neighbours(of: id, edges.predecessors) }

    /// What directly waits for the task: by name, by place, then the phases that its own phase's end opens.
    package func successors(of id: String) -> [TaskNeighbour] { neighbours(of: id, edges.successors) }

    private func neighbours(of id: String, _ next: (Int) -> ArraySlice<TaskEdges.Edge>) -> [TaskNeighbour] {
        guard let task = index[id] else { return [] }
        var result: [TaskNeighbour] = []
        var seen: Set<Int> = []
        var inner: [Int] = []
        for edge in next(task).sorted(by: { ($0.reason.rawValue, $0.node) < ($1.reason.rawValue, $1.node) }) where seen.insert(edge.node).inserted {
            if edges.isTask(edge.node) {
                result.append(TaskNeighbour(id: tasks[edge.node].id, reason: edge.reason == .dependency ? .dependency : .order))
            } else {
                inner.append(edge.node)
            }
        }
        // Over the barrier to the phases on its other side, past those that hold no task.
        let own = tasks[task].phase.flatMap { phaseIndex[$0] }
        var phases: Set<Int> = []
        while let node = inner.popLast() {
            for edge in next(node) where seen.insert(edge.node).inserted {
                let phase: Int
                switch edges.kind(edge.node) {
                case .begin(let number), .end(let number): phase = number
                case .task: continue
                }
                if phase == own || isEmpty(phase) { inner.append(edge.node) } else { phases.insert(phase) }
            }
        }
        return result + phases.sorted().map { TaskNeighbour(id: self.phases[$0].id, reason: .phase) }
    }

    private func isEmpty(_ phase: Int) -> Bool {
        // Without a task its begin leads to its end, and nowhere else.
        edges.successors(edges.begin(phase)).allSatisfy { $0.node == edges.end(phase) }
    }

    /// Everything that waits for the task, directly or not, in the order of `tasks`.
    package func descendants(of id: String) -> [String] { reachable(from: id, edges.successors) }

    /// Everything that the task waits for, directly or not, in the order of `tasks`.
    package func ancestors(of id: String) -> [String] { reachable(from: id, edges.predecessors) }

    private func reachable(from id: String, _ next: (Int) -> ArraySlice<TaskEdges.Edge>) -> [String] {
        guard let task = index[id] else { return [] }
        var isReached = [Bool](repeating: false, count: edges.count)
        var rest = [task]
        while let node = rest.popLast() {
            for edge in next(node) where !isReached[edge.node] {
                isReached[edge.node] = true
                rest.append(edge.node)
            }
        }
        return tasks.indices.filter { isReached[$0] }.map { tasks[$0].id }
    }

    /// The tasks that are still to do, in steps: each step's tasks may run beside each other once the steps before have ended.
    /// - Parameter isDone: ended already; left out, and nothing waits for it.
    package func waves(isDone: (String) -> Bool = { _ in false }) -> [[String]] {
        let times = TaskTimes(self, hours: tasks.map { isDone($0.id) ? nil : 1 })
        var waves = [[String]](repeating: [], count: Int(times.finish))
        for (number, task) in tasks.enumerated() {
            if let start = times.start[number] { waves[Int(start)].append(task.id) }
        }
        return waves
    }
}
