import ResourceModel
import TaskModel
import Testing

@Suite struct TaskGraphBoardTests {
    private static func board() throws -> TaskBoard {
        var document = TaskText.document("phase setup\nA done\nB\nphase phase-5\nC P\nD P\nphase phase-15\nE done")
        document.phases[1].title = "Phase 5: Infrastructure Provisioning"
        document.phases[1].priority = TaskPriority("High")
        document.phases[1].story = "US1"
        document.phases[2].title = "Phase 15: Documentation"
        document.tasks[3].priority = TaskPriority("LOW")
        return try TaskBoard(document)
    }

    @Test(arguments: [
        (["pending"], [], [], [], "BCD"), (["done"], [], [], [], "AE"), (["TODO", "Succeeded"], [], [], [], "ABCDE"), (["failed"], [], [], [], ""),
        ([], ["5"], [], [], "CD"), ([], ["15"], [], [], "E"), ([], ["phase-5"], [], [], "CD"), ([], ["infrastructure provisioning"], [], [], "CD"),
        ([], ["phase"], [], [], "ABCDE"), ([], ["Setup", "docu"], [], [], "ABE"), ([], [], ["high"], [], "C"), ([], [], ["P1", "low"], [], "CD"),
        ([], [], [], ["us1"], "CD"), (["open"], ["setup"], [], [], "B"),
    ] as [([String], [String], [String], [String], String)])
    func filters(states: [String], phases: [String], priorities: [String], stories: [String], expected: String) throws {
        let board = try Self.board()
        let filter = try TaskFilter(states: states, phases: phases, priorities: priorities, stories: stories, of: board)
        #expect(board.tasks.indices.filter { filter.includes($0, of: board) }.map { board.tasks[$0].id }.joined() == expected)
    }

    @Test func wordsThatMeanNothingAreErrorsThatListWhatThereIs() throws {
        let board = try Self.board()
        func message(_ states: [String] = [], _ phases: [String] = [], _ priorities: [String] = []) -> String {
            do {
                _ = try TaskFilter(states: states, phases: phases, priorities: priorities, of: board)
                return "none"
            } catch {
                return "\(error)"
            }
        }
        #expect(message(["finishd"]).contains("`finishd` is no state (write pending, blocked, running, succeeded"))
        #expect(message([], ["7"]).contains("no phase is called `7` (there are: setup (Phase setup), phase-5 (Phase 5: Infrastructure Provisioning)"))
        #expect(message([], [], ["soon"]).contains("`soon` is no priority"))
    }

    @Test(arguments: [(0, 0, 100), (0, 51, 0), (12, 51, 24), (1, 1_000, 1), (999, 1_000, 99), (1_000, 1_000, 100), (1, 2, 50)])
    func percentAreRoundedButNeverToAnEnd(done: Int, total: Int, percent: Int) {
        let states = (0..<total).map { $0 < done ? TaskStatus.State.succeeded : .pending }
        #expect(TaskProgress(title: "All", states: states).percent == percent)
    }

    @Test func countsByPhase() throws {
        let board = try Self.board()
        #expect(board.progressByPhase.map { "\($0.phase?.id ?? "-") \($0.done)/\($0.total)" } == ["setup 1/2", "phase-5 0/2", "phase-15 1/1"])
        #expect(board.progress.done == 2 && board.progress.total == 5)
    }

    @Test func tasksWrittenByHandNeedNoListNorPhases() throws {
        func spec(_ id: String, _ index: Int, phase: String?) -> (name: String, spec: TaskSpec, status: TaskStatus) {
            var task = DeclaredTask(id: id, title: id, source: SourceLocation(path: "", line: 0))
            (task.phase, task.order) = (phase, .declared)
            return ("tasks-\(id)", TaskSpec(list: "tasks", index: index, task: task), TaskStatus())
        }
        let board = try TaskBoard(list: nil, origin: "default/tasks", tasks: [spec("b", .max, phase: "two"), spec("a", .max, phase: "one"), spec("c", 0, phase: nil)])
        #expect(board.tasks.map(\.id) == ["c", "a", "b"] && board.phases.map(\.id) == ["one", "two"])
        #expect(board.graph.waves() == [["c", "a", "b"]], "nobody said that one phase waits for the other")
        #expect(board.names == ["tasks-c", "tasks-a", "tasks-b"])
    }

    @Test func estimatesOfPhasesAndThoseWrittenByHandReachTheSchedule() throws {
        var list = TaskListSpec(name: "plan", title: "Plan")
        list.phases = [TaskPhase(id: "one", title: "One", source: SourceLocation(path: "plan.md", line: 1))]
        list.phases[0].estimate = TaskEstimate(text: "3 days", minimumHours: 24, hours: 24)
        let read = try TaskListSpec(object: list.object)
        #expect(read.phases[0].estimate?.hours == 24)
        let tasks = try ["2 days", nil].enumerated().map { index, estimate in
            var object = TaskSpec(list: "plan", index: index, task: DeclaredTask(id: "T\(index)", title: "Do", source: SourceLocation(path: "", line: 0))).object
            object[path: "spec", "phase"] = "one"
            object[path: "spec", "estimate"] = estimate.map { .string($0) }
            return (name: "plan-t\(index)", spec: try TaskSpec(object: object), status: TaskStatus())
        }
        let board = try TaskBoard(list: read, origin: "default/plan", tasks: tasks)
        #expect(board.schedule().entries.map(\.hours) == [16, 8])
    }

    @Test func aRecordHasAFieldForEachHeading() throws {
        let board = try Self.board()
        #expect(board.record(3).count == TaskBoard.recordHeader.count)
        #expect(Array(board.record(3).prefix(8)) == ["D", "Do D", "Pending", "", "phase-5", "Phase 5: Infrastructure Provisioning", "", "Low"])
        #expect(board.json(2)["priority"] == "High" && board.json(2)["source"]?["line"] == 5 && board.json(0)["state"] == "Succeeded")
    }
}
