import Foundation
import Glibc
import KubernetesClient
import ResourceModel
import TestSupport
import Testing

extension CommandLineTests {
    /// `reconciler tasks run` on documents and lists.
    @Suite(.serialized, .timeLimit(.minutes(3)))
    struct TaskRunTests {
        private static let mark = "echo \"$1\" >> \"$2/log\"\n"
        /// Begins, waits to be let go, ends.
        private static let slow = """
            echo "$1 begins" >> "$2/log"
            n=0
            while [ ! -e "$2/go" ]; do n=$((n+1)); [ $n -gt 600 ] && exit 9; sleep 0.05; done
            echo "$1 ends" >> "$2/log"

            """
        private static let document = """
            # Release

            ## Phase 1: Setup

            - [ ] T001 Prepare: `sh mark.sh T001 <OUT>`
            - [x] T002 Done: `sh mark.sh T002 <OUT>`

            ## Phase 2: Infrastructure Provisioning

            - [ ] T003 Provision: `sh mark.sh T003 ${OUT}`
            - [ ] T004 Look at it

            """

        private struct Desk {
            let workspace: Workspace
            var out: String { workspace.root.appending("out").string }
            var plan: String { workspace.root.appending("plan.md").string }
            var log: [String] {
                guard let text = FileManager.default.contents(atPath: "\(out)/log") else { return [] }
                return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
            }

            init(_ workspace: Workspace) throws {
                self.workspace = workspace
                try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
                for (name, text) in ["mark.sh": TaskRunTests.mark, "slow.sh": TaskRunTests.slow, "fail.sh": "exit 3\n"] {
                    try Data(text.utf8).write(to: URL(filePath: "\(out)/\(name)"))
                }
            }

            func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: plan)) }

            /// `tasks run plan.md …` in the directory of the scripts.
            func arguments(_ more: [String]) -> [String] { ["tasks", "run", plan, "--working-directory", out, "--var", "OUT=\(out)"] + more }
            func run(_ more: String...) async throws -> Outcome { try await workspace.reconciler.run(arguments(more)) }
        }

        @Test func aRehearsalShowsWhatWouldRunAndNeedsNoCluster() async throws {
            try await Workspace.with { workspace in
                let desk = try Desk(workspace)
                try desk.write(Self.document)
                let refused = try await desk.run("--dry-run")
                #expect(refused.code == 3 && refused.output.contains("$ sh mark.sh T001 \(desk.out)") && refused.output.contains("refused: nothing may run without a rule"), "\(refused.description)")
                let permitted = try await desk.run("--dry-run", "--allow", "sh *")
                #expect(permitted.code == 0 && !permitted.output.contains("refused"), "\(permitted.description)")
                #expect(permitted.output.contains("T004  Look at it  (by hand)") && !permitted.output.contains("T002"), "\(permitted.output)")
                let phase = try await desk.run("--dry-run", "--allow", "sh *", "--phase", "Infrastructure Provisioning", "-o", "json")
                let rows = try JSONValue(parsing: phase.output).arrayValue ?? []
                #expect(rows.map { $0["id"] } == ["T003", "T004"] && rows[0]["commands"] == [.string("sh mark.sh T003 \(desk.out)")], "\(phase.output)")
                #expect(rows[0]["checks"]?[0]?["tool"] == "sh")
                let missing = try await workspace.reconciler.run(["tasks", "run", desk.plan, "--dry-run", "--allow", "sh *"])
                #expect(missing.code == 3 && missing.output.contains("<OUT> has no value: give `--var OUT=VALUE`"), "\(missing.description)")
                #expect(desk.log.isEmpty && !FileManager.default.fileExists(atPath: workspace.state.appending("cluster").string))
            }
        }

        @Test func runsDocumentsAsFarAsItMayAndGoesOnWhereItStopped() async throws {
            try await withScene { scene in
                let desk = try Desk(scene.workspace)
                try desk.write(Self.document)
                let refused = try await desk.run()
                #expect(refused.code == 3 && refused.output.contains("refused T001: nothing may run without a rule") && desk.log.isEmpty, "\(refused.description)")
                let first = try await desk.run("--allow", "sh mark.sh T001 *")
                #expect(first.code == 3 && desk.log == ["T001"], "\(first.description)")
                let second = try await desk.run("--allow", "sh mark.sh *")
                #expect(second.code == 0 && desk.log == ["T001", "T003"] && second.output.contains("3/4"), "\(second.description)")
                #expect(second.output.contains("T004 waits for somebody to do it"))
                let done = try await scene.run("tasks", "done", "T004", "--list", "plan")
                #expect(done.code == 0, "\(done.description)")
                let list = try await scene.object("TaskList", "plan", group: "reconciler.dev", namespace: "default")
                #expect(list?[path: "status", "progress"] == "4/4", "the list counts what was marked")
                let last = try await desk.run("--allow", "sh *", "-o", "json")
                #expect(try JSONValue(parsing: last.output)[path: "status", "progress"] == "4/4" && desk.log.count == 2, "\(last.description)")
                // A task that the document no longer holds goes.
                try desk.write(Self.document.replacing("- [ ] T004 Look at it\n", with: ""))
                #expect(try await desk.run("--allow", "sh *").code == 0)
                #expect(try await scene.object("Task", "plan-t004", group: "reconciler.dev", namespace: "default") == nil)
                let history = try await scene.run("history", "--app", "plan")
                #expect(history.output.contains("tasks: 1 task succeeded"), "\(history.description)")
            }
        }

        @Test func chosenTasksAloneAreBegun() async throws {
            try await withScene { scene in
                let desk = try Desk(scene.workspace)
                try desk.write("# P\n\n- [ ] T001 [P] One: `sh mark.sh T001 <OUT>`\n- [ ] T002 [P] Two: `sh mark.sh T002 <OUT>`\n")
                #expect(try await desk.run("--allow", "sh *", "--task", "T002").code == 0)
                #expect(desk.log == ["T002"])
                let unknown = try await desk.run("--allow", "sh *", "--task", "T009")
                #expect(unknown.code == 1 && unknown.errors.contains("there is no task `T009`"), "\(unknown.description)")
            }
        }

        @Test func aFailureIsTheExitCodeAndIsTold() async throws {
            try await withScene { scene in
                let desk = try Desk(scene.workspace)
                try desk.write("# P\n\n- [ ] T001 Break: `sh fail.sh`\n- [ ] T002 After: `sh mark.sh T002 <OUT>`\n")
                let failed = try await desk.run("--allow", "sh *", "--retries", "1", "--timeout", "20s")
                #expect(failed.code == 1 && failed.output.contains("failed T001: exit code 3 of `sh fail.sh`") && desk.log.isEmpty, "\(failed.description)")
                #expect(try await scene.object("Task", "plan-t001", group: "reconciler.dev", namespace: "default")?[path: "status", "attempts"] == 2)
            }
        }

        @Test func anInterruptStopsTheCommandsAndSaysSo() async throws {
            try await withScene { scene in
                let desk = try Desk(scene.workspace)
                try desk.write("# P\n\n- [ ] T001 Slow: `sh slow.sh T001 <OUT>`\n")
                let (_, code) = try await scene.workspace.reconciler.whileRunning(desk.arguments(["--allow", "sh *"])) { program in
                    try await program.line(containing: "plan: T001 Slow")
                    try await deadline(.seconds(20), "a mark") { while desk.log.isEmpty { try await Task.sleep(for: .milliseconds(20)) } }
                    kill(program.process, SIGINT)
                    await program.ended()
                }
                #expect(code == 1)
                let status = try await scene.object("Task", "plan-t001", group: "reconciler.dev", namespace: "default")?["status"]
                #expect(status?["state"] == "Failed" && status?["reason"] == "Canceled", "\(String(describing: status))")
                FileManager.default.createFile(atPath: "\(desk.out)/go", contents: nil)
                let again = try await desk.run("--allow", "sh *")
                #expect(again.code == 1 && desk.log == ["T001 begins"], "not again unasked: \(again.description)")
                #expect(try await scene.run("tasks", "reset", "T001").code == 0)
                #expect(try await desk.run("--allow", "sh *").code == 0)
                #expect(desk.log == ["T001 begins", "T001 begins", "T001 ends"])
            }
        }

        @Test func ofTwoThatRunOneListEachTaskIsBegunOnce() async throws {
            try await withScene { scene in
                let desk = try Desk(scene.workspace)
                let lines = (1...8).map { "- [ ] T00\($0) [P] No \($0): `sh mark.sh T00\($0) <OUT>`" }
                try desk.write("# P\n\n" + lines.joined(separator: "\n") + "\n")
                // The list is there before both begin, so that they only run it.
                #expect(try await desk.run().code == 3)
                let other = scene.workspace.with("RECONCILER_STATE_DIR", scene.workspace.root.appending("other").string)
                let arguments = ["tasks", "run", "--list", "plan", "--working-directory", desk.out, "--var", "OUT=\(desk.out)", "--allow", "sh *"]
                async let one = scene.workspace.reconciler.run(arguments)
                async let two = other.reconciler.run(arguments)
                async let three = scene.workspace.reconciler.run(arguments)
                for outcome in try await [one, two, three] { #expect(outcome.code == 0, "\(outcome.description)") }
                try await deadline(.seconds(20), "every mark") { while desk.log.count < 8 { try await Task.sleep(for: .milliseconds(20)) } }
                #expect(desk.log.sorted() == (1...8).map { "T00\($0)" }, "\(desk.log)")
            }
        }
    }
}
