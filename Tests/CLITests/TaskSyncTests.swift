import Foundation
import KubernetesClient
import ResourceModel
import TestSupport
import Testing

extension CommandLineTests {
    /// Documents of tasks, from a push to their end.
    @Suite(.serialized, .timeLimit(.minutes(3)))
    struct TaskSyncTests {
        /// Scripts that leave marks in `$OUT`, so that a test sees what ran, and how often.
        private static let scripts: [String: String?] = [
            "scripts/mark.sh": "echo \"$1\" >> \"$OUT/log\"\n",
            // Ends only when the other one has begun.
            "scripts/meet.sh": """
                touch "$OUT/met-$1"
                n=0
                while [ ! -e "$OUT/met-$2" ]; do n=$((n+1)); [ $n -gt 200 ] && exit 9; sleep 0.05; done
                echo "$1" >> "$OUT/log"

                """,
            // Fails twice.
            "scripts/flaky.sh": """
                echo try >> "$OUT/tries"
                echo "flaky says try $(wc -l < "$OUT/tries")"
                [ "$(wc -l < "$OUT/tries")" -ge 3 ] && echo flaky >> "$OUT/log"

                """,
            "scripts/fail.sh": "echo the reason >&2\nexit 3\n",
            // Begins, waits to be let go, ends.
            "scripts/slow.sh": """
                echo "$1 begins" >> "$OUT/log"
                n=0
                while [ ! -e "$OUT/go" ]; do n=$((n+1)); [ $n -gt 600 ] && exit 9; sleep 0.05; done
                echo "$1 ends" >> "$OUT/log"

                """,
        ]

        private struct Plan {
            let scene: Scene
            let out: String

            init(_ scene: Scene) throws {
                out = scene.workspace.root.appending("out").string
                let policy = scene.workspace.root.appending("policy.yaml").string
                try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
                try Data(
                    """
                    apiVersion: reconciler.dev/v1alpha1
                    kind: TaskPolicy
                    environment: [OUT]
                    rules:
                      - allow: sh scripts/*

                    """.utf8
                ).write(to: URL(filePath: policy))
                var scene = scene
                scene.workspace = scene.workspace.with("RECONCILER_TASK_POLICY", policy)
                self.scene = scene
            }

            func application(runs: Bool = true, more: String = "") -> String {
                """
                apiVersion: argoproj.io/v1alpha1
                kind: Application
                metadata: {name: plan}
                spec:
                  project: default
                  destination: {server: https://kubernetes.default.svc, namespace: plan}
                  source:
                    repoURL: .
                    path: plan
                    tasks:
                      run:
                        environment: {OUT: "\(out)"}
                        retry: {limit: 2, backoff: {duration: 50ms, maxDuration: 100ms}}
                \(more)
                  syncPolicy:
                    automated: {prune: true, selfHeal: true}
                    syncOptions: [CreateNamespace=true\(runs ? ", RunTasks=true" : "")]

                """
            }

            func push(_ document: String, runs: Bool = true, more: String = "", message: String = "Plan") async throws {
                var files = TaskSyncTests.scripts
                files["environments/plan.yaml"] = application(runs: runs, more: more)
                files["plan/tasks.md"] = document
                try await scene.workspace.push(files, message: message)
            }

            func task(_ id: String) async throws -> JSONValue? { try await scene.object("Task", "plan-\(id.lowercased())", group: "reconciler.dev", namespace: "plan") }
            func states(_ ids: String...) async throws -> [String?] {
                var states: [String?] = []
                for id in ids { states.append(try await state(id)) }
                return states
            }

            func state(_ id: String) async throws -> String? { try await task(id)?[path: "status", "state"]?.stringValue }

            /// The lines that scripts left.
            var log: [String] { marks("log") }

            func marks(_ name: String) -> [String] {
                guard let text = FileManager.default.contents(atPath: "\(out)/\(name)") else { return [] }
                return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
            }

            func letGo() { FileManager.default.createFile(atPath: "\(out)/go", contents: nil) }

            /// The rows of the history, newest first.
            func history() async throws -> [JSONValue] {
                try JSONValue(parsing: try await scene.run("history", "--app", "plan", "-o", "json").output).arrayValue ?? []
            }
        }

        private func withPlan(controllers: Bool = false, _ body: (Plan) async throws -> Void) async throws {
            try await withScene(controllers: controllers) { scene in try await body(try Plan(scene)) }
        }

        private static let document = """
            # Tasks: Release

            ## Phase 1: Setup

            - [ ] T001 Prepare with `sh scripts/mark.sh T001`
            - [ ] T002 [P] Left: `sh scripts/meet.sh T002 T003`
            - [ ] T003 [P] Right: `sh scripts/meet.sh T003 T002`
            - [x] T004 Done long ago: `sh scripts/mark.sh T004`

            ## Phase 2: Ship

            - [ ] T005 Flaky: `sh scripts/flaky.sh`
            - [ ] T006 Ship with `sh scripts/mark.sh T006`

            """

        @Test func aDocumentPushedToGitBecomesTasksThatRunInOrder() async throws {
            try await withPlan { plan in
                try await plan.push(Self.document)
                let first = try await plan.scene.run("sync", "--app", "plan", "--wait")
                #expect(first.code == 0 && first.output.contains("plan: Succeeded, Synced, Healthy"), "\(first.description)")
                #expect(plan.log.first == "T001" && Set(plan.log[1...2]) == ["T002", "T003"] && Array(plan.log[3...]) == ["flaky", "T006"], "\(plan.log)")
                let flaky = try await plan.task("T005")?["status"]
                #expect(flaky?["state"] == "Succeeded" && flaky?["attempts"] == 3 && flaky?["exitCode"] == 0, "\(String(describing: flaky))")
                let ticked = try await plan.task("T004")?["status"]
                #expect(ticked?["state"] == "Succeeded" && ticked?["reason"] == "Ticked" && ticked?["attempts"] == 0)
                let list = try await plan.scene.object("TaskList", "plan", group: "reconciler.dev", namespace: "plan")?["status"]
                #expect(list?["progress"] == "6/6" && list?["state"] == "Succeeded")
                let again = try await plan.scene.run("sync", "--app", "plan")
                #expect(again.code == 0 && plan.log.count == 5 && plan.marks("tries").count == 3, "nothing runs twice: \(again.description)")
                let history = try await plan.history()
                let tasks = try #require(history.first { $0["selection"] == "tasks" })
                #expect(tasks["conclusion"] == "Succeeded" && tasks["message"] == "tasks: 5 tasks succeeded, 2 attempts failed, 6/6", "\(tasks["message"]?.jsonString ?? "")")
                let log = try await plan.scene.run("tasks", "logs", "T005", "--app", "plan")
                #expect(log.code == 0 && log.output.contains("flaky says try 3"), "\(log.description)")
                #expect(try await plan.scene.run("history", "verify").code == 0)
            }
        }

        @Test func nothingRunsUnlessTheSyncPolicyAndThePolicyFilePermitIt() async throws {
            try await withPlan { plan in
                try await plan.push(Self.document, runs: false)
                let first = try await plan.scene.run("sync", "--app", "plan")
                #expect(first.code == 0 && first.output.contains("Progressing") && first.output.contains("1/6"), "\(first.description)")
                #expect(plan.log.isEmpty)
                #expect(try await plan.states("T001", "T004") == ["Pending", "Succeeded"])
                try await plan.push(Self.document)
                let second = try await plan.scene.workspace.with("RECONCILER_TASK_POLICY", "").run("sync", "--app", "plan")
                #expect(second.code == 0 && plan.log.isEmpty, "\(second.description)")
                let status = try await plan.task("T001")?["status"]
                #expect(status?["state"] == "Blocked" && status?["reason"] == "Policy" && status?["message"]?.stringValue?.contains("environment: [OUT]") == true, "\(String(describing: status))")
            }
        }

        @Test func aFailureStopsWhatNeedsItAndARevertCommitTakesItBack() async throws {
            try await withPlan(controllers: true) { plan in
                try await plan.push(Self.document)
                #expect(try await plan.scene.run("sync", "--app", "plan").code == 0)
                let before = plan.log
                try await plan.push(Self.document + "- [ ] T007 Break: `sh scripts/fail.sh`\n- [ ] T008 After it: `sh scripts/mark.sh T008`\n", message: "Break it")
                let broken = try await plan.scene.run("sync", "--app", "plan")
                #expect(broken.output.contains("Degraded") && broken.output.contains("at T007: exit code 3 of `sh scripts/fail.sh`"), "\(broken.description)")
                #expect(try await plan.states("T007", "T008") == ["Failed", "Blocked"] && plan.log == before)
                let attempts = try await plan.task("T007")?[path: "status", "attempts"]
                #expect(attempts == 3, "two retries")
                let status = try await plan.scene.run("status")
                #expect(status.output.contains("Synced") && status.output.contains("Degraded") && status.output.contains("at T007"), "\(status.description)")
                try await plan.scene.workspace.revert()
                let back = try await plan.scene.run("sync", "--app", "plan", "--wait")
                #expect(back.code == 0 && back.output.contains("Synced, Healthy") && back.output.contains("2 pruned"), "\(back.description)")
                #expect(try await plan.task("T007") == nil && plan.log == before, "what had run before runs no second time")
                let told = try await plan.history().compactMap { $0["message"]?.stringValue }
                #expect(told.contains { $0.contains("T007 attempt 3: exit code 3") } && told.count >= 4, "\(told)")
            }
        }

        @Test func aTaskRunsAsAJobAfterItsApproval() async throws {
            try await withPlan(controllers: true) { plan in
                let overrides = "      overrides: {T001: {runner: Job, image: local, approval: true, timeout: 30s}}"
                try await plan.push("# Plan\n\n- [ ] T001 In a Job: `sh -c 'echo from the job; echo $OUT'`\n- [ ] T002 Next: `sh scripts/mark.sh T002`\n", more: overrides)
                // The text of sh -c is read as a command line of its own.
                let policy = plan.scene.workspace.root.appending("policy.yaml").string
                try Data(
                    "apiVersion: reconciler.dev/v1alpha1\nkind: TaskPolicy\nenvironment: [OUT]\nrules: [{allow: sh *}, {allow: echo *}]\n".utf8
                ).write(to: URL(filePath: policy))
                let waiting = try await plan.scene.run("sync", "--app", "plan")
                #expect(waiting.code == 0 && waiting.output.contains("waits for `reconciler tasks approve T001`") && plan.log.isEmpty, "\(waiting.description)")
                let approved = try await plan.scene.run("tasks", "approve", "T001", "--app", "plan")
                #expect(approved.code == 0, "\(approved.description)")
                let ran = try await plan.scene.run("sync", "--app", "plan", "--wait")
                let status = try await plan.task("T001")?["status"]
                #expect(ran.code == 0 && status?["state"] == "Succeeded" && status?["log"]?.stringValue?.hasPrefix("job:plan/") == true, "\(ran.description) \(String(describing: status))")
                #expect(plan.log == ["T002"])
                let log = try await plan.scene.run("tasks", "logs", "T001", "--app", "plan")
                #expect(log.output.contains("from the job") && log.output.contains(plan.out), "\(log.description)")
            }
        }

        @Test func aTickedTaskIsNotRunAndTakingTheTickAwayMakesItPendingAgain() async throws {
            try await withPlan { plan in
                let open = "# Plan\n\n- [ ] T001 One: `sh scripts/mark.sh T001`\n"
                try await plan.push(open.replacing("[ ]", with: "[x]"))
                #expect(try await plan.scene.run("sync", "--app", "plan", "--wait").code == 0)
                #expect(try await plan.state("T001") == "Succeeded" && plan.log.isEmpty)
                try await plan.push(open, runs: false)
                #expect(try await plan.scene.run("sync", "--app", "plan").code == 0)
                #expect(try await plan.state("T001") == "Pending")
                try await plan.push(open)
                #expect(try await plan.scene.run("sync", "--app", "plan").code == 0)
                #expect(try await plan.state("T001") == "Succeeded" && plan.log == ["T001"])
            }
        }

        @Test func aCommandThatOutlivesAKilledSyncIsFoundAgainAndNotRunTwice() async throws {
            try await withPlan { plan in
                try await plan.push("# Plan\n\n- [ ] T001 Slow: `sh scripts/slow.sh T001`\n- [ ] T002 Next: `sh scripts/mark.sh T002`\n")
                let (_, code) = try await plan.scene.workspace.reconciler.whileRunning(["sync", "--app", "plan"]) { program in
                    try await program.line(containing: "plan: T001 Slow")
                    try await deadline(.seconds(20), "a mark") { while plan.log.isEmpty { try await Task.sleep(for: .milliseconds(20)) } }
                    kill(program.process, SIGKILL)
                }
                #expect(code == 128 + SIGKILL)
                #expect(try await plan.state("T001") == "Running")
                let told = try await plan.scene.run("history", "--app", "plan")
                #expect(told.output.contains("Interrupted"), "\(told.description)")
                plan.letGo()
                let next = try await plan.scene.run("sync", "--app", "plan", "--wait")
                #expect(next.code == 0, "\(next.description)")
                #expect(plan.log == ["T001 begins", "T001 ends", "T002"])
                #expect(try await plan.task("T001")?[path: "status", "attempts"] == 1)
                #expect(try await plan.scene.run("history", "verify").code == 0)
            }
        }

        @Test func aCommandThatWasKilledWithTheSyncIsMarkedInterruptedAndNotRunAgainUnasked() async throws {
            try await withPlan { plan in
                try await plan.push("# Plan\n\n- [ ] T001 Slow: `sh scripts/slow.sh T001`\n")
                _ = try await plan.scene.workspace.reconciler.whileRunning(["sync", "--app", "plan"]) { program in
                    try await program.line(containing: "plan: T001 Slow")
                    try await deadline(.seconds(20), "a mark") { while plan.log.isEmpty { try await Task.sleep(for: .milliseconds(20)) } }
                    kill(program.process, SIGKILL)
                }
                // The machine's end: whatever the task had started is gone, and nobody wrote how it ended.
                try killEverything(withEnvironment: "OUT=\(plan.out)")
                let next = try await plan.scene.run("sync", "--app", "plan")
                let status = try await plan.task("T001")?["status"]
                #expect(status?["state"] == "Failed" && status?["reason"] == "Interrupted", "\(next.description) \(String(describing: status))")
                #expect(plan.log == ["T001 begins"])
                plan.letGo()
                let reset = try await plan.scene.run("tasks", "reset", "T001", "--app", "plan")
                #expect(reset.code == 0, "\(reset.description)")
                #expect(try await plan.scene.run("sync", "--app", "plan", "--wait").code == 0)
                #expect(plan.log == ["T001 begins", "T001 begins", "T001 ends"])
                #expect(try await plan.task("T001")?[path: "status", "attempts"] == 2)
            }
        }

        @Test func theDaemonRunsTasksBesideItsSyncsAndFindsThemAgain() async throws {
            try await withPlan { plan in
                try await plan.push("# Plan\n\n- [ ] T001 Slow: `sh scripts/slow.sh T001`\n- [ ] T002 Next: `sh scripts/mark.sh T002`\n")
                let arguments = ["run", "--interval", "1"]
                _ = try await plan.scene.workspace.reconciler.whileRunning(arguments) { program in
                    try await program.line(containing: "plan: T001 Slow")
                    try await deadline(.seconds(20), "a mark") { while plan.log.isEmpty { try await Task.sleep(for: .milliseconds(20)) } }
                    program.terminate()
                    await program.ended()
                }
                #expect(try await plan.state("T001") == "Running", "the commands go on without it")
                plan.letGo()
                _ = try await plan.scene.workspace.reconciler.whileRunning(arguments) { program in
                    try await program.line(containing: "plan: T002 Succeeded")
                    // The history has it once nothing went on for a while.
                    try await deadline(.seconds(20), "a mark") {
                        while try await !plan.history().contains(where: { $0["message"]?.stringValue?.contains("2/2") == true }) {
                            try await Task.sleep(for: .milliseconds(200))
                        }
                    }
                    program.terminate()
                    await program.ended()
                }
                #expect(plan.log == ["T001 begins", "T001 ends", "T002"])
            }
        }

        @Test func aDocumentThatCannotBeReadDeletesNothing() async throws {
            try await withPlan { plan in
                try await plan.push(Self.document, runs: false)
                #expect(try await plan.scene.run("sync", "--app", "plan").code == 0)
                try await plan.push("# Only words\n", runs: false)
                let empty = try await plan.scene.run("sync", "--app", "plan")
                #expect(empty.code == 1 && empty.errors.contains("plan/tasks.md"), "\(empty.description)")
                try await plan.push("# Plan\n\n- [ ] T001 One (depends on T002)\n- [ ] T002 Two (depends on T001)\n", runs: false)
                let cycle = try await plan.scene.run("sync", "--app", "plan")
                #expect(cycle.code == 1 && cycle.errors.contains("T001") && cycle.errors.contains("T002"), "\(cycle.description)")
                #expect(try await plan.state("T006") == "Pending")
            }
        }

        @Test func tasksWrittenByHandNeedNoListAndNoDocument() async throws {
            try await withPlan { plan in
                var files = Self.scripts
                files["environments/applications/shop.yaml"] = Workspace.application("shop").replacing("CreateNamespace=true", with: "CreateNamespace=true\n      - RunTasks=true")
                files["environments/shop/tasks.yaml"] = """
                    apiVersion: reconciler.dev/v1alpha1
                    kind: Task
                    metadata: {name: second}
                    spec:
                      title: Second
                      dependencies: [first]
                      commands: [sh scripts/mark.sh second]
                      run: {environment: {OUT: "\(plan.out)"}}
                    ---
                    apiVersion: reconciler.dev/v1alpha1
                    kind: Task
                    metadata: {name: first}
                    spec:
                      title: First
                      commands: [sh scripts/mark.sh first]
                      run: {environment: {OUT: "\(plan.out)"}}

                    """
                try await plan.scene.workspace.push(files)
                let outcome = try await plan.scene.run("sync", "--app", "shop", "--wait")
                #expect(outcome.code == 0 && plan.log == ["first", "second"], "\(outcome.description)")
            }
        }
    }
}

/// Ends every process that has this entry in its environment.
private func killEverything(withEnvironment entry: String) throws {
    for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
        guard let pid = Int32(name), let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/environ"),
            bytes.split(separator: 0).contains(where: { $0.elementsEqual(entry.utf8) })
        else { continue }
        kill(pid, SIGKILL)
    }
}
