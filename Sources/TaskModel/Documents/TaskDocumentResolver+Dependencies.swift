import ResourceModel

extension TaskDocumentResolver {
    typealias Group = TaskReferences.Group

    /// Reads every statement on order into dependencies of tasks and phases.
    func resolveDependencies() {
        var dependencies = Array(repeating: [Int](), count: drafts.count)
        for (index, draft) in drafts.enumerated() { if let heading = draft.heading { headingTasks[heading, default: []].append(index) } }
        for (index, draft) in drafts.enumerated() {
            let own = Group(tasks: [index])
            for statement in draft.statements {
                let sentence = OrderSentence(statement.text, about: own, in: phases[index], references, hasNames: statement.isField, isField: statement.isField)
                refuse(sentence.unknown, statement.line, at: index)
                for edge in sentence.edges { add(statement.isReverse ? OrderSentence.Edge(subject: edge.object, object: edge.subject) : edge, to: &dependencies) }
            }
        }
        for (index, heading) in headings.enumerated() { resolve(heading, index, &dependencies) }
        var chains = [(edge: OrderSentence.Edge, line: Int)]()
        var chain: (group: Group, before: Group)?
        var lastLine = 0
        for statement in reader.statements {
            var own = Group()
            if let subject = statement.subject { own = self.subject(of: subject) }
            let sentence = OrderSentence(statement.text, about: own, in: nil, references, hasNames: true, chain: statement.line == lastLine + 1 ? chain : nil)
            refuse(sentence.unknown, statement.line, at: nil)
            for edge in sentence.edges {
                if edge.isChain { chains.append((edge, statement.line)) } else { add(edge, to: &dependencies) }
            }
            for phase in sentence.independent.phases where phaseDependencies[phase] == nil { phaseDependencies[phase] = [] }
            chain = sentence.chainEnd
            lastLine = statement.line
        }
        store(dependencies)
        addChains(chains)
    }

    /// The phase or story that a heading of the section on dependencies names.
    private func subject(of heading: String) -> Group {
        var words = heading.words[...]
        while let last = words.last, ["dependencies", "dependency", "order", "execution", "tasks"].contains(last) { words.removeLast() }
        if words.count == 2, words.first == "phase", let phase = references.phase(number: words[words.startIndex + 1]) { return Group(phases: [phase]) }
        return Group()
    }

    /// What stands in headings and in the labelled lines under them.
    private func resolve(_ heading: HeadingDraft, _ index: Int, _ dependencies: inout [[Int]]) {
        guard !heading.statements.isEmpty else { return }
        let isTask = heading.task != nil
        let phase = phaseOfHeading[index]
        var own = Group()
        if let phase { own.phases = [phase] } else if !isTask, !heading.isDependency { own.tasks = headingTasks[index] ?? [] }
        guard !own.isEmpty else { return }
        for statement in heading.statements {
            let sentence = OrderSentence(statement.text, about: own, in: phase, references, hasNames: statement.isField, isField: statement.isField)
            if statement.isField { refuse(sentence.unknown, statement.line, at: nil) }
            for edge in sentence.edges {
                var edge = edge
                // A heading names its phase before it says what that waits for.
                if !statement.isField { edge.subject = own }
                edge.object.phases.removeAll { own.phases.contains($0) }
                add(edge, to: &dependencies)
            }
            if let phase, sentence.edges.isEmpty, sentence.independent.phases.contains(phase), statement.isField { phaseDependencies[phase] = [] }
        }
    }

    private func refuse(_ unknown: [String], _ line: Int, at task: Int?) {
        for id in unknown {
            let near = references.nearest(id).map { "; did you mean \($0)?" } ?? ""
            let whose = task.map { "\(drafts[$0].task.id) depends on \(id), but " } ?? ""
            fail("tasks.unknown-dependency", "\(whose)\(id) is not a task of this document\(near)", line, hint: "name a task that the document declares, or drop the dependency")
        }
    }

    /// Adds what an edge says: between phases, between tasks, or of all of a phase's tasks.
    private func add(_ edge: OrderSentence.Edge, to dependencies: inout [[Int]]) {
        stated += max(1, edge.subject.tasks.count) * edge.object.tasks.count
        guard stated <= Self.limit else { return }
        for phase in edge.subject.phases {
            for object in edge.object.phases where object != phase { phaseDependencies[phase, default: []].insert(object) }
            if !edge.object.tasks.isEmpty {
                let outside = edge.object.tasks.filter { phases[$0] != phase }
                for index in tasksOf(phase) { dependencies[index] += outside }
                stated += tasksOf(phase).count * outside.count
            }
        }
        for task in edge.subject.tasks {
            dependencies[task] += edge.object.tasks
            for phase in edge.object.phases where phases[task] != phase && !waits(phases[task], for: phase) {
                dependencies[task] += tasksOf(phase)
                stated += tasksOf(phase).count
            }
        }
    }

    /// Of all tasks together; ranges make many out of few words.
    private static let limit = 500_000

    private func tasksOf(_ phase: Int) -> [Int] {
        if phaseTasks.isEmpty {
            phaseTasks = Array(repeating: [], count: document.phases.count)
            for (index, phase) in phases.enumerated() { if let phase { phaseTasks[phase].append(index) } }
        }
        return phaseTasks[phase]
    }

    /// Whether a phase waits for another as the order of the document has it.
    private func waits(_ phase: Int?, for other: Int) -> Bool {
        guard let phase else { return false }
        return phaseDependencies[phase] == nil && other < phase
    }

    private func store(_ dependencies: [[Int]]) {
        if stated > Self.limit {
            fail("tasks.too-many-dependencies", "states more than \(Self.limit) dependencies", drafts.first { !$0.statements.isEmpty }?.statements[0].line ?? 0, hint: "let phases wait for phases instead of each task for many")
            return
        }
        for index in drafts.indices {
            var seen: Set<Int> = [index]
            // A task that waits for itself is a mistake that the order will show.
            if dependencies[index].contains(index) { drafts[index].task.dependencies.append(drafts[index].task.id) }
            for other in dependencies[index] where seen.insert(other).inserted { drafts[index].task.dependencies.append(drafts[other].task.id) }
        }
        for (phase, others) in phaseDependencies { document.phases[phase].dependencies = others.sorted().map { document.phases[$0].id } }
    }

    /// Chains add their links unless a link would close a circle with what is stated otherwise.
    private func addChains(_ chains: [(edge: OrderSentence.Edge, line: Int)]) {
        guard !chains.isEmpty else { return }
        var order = TaskOrder(drafts, phases, document.phases)
        for (edge, line) in chains {
            for phase in edge.subject.phases {
                for object in edge.object.phases where object != phase {
                    if order.phase(object, waitsFor: phase) {
                        warn("tasks.order", "\(document.phases[object].title) → \(document.phases[phase].title) contradicts what is stated elsewhere and is left out", line)
                    } else {
                        var all = document.phases[phase].dependencies ?? []
                        if !all.contains(document.phases[object].id) { all.append(document.phases[object].id) }
                        document.phases[phase].dependencies = all
                        order = TaskOrder(drafts, phases, document.phases)
                    }
                }
            }
            for task in edge.subject.tasks {
                for object in edge.object.tasks where object != task {
                    if order.task(object, waitsFor: task) {
                        warn("tasks.order", "\(drafts[object].task.id) → \(drafts[task].task.id) contradicts what is stated elsewhere and is left out", line)
                    } else if !drafts[task].task.dependencies.contains(drafts[object].task.id) {
                        drafts[task].task.dependencies.append(drafts[object].task.id)
                        order.add(task, waitsFor: object)
                    }
                }
            }
        }
    }
}

/// Which task or phase waits for which, as far as a chain must respect it.
private struct TaskOrder {
    private var phases: [Int?]
    private var places: [Int] = []
    private var isParallel: [Bool]
    private var dependencies: [[Int]]
    private var before: [[Int]] = []
    /// Something waits for what stands after it in the document: only then can a link that goes forward close a circle.
    private var goesBack = false
    /// How many more steps are taken to look for circles; a circle that is not looked for is found when the tasks are ordered.
    private var steps = 5_000_000

    init(_ drafts: [TaskDraft], _ phases: [Int?], _ list: [TaskPhase]) {
        self.phases = phases
        isParallel = drafts.map { $0.task.order != .sequential }
        var ids: [String: Int] = [:]
        for (index, draft) in drafts.enumerated() { ids[draft.task.id] = index }
        dependencies = drafts.map { $0.task.dependencies.compactMap { ids[$0] } }
        var phaseIDs: [String: Int] = [:]
        for (index, phase) in list.enumerated() { phaseIDs[phase.id] = index }
        before = list.indices.map { index in list[index].dependencies?.compactMap { phaseIDs[$0] } ?? (index > 0 ? [index - 1] : []) }
        goesBack =
            dependencies.enumerated().contains { task, others in others.contains { $0 > task } }
            || before.enumerated().contains { phase, others in others.contains { $0 > phase } }
        // Phases in the order of the document hold their tasks in that order too.
        var last = -1
        for phase in phases {
            guard let phase else { continue }
            if phase < last { goesBack = true }
            last = max(last, phase)
        }
    }

    mutating func add(_ task: Int, waitsFor other: Int) {
        dependencies[task].append(other)
        if other > task { goesBack = true }
    }

    func phase(_ phase: Int, waitsFor other: Int) -> Bool {
        var seen: Set<Int> = []
        var open = [phase]
        while let next = open.popLast() {
            if next == other { return true }
            if seen.insert(next).inserted { open += before[next] }
        }
        return false
    }

    /// Directly, through others, through its place in its phase, or through its phase.
    mutating func task(_ task: Int, waitsFor other: Int) -> Bool {
        if task < other, !goesBack { return false }
        var seen: Set<Int> = []
        var open = [task]
        while let next = open.popLast() {
            if next == other { return true }
            guard seen.insert(next).inserted else { continue }
            steps -= 1
            if steps < 0 { return false }
            if follows(next, other) { return true }
            open += dependencies[next]
        }
        return false
    }

    /// Whether the document's order alone puts `task` after `other`.
    private mutating func follows(_ task: Int, _ other: Int) -> Bool {
        guard let one = phases[task], let two = phases[other] else { return phases[task] == nil && phases[other] == nil && other < task && !isParallel[task] }
        if one != two { return phase(one, waitsFor: two) }
        guard other < task else { return false }
        if !isParallel[task] || !isParallel[other] { return true }
        steps -= task - other
        return ((other + 1)..<task).contains { phases[$0] == one && !isParallel[$0] }
    }
}
