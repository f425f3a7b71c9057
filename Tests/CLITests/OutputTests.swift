import Foundation
import ResourceModel
import TestSupport
import Testing

extension CommandLineTests {
    /// What commands print: golden files for help, tables and JSON; results on standard output, progress on standard error.
    @Suite(.serialized, .timeLimit(.minutes(2)))
    struct OutputTests {
        @Test(arguments: [
            [], ["sync"], ["run"], ["diff"], ["plan"], ["status"], ["history"], ["wait"], ["render"], ["validate"], ["health"], ["cluster"],
            ["history", "list"], ["history", "show"], ["history", "verify"], ["rollback"], ["delete"], ["cluster", "start"], ["cluster", "kubeconfig"], ["cluster", "status"], ["cluster", "stop"],
            ["tasks"], ["tasks", "parse"], ["tasks", "list"], ["tasks", "show"], ["tasks", "progress"], ["tasks", "next"], ["tasks", "graph"],
            ["tasks", "export"], ["tasks", "start"], ["tasks", "done"], ["tasks", "fail"], ["tasks", "skip"], ["tasks", "reset"],
            ["tasks", "approve"], ["tasks", "logs"], ["tasks", "run"],
        ])
        func explainsEachCommand(_ command: [String]) async throws {
            let reconciler = Program(executable: Program.reconciler, environment: ["COLUMNS": "100"])
            let outcome = try await reconciler.run(command + ["--help"])
            #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.description)")
            try expectGolden(outcome.output, "help/\((["reconciler"] + command).joined(separator: "-")).txt")
        }

        @Test func showsPlanDiffSyncStatusAndHistoryAsTables() async throws {
            try await withScene { scene in
                let workspace = scene.workspace
                func golden(_ name: String, _ arguments: [String], code: Int32) async throws {
                    let outcome = try await workspace.reconciler.run(arguments)
                    #expect(outcome.code == code, "\(outcome.description)")
                    #expect(!outcome.description.contains("\u{1B}["), "no colours when nobody looks")
                    try expectGolden(transcript(arguments, outcome, in: workspace), "output/\(name).txt")
                }
                try await workspace.push(
                    [
                        "environments/applications/shop.yaml": Workspace.application("shop"), "environments/shop/keep.yaml": Workspace.configMap("keep"),
                        "environments/shop/old.yaml": Workspace.configMap("old"),
                        "environments/shop/secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: secret}\nstringData: {password: hunter2}\n",
                    ], message: "Open the shop")
                try await golden("plan-first", ["plan", "--app", "shop"], code: 2)
                try await golden("diff-first", ["diff", "--app", "shop"], code: 2)
                try await golden("status-first", ["status"], code: 0)
                try await golden("sync-first", ["sync", "--app", "shop"], code: 0)
                try await golden("sync-quiet", ["sync", "--app", "shop"], code: 0)
                try await golden("diff-none", ["diff", "--app", "shop"], code: 0)
                try await golden("plan-none", ["plan", "--app", "shop"], code: 0)
                try await workspace.push(
                    [
                        "environments/shop/old.yaml": nil, "environments/shop/keep.yaml": Workspace.configMap("keep", ["key": "changed", "more": "1"]),
                        "environments/shop/new.yaml": Workspace.configMap("new"),
                        "environments/shop/secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: secret}\nstringData: {password: hunter3}\n",
                    ], message: "Rearrange the shop")
                let difference = try await workspace.run("diff", "--app", "shop", "-o", "json")
                #expect(!difference.description.contains("aHVudGVy") && !difference.description.contains("hunter"), "secrets are not shown")
                try await golden("diff", ["diff", "--app", "shop"], code: 2)
                try await golden("diff-json", ["diff", "--app", "shop", "-o", "json"], code: 2)
                try await golden("diff-yaml", ["diff", "--app", "shop", "-o", "yaml"], code: 2)
                try await golden("plan", ["plan", "--app", "shop"], code: 2)
                try await golden("plan-json", ["plan", "--app", "shop", "-o", "json"], code: 2)
                try await golden("plan-no-prune", ["plan", "--app", "shop", "--no-prune"], code: 2)
                try await golden("status-out-of-sync", ["status", "--app", "shop"], code: 0)
                try await golden("sync-yaml", ["sync", "--app", "shop", "-o", "yaml"], code: 0)
                try await golden("status", ["status"], code: 0)
                try await golden("status-app", ["status", "--app", "shop"], code: 0)
                try await golden("wait", ["wait", "--app", "shop", "--timeout", "5"], code: 0)
                try await golden("history", ["history"], code: 0)
                try await golden("history-show", ["history", "show", "1"], code: 0)
                try await golden("history-verify", ["history", "verify"], code: 0)
                try await golden("history-unknown", ["history", "show", "99"], code: 1)
                for arguments in [["history", "-o", "json"], ["status", "-o", "json"], ["sync", "--all", "-o", "json"]] {
                    let outcome = try await workspace.reconciler.run(arguments)
                    let value = try JSONValue(parsing: outcome.output)
                    #expect(value.arrayValue?.isEmpty == false, "\(outcome.description)")
                }
                let history = try JSONValue(parsing: try await workspace.run("history", "-o", "json").output)
                #expect(history[1]?[path: "revision", "author"] == "Ada <ada@example.org>" && history[1]?[path: "revision", "subject"] == "Rearrange the shop")
            }
        }

        @Test func eventsAsJSONAreOneObjectALineOnStandardError() async throws {
            try await withScene { scene in
                try await scene.workspace.push([
                    "environments/applications/shop.yaml": Workspace.application("shop"), "environments/shop/keep.yaml": Workspace.configMap("keep"),
                ])
                let outcome = try await scene.run("sync", "--app", "shop", "--events", "json", "-o", "json")
                let events = try outcome.errors.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
                #expect(events.compactMap { $0["event"]?.stringValue } == ["fetched", "rendered", "planned", "waveStarted", "stepFinished", "stepFinished", "finished"])
                let report = try JSONValue(parsing: outcome.output)[0]
                #expect(report?["conclusion"] == "Succeeded" && report?["steps"]?.arrayValue?.count == 2, "the namespace and the object")
                #expect(try await scene.run("sync", "--app", "shop", "--events", "yaml").code == 64)
            }
        }

        @Test func selectsByLabelAndByName() async throws {
            try await withScene { scene in
                func labelled(_ name: String, _ team: String) -> String {
                    Workspace.application(name).replacing("  name: \(name)\n", with: "  name: \(name)\n  labels: {team: \(team)}\n")
                }
                try await scene.workspace.push([
                    "environments/applications/a.yaml": labelled("a", "red"), "environments/applications/b.yaml": labelled("b", "green"),
                    "environments/a/c.yaml": Workspace.configMap("c"), "environments/b/c.yaml": Workspace.configMap("c"),
                ])
                #expect(try await scene.run("sync", "-l", "team=red").output.hasPrefix("a: "))
                #expect(try await scene.object("ConfigMap", "c", namespace: "b") == nil)
                let rest = try await scene.run("sync", "-l", "team!=red")
                #expect(rest.output.hasPrefix("b: ") && rest.code == 0)
                let both = try await scene.run("status")
                #expect(both.output.split(separator: "\n").count == 3 && !both.output.contains("OutOfSync"), "\(both.description)")
            }
        }

        // MARK: Offline commands

        private static let sampleObjects = """
            apiVersion: v1
            kind: List
            items:
              - {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: x}}
              - {apiVersion: batch/v1, kind: Job, metadata: {name: b, namespace: x}, status: {conditions: [{type: Failed, status: "True", message: too often}]}}
            ---
            {apiVersion: apps/v1, kind: Deployment, metadata: {name: c, namespace: x}, spec: {paused: true}}
            """

        @Test func judgesHealthFromAFileWithoutAnything() async throws {
            try await Workspace.with { workspace in
                let file = workspace.root.appending("objects.yaml").string
                try Data(Self.sampleObjects.utf8).write(to: URL(fileURLWithPath: file))
                let offline = Program(executable: Program.reconciler, directory: workspace.root)
                for (name, arguments) in [("health", ["health", "-f", "objects.yaml"]), ("health-json", ["health", "-f", "objects.yaml", "-o", "json"])] {
                    let outcome = try await offline.run(arguments)
                    #expect(outcome.code == 1)
                    try expectGolden(transcript(arguments, outcome, in: workspace), "output/\(name).txt")
                }
                let missing = try await offline.run(["health", "-f", "nowhere.yaml"])
                #expect(missing.code == 1 && missing.errors.contains("nowhere.yaml"))
                try Data(Workspace.configMap("a").utf8).write(to: URL(fileURLWithPath: file))
                #expect(try await offline.run(["health", "-f", "objects.yaml"]).code == 0)
            }
        }

        @Test func libcurlIsNeededOnlyByCommandsThatAskAServer() async throws {
            try await Workspace.with { workspace in
                try Data(Self.sampleObjects.utf8).write(to: URL(fileURLWithPath: workspace.root.appending("objects.yaml").string))
                // The loader looks here first, and finds something that is no library.
                try Data("none".utf8).write(to: URL(fileURLWithPath: workspace.root.appending("libcurl.so.4").string))
                let without = workspace.with("LD_LIBRARY_PATH", workspace.root.string)
                #expect(try await without.run("health", "-f", "objects.yaml").output.contains("Suspended"))
                let sync = try await without.run("sync", "--app", "shop")
                #expect(sync.code == 127 && sync.errors.contains("libcurl.so.4") && sync.errors.contains("apt-get install libcurl4"), "\(sync.description)")
            }
        }

        @Test func validatesTheEnvironmentsOfThisRepository() async throws {
            let root = FileManager.default.currentDirectoryPath
            let outcome = try await Program(executable: Program.reconciler).run(["validate", root + "/environments"])
            #expect(outcome.code == 0 && outcome.output.isEmpty, "\(outcome.description)")
        }

        @Test func validateNamesEveryProblemWithFileAndLine() async throws {
            try await Workspace.with { workspace in
                try await workspace.push([
                    "environments/applications/shop.yaml": Workspace.application("shop"),
                    "environments/applications/twice.yaml": Workspace.application("twice", path: "environments/shop", namespace: "shop"),
                    "environments/applications/typo.yaml": Workspace.application("typo").replacing("destination:", with: "destinatoin:"),
                    "environments/applications/lost.yaml": Workspace.application("lost", path: "environments/nowhere"),
                    "environments/applications/project.yaml": Workspace.application("project", path: "environments/shop2").replacing("project: default", with: "project: none"),
                    "environments/shop/keep.yaml": Workspace.configMap("keep"),
                    "environments/shop2/broken.yaml": "a: [",
                    "environments/typo/duplicate.yaml": "a: 1\na: 2\n",
                ])
                let outcome = try await workspace.reconciler.run(["validate", workspace.clone.string])
                #expect(outcome.code == 1)
                try expectGolden(transcript(["validate", workspace.clone.string], outcome, in: workspace), "output/validate.txt")
            }
        }

        @Test func rendersOffline() async throws {
            try await Workspace.with { workspace in
                try await workspace.push([
                    "environments/applications/shop.yaml": Workspace.application("shop"), "environments/shop/keep.yaml": Workspace.configMap("keep"),
                ])
                var offline = workspace.reconciler
                offline.environment["RECONCILER_REPO"] = nil
                for arguments in [["render", "clone", "--app", "shop"], ["render", "clone/environments/shop", "--namespace", "x"], ["render", "clone", "--app", "shop", "-o", "table"]] {
                    let outcome = try await offline.run(arguments)
                    #expect(outcome.code == 0)
                    try expectGolden(transcript(arguments, outcome, in: workspace), "output/\(arguments.joined(separator: "-").replacing("/", with: "-")).txt")
                }
            }
        }

        @Test func readsItsConfigurationFromFlagsThenVariablesThenAFile() async throws {
            try await withScene { scene in
                try await scene.withShop()
                var program = scene.workspace.reconciler
                program.environment["RECONCILER_REPO"] = nil
                let file = scene.workspace.root.appending("reconciler.yaml").string
                try Data("repository: \(scene.workspace.remote)\nbranch: main\n".utf8).write(to: URL(fileURLWithPath: file))
                #expect(try await program.run(["diff", "--app", "shop"]).code == 0)
                program.environment["RECONCILER_BRANCH"] = "nowhere"
                #expect(try await program.run(["diff", "--app", "shop"]).errors.contains("nowhere"))
                #expect(try await program.run(["diff", "--app", "shop", "--branch", "main"]).code == 0)
                try Data("repositry: x\n".utf8).write(to: URL(fileURLWithPath: file))
                let outcome = try await program.run(["diff", "--app", "shop"])
                #expect(outcome.errors.contains("reconciler.yaml:1") && outcome.errors.contains("repositry"), "\(outcome.description)")
                #expect(outcome.code == 64)
            }
        }
    }
}
