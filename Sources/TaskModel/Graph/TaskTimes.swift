/// Earliest begin and end of each task with as many workers as there is work for, and how much of the work still hangs on each.
struct TaskTimes {
    /// In hours from now; `nil` for a task that has ended.
    private(set) var start: [Double?]
    private(set) var end: [Double?]
    /// The longest chain of work that follows the end of the task, in hours.
    private(set) var tail: [Double]
    /// The end of the last task; 0 when nothing is to do.
    private(set) var finish = 0.0
    /// A longest chain of tasks from now to the finish, by index.
    private(set) var criticalPath: [Int] = []

    /// - Parameter hours: of each task; `nil` for one that has ended.
    init(_ graph: TaskGraph, hours: [Double?]) {
        let edges = graph.edges
        let none = [Double?](repeating: nil, count: graph.tasks.count)
        (start, end) = (none, none)
        tail = [Double](repeating: 0, count: graph.tasks.count)
        /// When the node and all before it by place have ended, and the task that this is due to.
        var clear = [Double](repeating: 0, count: edges.count)
        var due = [Int?](repeating: nil, count: edges.count)
        var cause = [Int?](repeating: nil, count: graph.tasks.count)
        var last: Int?
        for node in graph.sorted {
            let isOpen = node < hours.count && hours[node] != nil
            var (time, task): (Double, Int?) = (0, nil)
            for edge in edges.predecessors(node) {
                if edge.reason == .dependency {
                    guard isOpen, let other = end[edge.node] else { continue }
                    if other > time || task == nil { (time, task) = (other, edge.node) }
                } else if clear[edge.node] > time || (task == nil && due[edge.node] != nil) {
                    (time, task) = (clear[edge.node], due[edge.node])
                }
            }
            guard isOpen, let own = hours[node] else {
                (clear[node], due[node]) = (time, task)
                continue
            }
            (start[node], end[node], cause[node]) = (time, time + own, task)
            (clear[node], due[node]) = (time + own, node)
            if time + own > finish || last == nil { (finish, last) = (time + own, node) }
        }
        while let task = last {
            criticalPath.append(task)
            last = cause[task]
        }
        criticalPath.reverse()
        measureTails(graph, hours: hours)
    }

    private mutating func measureTails(_ graph: TaskGraph, hours: [Double?]) {
        let edges = graph.edges
        /// The longest chain that follows the node's being clear.
        var afterClear = [Double](repeating: 0, count: edges.count)
        for node in graph.sorted.reversed() {
            var (byPlace, byName) = (0.0, 0.0)
            for edge in edges.successors(node) {
                let own = edge.node < hours.count ? hours[edge.node] : nil
                if edge.reason == .dependency {
                    if let own { byName = max(byName, own + tail[edge.node]) }
                } else {
                    byPlace = max(byPlace, own.map { $0 + tail[edge.node] } ?? afterClear[edge.node])
                }
            }
            afterClear[node] = byPlace
            if node < hours.count, hours[node] != nil { tail[node] = max(byPlace, byName) }
        }
    }
}
