import Glibc
import Processes
import TaskModel
import Testing

@testable import Tasks

/// How attempts end, with real processes.
@Suite(.timeLimit(.minutes(2)))
struct ProcessTaskRunnerTests {
    @Test func runsCommandsInOrderAndKeepsTheirOutput() async throws {
        try await Scratch.with { scratch in
            let runner = scratch.runner()
            let attempt = scratch.attempt("echo one; pwd", "echo 'it''s two' >&2", "cat; echo three; exit 0")
            #expect(await runner.outcome(of: attempt) == .succeeded)
            let output = try await scratch.output(runner, attempt)
            #expect(output == ["one", scratch.work, "its two", "three"])
            #expect(runner.log(of: attempt) == "process:default/plan/plan-t1/1")
        }
    }

    @Test func theFirstFailureEndsIt() async throws {
        try await Scratch.with { scratch in
            let attempt = scratch.attempt("true", "exit 7", "touch never")
            #expect(await scratch.runner().outcome(of: attempt) == .failed(code: 7, command: "exit 7"))
            #expect(scratch.text("never") == nil)
            #expect(await scratch.runner().outcome(of: attempt) == .failed(code: 7, command: "exit 7"), "it is found again, not run again")
        }
    }

    @Test(arguments: [("kill -9 $$", 9), ("kill -TERM 0; sleep 9", 15)]) func aSignalIsToldFromAnExitCode(command: String, signal: Int) async throws {
        try await Scratch.with { scratch in
            let attempt = scratch.attempt(command, "touch never")
            #expect(await scratch.runner().outcome(of: attempt) == .killed(signal: signal, command: command))
            #expect(scratch.text("never") == nil)
        }
    }

    @Test func commandsGetAnEnvironmentOfTheirOwn() async throws {
        setenv("RECONCILER_GIT_TOKEN", "hunter2", 1)
        try await Scratch.with { scratch in
            let attempt = scratch.attempt("env | sort", environment: ["COLOR": "a b", "PATH": "/opt/x:/usr/bin:/bin"])
            let runner = scratch.runner()
            #expect(await runner.outcome(of: attempt) == .succeeded)
            let lines = try await scratch.output(runner, attempt)
            #expect(lines.contains("COLOR=a b") && lines.contains("PATH=/opt/x:/usr/bin:/bin"))
            #expect(lines.contains("RECONCILER_TASK_LIST=plan") && lines.contains("RECONCILER_TASK_ID=T1") && lines.contains("RECONCILER_TASK_ATTEMPT=1"))
            #expect(!lines.contains { $0.contains("hunter2") })
            let names = Set(lines.compactMap { $0.split(separator: "=").first.map(String.init) })
            #expect(names.subtracting(["PWD", "OLDPWD", "SHLVL", "_"]) == [
                "COLOR", "PATH", "HOME", "LANG", "TMPDIR", "RECONCILER_TASK_LIST", "RECONCILER_TASK_ID", "RECONCILER_TASK_ATTEMPT", "RECONCILER_TASK_MARK",
            ])
        }
    }

    @Test func whatIgnoresATimeoutIsKilled() async throws {
        try await Scratch.with { scratch in
            let command = "trap '' TERM; echo $$ > pid; while :; do sleep 1; done"
            let attempt = scratch.attempt(command, timeout: 0.5)
            let start = ContinuousClock.now
            #expect(await scratch.runner().outcome(of: attempt) == .timedOut(seconds: 0.5, command: command))
            #expect(ContinuousClock.now - start < .seconds(10))
            #expect(scratch.processes(of: attempt).isEmpty)
            #expect(await scratch.runner().outcome(of: attempt) == .timedOut(seconds: 0.5, command: command), "also to who asks later")
        }
    }

    @Test func aCommandThatEndsWellWhenTimeIsUpHasTimedOut() async throws {
        try await Scratch.with { scratch in
            let command = "trap 'exit 0' TERM; while :; do sleep 0.02; done"
            #expect(await scratch.runner(grace: .seconds(20)).outcome(of: scratch.attempt(command, "touch never", timeout: 0.3)) == .timedOut(seconds: 0.3, command: command))
            #expect(scratch.text("never") == nil)
        }
    }

    @Test func theTimeoutCountsFromTheAttemptsBegin() async throws {
        try await Scratch.with { scratch in
            var attempt = scratch.attempt("touch begun", timeout: 30)
            attempt.startedAt -= 31
            #expect(await scratch.runner().outcome(of: attempt) == .timedOut(seconds: 30, command: "touch begun"))
            #expect(scratch.text("begun") == nil)
            #expect(await scratch.runner().outcome(of: attempt) == .timedOut(seconds: 30, command: "touch begun"))
        }
    }

    @Test func cancellingEndsEvenWhatLeftTheSession() async throws {
        try await Scratch.with { scratch in
            let attempt = scratch.attempt("setsid sleep 1000 & sh -c 'sleep 1000' & touch begun; wait")
            let runner = scratch.runner()
            let task = Task { await runner.outcome(of: attempt) }
            try await scratch.waitForFile("begun")
            #expect(!scratch.processes(of: attempt).isEmpty)
            task.cancel()
            #expect(await task.value == .canceled)
            #expect(scratch.processes(of: attempt).isEmpty)
            #expect(await scratch.runner().outcome(of: attempt) == .canceled)
        }
    }

    @Test func whatStaysBehindIsEnded() async throws {
        try await Scratch.with { scratch in
            let attempt = scratch.attempt("setsid sleep 1000 > /dev/null & nohup sleep 1000 & true")
            #expect(await scratch.runner().outcome(of: attempt) == .succeeded)
            #expect(scratch.processes(of: attempt).isEmpty)
        }
    }

    @Test func forkingWithoutEndIsStopped() async throws {
        try await Scratch.with { scratch in
            let attempt = scratch.attempt("i=0; while [ $i -lt 120 ]; do setsid sleep 1000 & i=$((i+1)); done; wait")
            guard case .excessive(let why) = await scratch.runner(processes: 40).outcome(of: attempt) else {
                Issue.record("it was let run")
                return
            }
            #expect(why.contains("more than 40"))
            #expect(scratch.processes(of: attempt).isEmpty)
        }
    }

    @Test func aFloodOfOutputStaysBounded() async throws {
        try await Scratch.with { scratch in
            let runner = scratch.runner()
            let attempt = scratch.attempt("timeout 2 yes 'a line that is written as fast as it goes'; head -c 100000000 /dev/zero; echo end")
            let directory = scratch.path(of: attempt)
            let task = Task { await runner.outcome(of: attempt) }
            var largest: Int64 = 0
            while true {
                largest = max(largest, Self.blocks(directory))
                if SmallFile.names(in: directory).contains(where: { $0.hasPrefix("result") }) { break }
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(await task.value == .succeeded)
            let lines = try await scratch.output(runner, attempt)
            #expect(lines.last == "end" || lines.last?.hasSuffix("end") == true || lines.last?.contains("left out") == true)
            print("flood: at most \(largest >> 10) KiB on disk, \(Self.blocks(directory) >> 10) KiB afterwards, with a limit of 1024 KiB a log")
            #expect(Self.blocks(directory) < 4 << 20)
            #expect(largest < 256 << 20, "of several gigabytes that were written")
        }
    }

    private static func blocks(_ directory: String) -> Int64 {
        SmallFile.names(in: directory).reduce(0) { sum, name in
            var info = stat()
            return stat("\(directory)/\(name)", &info) == 0 ? sum + Int64(info.st_blocks) * 512 : sum
        }
    }

    @Test func outputCanBeFollowed() async throws {
        try await Scratch.with { scratch in
            let runner = scratch.runner()
            let attempt = scratch.attempt("echo first; while [ ! -e go ]; do sleep 0.02; done; printf 'no end'")
            let reading = Task {
                var lines: [String] = []
                for try await line in runner.output(of: runner.log(of: attempt), follow: true) {
                    lines.append(line)
                    if line.hasSuffix(" first") { try SmallFile.write([], to: scratch.work + "/go") }
                }
                return lines
            }
            #expect(await runner.outcome(of: attempt) == .succeeded)
            let lines = try await reading.value
            #expect(lines.count == 2 && lines[1].hasSuffix("Z no end") && lines[0].hasPrefix("20"))
        }
    }

    @Test(arguments: [("/dev/null/state", "/dev/null/state"), ("/proc/state", "/proc/state")])
    func aDirectoryThatCannotBeWrittenIsNamed(state: String, path: String) async throws {
        try await Scratch.with { scratch in
            guard case .notStarted(let why) = await scratch.runner(state: state).outcome(of: scratch.attempt("touch begun")) else {
                Issue.record("it was begun")
                return
            }
            #expect(why.contains(path))
            #expect(scratch.text("begun") == nil)
        }
    }

    @Test func aWorkingDirectoryThatIsNotThereIsNamed() async throws {
        try await Scratch.with { scratch in
            var attempt = scratch.attempt("true")
            attempt.workingDirectory = scratch.work + "/gone"
            let expected = TaskOutcome.notStarted("cannot start \"/bin/sh\": working directory \(attempt.workingDirectory) does not exist")
            #expect(await scratch.runner().outcome(of: attempt) == expected)
            #expect(await scratch.runner().outcome(of: attempt) == expected)
            attempt = scratch.attempt("true", number: 2)
            attempt.name = "../x"
            guard case .notStarted = await scratch.runner().outcome(of: attempt) else {
                Issue.record("a name led out of the directory")
                return
            }
        }
    }

    @Test func manyAttemptsRunBesideEachOther() async throws {
        try await Scratch.with { scratch in
            let runner = scratch.runner()
            let start = ContinuousClock.now
            await withTaskGroup(of: (Int, TaskOutcome).self) { group in
                for number in 1...200 {
                    let attempt = scratch.attempt("echo $RECONCILER_TASK_ATTEMPT >> all", "exit $((RECONCILER_TASK_ATTEMPT % 3))", number: number)
                    group.addTask { (number, await runner.outcome(of: attempt)) }
                }
                for await (number, outcome) in group {
                    let code = number % 3
                    #expect(outcome == (code == 0 ? .succeeded : .failed(code: code, command: "exit $((RECONCILER_TASK_ATTEMPT % 3))")))
                }
            }
            print("200 attempts: \(ContinuousClock.now - start)")
            let seen = (scratch.text("all") ?? "").split(separator: "\n").compactMap { Int($0) }
            #expect(seen.sorted() == Array(1...200))
        }
    }
}
