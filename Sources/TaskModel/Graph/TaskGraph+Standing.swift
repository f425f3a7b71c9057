/// Where a task stands in its graph, given the states of all.
package enum TaskStanding: Sendable, Hashable {
    /// Succeeded or skipped.
    case ended
    case running
    case failed
    /// Not begun, and nothing that it waits for is left.
    case ready
    /// Not begun; what it waits for goes on or is still to come.
    case waiting
    /// Not begun, and it won't be until the task of this index (in `TaskGraph.tasks`) that failed has succeeded or is skipped.
    case blocked(by: Int)
}

extension TaskGraph {
    /// One pass over all tasks, linear in the graph's size.
    ///
    /// A skipped task counts as ended; what waits for a failed one, directly or not, is blocked by it.
    /// - Parameter states: one for each of `tasks`.
    package func standings(_ states: [TaskStatus.State]) -> [TaskStanding] {
        var standings = [TaskStanding](repeating: .waiting, count: tasks.count)
        /// Ended, and so is all that came before it by place.
        var isClear = [Bool](repeating: false, count: edges.count)
        /// The first failed task that stands in the way of what waits for the node by place.
        var failure = [Int?](repeating: nil, count: edges.count)
        for node in sorted {
            var isFree = true
            var isPassed = true
            var failed: Int?
            for edge in edges.predecessors(node) {
                if edge.reason == .dependency {
                    switch standings[edge.node] {
                    case .ended: continue
                    case .failed: failed = least(failed, edge.node)
                    case .blocked(let by): failed = least(failed, by)
                    case .running, .ready, .waiting: break
                    }
                    isFree = false
                } else if !isClear[edge.node] {
                    (isFree, isPassed) = (false, false)
                    failed = least(failed, failure[edge.node])
                }
            }
            guard node < tasks.count else {
                (isClear[node], failure[node]) = (isPassed, failed)
                continue
            }
            switch states[node] {
            case .succeeded, .skipped:
                standings[node] = .ended
                // What it depended on by name is behind it; what stood before it by place is not, for those after it.
                (isClear[node], failure[node]) = (isPassed, isPassed ? nil : placeFailure(node, failure, isClear))
            case .failed: (standings[node], failure[node]) = (.failed, node)
            case .running: (standings[node], failure[node]) = (.running, failed)
            case .pending, .blocked:
                standings[node] = isFree ? .ready : failed.map(TaskStanding.blocked(by:)) ?? .waiting
                failure[node] = failed
            }
        }
        return standings
    }

    private func placeFailure(_ node: Int, _ failure: [Int?], _ isClear: [Bool]) -> Int? {
        edges.predecessors(node).reduce(nil) { $1.reason != .dependency && !isClear[$1.node] ? least($0, failure[$1.node]) : $0 }
    }

    private func least(_ left: Int?, _ right: Int?) -> Int? {
        guard let left, let right else { return left ?? right }
        return min(left, right)
    }

    /// The tasks that may begin now, in the order of `tasks`.
    /// - Parameters:
    ///   - ended: succeeded or skipped.
    ///   - others: begun or failed: not ready, and not ended.
    package func ready(ended: Set<String>, others: Set<String> = []) -> [String] {
        let standings = standings(
            tasks.map { ended.contains($0.id) ? .succeeded : others.contains($0.id) ? .running : .pending })
        return tasks.indices.filter { standings[$0] == .ready }.map { tasks[$0].id }
    }

    /// Whether nothing that the task waits for is left; costs a whole pass. `false` for an unknown id.
    package func isReady(_ id: String, ended: Set<String>) -> Bool {
        guard let number = index[id] else { return false }
        let standings = standings(tasks.map { $0.id != id && ended.contains($0.id) ? .succeeded : .pending })
        return standings[number] == .ready
    }
}
