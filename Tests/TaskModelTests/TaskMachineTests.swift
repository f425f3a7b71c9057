import ResourceModel
import TaskModel
import Testing

/// Every decision about a list, as a table of what is there and what is decided.
@Suite struct TaskMachineTests {
    private static let now = 1_000.0

    private func record(
        _ id: String, _ commands: [String] = ["true"], done: Bool = false, after: [String] = [], order: DeclaredTask.Order = .declared, run: TaskRun = TaskRun(),
        _ change: (inout TaskStatus) -> Void = { _ in }
    ) throws -> TaskRecord {
        var task = DeclaredTask(id: id, title: id, source: SourceLocation(path: "plan.md", line: 1))
        task.commands = commands
        task.isDone = done
        task.dependencies = after
        task.order = order
        var object = TaskSpec(list: "plan", index: 0, task: task, run: run).object
        object[path: "metadata", "generation"] = 3
        var record = try TaskRecord(object: object)
        change(&record.status)
        return record
    }

    private func decide(
        _ records: [TaskRecord], mayRun: Bool = true, parallelism: Int = 4, active: Set<String> = [], chosen: Set<String>? = nil, suspended: Bool = false, total: Int? = nil,
        refusal: @escaping @Sendable (TaskRecord) -> TaskRefusal? = { _ in nil }
    ) throws -> (decision: TaskMachine.Decision, status: (String) -> TaskStatus, begun: [String]) {
        var list = TaskListSpec(name: "plan", title: "Plan")
        list.parallelism = parallelism
        list.suspended = suspended
        list.total = total
        var numbered = records
        for index in numbered.indices { numbered[index].spec.index = index }
        let machine = try TaskMachine(list: list, records: numbered)
        let decision = machine.decision(.init(now: Self.now, mayRun: mayRun, identity: "here", active: active, chosen: chosen, refusal: refusal))
        let status = { (id: String) in
            let index = machine.records.firstIndex { $0.spec.task.id == id } ?? 0
            return decision.statuses[index] ?? machine.records[index].status
        }
        return (decision, status, decision.begun.map { machine.records[$0].spec.task.id })
    }

    @Test func beginsWhatIsReadyUpToTheLimitInTheListsOrder() throws {
        let (decision, status, begun) = try decide([record("a"), record("b", after: ["a"]), record("c"), record("d"), record("e")], parallelism: 3)
        #expect(begun == ["a", "c", "d"])
        #expect(status("a").state == .running && status("a").attempts == 1 && status("a").startedAt == 1_000 && status("a").startedBy == "here")
        #expect(status("a").observedGeneration == 3 && status("a").commandsDigest != nil)
        #expect(decision.statuses.count == 3, "what only waits is not written")
        #expect(decision.list.counts == [.running: 3, .pending: 2] && decision.list.state == .running && decision.list.progress == "0/5")
    }

    @Test func nothingIsBegunWithoutPermission() throws {
        let (decision, _, begun) = try decide([record("a"), record("b")], mayRun: false)
        #expect(begun.isEmpty && decision.statuses.isEmpty && decision.resumed.isEmpty)
    }

    @Test func aTickIsSuccessWithoutARunAndTakingItAwayMakesPendingAgain() throws {
        let (decision, status, begun) = try decide([record("a", done: true), record("b", after: ["a"])])
        #expect(status("a").state == .succeeded && status("a").reason == "Ticked" && status("a").message == "ticked at plan.md:1" && status("a").attempts == 0)
        #expect(begun == ["b"] && decision.list.done == 1)
        let ticked = try record("a") { $0.state = .succeeded; $0.reason = "Ticked"; $0.attempts = 2 }
        let (_, after, again) = try decide([ticked], mayRun: false)
        #expect(after("a").state == .pending && after("a").reason == "Unticked" && after("a").attempts == 2 && again.isEmpty)
        // What it was run for stays done, ticked or not.
        let ran = try record("a", done: true) { $0.state = .succeeded; $0.reason = "Completed" }
        #expect(try decide([ran]).decision.statuses.isEmpty)
    }

    @Test func aFailedTaskThatIsTickedIsDone() throws {
        let failed = try record("a", done: true) { $0.state = .failed; $0.attempts = 1; $0.exitCode = 3 }
        let (_, status, _) = try decide([failed])
        #expect(status("a").state == .succeeded && status("a").exitCode == nil && status("a").attempts == 1)
    }

    @Test func otherCommandsMakeAnEndedTaskPendingAgain() throws {
        let old = try record("a", ["make old"])
        for state in [TaskStatus.State.succeeded, .failed] {
            let changed = try record("a", ["make new"]) { $0.state = state; $0.attempts = 3; $0.failures = 2; $0.commandsDigest = old.commandsDigest }
            let (_, status, begun) = try decide([changed], mayRun: false)
            #expect(status("a").state == .pending && status("a").reason == "CommandsChanged" && status("a").failures == 0 && begun.isEmpty)
            #expect(try decide([changed]).status("a").attempts == 4, "the number of an attempt is never used twice")
        }
        let byHand = try record("a", ["make new"]) { $0.state = .succeeded; $0.reason = "MarkedByHand" }
        #expect(try decide([byHand]).decision.statuses.isEmpty)
    }

    @Test func whatWaitsForAFailedTaskIsBlockedUntilThatIsMended() throws {
        let failed = try record("a") { $0.state = .failed; $0.message = "exit code 3" }
        let (decision, status, begun) = try decide([failed, record("b", after: ["a"]), record("c", after: ["b"]), record("d")])
        #expect(status("b").state == .blocked && status("b").message == "a failed" && status("c").state == .blocked && begun == ["d"])
        #expect(decision.list.state == .failed && decision.list.message == "at a: exit code 3")
        let skipped = try record("a") { $0.state = .skipped }
        let blocked = try record("b", after: ["a"]) { $0.state = .blocked; $0.reason = "DependencyFailed" }
        #expect(try decide([skipped, blocked]).begun == ["b"])
        let again = try decide([record("a"), blocked], mayRun: false)
        #expect(again.status("b").state == .pending && again.status("b").reason.isEmpty)
    }

    @Test func aTaskByHandAGateAPolicyAndAChoiceKeepATaskFromBeginning() throws {
        var gated = TaskRun()
        gated.needsApproval = true
        let (_, status, begun) = try decide([record("hand", []), record("gate", run: gated), record("policy"), record("fine")]) {
            $0.spec.task.id == "policy" ? TaskRefusal(reason: "Policy", message: "no rule allows `true`") : nil
        }
        #expect(begun == ["fine"])
        #expect(status("hand").state == .pending && status("hand").reason == "ByHand")
        #expect(status("gate").state == .blocked && status("gate").reason == "NeedsApproval" && status("gate").message.contains("tasks approve gate"))
        #expect(status("policy").state == .blocked && status("policy").message == "no rule allows `true`")
        let approved = try record("gate", run: gated) { $0.state = .blocked; $0.reason = "NeedsApproval"; $0.approvedBy = "me" }
        #expect(try decide([approved]).begun == ["gate"])
        #expect(try decide([record("a"), record("b")], chosen: ["plan-b"]).begun == ["b"])
    }

    @Test func nothingIsBegunWhileTheListIsSuspendedOrStillBeingWritten() throws {
        #expect(try decide([record("a")], suspended: true).begun.isEmpty)
        // A dependency on a task that is still to come is no error then.
        let (decision, _, begun) = try decide([record("a", after: ["to-come"])], total: 2)
        #expect(begun.isEmpty && decision.list.message.contains("1 of 2 tasks are there"))
        #expect(throws: Problems.self) { try decide([record("a", after: ["to-come"])], total: 1) }
    }

    @Test func aRunningTaskOfThisMachineIsTakenUpAgainAndOneOfAnotherIsNot() throws {
        let ours = try record("a") { $0.state = .running; $0.startedBy = "here"; $0.attempts = 1 }
        let theirs = try record("b") { $0.state = .running; $0.startedBy = "there"; $0.attempts = 1 }
        #expect(try decide([ours, theirs]).decision.resumed == [0])
        #expect(try decide([ours, theirs], active: ["plan-a"]).decision.resumed.isEmpty)
        #expect(try decide([ours], mayRun: false).decision.resumed.isEmpty)
        var job = TaskRun()
        job.runner = .job
        job.image = "alpine"
        let inCluster = try record("c", run: job) { $0.state = .running; $0.startedBy = "there"; $0.attempts = 1 }
        #expect(try decide([inCluster]).decision.resumed == [0], "a Job can be looked at from anywhere")
        let byHand = try record("d", run: job) { $0.state = .running; $0.reason = TaskMark.startedByHand; $0.attempts = 1 }
        #expect(try decide([byHand]).decision.resumed.isEmpty, "nothing runs that could be looked at")
        #expect(try decide([theirs, record("x"), record("y")], parallelism: 2).begun == ["x"], "it takes a place all the same")
    }

    @Test func anAttemptThatIsToWaitWaits() throws {
        let retry = try record("a") { $0.reason = "Retry"; $0.nextAttemptAt = 1_010; $0.attempts = 1; $0.failures = 1 }
        let (decision, _, begun) = try decide([retry, record("b", after: ["a"])])
        #expect(begun.isEmpty && decision.nextLook == 1_010 && decision.statuses.isEmpty)
        let due = try record("a") { $0.reason = "Retry"; $0.nextAttemptAt = 999; $0.attempts = 1; $0.failures = 1 }
        let second = try decide([due])
        #expect(second.begun == ["a"] && second.status("a").attempts == 2 && second.status("a").failures == 1 && second.status("a").nextAttemptAt == nil)
    }

    @Test func aSecondPassOverWhatWasDecidedDecidesNothing() throws {
        let first = try [
            record("a", done: true), record("b", []), record("c", after: ["b"]), record("d") { $0.state = .failed }, record("e", after: ["d"]),
        ]
        let (_, status, _) = try decide(first)
        let second = try first.map { old in
            var new = old
            new.status = status(old.spec.task.id)
            return new
        }
        #expect(try decide(second).decision.statuses.isEmpty)
    }
}

/// What an attempt's end makes of a task.
@Suite struct TaskOutcomeTests {
    private func after(_ outcome: TaskOutcome, failures: Int = 0, limit: Int = 0, idempotent: Bool = false) -> TaskStatus {
        var status = TaskStatus()
        status.state = .running
        status.attempts = 1 + failures
        status.failures = failures
        var run = TaskRun()
        run.retry.limit = limit
        run.retry.jitter = 0
        run.isIdempotent = idempotent
        return status.after(outcome, run: run, id: "T1", now: 1_000.7, lot: 0.5)
    }

    @Test func successForgetsFailures() {
        let status = after(.succeeded, failures: 2, limit: 3)
        #expect(status.state == .succeeded && status.exitCode == 0 && status.failures == 0 && status.finishedAt == 1_000 && status.attempts == 3)
    }

    @Test(arguments: [
        (TaskOutcome.failed(code: 3, command: "make"), "exit code 3 of `make`", 3),
        (.failed(code: 127, command: "nope"), "exit code 127 of `nope`: a program that it names was not found", 127), (.killed(signal: 9, command: "make"), "`make` was ended by signal 9", 137),
        (.timedOut(seconds: 60, command: "make"), "`make` was still running after 60 s", nil), (.notStarted("no image"), "no image", nil), (.excessive("600 processes"), "600 processes", nil),
    ] as [(TaskOutcome, String, Int?)]) func failuresAreToldAndTriedAgain(outcome: TaskOutcome, message: String, code: Int?) {
        let failed = after(outcome)
        #expect(failed.state == .failed && failed.message == message && failed.exitCode == code && failed.failures == 1)
        let retried = after(outcome, failures: 1, limit: 2)
        #expect(retried.state == .pending && retried.reason == "Retry" && retried.nextAttemptAt == 1_010.7 && retried.message.hasPrefix(message))
        #expect(retried.message.hasSuffix("attempt 3 of 3 at 1970-01-01T00:16:50Z"))
        #expect(after(outcome, failures: 2, limit: 2).state == .failed)
    }

    @Test func whatMayHaveRunIsNeverRunTwiceUnlessThatDoesNoHarm() {
        for outcome in [TaskOutcome.interrupted("the machine was restarted"), .canceled] {
            #expect(after(outcome, limit: 5).state == .failed, "whatever retries are left")
            #expect(after(outcome, limit: 5).message.contains("reconciler tasks reset T1"))
            #expect(after(outcome, idempotent: true).state == .pending && after(outcome, idempotent: true).nextAttemptAt == nil)
        }
    }
}
