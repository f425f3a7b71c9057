/// When the tasks that are still to do can begin and end, by their estimates; in hours of work from now.
package struct TaskSchedule: Sendable, Hashable {
    /// Where a task's hours come from.
    package enum Basis: String, Sendable, Hashable {
        /// Its own estimate.
        case estimate = "Estimate"
        /// An equal share of what its phase's estimate leaves to tasks without one.
        case phase = "Phase"
        /// Nothing says: the default.
        case assumed = "Assumed"
    }

    /// One task that has not ended.
    package struct Entry: Sendable, Hashable {
        package var id: String
        package var hours: Double
        package var basis: Basis
        package var start: Double
        package var finish: Double
        /// How much later it may end without moving the whole, with as many workers as there is work for.
        package var slack: Double
        /// From 1; `nil` with as many workers as there is work for.
        package var worker: Int?
    }

    /// By start, then in the order of the graph's tasks.
    package var entries: [Entry]
    /// A longest chain of tasks, first to last: each waits for the one before.
    package var criticalPath: [String]
    /// Hours along the critical path: no number of workers is faster.
    package var criticalHours: Double
    /// When the last task ends.
    package var finish: Double
    /// Hours of work in all that is left.
    package var effort: Double
    /// `nil`: as many as there is work for.
    package var workers: Int?
    /// The tasks whose hours no estimate of their own gives, in the order of the graph's tasks.
    package var guessed: [String]
}

extension TaskGraph {
    /// Hours of a task that neither it nor its phase estimates.
    package static let defaultHours = 1.0

    /// Each task's hours: its estimate (of two numbers the greater one), a share of its phase's, or the default.
    package func hours(default fallback: Double = defaultHours) -> [(hours: Double, basis: TaskSchedule.Basis)] {
        var rest = phases.map { $0.estimate?.hours }
        var shares = [Int](repeating: 0, count: phases.count)
        for task in tasks {
            guard let phase = task.phase.flatMap({ phaseIndex[$0] }) else { continue }
            if let estimate = task.estimate { rest[phase] = rest[phase].map { max(0, $0 - estimate.hours) } } else { shares[phase] += 1 }
        }
        return tasks.map { task in
            if let estimate = task.estimate { return (estimate.hours, .estimate) }
            guard let phase = task.phase.flatMap({ phaseIndex[$0] }), let hours = rest[phase], hours > 0 else { return (fallback, .assumed) }
            return (hours / Double(shares[phase]), .phase)
        }
    }

    /// - Parameters:
    ///   - workers: who each do one task at a time; `nil` for as many as there is work for. With a number it is list scheduling:
    ///     whoever is free takes, of the tasks that are ready, the one on which most work hangs. Near the best, not always the best.
    ///   - defaultHours: of a task that neither it nor its phase estimates.
    ///   - isDone: ended already, and left out.
    package func schedule(
        workers: Int? = nil, defaultHours: Double = defaultHours, isDone: (String) -> Bool = { _ in false }
    ) -> TaskSchedule {
        let estimated = hours(default: defaultHours)
        let hours = tasks.indices.map { isDone(tasks[$0].id) ? nil : estimated[$0].hours }
        let times = TaskTimes(self, hours: hours)
        let places = workers.map { ListScheduling(self, hours: hours, tail: times.tail, workers: max(1, $0)).places }
        var entries: [(index: Int, entry: TaskSchedule.Entry)] = []
        for (number, own) in hours.enumerated() {
            guard let own, let start = times.start[number] else { continue }
            let place = places?[number]
            let begin = place?.start ?? start
            entries.append(
                (
                    number,
                    TaskSchedule.Entry(
                        id: tasks[number].id, hours: own, basis: estimated[number].basis, start: begin, finish: begin + own,
                        slack: max(0, times.finish - (start + own + times.tail[number])), worker: place?.worker)
                ))
        }
        entries.sort { ($0.entry.start, $0.index) < ($1.entry.start, $1.index) }
        return TaskSchedule(
            entries: entries.map(\.entry), criticalPath: times.criticalPath.map { tasks[$0].id }, criticalHours: times.finish,
            finish: entries.reduce(0) { max($0, $1.entry.finish) }, effort: entries.reduce(0) { $0 + $1.entry.hours }, workers: workers,
            guessed: tasks.indices.filter { hours[$0] != nil && estimated[$0].basis != .estimate }.map { tasks[$0].id })
    }
}

/// So many workers, each with one task at a time.
private struct ListScheduling {
    /// Of each task that is to do, by index.
    private(set) var places: [Int: (start: Double, worker: Int)] = [:]
    private let graph: TaskGraph
    private let hours: [Double?]
    private var placesLeft: [Int]
    private var namesLeft: [Int]
    private var ready: BinaryHeap<Int>

    init(_ graph: TaskGraph, hours: [Double?], tail: [Double], workers: Int) {
        self.graph = graph
        self.hours = hours
        let edges = graph.edges
        placesLeft = (0..<edges.count).map { node in edges.predecessors(node).count { $0.reason != .dependency } }
        namesLeft = graph.tasks.indices.map { node in edges.predecessors(node).count { $0.reason == .dependency && hours[$0.node] != nil } }
        ready = BinaryHeap { left, right in
            let (one, other) = ((hours[left] ?? 0) + tail[left], (hours[right] ?? 0) + tail[right])
            return one == other ? left < right : one > other
        }
        // Those that wait for nothing; what they open in turn counts itself down.
        for node in (0..<edges.count).filter({ placesLeft[$0] == 0 }) { passed(node) }
        run(workers: workers)
    }

    private mutating func run(workers: Int) {
        var free = BinaryHeap<Int>(<)
        for worker in 1...min(workers, max(1, graph.tasks.count)) { free.insert(worker) }
        var busy = BinaryHeap<(finish: Double, worker: Int, task: Int)> { ($0.finish, $0.worker) < ($1.finish, $1.worker) }
        var now = 0.0
        while true {
            while !ready.isEmpty, let worker = free.popFirst() {
                guard let task = ready.popFirst() else { break }
                places[task] = (now, worker)
                busy.insert((now + (hours[task] ?? 0), worker, task))
            }
            guard let next = busy.popFirst() else { return }
            now = next.finish
            free.insert(next.worker)
            ended(next.task)
            // All that end at the same moment, so that the choice is among everything that is ready then.
            while let other = busy.first, other.finish == now {
                _ = busy.popFirst()
                free.insert(other.worker)
                ended(other.task)
            }
        }
    }

    /// Nothing before the node by place is left.
    private mutating func passed(_ node: Int) {
        var rest = [node]
        while let node = rest.popLast() {
            if node < hours.count, hours[node] != nil {
                if namesLeft[node] == 0 { ready.insert(node) }
            } else {
                rest += opened(by: node)
            }
        }
    }

    /// The nodes that nothing before by place keeps any longer, now that this one is clear.
    private mutating func opened(by node: Int) -> [Int] {
        var result: [Int] = []
        for edge in graph.edges.successors(node) where edge.reason != .dependency {
            placesLeft[edge.node] -= 1
            if placesLeft[edge.node] == 0 { result.append(edge.node) }
        }
        return result
    }

    private mutating func ended(_ task: Int) {
        for edge in graph.edges.successors(task) where edge.reason == .dependency {
            namesLeft[edge.node] -= 1
            if namesLeft[edge.node] == 0, placesLeft[edge.node] == 0, hours[edge.node] != nil { ready.insert(edge.node) }
        }
        for node in opened(by: task) { passed(node) }
    }
}
