import ResourceModel

extension TaskGraph {
    /// One problem for each knot of the nodes that could not be ordered, with a shortest cycle through its first task:
    /// `T003 -> T005 -> T003`, read as "waits for".
    func cycleProblems(placed: [Int]) -> [Problem] {
        var isPlaced = [Bool](repeating: false, count: edges.count)
        for node in placed { isPlaced[node] = true }
        let shown = 10
        let components = knots(among: (0..<edges.count).filter { !isPlaced[$0] })
        var problems = components.prefix(shown).map { problem(of: cycle(in: $0)) }
        if components.count > shown { problems.append(Problem(code: "task.cycle", message: "and \(components.count - shown) more cycles")) }
        return problems
    }

    private func problem(of cycle: [(node: Int, reason: TaskEdges.Reason)]) -> Problem {
        // The phases' begins and ends are told in the reasons, not in the line.
        let places = cycle.indices.filter { edges.isTask(cycle[$0].node) }
        var chain = places.map { tasks[cycle[$0].node].id }
        guard let first = places.first else { return phaseProblem(of: cycle.map(\.node)) }
        chain.append(chain[0])
        var sentences: [String] = []
        for (number, place) in places.enumerated() {
            let next = number + 1 < places.count ? places[number + 1] : cycle.count
            sentences.append(sentence(Array(cycle[place..<next]), to: tasks[cycle[number + 1 < places.count ? next : first].node]))
        }
        return Problem(
            code: "task.cycle",
            message: "the tasks wait for each other: \(shortened(chain).joined(separator: " -> ")): \(shortened(sentences).joined(separator: "; "))",
            location: tasks[cycle[first].node].source, hint: "take out one of the dependencies, or move a task")
    }

    /// A ring may be as long as the list.
    private func shortened(_ texts: [String]) -> [String] {
        texts.count > 20 ? Array(texts.prefix(10)) + ["(\(texts.count - 15) more)"] + Array(texts.suffix(5)) : texts
    }

    /// Why the first task of the part waits for `other`.
    private func sentence(_ part: [(node: Int, reason: TaskEdges.Reason)], to other: DeclaredTask) -> String {
        let task = tasks[part[0].node]
        if part.count == 1 {
            guard part[0].reason == .dependency else { return "\(task.id) comes after \(other.id) in its phase (\(task.source))" }
            return "\(task.id) depends on \(other.id) (\(task.source))"
        }
        var phases: [Int] = []
        for step in part.dropFirst() {
            switch edges.kind(step.node) {
            case .begin(let phase), .end(let phase): if phases.last != phase { phases.append(phase) }
            case .task: break
            }
        }
        let names = phases.map { "phase \(self.phases[$0].id) (\(self.phases[$0].source))" }
        return "\(task.id) is in \(names.joined(separator: ", which waits for ")), which holds \(other.id) (\(other.source))"
    }

    private func phaseProblem(of nodes: [Int]) -> Problem {
        var chain: [Int] = []
        for node in nodes {
            if case .begin(let phase) = edges.kind(node) { chain.append(phase) }
        }
        let first = chain.first.map { phases[$0] }
        let names = (chain + chain.prefix(1)).map { phases[$0].id }
        let places = chain.map { "\(phases[$0].id) at \(phases[$0].source)" }
        return Problem(
            code: "task.cycle", message: "the phases wait for each other: \(names.joined(separator: " -> ")): \(places.joined(separator: ", "))",
            location: first?.source, hint: "take out one of the dependencies between them")
    }

    /// A shortest cycle through the first task of a knot (through its first node when it has no task); each step with the reason for which
    /// it waits for the next, the last for the first.
    private func cycle(in knot: [Int]) -> [(node: Int, reason: TaskEdges.Reason)] {
        let members = Set(knot)
        let start = knot[0]
        // In breadth, from the start over what each waits for, back to the start.
        var reached: [Int: (node: Int, reason: TaskEdges.Reason)] = [:]
        var queue = [start]
        var next = 0
        while next < queue.count {
            let node = queue[next]
            next += 1
            // Dependencies by name first: they say more than the order does.
            for edge in edges.predecessors(node).sorted(by: { $0.reason.rawValue < $1.reason.rawValue }) where members.contains(edge.node) {
                if edge.node == start {
                    var path = [(node: node, reason: edge.reason)]
                    while let step = path.last, step.node != start, let from = reached[step.node] { path.append(from) }
                    return path.reversed()
                }
                if reached[edge.node] == nil {
                    reached[edge.node] = (node, edge.reason)
                    queue.append(edge.node)
                }
            }
        }
        return knot.map { ($0, .order) }
    }

    /// The strongly connected parts with a cycle (Tarjan, without recursion: a chain may be 10,000 long), each sorted, by first node.
    private func knots(among nodes: [Int]) -> [[Int]] {
        var number = [Int](repeating: -1, count: edges.count)
        var low = [Int](repeating: 0, count: edges.count)
        var isOpen = [Bool](repeating: false, count: edges.count)
        var open: [Int] = []
        var visited = 0
        var found: [[Int]] = []
        for root in nodes where number[root] < 0 {
            var calls: [(node: Int, rest: ArraySlice<TaskEdges.Edge>)] = []
            func enter(_ node: Int) {
                (number[node], low[node], isOpen[node]) = (visited, visited, true)
                visited += 1
                open.append(node)
                calls.append((node, edges.successors(node)))
            }
            enter(root)
            while let call = calls.last {
                if let edge = call.rest.first {
                    calls[calls.count - 1].rest.removeFirst()
                    if number[edge.node] < 0 {
                        enter(edge.node)
                    } else if isOpen[edge.node] {
                        low[call.node] = min(low[call.node], number[edge.node])
                    }
                    continue
                }
                calls.removeLast()
                if let parent = calls.last { low[parent.node] = min(low[parent.node], low[call.node]) }
                guard low[call.node] == number[call.node] else { continue }
                var members: [Int] = []
                while let node = open.popLast() {
                    isOpen[node] = false
                    members.append(node)
                    if node == call.node { break }
                }
                if members.count > 1 || edges.successors(call.node).contains(where: { $0.node == call.node }) { found.append(members.sorted()) }
            }
        }
        return found.sorted { $0[0] < $1[0] }
    }
}
