import Glibc
import Processes
import TaskModel
import Testing

@testable import Tasks

/// Attempts that somebody else began: nothing runs twice, no result is lost.
@Suite(.timeLimit(.minutes(2)))
struct ProcessTaskRecoveryTests {
    @Test func aRunningAttemptIsFoundAgain() async throws {
        try await Scratch.with { scratch in
            let attempt = scratch.attempt("echo run >> runs; while [ ! -e go ]; do sleep 0.02; done; echo out", "exit 3")
            let first = scratch.runner()
            let forgotten = Task.detached { await first.outcome(of: attempt) }
            try await scratch.waitForFile("runs")
            let second = scratch.runner()
            let found = Task.detached { await second.outcome(of: attempt) }
            try SmallFile.write([], to: scratch.work + "/go")
            #expect(await found.value == .failed(code: 3, command: "exit 3"))
            #expect(await forgotten.value == .failed(code: 3, command: "exit 3"))
            #expect(scratch.text("runs") == "run\n")
            let output = try await scratch.output(second, attempt)
            #expect(output == ["out"], "one of them copies it")
        }
    }

    @Test func aResultIsFoundAfterTheStarterIsGone() async throws {
        try await Scratch.with { scratch in
            let attempt = scratch.attempt("echo run >> runs; echo out; setsid sleep 1000 & true")
            let files = try scratch.runner().files(of: attempt)
            try files.intend()
            let shell = try scratch.runner().spawn(attempt, files)  // and nobody looks after it
            #expect(await ProcessMonitor.shared.exit(of: shell) == .code(0))
            #expect(!scratch.processes(of: attempt).isEmpty)
            let runner = scratch.runner()
            #expect(await runner.outcome(of: attempt) == .succeeded)
            #expect(scratch.text("runs") == "run\n")
            let output2 = try await scratch.output(runner, attempt)
            #expect(output2 == ["out"])
            #expect(scratch.processes(of: attempt).isEmpty, "what it left is ended late, but it is")
        }
    }

    @Test func anAttemptWhoseDirectoryIsRemovedIsNotBegunAgain() async throws {
        try await Scratch.with { scratch in
            let attempt = scratch.attempt("echo run >> runs; rm -rf \(scratch.directory)/state", "echo run >> runs")
            guard case .interrupted(let why) = await scratch.runner().outcome(of: attempt) else {
                Issue.record("nobody can know how it ended")
                return
            }
            #expect(why.contains("was removed"))
            #expect(scratch.text("runs") == "run\n")
        }
    }

    @Test func aTaskThatWasMadeAgainHasOtherAttempts() async throws {
        try await Scratch.with { scratch in
            var attempt = scratch.attempt("echo run >> runs")
            for uid in ["", "0a0a0a0a-1", "0b0b0b0b-1", "0a0a0a0a-1"] {
                attempt.uid = uid
                #expect(await scratch.runner().outcome(of: attempt) == .succeeded)
            }
            #expect(scratch.text("runs") == "run\nrun\nrun\n")
            #expect(scratch.runner().log(of: attempt) == "process:default/plan/plan-t1.0a0a0a0a/1")
            attempt.commands = []
            #expect(await scratch.runner().outcome(of: attempt) == .succeeded, "also to who does not know its commands")
            (attempt.number, attempt.commands) = (11, ["true"])
            #expect(await scratch.runner().outcome(of: attempt) == .succeeded)
            let old = "\(scratch.directory)/state/default/plan/plan-t1.0a0a0a0a/1"
            #expect(!SmallFile.exists(old + "/output.log") && SmallFile.exists(old + "/claim") && SmallFile.exists(old + "/result.1.0"), "only its output goes")
        }
    }

    @Test func manyRunnersBeginItOnce() async throws {
        try await Scratch.with { scratch in
            let attempt = scratch.attempt("echo run >> runs; sleep 0.2")
            let outcomes = await withTaskGroup(of: TaskOutcome.self) { group in
                for _ in 0..<20 { group.addTask { await scratch.runner().outcome(of: attempt) } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes == Array(repeating: .succeeded, count: 20))
            #expect(scratch.text("runs") == "run\n")
        }
    }

    @Test func aShellThatWasKilledLeavesAnInterruptedAttempt() async throws {
        try await Scratch.with { scratch in
            let attempt = scratch.attempt("true", "touch begun; sleep 1000")
            let files = try scratch.runner().files(of: attempt)
            try files.intend()
            let shell = try scratch.runner().spawn(attempt, files)
            try await scratch.waitForFile("begun")
            kill(shell.pid, SIGKILL)
            _ = await ProcessMonitor.shared.exit(of: shell)
            guard case .interrupted(let why) = await scratch.runner().outcome(of: attempt) else {
                Issue.record("nobody can know how it ended")
                return
            }
            #expect(why.hasPrefix("command 2 of 2 (`touch begun; sleep 1000`) was running"))
            #expect(scratch.processes(of: attempt).isEmpty, "nothing goes on unseen")
        }
    }

    @Test func aShellThatIsKilledWhileWeWatchIsToldSo() async throws {
        try await Scratch.with { scratch in
            let command = "kill -9 $PPID; sleep 1000"
            let attempt = scratch.attempt(command)
            #expect(await scratch.runner().outcome(of: attempt) == .killed(signal: 9, command: command))
            #expect(scratch.processes(of: attempt).isEmpty)
        }
    }

    @Test func aRestartOfTheMachineInterrupts() async throws {
        try await Scratch.with { scratch in
            let attempt = scratch.attempt("touch begun")
            let path = scratch.path(of: attempt)
            try SmallFile.makeDirectory(path)
            let mine = try #require(SmallFile.text("/proc/self/stat"))
            try SmallFile.write(Array("another-boot\n\(mine)".utf8), to: path + "/claim")
            try SmallFile.write([], to: path + "/running.1")
            #expect(await scratch.runner().outcome(of: attempt) == .interrupted("command 1 of 1 (`touch begun`) was running when the machine was restarted"))
            let next = scratch.attempt("touch begun", number: 2)
            try SmallFile.makeDirectory(scratch.path(of: next))
            try SmallFile.write(Array("another-boot".utf8), to: scratch.path(of: next) + "/intent")
            guard case .interrupted = await scratch.runner().outcome(of: next) else {
                Issue.record("a claim that a power cut took may have been there")
                return
            }
            #expect(await scratch.runner().withdraw(next) == false)
            #expect(scratch.text("begun") == nil)
        }
    }

    @Test func aWithdrawnAttemptNeverBegins() async throws {
        try await Scratch.with { scratch in
            let attempt = scratch.attempt("touch begun")
            #expect(await scratch.runner().withdraw(attempt))
            #expect(await scratch.runner().withdraw(attempt))
            #expect(await scratch.runner().outcome(of: attempt) == .canceled)
            #expect(scratch.text("begun") == nil)
            let next = scratch.attempt("true", number: 2)
            #expect(await scratch.runner().outcome(of: next) == .succeeded)
            #expect(await scratch.runner().withdraw(next) == false)
        }
    }

    /// A shell that was started and not yet scheduled when its reconciler was killed.
    @Test func aShellThatComesTooLateRunsNothing() async throws {
        try await Scratch.with { scratch in
            let attempt = scratch.attempt("touch begun")
            let runner = scratch.runner()
            #expect(await runner.withdraw(attempt))
            let shell = try runner.spawn(attempt, runner.files(of: attempt))
            #expect(await ProcessMonitor.shared.exit(of: shell) == .code(0))
            #expect(scratch.text("begun") == nil)
        }
    }

    @Test func anUnreadableClaimIsNoLicence() async throws {
        try await Scratch.with { scratch in
            let attempt = scratch.attempt("touch begun")
            try SmallFile.makeDirectory(scratch.path(of: attempt))
            try SmallFile.write([0xFF, 0x00], to: scratch.path(of: attempt) + "/claim")
            guard case .interrupted = await scratch.runner().outcome(of: attempt) else {
                Issue.record("it was begun")
                return
            }
            #expect(scratch.text("begun") == nil)
        }
    }
}
