import TaskModel
import Testing

@Suite struct TaskGraphScheduleTests {
    @Test func takesTheLongestChain() throws {
        let graph = try TaskText.graph("A 2h\nB P 3h\nC P 5h\nD 1h\nphase x after nothing\nE 4h")
        let schedule = graph.schedule()
        #expect(schedule.criticalPath == ["A", "C", "D"] && schedule.finish == 8 && schedule.criticalHours == 8 && schedule.effort == 15)
        let slack = Dictionary(uniqueKeysWithValues: schedule.entries.map { ($0.id, $0.slack) })
        #expect(slack == ["A": 0, "B": 2, "C": 0, "D": 0, "E": 4])
        let starts = Dictionary(uniqueKeysWithValues: schedule.entries.map { ($0.id, $0.start) })
        #expect(starts == ["A": 0, "B": 2, "C": 2, "D": 7, "E": 0])
        #expect(schedule.guessed.isEmpty)
    }

    @Test(arguments: [(1, 15.0), (2, 8), (3, 8), (100, 8)]) func fewerWorkersTakeLonger(workers: Int, finish: Double) throws {
        let schedule = try TaskText.graph("A 2h\nB P 3h\nC P 5h\nD 1h\nphase x after nothing\nE 4h").schedule(workers: workers)
        // With two: A and E at 0, C at 2, B at 4, D at 7.
        #expect(schedule.finish == finish && schedule.criticalHours == 8)
        for worker in 1...workers {
            let own = schedule.entries.filter { $0.worker == worker }
            #expect(zip(own, own.dropFirst()).allSatisfy { $0.finish <= $1.start }, "one at a time")
        }
        #expect(schedule.entries.count == 5)
    }

    @Test func noWorkerBeginsBeforeItMay() throws {
        let graph = try TaskText.graph("phase a\nA P 1h\nB P 2h\nC P 3h\nD 1h\nphase b\nE P 2h\nF P after B 1h\nG P 1h")
        for workers in 1...4 {
            let entries = Dictionary(uniqueKeysWithValues: graph.schedule(workers: workers).entries.map { ($0.id, $0) })
            for (id, entry) in entries {
                #expect(graph.ancestors(of: id).allSatisfy { (entries[$0]?.finish ?? 0) <= entry.start }, "\(id) with \(workers)")
            }
        }
    }

    @Test func whatIsDoneTakesNoTime() throws {
        let graph = try TaskText.graph("A 2h done\nB 3h\nC 1h done\nD 1h")
        let schedule = graph.schedule { id in graph.task(id)?.isDone == true }
        #expect(schedule.criticalPath == ["B", "D"] && schedule.finish == 4 && schedule.effort == 4)
        #expect(graph.schedule(workers: 1) { _ in true }.finish == 0 && graph.schedule { _ in true }.criticalPath.isEmpty)
        #expect(graph.waves { id in graph.task(id)?.isDone == true } == [["B"], ["D"]])
    }

    @Test func aTickedTaskDoesNotLetTheNextOnesPastWhatIsLeft() throws {
        let graph = try TaskText.graph("phase one\nA 2h\nphase two\nB done\nphase three\nC 1h\nD D after B 1h")
        for workers in [nil, 1, 2] as [Int?] {
            let entries = graph.schedule(workers: workers) { id in graph.task(id)?.isDone == true }.entries
            #expect(entries.first { $0.id == "C" }.map { $0.start >= 2 } == true && entries.count == 3)
        }
    }

    @Test func hoursComeFromTheTaskElseItsPhaseElseTheDefault() throws {
        let graph = try TaskText.graph("phase a 10h\nA 4h\nB\nC\nphase b\nD\nphase c 2h\nE 3h\nF")
        let schedule = graph.schedule(defaultHours: 7)
        let found = schedule.entries.map { "\($0.id) \($0.hours) \($0.basis.rawValue)" }
        #expect(found == ["A 4.0 Estimate", "B 3.0 Phase", "C 3.0 Phase", "D 7.0 Assumed", "E 3.0 Estimate", "F 7.0 Assumed"])
        #expect(schedule.guessed == ["B", "C", "D", "F"])
    }

    @Test func theWorkOnWhichMostHangsIsTakenFirst() throws {
        let graph = try TaskText.graph("A D 1h\nB D 1h\nC D after B 5h")
        let schedule = graph.schedule(workers: 1)
        #expect(schedule.entries.map(\.id) == ["B", "C", "A"], "B opens the way to C")
        #expect(graph.schedule(workers: 2).finish == 6)
    }

    /// Lists of all shapes, with ticks in any place: what the schedule begins at a moment is what the standings call ready then.
    @Test func everyScheduleKeepsTheOrder() throws {
        var graphs = 0
        for seed in 0..<40 {
            let text = Self.randomList(seed)
            let graph: TaskGraph
            // Of the random ones, those whose names go against the phases are no graph.
            do { graph = try TaskText.graph(text) } catch { continue }
            graphs += 1
            let faults = Self.faults(graph)
            #expect(faults.isEmpty, "\(faults.joined(separator: "; ")) of\n\(text)")
        }
        #expect(graphs > 10)
    }

    private static func randomList(_ seed: Int) -> String {
        var lot = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
        func draw(_ limit: Int) -> Int {
            lot = lot &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((lot >> 33) % UInt64(limit))
        }
        var lines: [String] = []
        for number in 0..<30 {
            if draw(6) == 0 {
                let others = lines.count { $0.hasPrefix("phase") }
                lines.append("phase p\(others)" + (draw(3) == 0 ? " after " + (others > 0 && draw(2) == 0 ? "p\(draw(others))" : "nothing") : ""))
            }
            let after = number > 0 && draw(4) == 0 ? " after t\(draw(number))" : ""
            lines.append("t\(number) \(["", "P", "D"][draw(3)])\(after) \(draw(5) + 1)h\(draw(3) == 0 ? " done" : "")")
        }
        return lines.joined(separator: "\n")
    }

    private static func faults(_ graph: TaskGraph) -> [String] {
        let isDone = { (id: String) in graph.task(id)?.isDone == true }
        let free = graph.schedule(isDone: isDone)
        var faults: [String] = []
        func check(_ holds: Bool, _ what: String) { if !holds { faults.append(what) } }
        for workers in [nil, 1, 2, 3] as [Int?] {
            let schedule = graph.schedule(workers: workers, isDone: isDone)
            let who = "with \(workers.map { "\($0)" } ?? "all") workers"
            check(schedule.entries.count == graph.tasks.count { !$0.isDone }, "tasks are missing \(who)")
            check(schedule.finish >= free.finish && schedule.criticalHours == free.finish && schedule.finish <= schedule.effort, "the finish is wrong \(who)")
            for entry in schedule.entries {
                let ended = Set(schedule.entries.filter { $0.finish <= entry.start }.map(\.id)).union(graph.tasks.filter(\.isDone).map(\.id))
                check(graph.isReady(entry.id, ended: ended), "\(entry.id) begins too soon \(who)")
            }
            let together = schedule.entries.map { entry in schedule.entries.count { $0.start <= entry.start && entry.start < $0.finish } }.max() ?? 0
            check(together <= workers ?? .max, "\(together) at a time \(who)")
        }
        let entries = Dictionary(uniqueKeysWithValues: free.entries.map { ($0.id, $0) })
        check(free.entries.allSatisfy { $0.slack >= 0 } && free.criticalPath.allSatisfy { (entries[$0]?.slack ?? 1) < 1e-9 }, "slack on the critical path")
        check(abs(free.criticalPath.reduce(0) { $0 + (entries[$1]?.hours ?? 0) } - free.finish) < 1e-9, "the critical path is not as long as the whole")
        return faults
    }
}
