import ResourceModel
import TaskModel
import Testing

@Suite struct TaskGraphMarkTests {
    private static func status(_ state: TaskStatus.State, reason: String = "", attempts: Int = 0, approvedBy: String? = nil) -> TaskStatus {
        var status = TaskStatus()
        (status.state, status.reason, status.attempts, status.approvedBy) = (state, reason, attempts, approvedBy)
        status.failures = state == .failed ? attempts : 0
        return status
    }

    private static func mark(_ mark: TaskMark, _ status: TaskStatus, ticked: Bool = false, approval: Bool = false) -> String {
        var task = DeclaredTask(id: "T1", title: "Do", source: SourceLocation(path: "tasks.md", line: 7))
        task.isDone = ticked
        var run = TaskRun()
        run.needsApproval = approval
        do {
            guard let after = try mark.status(after: status, of: task, run: run, by: "ada@host", at: 100) else { return "unchanged" }
            return [after.state.rawValue, after.reason, after.message].filter { !$0.isEmpty }.joined(separator: " ")
        } catch {
            return error.message
        }
    }

    @Test(arguments: [
        (TaskMark.start, TaskStatus.State.pending, "Running StartedByHand begun by ada@host"),
        (.start, .blocked, "Running StartedByHand begun by ada@host"),
        (.start, .running, "start T1: it is running (attempt 2); wait for its end; `reconciler tasks logs T1 -f` shows it"),
        (.start, .succeeded, "start T1: it has succeeded; `reconciler tasks reset T1` makes it pending again"),
        (.start, .failed, "start T1: it has failed; `reconciler tasks reset T1` makes it pending again"),
        (.start, .skipped, "start T1: it has been skipped; `reconciler tasks reset T1` makes it pending again"),
        (.done, .pending, "Succeeded MarkedByHand done by ada@host"),
        (.done, .failed, "Succeeded MarkedByHand done by ada@host"),
        (.done, .succeeded, "unchanged"),
        (.done, .running, "done T1: it is running (attempt 2); wait for its end; `reconciler tasks logs T1 -f` shows it"),
        (.fail("no quota"), .pending, "Failed MarkedByHand no quota (ada@host)"),
        (.fail("no quota"), .succeeded, "fail T1: it has succeeded; `reconciler tasks reset T1` makes it pending again"),
        (.skip(""), .failed, "Skipped MarkedByHand skipped by ada@host"),
        (.skip("not needed"), .blocked, "Skipped MarkedByHand not needed (ada@host)"),
        (.skip(""), .skipped, "unchanged"),
        (.skip(""), .succeeded, "skip T1: it has succeeded; `reconciler tasks reset T1` makes it pending again"),
        (.reset, .failed, "Pending"),
        (.reset, .succeeded, "Pending"),
        (.reset, .running, "reset T1: it is running (attempt 2); wait for its end; `reconciler tasks logs T1 -f` shows it"),
        (.approve, .pending, "approve T1: it needs no approval"),
    ])
    func marksMakeSenseOrAreRefused(mark: TaskMark, state: TaskStatus.State, expected: String) {
        #expect(Self.mark(mark, Self.status(state, attempts: 2)) == expected)
    }

    @Test(arguments: [TaskMark.start, .done, .fail("x"), .skip(""), .reset]) func aTickIsTakenBackWhereItStands(mark: TaskMark) {
        #expect(Self.mark(mark, Self.status(.succeeded, reason: "Ticked"), ticked: true) == "\(mark.word) T1: it is ticked in tasks.md:7; untick it there")
    }

    @Test func whatWasBegunByHandIsEndedByHand() {
        let begun = Self.status(.running, reason: TaskMark.startedByHand, attempts: 1)
        #expect(Self.mark(.start, begun) == "unchanged")
        #expect(Self.mark(.done, begun).hasPrefix("Succeeded") && Self.mark(.reset, begun) == "Pending" && Self.mark(.fail("x"), begun).hasPrefix("Failed"))
    }

    @Test func anApprovalIsGivenOnceAndBeforeTheRun() {
        #expect(Self.mark(.approve, Self.status(.blocked, reason: "Approval", approvedBy: nil), approval: true) == "Blocked Approval")
        #expect(Self.mark(.approve, Self.status(.pending, approvedBy: "bob"), approval: true) == "unchanged")
        #expect(Self.mark(.approve, Self.status(.running), approval: true) == "approve T1: it is running already")
        #expect(Self.mark(.approve, Self.status(.failed), approval: true) == "approve T1: it has failed")
    }

    @Test func aResetKeepsTheAttemptsNumberAndNothingElse() throws {
        var failed = Self.status(.failed, reason: "Completed", attempts: 3, approvedBy: "bob")
        (failed.exitCode, failed.startedAt, failed.finishedAt, failed.log, failed.observedGeneration) = (7, 1, 2, "process:l/T1/3", 4)
        let task = DeclaredTask(id: "T1", title: "Do", source: SourceLocation(path: "tasks.md", line: 7))
        var expected = TaskStatus()
        (expected.attempts, expected.observedGeneration) = (3, 4)
        #expect(try TaskMark.reset.status(after: failed, of: task, run: TaskRun(), by: "ada", at: 9) == expected)
        #expect(try TaskMark.reset.status(after: expected, of: task, run: TaskRun(), by: "ada", at: 9) == nil)
    }
}
