import ResourceModel
import TaskModel
import Testing

@Suite struct TaskGraphTests {
    // MARK: Order

    @Test(arguments: [
        ("A\nB\nC", "A | B | C"),
        ("A\nB P\nC P\nD", "A | B C | D"),
        ("A P\nB P\nC\nD P\nE P", "A B | C | D E"),
        ("A D\nB D\nC D after A", "A B | C"),
        ("A\nB D\nC", "A B | C"),
        ("A\nB D\nC P\nD", "A B | C | D"),
        ("phase one\nA\nB P\nphase two\nC P\nD P\nphase three\nE", "A | B | C D | E"),
        ("phase one\nA\nphase two after nothing\nB\nphase three after one\nC\nphase four after two,three\nD", "A B | C | D"),
        ("phase one\nA\nphase empty\nphase two\nB", "A | B"),
        ("phase one\nA D\nphase two\nB D", "A | B"),
        ("phase one\nA P\nB P after A\nC P\nphase two after nothing\nD after C", "A C | B D"),
        ("X outside\nphase one\nA\nY outside", "X A | Y"),
    ])
    func runsInWaves(text: String, waves: String) throws {
        let graph = try TaskText.graph(text)
        #expect(graph.waves().map { $0.joined(separator: " ") }.joined(separator: " | ") == waves)
        // What came first in the text comes first in the order where both could.
        #expect(graph.order.count == graph.tasks.count)
        for id in graph.order {
            let places = Dictionary(uniqueKeysWithValues: graph.order.enumerated().map { ($1, $0) })
            #expect(graph.ancestors(of: id).allSatisfy { (places[$0] ?? .max) < (places[id] ?? -1) })
        }
    }

    @Test func theOrderIsTheTextsWhereNothingElseDecides() throws {
        #expect(try TaskText.graph("phase b after nothing\nT9 D\nT3 D\nphase a after nothing\nT5 D after T7\nT7 D").order == ["T9", "T3", "T7", "T5"])
    }

    @Test func saysWhatDirectlyComesBeforeAndAfter() throws {
        let graph = try TaskText.graph(
            "phase one\nA P\nB P\nC after A\nphase empty\nphase two\nD P\nE P after A\nphase three after one\nF")
        #expect(TaskText.words(graph.predecessors(of: "A")) == "")
        #expect(TaskText.words(graph.predecessors(of: "C")) == "A dependency, B order")
        #expect(TaskText.words(graph.predecessors(of: "E")) == "A dependency, one phase", "the empty phase is passed over")
        #expect(TaskText.words(graph.predecessors(of: "F")) == "one phase")
        #expect(TaskText.words(graph.successors(of: "A")) == "C dependency, E dependency")
        #expect(TaskText.words(graph.successors(of: "C")) == "two phase, three phase")
        #expect(graph.descendants(of: "B") == ["C", "D", "E", "F"])
        #expect(graph.ancestors(of: "F") == ["A", "B", "C"])
        #expect(graph.predecessors(of: "Z").isEmpty && graph.descendants(of: "Z").isEmpty)
    }

    // MARK: Standing

    @Test(arguments: [
        // states by task, expected standing: e ended, r ready, w waiting, b blocked, f failed, u running
        ("A\nB\nC", "ppp", "rww"),
        ("A\nB\nC", "spp", "erw"),
        ("A\nB\nC", "kpp", "erw"),
        ("A\nB\nC", "fpp", "fbb"),
        ("A\nB\nC", "upp", "uww"),
        ("A P\nB P\nC", "spp", "erw"),
        ("A P\nB P\nC", "fup", "fub"),
        ("A P\nB P\nC", "fsp", "feb"),
        // Ticked out of turn: the way past it stays shut.
        ("A\nB\nC", "psp", "rew"),
        ("A\nB\nC", "fsp", "feb"),
        ("phase one\nA\nphase two\nB\nC", "psp", "rew"),
        ("phase one\nA\nphase two\nB\nphase three\nC", "psp", "rew"),
        // A dependency by name counts alone.
        ("A\nB\nC D after B", "psp", "rer"),
        ("phase one\nA\nB D\nphase two\nC", "fpp", "frb"),
        ("phase one\nA\nphase two after nothing\nB\nphase three after one,two\nC", "fsp", "feb"),
    ])
    func standsWhereItsPredecessorsLeaveIt(text: String, states: String, expected: String) throws {
        let graph = try TaskText.graph(text)
        let letters: [Character: TaskStatus.State] = ["p": .pending, "s": .succeeded, "k": .skipped, "f": .failed, "u": .running]
        let given = states.compactMap { letters[$0] }
        let standings = graph.standings(given)
        let found = standings.map { standing in
            switch standing {
            case .ended: "e"
            case .ready: "r"
            case .waiting: "w"
            case .blocked: "b"
            case .failed: "f"
            case .running: "u"
            }
        }
        #expect(found.joined() == expected)
        // The same rule asked for task by task.
        let obstacles = TaskObstacles(graph, states: given)
        for (number, task) in graph.tasks.enumerated() where given[number] == .pending {
            #expect(obstacles.obstacles(of: task.id).isEmpty == (standings[number] == .ready), "\(task.id)")
        }
    }

    @Test func namesTheFailedTaskAndWhatIsInTheWay() throws {
        let graph = try TaskText.graph("phase one\nA\nB P\nC P\nphase two\nD\nE P after B\nphase three\nF")
        let states: [TaskStatus.State] = [.succeeded, .failed, .running, .pending, .pending, .pending]
        #expect(graph.standings(states)[3] == .blocked(by: 1) && graph.standings(states)[5] == .blocked(by: 1))
        let obstacles = TaskObstacles(graph, states: states)
        #expect(TaskText.words(obstacles.obstacles(of: "D")) == "one phase")
        #expect(TaskText.words(obstacles.obstacles(of: "E")) == "B dependency, D order")
        #expect(TaskText.words(obstacles.obstacles(of: "F")) == "two phase")
        #expect(graph.ready(ended: ["A"]) == ["B", "C"] && graph.ready(ended: ["A"], others: ["B"]) == ["C"])
        #expect(graph.isReady("D", ended: ["A", "B", "C"]) && !graph.isReady("D", ended: ["A", "B"]) && !graph.isReady("Z", ended: []))
    }

    @Test func whatIsInTheWayIsFoundPastTasksThatWereTickedOutOfTurn() throws {
        let graph = try TaskText.graph("phase one\nA\nphase two\nB done\nC done\nD")
        #expect(TaskText.words(TaskObstacles(graph, states: graph.ticked).obstacles(of: "D")) == "one phase")
        let other = try TaskText.graph("A\nB done\nC done\nD")
        #expect(TaskText.words(TaskObstacles(other, states: other.ticked).obstacles(of: "D")) == "A order")
    }

    // MARK: Bad input

    @Test(arguments: [
        ("A D after A", "tasks.md:1: the tasks wait for each other: A -> A: A depends on A (tasks.md:1) (take out one of the dependencies, or move a task)"),
        (
            "T003 D after T005\nT004 D\nT005 D after T003",
            "tasks.md:1: the tasks wait for each other: T003 -> T005 -> T003: T003 depends on T005 (tasks.md:1); T005 depends on T003 (tasks.md:3) "
                + "(take out one of the dependencies, or move a task)"
        ),
        (
            "A after C\nB\nC",
            "tasks.md:1: the tasks wait for each other: A -> C -> B -> A: A depends on C (tasks.md:1); C comes after B in its phase (tasks.md:3); "
                + "B comes after A in its phase (tasks.md:2) (take out one of the dependencies, or move a task)"
        ),
        (
            "phase one\nA after B\nphase two\nB",
            "tasks.md:2: the tasks wait for each other: A -> B -> A: A depends on B (tasks.md:2); B is in phase two (tasks.md:3), which waits for phase "
                + "one (tasks.md:1), which holds A (tasks.md:2) (take out one of the dependencies, or move a task)"
        ),
        (
            "phase one after two\nphase two after one\n",
            "tasks.md:1: the phases wait for each other: one -> two -> one: one at tasks.md:1, two at tasks.md:2 (take out one of the dependencies between them)"
        ),
    ])
    func printsCycles(text: String, message: String) {
        #expect(failure(text) == message)
    }

    @Test func printsEachKnotOnce() {
        let message = failure("A D after B\nB D after A\nC D after D\nD D after C,A\nE D after D")
        #expect(message.split(separator: "\n").count == 2 && message.contains("A -> B -> A") && message.contains("C -> D -> C"))
    }

    @Test(arguments: [
        ("T005 D after T5\nT006 D", "did you mean `T005`?"),
        ("T005\nT006 after T05", "did you mean `T005`?"),
        ("TASK_001\nB after TASK-1", "did you mean `TASK_001`?"),
        ("deploy\nB after depoly", "did you mean `deploy`?"),
        ("A\nB after nowhere", "add the task, or take the dependency out"),
        ("phase setup\nA\nphase two\nB after setup", "`setup` is a phase (tasks.md:1); a task depends on tasks"),
        ("phase setup after stup\nA", "did you mean `setup`?"),
    ])
    func unknownNamesGetASuggestion(text: String, hint: String) {
        let message = failure(text)
        #expect(message.contains(hint) && message.contains("which is not in the list") && message.hasPrefix("tasks.md:"), "\(message)")
    }

    @Test func doublesAreNamedWithBothPlaces() {
        #expect(failure("A\nB\nA").hasPrefix("tasks.md:3: task A is there twice: first at tasks.md:1"))
        #expect(failure("phase a\nphase a").hasPrefix("tasks.md:2: phase a is there twice: first at tasks.md:1"))
    }

    @Test func aTaskInAPhaseThatIsNotThereIsAnError() {
        var document = TaskText.document("phase setup\nA")
        document.tasks[0].phase = "setpu"
        #expect(throws: Problems.self) { try TaskGraph(document) }
    }

    @Test func tenThousandUnknownNamesAreToldShortlyAndSoon() {
        let message = failure((0..<10_000).map { "T\($0) D after X\($0)" }.joined(separator: "\n"))
        #expect(message.split(separator: "\n").count == 51 && message.hasSuffix("and 9950 more problems of this kind"))
    }

    private func failure(_ text: String) -> String {
        do {
            _ = try TaskText.graph(text)
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    // MARK: Size

    /// A chain as long as the list, phases with 500 parallel tasks each, and dependencies by name across them.
    @Test(arguments: ["chain", "phases", "named", "wide"]) func tenThousandTasksAreNoTrouble(shape: String) throws {
        var lines: [String] = []
        for number in 0..<10_000 {
            switch shape {
            case "chain": lines.append("T\(number)")
            case "phases":
                if number % 500 == 0 { lines.append("phase p\(number / 500)") }
                lines.append("T\(number) P")
            case "named": lines.append("T\(number) D" + (number > 2 ? " after T\(number - 1),T\(number / 2)" : ""))
            default: lines.append("T\(number) P")
            }
        }
        let document = TaskText.document(lines.joined(separator: "\n"))
        let clock = ContinuousClock()
        var waves = 0
        let time = try clock.measure {
            let graph = try TaskGraph(document)
            waves = graph.waves().count
            let schedule = graph.schedule(workers: 8)
            #expect(schedule.entries.count == 10_000 && schedule.effort == 10_000)
            #expect(graph.standings(graph.ticked).count == 10_000)
            let picture = TaskGraphPicture(graph, title: "Large", states: graph.ticked, criticalPath: schedule.criticalPath)
            #expect(picture.dot.utf8.count > 100_000 && picture.mermaid.utf8.count > 100_000)
        }
        #expect(waves == ["chain": 10_000, "phases": 20, "named": 9_998, "wide": 1][shape])
        // One second in a release build; this bound only tells linear from quadratic.
        #expect(time < .seconds(15), "\(shape): \(time)")
    }

    @Test func aRingOfTenThousandIsPrinted() {
        let message = failure((0..<10_000).map { "T\($0) D after T\(($0 + 1) % 10_000)" }.joined(separator: "\n"))
        #expect(message.contains("T0 -> T1 -> T2") && message.contains("more") && message.utf8.count < 5_000)
    }
}
