/// What one line says on the order of tasks and phases.
struct OrderSentence {
    typealias Group = TaskReferences.Group

    /// Who waits for whom.
    struct Edge {
        var subject: Group
        var object: Group
        /// From a chain such as `T001 → T002`.
        var isChain = false
    }

    private(set) var edges: [Edge] = []
    /// Those of which it says that they depend on nothing.
    private(set) var independent = Group()
    /// Ids of this document's kind that no task has.
    private(set) var unknown: [String] = []
    /// The last links of a chain, for the next line to go on with, and what they wait for.
    private(set) var chainEnd: (group: Group, before: Group)?

    private enum Token {
        case group(Group)
        case unknown(String)
        case word(String)
        case joiner, range, stop, dash, rightArrow, leftArrow, open, close
    }

    private var tokens: [Token] = []

    /// - Parameters:
    ///   - own: What the line is about when it does not say so.
    ///   - phase: The phase of the task the line belongs to.
    ///   - hasNames: Whether phases may be named without `Phase` and number.
    ///   - isField: The line is a field's value: all ids in it are what is waited for.
    ///   - chain: What the line before ended with.
    init(_ text: String, about own: Group, in phase: Int?, _ references: TaskReferences, hasNames: Bool, isField: Bool = false, chain: (group: Group, before: Group)? = nil) {
        tokens = Lexer(text, references, phase: phase, hasNames: hasNames, isField: isField).tokens
        if isField {
            readField(about: own)
            return
        }
        let hasWord = tokens.contains { if case .word(let word) = $0 { TaskSentence.forward.contains(word) || TaskSentence.reverse.contains(word) } else { false } }
        let hasArrow = tokens.contains { if case .rightArrow = $0 { true } else { false } }
        if hasWord {
            readSentence(about: own)
        } else if hasArrow {
            readChain(after: chain)
        } else {
            readIndependence(about: own)
        }
    }

    /// Everything that the line names, in its order.
    var groups: [Group] { tokens.compactMap { if case .group(let group) = $0 { group } else { nil } } }

    private mutating func readField(about own: Group) {
        var object = Group()
        for token in tokens {
            switch token {
            case .group(let group): object.formUnion(group)
            case .unknown(let id): unknown.append(id)
            default: break
            }
        }
        if object.isEmpty { if unknown.isEmpty { independent = own } } else { edges.append(Edge(subject: own, object: object)) }
    }

    private mutating func readIndependence(about own: Group) {
        var subject = Group()
        for (index, token) in tokens.enumerated() {
            if case .group(let group) = token { subject.formUnion(group) }
            if case .word("independent") = token, index < tokens.count { independent.formUnion(subject.isEmpty ? own : subject) }
        }
    }

    private mutating func readSentence(about own: Group) {
        var lineSubject: Group?
        var pending = Group()
        var isNegated = false
        var index = 0
        while index < tokens.count {
            switch tokens[index] {
            case .group(let group):
                pending.formUnion(group)
            case .unknown:
                break
            case .open:
                // In parentheses counts what names things or states an order; `(installed in T008)` does not.
                if !opensStatement(index + 1) { index = closing(index) }
            case .stop, .dash, .rightArrow, .leftArrow:
                if lineSubject == nil, !pending.isEmpty { lineSubject = pending }
                pending = Group()
                isNegated = false
            case .word(let word):
                if word == "no" || word == "not" || word == "without" || word == "independent" || word == "none" {
                    isNegated = true
                } else if TaskSentence.forward.contains(word) || TaskSentence.reverse.contains(word) {
                    let isNoun = word.hasPrefix("dependenc") || word.hasPrefix("prerequisite") || word == "deps"
                    if lineSubject == nil, !pending.isEmpty { lineSubject = pending }
                    let subject = pending.isEmpty ? (lineSubject ?? own) : pending
                    if isNegated {
                        if isNoun || word == "depend" || word == "depends" { independent.formUnion(subject) }
                    } else if !isNoun || opensColon(index + 1) {
                        let (object, next, missing) = objects(index + 1)
                        if !subject.isEmpty {
                            if TaskSentence.reverse.contains(word) {
                                if !object.isEmpty { edges.append(Edge(subject: object, object: subject)) }
                            } else if !object.isEmpty {
                                edges.append(Edge(subject: subject, object: object))
                            }
                            unknown += missing
                        }
                        if next > index + 1 {
                            pending = Group()
                            index = next - 1
                        }
                    }
                    isNegated = false
                }
            default: break
            }
            index += 1
        }
    }

    /// `Dependencies: T001` in a sentence: the noun is followed by ids.
    private func opensColon(_ index: Int) -> Bool {
        guard index < tokens.count else { return false }
        if case .group = tokens[index] { return true }
        if case .unknown = tokens[index] { return true }
        if case .word(let word) = tokens[index] { return word == "on" || word == ":" }
        return false
    }

    private func opensStatement(_ index: Int) -> Bool {
        guard index < tokens.count else { return false }
        switch tokens[index] {
        case .group, .unknown: return true
        case .word(let word): return TaskSentence.forward.contains(word) || TaskSentence.reverse.contains(word)
        default: return false
        }
    }

    private func closing(_ index: Int) -> Int {
        var index = index
        while index < tokens.count {
            if case .close = tokens[index] { return index }
            index += 1
        }
        return tokens.count
    }

    private static let fillers: Set<String> = [
        "the", "task", "tasks", "all", "both", "completion", "of", "complete", "completed", "completing", "on", "from", "for", "by", "finishing", "to", "until", "any", "be", "is",
        "are", "phase", "phases", "each", "every", ":", "upon", "end", "story", "stories", "work", "starting", "only", "tests", "implementation", "either", "user", "desired", "previous",
    ]

    /// The things right after a word of order.
    private func objects(_ start: Int) -> (Group, next: Int, missing: [String]) {
        var group = Group()
        var missing = [String]()
        var index = start
        var end = start
        loop: while index < tokens.count {
            switch tokens[index] {
            case .group(let more):
                group.formUnion(more)
                end = index + 1
            case .unknown(let id):
                missing.append(id)
                end = index + 1
            case .joiner, .range: break
            case .word(let word):
                // Past the first thing a filler may be the next statement's: `T001 for all`.
                if !Self.fillers.contains(word) { break loop }
            case .open:
                if !opensStatement(index + 1) { index = closing(index) }
            case .close: break
            default: break loop
            }
            index += 1
        }
        return (group, end, missing)
    }

    /// `T005 → T007,T008 (parallel) → T011`; `← parallel →` puts the next link beside the last.
    private mutating func readChain(after chain: (group: Group, before: Group)?) {
        var last = Group()
        var before = Group()
        if let first = tokens.first, case .rightArrow = first, let chain {
            last = chain.group
            before = chain.before
        }
        var current = Group()
        var isBeside = false
        var hasLeft = false
        func link(_ sentence: inout OrderSentence) {
            guard !current.isEmpty else { return }
            if isBeside {
                if !before.isEmpty { sentence.edges.append(Edge(subject: current, object: before, isChain: true)) }
                last.formUnion(current)
            } else {
                if !last.isEmpty { sentence.edges.append(Edge(subject: current, object: last, isChain: true)) }
                before = last
                last = current
            }
            current = Group()
            isBeside = false
        }
        var index = 0
        while index < tokens.count {
            switch tokens[index] {
            case .group(let group): current.formUnion(group)
            case .unknown(let id): unknown.append(id)
            case .open: if !opensStatement(index + 1) { index = closing(index) }
            case .rightArrow:
                let wasEmpty = current.isEmpty
                link(&self)
                // A link that names nothing breaks the chain, unless it is the first or stands beside.
                if wasEmpty, !hasLeft, index > 0 { (last, before) = (Group(), Group()) }
                isBeside = hasLeft
                hasLeft = false
            case .leftArrow:
                link(&self)
                hasLeft = true
            case .stop:
                link(&self)
                (last, before) = (Group(), Group())
            default: break
            }
            index += 1
        }
        link(&self)
        if !last.isEmpty { chainEnd = (last, before) }
    }

    /// Parts a line into things, words of order and marks.
    private struct Lexer {
        var tokens: [Token] = []
        private let bytes: [UInt8]
        private var index = 0
        private let references: TaskReferences
        private let phase: Int?
        private let hasNames: Bool
        private let isField: Bool
        /// The word before, which tells what a bare number is.
        private var last = ""

        init(_ text: String, _ references: TaskReferences, phase: Int?, hasNames: Bool, isField: Bool) {
            bytes = Array(text.utf8)
            self.references = references
            self.phase = phase
            self.hasNames = hasNames
            self.isField = isField
            while index < bytes.count { next() }
            joinRanges()
        }

        private mutating func next() {
            let byte = bytes[index]
            if byte.isDigit || byte.isLetter { return word() }
            switch byte {
            case 0x2C, 0x26, 0x2B, 0x2F: add(.joiner, 1)
            case 0x28, 0x5B: add(.open, 1)
            case 0x29, 0x5D: add(.close, 1)
            case 0x3B: add(.stop, 1)
            case 0x3A:
                add(.word(":"), 1)
                last = ":"
            case 0x2E:
                if index + 1 < bytes.count, bytes[index + 1] == 0x2E {
                    add(.range, 2)
                } else if index + 1 == bytes.count || bytes[index + 1].isBlank || bytes[index + 1] == 0x29 {
                    add(.stop, 1)
                } else {
                    index += 1
                }
            case 0x2D:
                var end = index
                while end < bytes.count, bytes[end] == 0x2D { end += 1 }
                if end < bytes.count, bytes[end] == 0x3E {
                    add(.rightArrow, end + 1 - index)
                } else {
                    let isApart = index > 0 && bytes[index - 1] == 0x20 && index + 1 < bytes.count && bytes[index + 1] == 0x20
                    add(isApart ? .dash : .range, end - index)
                }
            case 0x3D where index + 1 < bytes.count && bytes[index + 1] == 0x3E: add(.rightArrow, 2)
            case 0x3C where index + 1 < bytes.count && bytes[index + 1] == 0x2D: add(.leftArrow, 2)
            case 0xE2 where index + 2 < bytes.count: sign(bytes[index + 1], bytes[index + 2])
            default: index += 1
            }
        }

        /// An arrow or dash of three bytes.
        private mutating func sign(_ second: UInt8, _ third: UInt8) {
            switch (second, third) {
            case (0x80, 0x93), (0x80, 0x94), (0x80, 0x92):
                let isApart = index > 0 && bytes[index - 1] == 0x20
                add(isApart ? .dash : .range, 3)
            case (0x86, 0x92), (0x87, 0x92), (0x9E, _), (0x9F, 0xB6): add(.rightArrow, 3)
            case (0x86, 0x90): add(.leftArrow, 3)
            default: index += 3
            }
        }

        private mutating func add(_ token: Token, _ count: Int) {
            tokens.append(token)
            index += count
        }

        private mutating func word() {
            if let end = TaskIdentifier.ticketEnd(bytes, index) {
                let id = text(index..<end)
                if let found = ticket(id) {
                    tokens.append(found)
                    last = ""
                    index = end
                    return
                }
            }
            if bytes[index].isDigit { return number() }
            if let end = madeIDEnd(), let task = references.task(text(index..<end), in: phase) { return group(Group(tasks: [task]), end) }
            var end = index
            while end < bytes.count, bytes[end].isWordByte || bytes[end] >= 0xC3 && bytes[end] < 0xE2 || bytes[end] & 0xC0 == 0x80 && end > index { end += 1 }
            if end == index { end += 1 }
            let word = text(index..<end).lowercased()
            if phrase(word, end) { return }
            if word == "and" || word == "or" || word == "plus" {
                tokens.append(.joiner)
            } else if word == "to" || word == "through" || word == "thru", case .group = tokens.last {
                tokens.append(.range)
            } else {
                tokens.append(.word(word))
            }
            last = word
            index = end
        }

        /// The end of a word such as `phase-3-2`: an id that was made.
        private func madeIDEnd() -> Int? {
            var end = index
            var hasMark = false
            while end < bytes.count, bytes[end].isWordByte || (bytes[end] == 0x2D && end + 1 < bytes.count && bytes[end + 1].isWordByte) {
                hasMark = hasMark || bytes[end] == 0x2D
                end += 1
            }
            return hasMark && bytes[end - 1].isDigit ? end : nil
        }

        private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

        private func ticket(_ id: String) -> Token? {
            if let task = references.task(id, in: phase) { return .group(Group(tasks: [task])) }
            let upper = id.uppercased()
            if upper.hasPrefix("US"), let group = references.story(upper) { return .group(group) }
            // `T005-010`.
            if let dash = id.lastIndex(of: "-"), let first = references.task(String(id[..<dash]), in: phase) {
                let digits = String(id[id.index(after: dash)...])
                let head = String(id[..<dash])
                if digits.utf8.allSatisfy(\.isDigit), let last = references.task(String(head.dropLast(min(digits.count, head.count))) + digits, in: phase) {
                    return .group(Group(tasks: references.range(first, last)))
                }
            }
            return references.looksLikeID(id) ? .unknown(id) : nil
        }

        private mutating func number() {
            guard let end = TaskIdentifier.numberEnd(bytes, index, dots: 0) else {
                while index < bytes.count, bytes[index].isWordByte || bytes[index] == 0x2E && index + 1 < bytes.count && bytes[index + 1].isWordByte { index += 1 }
                last = ""
                return
            }
            let name = text(index..<end)
            let isNamed = last == "task" || last == "tasks" || last == "subtask"
            let isPlace = isField ? (last.isEmpty || isNamed || Self.isOrder(last)) : (isNamed || (name.contains(".") && (Self.isOrder(last) || followsTask)))
            if isPlace {
                if let task = references.task(name, in: phase) {
                    tokens.append(.group(Group(tasks: [task])))
                } else if isNamed || (isField && references.looksLikeID(name)) {
                    tokens.append(.unknown(name))
                }
            } else {
                last = "#"
            }
            index = end
            if isPlace, !isNamed { last = "" }
        }

        private static func isOrder(_ word: String) -> Bool { TaskSentence.forward.contains(word) || TaskSentence.reverse.contains(word) || word == "on" || word == ":" }

        /// Whether a task and a comma stand before: `Task 3.1, 3.2`.
        private var followsTask: Bool {
            guard tokens.count >= 2, case .group(let group) = tokens[tokens.count - 2], !group.tasks.isEmpty else { return false }
            if case .joiner = tokens[tokens.count - 1] { return true }
            return false
        }

        /// `Phase 2`, `Phases 1-5`, `Phase 3+`, `User Story 1`, `all user stories`, a phase's name.
        private mutating func phrase(_ word: String, _ end: Int) -> Bool {
            switch word {
            case "phase", "phases", "milestone", "milestones", "sprint", "sprints", "stage", "stages", "epic", "week":
                if let (name, after) = numeral(end), let phase = references.phase(number: name) {
                    if after < bytes.count, bytes[after] == 0x2B {
                        group(Group(phases: Array(phase..<references.phaseCount)), after + 1)
                    } else if let (last, next) = rangeEnd(after), let lastPhase = references.phase(number: last), phase <= lastPhase {
                        group(Group(phases: Array(phase...lastPhase)), next)
                    } else {
                        group(Group(phases: [phase]), after)
                    }
                    return true
                }
            case "story", "stories":
                if let (name, after) = numeral(end), let first = references.story("US" + name) {
                    var all = first
                    var next = after
                    if let (last, afterLast) = rangeEnd(after), let one = Int(name), let other = Int(last), one < other, other - one < 1000 {
                        for number in (one + 1)...other { all.formUnion(references.story("US\(number)") ?? Group()) }
                        next = afterLast
                    }
                    group(all, next)
                    return true
                }
                if word == "stories", last == "user" || last == "all" || last == "desired", !references.storyPhases.isEmpty {
                    if tokens.contains(where: { if case .word("other") = $0 { true } else { false } }) { return false }
                    group(Group(phases: references.storyPhases), end)
                    return true
                }
            default:
                guard hasNames, let found = references.phase(named: upcoming()[...]) else { return false }
                var end = index
                for _ in 0..<found.count {
                    while end < bytes.count, !bytes[end].isWordByte && bytes[end] < 0x80 { end += 1 }
                    while end < bytes.count, bytes[end].isWordByte || bytes[end] >= 0x80 { end += 1 }
                }
                group(Group(phases: [found.phase]), end)
                return true
            }
            return false
        }

        private mutating func group(_ group: Group, _ end: Int) {
            tokens.append(.group(group))
            last = ""
            index = end
        }

        private func upcoming() -> [String] { text(index..<min(bytes.count, index + 100)).words }

        private func numeral(_ start: Int) -> (String, Int)? {
            var index = start
            while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 0x23 { index += 1 }
            var end = index
            while end < bytes.count, bytes[end].isWordByte || (bytes[end] == 0x2E && end + 1 < bytes.count && bytes[end + 1].isDigit) { end += 1 }
            guard end > index, bytes[index].isDigit || end - index <= 2 else { return nil }
            return (text(index..<end), end)
        }

        private func rangeEnd(_ start: Int) -> (String, Int)? {
            var index = start
            while index < bytes.count, bytes[index] == 0x20 { index += 1 }
            if index < bytes.count, bytes[index] == 0x2D {
                index += 1
            } else if index + 2 < bytes.count, bytes[index] == 0xE2, bytes[index + 1] == 0x80, bytes[index + 2] == 0x93 {
                index += 3
            } else {
                return nil
            }
            guard let (name, end) = numeral(index), name.utf8.first?.isDigit == true else { return nil }
            return (name, end)
        }

        /// `T005 – T010`: the tasks between, by number.
        private mutating func joinRanges() {
            var joined = [Token]()
            var index = 0
            while index < tokens.count {
                var isRange = false
                if index + 2 < tokens.count { switch tokens[index + 1] { case .range, .dash: isRange = true; default: break } }
                if isRange, case .group(let first) = tokens[index], case .group(let last) = tokens[index + 2] {
                    if first.tasks.count == 1, last.tasks.count == 1, first.phases.isEmpty, last.phases.isEmpty {
                        joined.append(.group(Group(tasks: references.range(first.tasks[0], last.tasks[0]))))
                        index += 3
                        continue
                    }
                    if case .range = tokens[index + 1], first.phases.count == 1, last.phases.count == 1, first.phases[0] <= last.phases[0] {
                        joined.append(.group(Group(phases: Array(first.phases[0]...last.phases[0]))))
                        index += 3
                        continue
                    }
                }
                joined.append(tokens[index])
                index += 1
            }
            tokens = joined
        }
    }
}
