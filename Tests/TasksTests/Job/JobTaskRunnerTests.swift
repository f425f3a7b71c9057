import KubernetesClient
import Processes
import ResourceModel
import TaskModel
import TestSupport
import Testing

@testable import Tasks

/// Attempts as Jobs of an API server; in the embedded cluster their pods are processes of this machine.
@Suite(.timeLimit(.minutes(2)))
struct JobTaskRunnerTests {
    private struct Session {
        var client: KubernetesClient
        var runner: JobTaskRunner
        var directory: String

        func attempt(_ commands: String..., number: Int = 1, timeout: Double = 60, environment: [String: String] = [:]) -> TaskAttempt {
            TaskAttempt(
                namespace: "default", list: "plan", task: "T1", name: "plan-t1", number: number, commands: commands, environment: environment, workingDirectory: directory,
                timeoutSeconds: timeout, startedAt: UTCTime.now(), image: "local")
        }

        func job(_ attempt: TaskAttempt) async throws -> JSONValue? {
            try await client.get(runner.jobs(), namespace: "default", name: JobManifest(attempt: attempt).name)
        }

        func text(_ name: String) -> String? { SmallFile.text("\(directory)/\(name)") }

        func output(_ attempt: TaskAttempt, follow: Bool = false) async throws -> [String] {
            var lines: [String] = []
            for try await line in runner.output(of: runner.log(of: attempt), follow: follow) {
                lines.append(line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).dropFirst().joined())
            }
            return lines
        }
    }

    private func withSession(_ body: (Session) async throws -> Void) async throws {
        try await withEmbeddedCluster { cluster in
            try await withClusterDirectory { directory in
                guard let access = try ClusterAccess.discover(kubeconfig: cluster.kubeconfig) else { throw CancellationError() }
                let client = KubernetesClient(access: access)
                defer { client.shutDown() }
                try await body(Session(client: client, runner: JobTaskRunner(client: client, startLimit: .seconds(2)), directory: directory))
            }
        }
    }

    @Test func runsCommandsAndTellsHowTheyEnded() async throws {
        try await withSession { session in
            let good = session.attempt("echo one; echo $COLOR $RECONCILER_TASK_ID", "X=2; echo $((X + 1)) $(echo three) $$(", environment: ["COLOR": "$(HOME) $$ red"])
            var fine = good
            fine.commands[1] = "X=2; echo $((X + 1)) $(echo three)"
            #expect(await session.runner.outcome(of: fine) == .succeeded)
            let lines = try await session.output(fine)
            #expect(lines == ["one", "$(HOME) $$ red T1", "3 three"], "Kubernetes expands nothing of it")
            let job = try #require(try await session.job(fine))
            #expect(job[path: "metadata", "labels", "reconciler.dev/task-list"] == "plan" && job[path: "metadata", "labels", "reconciler.dev/task"] == "T1")

            let bad = session.attempt("true", "exit 7", "touch \(session.directory)/never", number: 2)
            #expect(await session.runner.outcome(of: bad) == .failed(code: 7, command: "exit 7"))
            #expect(session.text("never") == nil)
            #expect(await session.runner.outcome(of: bad) == .failed(code: 7, command: "exit 7"), "the Job is found, not made again")

            let killed = session.attempt("kill -9 $$", number: 3)
            #expect(await session.runner.outcome(of: killed) == .killed(signal: 9, command: "kill -9 $$"))
        }
    }

    @Test func aRunningJobIsFoundAgain() async throws {
        try await withSession { session in
            let attempt = session.attempt("echo run >> \(session.directory)/runs; while [ ! -e \(session.directory)/go ]; do sleep 0.02; done; exit 3")
            let first = Task.detached { await session.runner.outcome(of: attempt) }
            for _ in 0..<2000 where session.text("runs") == nil { try await Task.sleep(for: .milliseconds(5)) }
            let second = Task.detached { await JobTaskRunner(client: session.client).outcome(of: attempt) }
            try SmallFile.write([], to: session.directory + "/go")
            #expect(await second.value == .failed(code: 3, command: attempt.commands[0]))
            #expect(await first.value == .failed(code: 3, command: attempt.commands[0]))
            #expect(session.text("runs") == "run\n")
        }
    }

    @Test func cancellingEndsThePodAndKeepsTheName() async throws {
        try await withSession { session in
            let attempt = session.attempt("touch \(session.directory)/begun; sleep 1000")
            let task = Task { await session.runner.outcome(of: attempt) }
            for _ in 0..<2000 where session.text("begun") == nil { try await Task.sleep(for: .milliseconds(5)) }
            task.cancel()
            #expect(await task.value == .canceled)
            let pods = try await session.client.list(session.runner.pods(), namespace: "default", options: ListOptions(labelSelector: "job-name=plan-t1-1")).items
            #expect(!pods.contains { $0[path: "status", "phase"] == "Running" && $0[path: "metadata", "deletionTimestamp"] == nil })
            #expect(await session.runner.outcome(of: attempt) == .canceled, "it is not begun again")
        }
    }

    @Test func theDeadlineCountsFromTheAttemptsBegin() async throws {
        try await withSession { session in
            var attempt = session.attempt("touch \(session.directory)/begun; sleep 1000", timeout: 30)
            attempt.startedAt -= 29
            #expect(await session.runner.outcome(of: attempt) == .timedOut(seconds: 30, command: attempt.commands[0]))
            var late = session.attempt("touch \(session.directory)/late", number: 2, timeout: 30)
            late.startedAt -= 31
            #expect(await session.runner.outcome(of: late) == .timedOut(seconds: 30, command: late.commands[0]))
            #expect(session.text("late") == nil)
        }
    }

    @Test func aWithdrawnAttemptNeverBegins() async throws {
        try await withSession { session in
            let attempt = session.attempt("touch \(session.directory)/begun")
            #expect(await session.runner.withdraw(attempt))
            #expect(await session.runner.withdraw(attempt))
            #expect(await session.runner.outcome(of: attempt) == .canceled)
            #expect(session.text("begun") == nil)
            let next = session.attempt("true", number: 2)
            #expect(await session.runner.outcome(of: next) == .succeeded)
            #expect(await session.runner.withdraw(next) == false)
        }
    }

    @Test func whatCannotBeginSaysWhy() async throws {
        try await withSession { session in
            var attempt = session.attempt("true")
            attempt.image = nil
            #expect(await session.runner.outcome(of: attempt) == .notStarted("a Job needs an image: set `image` beside `runner: Job`"))
            attempt = session.attempt("true", number: 2)
            attempt.namespace = "nowhere"
            guard case .notStarted(let why) = await session.runner.outcome(of: attempt) else {
                Issue.record("there is no such namespace")
                return
            }
            #expect(why.contains("nowhere"))
            attempt = session.attempt("true", number: 3)
            _ = try await session.client.create(
                [
                    "apiVersion": "batch/v1", "kind": "Job", "metadata": ["name": "plan-t1-3", "namespace": "default"],
                    "spec": ["suspend": true, "template": ["spec": ["restartPolicy": "Never", "containers": [["name": "c", "image": "x"]]]]],
                ], as: session.runner.jobs())
            guard case .notStarted(let other) = await session.runner.outcome(of: attempt) else {
                Issue.record("somebody else's Job was taken for ours")
                return
            }
            #expect(other.contains("is not this attempt's"))
        }
    }

    @Test func aTaskThatWasMadeAgainHasOtherAttempts() async throws {
        try await withSession { session in
            var first = session.attempt("echo run >> \(session.directory)/runs")
            first.uid = "00000000-0000-0000-0000-000000000001"
            var job = JobManifest(attempt: first).object(image: "local", seconds: 60)
            job[path: "metadata", "ownerReferences"] = .array([])  // its owner is not there, and the cluster would collect it
            _ = try await session.client.create(job, as: session.runner.jobs())
            for _ in 0..<2000 where session.text("runs") == nil { try await Task.sleep(for: .milliseconds(5)) }
            var second = first
            second.uid = ""
            #expect(await session.runner.withdraw(second) == false, "the name is taken")
            #expect(await session.runner.outcome(of: first) == .succeeded, "it is found")
            var bare = first
            (bare.commands, bare.image) = ([], nil)
            #expect(await session.runner.outcome(of: bare) == .succeeded, "also by who does not know its commands")
        }
    }

    @Test func aDeletedJobIsNotBegunAgainWhileItIsWatched() async throws {
        try await withSession { session in
            let attempt = session.attempt("touch \(session.directory)/begun; sleep 1000")
            let task = Task { await session.runner.outcome(of: attempt) }
            for _ in 0..<2000 where session.text("begun") == nil { try await Task.sleep(for: .milliseconds(5)) }
            try await session.client.delete(session.runner.jobs(), namespace: "default", name: "plan-t1-1", options: DeleteOptions(propagationPolicy: .background))
            #expect(await task.value == .interrupted("its Job was deleted by somebody"))
        }
    }
}

@Suite struct JobManifestTests {
    private func attempt(_ name: String, _ number: Int = 1) -> TaskAttempt {
        TaskAttempt(
            namespace: "n", list: "l", task: "T 1/x", name: name, number: number, commands: ["a"], environment: [:], workingDirectory: "", timeoutSeconds: 1, startedAt: 0, image: "i")
    }

    @Test func namesAreStableAndFitALabel() {
        #expect(JobManifest(attempt: attempt("plan-t1", 3)).name == "plan-t1-3")
        let long = String(repeating: "x", count: 70)
        let (one, two) = (JobManifest(attempt: attempt(long)).name, JobManifest(attempt: attempt(long + "y")).name)
        #expect(one.utf8.count == 63 && two.utf8.count == 63 && one != two && one.hasSuffix("-1"))
        #expect(one == JobManifest(attempt: attempt(long)).name)
    }

    @Test func declaresItsOwnerAndNoDirectoryWhenNoneIsNamed() {
        var owned = attempt("plan-t1")
        owned.uid = "u1"
        let job = JobManifest(attempt: owned).object(image: "i", seconds: 0)
        #expect(job[path: "metadata", "ownerReferences"]?.arrayValue?.first?["uid"] == "u1")
        #expect(job[path: "spec", "activeDeadlineSeconds"] == 1 && job[path: "spec", "backoffLimit"] == 0)
        #expect(job[path: "metadata", "labels", "reconciler.dev/task"] == "T-1-x")
        let container = job[path: "spec", "template", "spec", "containers"]?.arrayValue?.first
        #expect(container?["workingDir"] == nil && container?["image"] == "i")
        #expect(JobManifest(attempt: attempt("plan-t1")).object(image: "i", seconds: 5)[path: "metadata", "ownerReferences"] == nil)
    }

    private static func pod(_ state: JSONValue, phase: String = "Failed") -> JSONValue {
        ["metadata": ["name": "p"], "status": ["phase": .string(phase), "containerStatuses": [["state": state]]]]
    }

    private static func job(_ condition: String, _ reason: String = "") -> JSONValue {
        ["metadata": ["name": "j"], "status": ["conditions": [["type": .string(condition), "status": "True", "reason": .string(reason), "message": "m"]]]]
    }

    @Test func judgesByConditionsAndPods() {
        let attempt = attempt("plan-t1")
        func judged(_ job: JSONValue?, _ pods: [JSONValue] = []) -> JobJudgement { JobJudgement(job: job, pods: pods, attempt: attempt) }
        #expect(judged(Self.job("Complete")) == .ended(.succeeded))
        #expect(judged(Self.job("Failed", "DeadlineExceeded")) == .ended(.timedOut(seconds: 1, command: "a")))
        #expect(judged(Self.job("Failed", "BackoffLimitExceeded"), [Self.pod(["terminated": ["exitCode": 4]])]) == .failed(code: 4, pod: "p"))
        #expect(judged(Self.job("Failed", "BackoffLimitExceeded"), [Self.pod(["terminated": ["exitCode": 137, "reason": "OOMKilled"]])]) == .ended(.killed(signal: 9, command: "a")))
        #expect(judged(Self.job("Failed", "BackoffLimitExceeded"), [Self.pod(["terminated": ["exitCode": 128, "reason": "StartError", "message": "no"]])]) == .ended(.notStarted("pod p: no")))
        #expect(judged(Self.job("Failed", "BackoffLimitExceeded")) == .ended(.interrupted("m, and its pod is gone: nobody can tell how it ended")))
        let evicted: JSONValue = ["metadata": ["name": "p"], "status": ["phase": "Failed", "reason": "Evicted", "message": "disk"]]
        #expect(judged(Self.job("Failed"), [evicted]) == .ended(.interrupted("pod p failed: Evicted: disk")))
        #expect(judged(nil) == .ended(.interrupted("its Job was deleted by somebody")))
        #expect(judged(["metadata": [:]], [Self.pod(["waiting": ["reason": "ImagePullBackOff"]], phase: "Pending")]) == .stuck("pod p: ImagePullBackOff", isFinal: false))
        #expect(judged(["metadata": [:]], [Self.pod(["waiting": ["reason": "InvalidImageName", "message": "x"]], phase: "Pending")]) == .stuck("pod p: InvalidImageName: x", isFinal: true))
        #expect(judged(["metadata": [:]], [Self.pod(["waiting": ["reason": "ContainerCreating"]], phase: "Pending")]) == .running)
        #expect(JobManifest.failedCommand("2026-01-01T00:00:00Z reconciler: command 2 of 3 ended with exit code 7") == 2)
        #expect(JobManifest.failedCommand("reconciler: command x of 3 ended") == nil && JobManifest.failedCommand("") == nil)
    }
}
