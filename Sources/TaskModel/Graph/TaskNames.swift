import ResourceModel

/// The ids of a list, and what is wrong with the references to them.
struct TaskNames {
    private(set) var tasks: [String: Int] = [:]
    private(set) var phases: [String: Int] = [:]
    private(set) var problems: [Problem] = []
    private let phaseValues: [TaskPhase]
    /// Looking for similar names is quadratic, so only the first problems get one.
    private var suggestions = 10
    private static let shown = 50

    init(phases: [TaskPhase], tasks: [DeclaredTask]) {
        phaseValues = phases
        self.tasks.reserveCapacity(tasks.count)
        for (index, phase) in phases.enumerated() {
            if let other = self.phases.updateValue(index, forKey: phase.id) {
                problems.append(
                    Problem(
                        code: "task.duplicate-phase", message: "phase \(phase.id) is there twice: first at \(phases[other].source)",
                        location: phase.source, hint: "give one of the two headings another name"))
            }
        }
        for (index, task) in tasks.enumerated() {
            if let other = self.tasks.updateValue(index, forKey: task.id) {
                problems.append(
                    Problem(
                        code: "task.duplicate-id", message: "task \(task.id) is there twice: first at \(tasks[other].source)",
                        location: task.source, hint: "give one of the two another id"))
            }
        }
        for phase in phases { check(phase) }
        for task in tasks { check(task) }
        if problems.count > Self.shown {
            let rest = problems.count - Self.shown
            problems.removeLast(rest)
            problems.append(Problem(code: "task.more-problems", message: "and \(rest) more problems of this kind"))
        }
    }

    private mutating func check(_ phase: TaskPhase) {
        for id in phase.dependencies ?? [] where phases[id] == nil {
            problems.append(
                Problem(
                    code: "task.unknown-phase", message: "phase \(phase.id) waits for phase `\(id)`, which is not in the list",
                    location: phase.source, hint: suggestion(id, among: Array(phases.keys))))
        }
    }

    private mutating func check(_ task: DeclaredTask) {
        if let id = task.phase, phases[id] == nil {
            problems.append(
                Problem(
                    code: "task.unknown-phase", message: "task \(task.id) is in phase `\(id)`, which is not in the list",
                    location: task.source, hint: suggestion(id, among: Array(phases.keys))))
        }
        for id in task.dependencies where tasks[id] == nil {
            let hint = phases[id].map { "`\(id)` is a phase (\(phaseValues[$0].source)); a task depends on tasks" }
            problems.append(
                Problem(
                    code: "task.unknown-dependency", message: "task \(task.id) depends on `\(id)`, which is not in the list",
                    location: task.source, hint: hint ?? suggestion(id, among: Array(tasks.keys)) ?? "add the task, or take the dependency out"))
        }
    }

    private mutating func suggestion(_ id: String, among known: [String]) -> String? {
        guard suggestions > 0 else { return nil }
        suggestions -= 1
        return known.nearest(to: id).map { "did you mean `\($0)`?" }
    }
}

extension Collection<String> {
    /// The name that is written most like this one: letters in another case and zeros in front of numbers aside the same, else with at
    /// most two letters different, in a word of more than three letters; `nil` when none is near.
    package func nearest(to name: String) -> String? {
        let plain = name.withoutPadding
        var best: (distance: Int, name: String)?
        for candidate in self where abs(candidate.utf8.count - name.utf8.count) <= 4 {
            let distance = candidate.withoutPadding == plain ? 0 : editDistance(name.lowercased(), candidate.lowercased())
            guard distance <= (name.utf8.count > 3 ? 2 : 1) else { continue }
            if best.map({ (distance, candidate) < ($0.distance, $0.name) }) ?? true { best = (distance, candidate) }
        }
        return best?.name
    }
}

extension String {
    /// In lower case, each run of digits without the zeros it begins with, and without what parts words.
    fileprivate var withoutPadding: String {
        var result = ""
        var isInNumber = false
        for character in lowercased() where character.isLetter || character.isNumber || character == "." {
            if character == "0", !isInNumber { continue }
            isInNumber = character.isNumber
            result.append(character)
        }
        return result
    }
}

/// Levenshtein's distance.
private func editDistance(_ left: String, _ right: String) -> Int {
    let (left, right) = (Array(left.utf8), Array(right.utf8))
    var row = Array(0...right.count)
    for (line, letter) in left.enumerated() {
        var diagonal = row[0]
        row[0] = line + 1
        for column in right.indices {
            let cost = letter == right[column] ? diagonal : diagonal + 1
            diagonal = row[column + 1]
            row[column + 1] = Swift.min(cost, row[column] + 1, diagonal + 1)
        }
    }
    return row[right.count]
}
