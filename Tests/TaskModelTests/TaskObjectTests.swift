import ResourceModel
import TaskModel
import Testing

@Suite struct TaskObjectTests {
    @Test func aTaskGoesThroughItsObjectUnchanged() throws {
        var task = DeclaredTask(id: "T019", title: "Write the workflow", source: SourceLocation(path: "plan.md", line: 7))
        task.details = "more"
        task.phase = "phase-3"
        task.section = "Implementation"
        task.priority = TaskPriority("P1")
        task.story = "US1"
        task.order = .parallel
        task.estimate = TaskEstimate(text: "2-3 days", minimumHours: 16, hours: 24)
        task.dependencies = ["T016", "T017"]
        task.isDone = true
        task.commands = ["make build"]
        task.deliverables = ["a file"]
        task.acceptance = ["it works"]
        task.risks = ["none"]
        task.alsoAt = [SourceLocation(path: "plan.md", line: 70)]
        var run = TaskRun()
        run.runner = .job
        run.image = "alpine"
        run.workingDirectory = "deploy"
        run.environment = ["A": "b"]
        run.variables = ["DOMAIN": "example.org"]
        run.timeoutSeconds = 1.5
        run.retry.limit = 3
        run.retry.seconds = 0.25
        run.isIdempotent = true
        run.needsApproval = true
        let spec = TaskSpec(list: "plan", index: 4, task: task, run: run)
        #expect(try TaskSpec(object: spec.object) == spec)
        #expect(try TaskSpec(object: TaskSpec(list: "plan", index: 0, task: DeclaredTask(id: "a", title: "a", source: SourceLocation(path: "x", line: 1))).object).run == TaskRun())
    }

    @Test func aTaskByHandNeedsOnlyATitle() throws {
        let spec = try TaskSpec(object: ["metadata": ["name": "build"], "spec": ["title": "Build", "run": ["timeout": "5m", "retry": ["limit": 2]]]])
        #expect(spec.list == "tasks" && spec.task.id == "build" && spec.task.order == .declared)
        #expect(spec.run.timeoutSeconds == 300 && spec.run.retry.limit == 2)
    }

    @Test(arguments: [
        ("run", #"{"runner": "Pod"}"#, "`spec.run.runner`: `Pod` is no runner (write Process or Job)"), ("run", #"{"runner": "Job"}"#, "`spec.run.image`: is missing: a Job needs an image"),
        ("run", #"{"timeout": "soon"}"#, "`spec.run.timeout`: `soon` is not a duration (write 90s, 5m or 1h30m)"), ("commands", #""make""#, "`spec.commands`: is a string, not a list of strings"),
        ("priority", #""Purple""#, "`spec.priority`: `Purple` is no priority (write Critical, High, Medium or Low)"), ("index", #""1""#, "`spec.index`: is a string, not an integer"),
    ]) func whatCannotBeReadIsNamed(field: String, text: String, message: String) throws {
        var object: JSONValue = ["metadata": ["name": "a", "namespace": "n"], "spec": ["title": "A"]]
        object[path: "spec", field] = try JSONValue(parsing: Array(text.utf8))
        #expect { try TaskSpec(object: object) } throws: { "\($0)" == "reconciler.dev/Task n/a: \(message)" }
    }

    @Test(arguments: [
        ("plan", "T019", "plan-t019"), ("Cloud Tasks", "P1-01", "cloud-tasks-p1-01"), ("a", "4.2", "a-4-2"), ("ü", "é", "5d21"),
        ("list", String(repeating: "x", count: 80), "list-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
    ]) func namesAreLabels(list: String, id: String, start: String) {
        let name = TaskKinds.objectName(list: list, id: id)
        #expect(name.count <= 52 && name.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") } && name.first != "-" && name.last != "-", "\(name)")
        #expect(name.hasPrefix(start) || list == "ü", "\(name)")
    }

    @Test func aStatusGoesThroughItsJSONUnchangedAndLeavesNothingBehind() {
        var status = TaskStatus()
        status.state = .failed
        status.reason = "Completed"
        status.message = "exit code 3"
        status.attempts = 2
        status.failures = 1
        status.startedBy = "machine"
        status.startedAt = 1_767_323_045
        status.finishedAt = 1_767_323_046
        status.nextAttemptAt = 1_767_323_050
        status.exitCode = 3
        status.log = "process:a/b/2"
        status.commandsDigest = "d"
        status.approvedBy = "me"
        status.observedGeneration = 4
        #expect(TaskStatus(status.json) == status)
        #expect(status.json["startedAt"] == "2026-01-02T03:04:05Z")
        #expect(TaskStatus().json["exitCode"]?.isNull == true)
        #expect(TaskStatus(TaskStatus().json) == TaskStatus() && TaskStatus(nil) == TaskStatus())
    }

    @Test func aListGoesThroughItsObjectUnchanged() throws {
        var list = TaskListSpec(name: "plan", title: "The plan")
        list.documents = ["a.md"]
        list.total = 3
        list.parallelism = 2
        var phase = TaskPhase(id: "phase-1", title: "Phase 1: Setup", source: SourceLocation(path: "a.md", line: 3))
        phase.goal = "goal"
        phase.risks = ["r"]
        phase.deliverables = ["d"]
        phase.acceptance = ["a"]
        phase.dependencies = []
        phase.priority = TaskPriority("High")
        list.phases = [phase, TaskPhase(id: "phase-2", title: "Phase 2", source: SourceLocation(path: "a.md", line: 30))]
        #expect(try TaskListSpec(object: list.object) == list)
    }

    @Test(arguments: [0, 59, 951_782_400, 951_868_799, 1_709_164_800, 1_767_225_599, 4_102_444_799, -1, -86_401])
    func timesGoThroughTheirTextUnchanged(seconds: Int) {
        #expect(secondsSince1970(rfc3339: rfc3339(Double(seconds))) == Double(seconds), "\(rfc3339(Double(seconds)))")
    }
}
