/// Finds the tasks and phases that a document's words name.
struct TaskReferences {
    /// Tasks and phases by index.
    struct Group: Equatable {
        var tasks: [Int] = []
        var phases: [Int] = []
        var isEmpty: Bool { tasks.isEmpty && phases.isEmpty }

        mutating func formUnion(_ other: Group) {
            tasks += other.tasks
            phases += other.phases
        }
    }

    private(set) var ids: [String] = []
    private var exact: [String: Int] = [:]
    /// By letters and numbers alone; -1 where two tasks agree in them.
    private var canonical: [String: Int] = [:]
    private var shapes: Set<String> = []
    private var phaseIDs: [String] = []
    private var phaseNumbers: [String: Int] = [:]
    private var stories: [String: [Int]] = [:]
    private var storyTasks: [String: [Int]] = [:]
    private(set) var storyPhases: [Int] = []
    /// A phase's names in words, by their first.
    private var names: [String: [(words: [String], phase: Int)]] = [:]
    private(set) var phaseCount = 0
    var hasNumberIDs = false

    init() {}

    init(_ drafts: [TaskDraft], _ phases: [TaskPhase], _ phaseOfTask: [Int?], headings: [Int: Int]) {
        for (index, draft) in drafts.enumerated() {
            let id = draft.task.id
            ids.append(id)
            exact[id.lowercased()] = index
            if draft.id != nil { shapes.insert(TaskIdentifier.shape(id)) }
            if id.utf8.allSatisfy(\.isDigit) { hasNumberIDs = true }
            for key in Self.keys(id) { canonical[key] = canonical[key] == nil ? index : -1 }
            if let story = draft.task.story {
                for name in story.split(separator: ",") { storyTasks[String(name).trimmed.uppercased(), default: []].append(index) }
            }
        }
        phaseCount = phases.count
        for (index, phase) in phases.enumerated() {
            phaseIDs.append(phase.id)
            let words = HeadingWording.withoutNumber(phase.title).words
            if words.count > 1, ["phase", "sprint", "milestone", "stage", "iteration", "epic", "week", "wave", "part"].contains(words[0]) {
                let number = String(phase.id.dropFirst(words[0].utf8.count + 1))
                phaseNumbers[number] = phaseNumbers[number] ?? index
            } else if let number = phase.title.words.first, number.utf8.allSatisfy(\.isDigit) {
                phaseNumbers[number] = phaseNumbers[number] ?? index
            }
            if let story = phase.story {
                stories[story.uppercased(), default: []].append(index)
                storyPhases.append(index)
            }
            addNames(phase.title, index)
        }
    }

    private static func keys(_ id: String) -> Set<String> {
        let full = TaskIdentifier.canonical(id)
        var keys: Set<String> = [full]
        let parts = full.split(separator: ".")
        // `Task 5` means `T005` and `TASK_005`.
        if parts.count > 1, parts[0] == "T" || parts[0] == "TASK" { keys.insert(parts.dropFirst().joined(separator: ".")) }
        return keys
    }

    /// `Phase 7: Polish & Cross-Cutting Concerns` is also `polish`; `Phase 1: Setup (Project Structure)` is `setup`.
    private mutating func addNames(_ title: String, _ phase: Int) {
        var name = HeadingWording.withoutNumber(title)
        if let colon = name.firstIndex(where: { $0 == ":" || $0 == "—" || $0 == "–" }), HeadingWording(name).isPhase { name = String(name[name.index(after: colon)...]).trimmed }
        var short = String(name.prefix { $0 != "(" && $0 != "&" && $0 != "," && $0 != "/" && $0 != "—" }).trimmed
        if let dash = short.firstRange(of: " - ") { short = String(short[..<dash.lowerBound]) }
        for words in [name.words, short.words] where !words.isEmpty && words.count <= 8 && words[0] != "user" && words.joined().utf8.count >= 4 {
            if !(names[words[0]]?.contains { $0.words == words } ?? false) { names[words[0], default: []].append((words, phase)) }
        }
    }

    /// The task of an id as a text writes it; one numbered inside a phase is looked for in `phase` first.
    func task(_ id: String, in phase: Int?) -> Int? {
        if let phase, id.utf8.allSatisfy(\.isDigit), let index = exact["\(phaseIDs[phase])-\(id)"] { return index }
        if let index = exact[id.lowercased()] { return index }
        if let index = canonical[TaskIdentifier.canonical(id)], index >= 0 { return index }
        return nil
    }

    /// Whether a word looks like the ids of this document.
    func looksLikeID(_ word: String) -> Bool { shapes.contains(TaskIdentifier.shape(word)) }

    func phase(number: String) -> Int? {
        if let index = phaseNumbers[number.lowercased()] { return index }
        // `Phase 2A` is a part of phase 2.
        let digits = String(number.prefix { $0.isNumber })
        return digits.utf8.count < number.utf8.count && number.utf8.count - digits.utf8.count == 1 ? phaseNumbers[digits] : nil
    }

    /// The phases of a story, else its tasks.
    func story(_ name: String) -> Group? {
        let name = name.uppercased()
        if let phases = stories[name] { return Group(phases: phases) }
        return storyTasks[name].map { Group(tasks: $0) }
    }

    /// The phase whose name the words begin with, and of how many words it is.
    func phase(named words: ArraySlice<String>) -> (phase: Int, count: Int)? {
        guard let first = words.first, let known = names[first] else { return nil }
        var best: (phase: Int, count: Int)?
        for name in known where name.words.count > best?.count ?? 0 && words.starts(with: name.words) { best = (name.phase, name.words.count) }
        return best
    }

    /// The tasks from one to another of the same kind of id, by their numbers.
    func range(_ first: Int, _ last: Int) -> [Int] {
        guard let one = Self.numbered(ids[first]), let other = Self.numbered(ids[last]), one.prefix == other.prefix, one.number <= other.number,
            other.number - one.number <= 100_000
        else { return [first, last] }
        let tail = ids[first].utf8.count - one.prefix.utf8.count
        return (one.number...other.number).compactMap { number in
            let digits = String(number)
            return exact[(one.prefix + String(repeating: "0", count: max(0, tail - digits.utf8.count)) + digits).lowercased()] ?? exact[(one.prefix + digits).lowercased()]
        }
    }

    private static func numbered(_ id: String) -> (prefix: String, number: Int)? {
        let digits = id.utf8.reversed().prefix(while: \.isDigit).count
        guard digits > 0, digits <= 9, let number = Int(id.suffix(digits)) else { return nil }
        return (String(id.dropLast(digits)), number)
    }

    /// The id that is most like a wrong one, `nil` when none is.
    func nearest(_ id: String) -> String? {
        let wanted = Array(id.uppercased().utf8)
        var best: (id: String, distance: Int)?
        for other in ids {
            let distance = Self.distance(wanted, Array(other.uppercased().utf8))
            if distance < best?.distance ?? 3 { best = (other, distance) }
        }
        return best?.id
    }

    private static func distance(_ one: [UInt8], _ other: [UInt8]) -> Int {
        if abs(one.count - other.count) > 2 { return 3 }
        var row = Array(0...other.count)
        for (i, left) in one.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, right) in other.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (left == right ? 0 : 1))
                diagonal = above
            }
        }
        return row[other.count]
    }
}
