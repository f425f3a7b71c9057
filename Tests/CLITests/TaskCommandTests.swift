import Foundation
import ResourceModel
import SystemPackage
import TestSupport
import Testing

extension CommandLineTests {
    /// `reconciler tasks` on documents: no cluster, no repository.
    @Suite(.serialized, .timeLimit(.minutes(2)))
    struct TaskCommandTests {
        static let plan = """
            # Tasks: Open the shop

            ## Phase 1: Setup

            - [x] T001 Create the `shop/` directory
            - [ ] T002 [P] Install with `make install`
            - [ ] T003 [P] Check with `make check`

            ## Phase 2: User Story 1 - Sell (Priority: P1)

            - [ ] T004 [US1] Write "shelves", [carts] & <tills>
            - [x] T005 [P] [US1] Paint the door; end
            - [ ] T006 [US1] Open

            """

        /// Runs `reconciler tasks` in a directory with the files, and nothing else in its environment.
        private func withDocuments(_ files: [String: String], _ body: (Workspace, @Sendable ([String]) async throws -> Outcome) async throws -> Void) async throws {
            try await Workspace.with { workspace in
                for (name, text) in files { try Data(text.utf8).write(to: URL(fileURLWithPath: workspace.root.appending(name).string)) }
                let offline = Program(executable: Program.reconciler, directory: workspace.root)
                try await body(workspace) { try await offline.run(["tasks"] + $0) }
            }
        }

        @Test func showsADocumentInEveryForm() async throws {
            try await withDocuments(["plan.md": Self.plan]) { workspace, run in
                for (name, arguments) in [
                    ("parse", ["parse", "plan.md"]), ("parse-json", ["parse", "plan.md", "-o", "json"]), ("parse-yaml", ["parse", "plan.md", "-o", "yaml"]),
                    ("list", ["list", "plan.md", "--status", "todo", "--phase", "2"]), ("show", ["show", "T006", "--file", "plan.md"]),
                    ("show-json", ["show", "t004", "-f", "plan.md", "-o", "json"]), ("progress", ["progress", "plan.md"]),
                    ("progress-json", ["progress", "plan.md", "-o", "json"]), ("next", ["next", "plan.md"]), ("next-json", ["next", "plan.md", "-o", "json"]),
                    ("graph", ["graph", "plan.md"]), ("graph-workers", ["graph", "plan.md", "--workers", "1", "--default-estimate", "30m"]),
                    ("graph-dot", ["graph", "plan.md", "-o", "dot"]), ("graph-mermaid", ["graph", "plan.md", "-o", "mermaid"]),
                    ("graph-json", ["graph", "plan.md", "-o", "json", "--workers", "2"]), ("export-csv", ["export", "plan.md", "-o", "csv"]),
                    ("export-json", ["export", "plan.md", "--story", "us1", "--status", "done"]),
                ] {
                    let outcome = try await run(arguments)
                    #expect(outcome.code == 0, "\(outcome.description)")
                    #expect(!outcome.description.contains("\u{1B}["), "no colours when nobody looks")
                    try expectGolden(transcript(["tasks"] + arguments, outcome, in: workspace), "tasks/\(name).txt")
                }
            }
        }

        @Test func saysWhatIsWrongWithItsInput() async throws {
            let cycle = "# Tasks\n\n## Phase 1: One\n\n- [ ] T001 First (depends on T003)\n- [ ] T002 Second\n- [ ] T003 Third\n"
            try await withDocuments(["plan.md": Self.plan, "cycle.md": cycle, "unknown.md": cycle.replacing("T003)", with: "T030)"), "empty.md": "# Nothing\n"]) { workspace, run in
                try FileManager.default.createDirectory(atPath: workspace.root.appending("documents").string, withIntermediateDirectories: true)
                try Data([0x7F, 0x45, 0x4C, 0x46, 0, 1, 2, 0, 0xFF, 0xFE]).write(to: URL(fileURLWithPath: workspace.root.appending("binary.md").string))
                for (name, arguments, code) in [
                    ("nowhere", ["parse", "nowhere.md"], 1), ("directory", ["parse", "documents"], 1), ("binary", ["parse", "binary.md"], 1),
                    ("empty", ["parse", "empty.md"], 1), ("cycle", ["graph", "cycle.md"], 1), ("unknown-dependency", ["list", "unknown.md"], 1),
                    ("several", ["parse", "nowhere.md", "plan.md", "empty.md"], 1), ("twice", ["parse", "plan.md", "plan.md"], 64),
                    ("no-file", ["parse"], 64), ("unknown-task", ["show", "T06", "-f", "plan.md"], 1), ("unknown-phase", ["list", "plan.md", "--phase", "Sel1"], 64),
                    ("unknown-state", ["list", "plan.md", "--status", "gone"], 64), ("list-of-documents", ["list", "plan.md", "--list", "shop"], 64),
                    ("no-workers", ["graph", "plan.md", "--workers", "0"], 64), ("no-estimate", ["graph", "plan.md", "--default-estimate", "soon"], 64),
                    ("no-format", ["export", "plan.md", "-o", "table"], 64), ("no-count", ["next", "plan.md", "--count", "0"], 64),
                    ("reset-nothing", ["reset"], 64), ("no-reason", ["fail", "T001"], 64), ("empty-reason", ["fail", "T001", "--reason", " "], 64),
                ] {
                    let outcome = try await run(arguments)
                    #expect(outcome.code == code && outcome.output.isEmpty, "\(arguments): \(outcome.description)")
                    try expectGolden(transcript(["tasks"] + arguments, outcome, in: workspace), "tasks/bad-\(name).txt")
                }
            }
        }

        @Test func readsStandardInputAndBoundsIt() async throws {
            try await withDocuments(["plan.md": Self.plan]) { workspace, _ in
                let shell = Program(executable: "/bin/sh", directory: workspace.root)
                let read = try await shell.run(["-c", "exec \(Program.reconciler) tasks list - --status done < plan.md"])
                #expect(read.code == 0 && read.output.contains("T001") && !read.output.contains("T002"), "\(read.description)")
                let endless = try await shell.run(["-c", "exec \(Program.reconciler) tasks parse /dev/zero"])
                #expect(endless.code == 1 && endless.errors.contains("/dev/zero: it holds more than 64 MB"), "\(endless.description)")
                let twice = try await shell.run(["-c", "exec \(Program.reconciler) tasks parse - - < plan.md"])
                #expect(twice.code == 64 && twice.errors.contains("once"), "\(twice.description)")
            }
        }

        @Test func aTitleCannotCommandTheTerminal() async throws {
            let padding = String(repeating: "Much is said before the plan begins.\n", count: 100)
            try await withDocuments(["plan.md": padding + "\n## Phase 1: A\u{1B}[2J\n\n- [ ] T001 Ring\u{7} \u{1B}]0;gone\u{7} \u{9B}31m\n"]) { _, run in
                for arguments in [["parse", "plan.md"], ["show", "T001", "-f", "plan.md"], ["progress", "plan.md"], ["next", "plan.md"], ["graph", "plan.md"]] {
                    let outcome = try await run(arguments)
                    #expect(outcome.code == 0 && !outcome.description.unicodeScalars.contains { $0 != "\n" && ($0.value < 0x20 || (0x7F...0x9F).contains($0.value)) }, "\(outcome.description)")
                }
            }
        }

        // MARK: The three documents

        private static let documents = FilePath(#filePath).removingLastComponent().removingLastComponent().appending("TaskModelTests/Documents")

        /// As many as each document states about itself.
        @Test(arguments: [("cloud-deployment-tasks.md", 51, "T001"), ("infrastructure-tasks.md", 132, "T001"), ("canary-requirements.md", 335, "TASK_001")])
        func readsTheRealDocuments(file: String, count: Int, first: String) async throws {
            let program = Program(executable: Program.reconciler, directory: Self.documents)
            let parsed = try await program.run(["tasks", "parse", file, "-o", "json"])
            let value = try JSONValue(parsing: parsed.output)
            let tasks = value["tasks"]?.arrayValue ?? []
            #expect(parsed.code == 0 && tasks.count == count && tasks.first?["id"]?.stringValue == first, "\(tasks.count)")
            #expect(tasks.allSatisfy { ($0[path: "source", "line"]?.integerValue ?? 0) > 0 && $0[path: "source", "path"]?.stringValue == file })
            for arguments in [["next", file], ["graph", file, "-o", "dot"], ["graph", file, "--workers", "2"], ["show", first, "-f", file]] {
                let outcome = try await program.run(["tasks"] + arguments)
                #expect(outcome.code == 0 && !outcome.output.isEmpty, "\(arguments): \(outcome.errors)")
            }
            let progress = try JSONValue(parsing: try await program.run(["tasks", "progress", file, "-o", "json"]).output)
            #expect(progress["total"]?.integerValue == Int64(count))
            let phases = progress["phases"]?.arrayValue ?? []
            #expect(phases.count > 5 && phases.reduce(0) { $0 + ($1["total"]?.integerValue ?? 0) } == Int64(count))
            let records = try await program.run(["tasks", "export", file, "-o", "csv"]).output
            #expect(records.components(separatedBy: "\r\n").count == tasks.count + 2, "a header, a record for each task, an end")
        }
    }
}
