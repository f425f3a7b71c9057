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
}
