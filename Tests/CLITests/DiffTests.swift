import Foundation
import KubernetesClient
import ResourceModel
import TestSupport
import Testing

extension CommandLineTests {
    /// The forms of `diff`, and what it can compare.
    @Suite(.serialized, .timeLimit(.minutes(3)))
    struct DiffTests {
        private static let deployment = """
            apiVersion: apps/v1
            kind: Deployment
            metadata:
              name: web
            spec:
              replicas: 2
              selector:
                matchLabels: {app: web}
              template:
                metadata:
                  labels: {app: web}
                spec:
                  containers:
                    - name: web
                      image: example.org/shop:1

            """
        private static let settings = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  level: info\n  shop.yaml: |\n    open: true\n    hours:\n      - 9\n      - 17\n"
        private static func secret(_ password: String) -> String {
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: door\nstringData:\n  password: \(password)\n  same: unchanged\n"
        }

        /// A shop that is synced, then changed in Git and by hand.
        private func withChangedShop(_ body: (Scene) async throws -> Void) async throws {
            try await withScene { scene in
                try await scene.workspace.push([
                    "environments/applications/shop.yaml": Workspace.application("shop"), "environments/shop/web.yaml": Self.deployment,
                    "environments/shop/settings.yaml": Self.settings, "environments/shop/secret.yaml": Self.secret("hunter2"), "environments/shop/old.yaml": Workspace.configMap("old"),
                    "environments/shop/same.yaml": Workspace.configMap("same"),
                ])
                let synced = try await scene.run("sync", "--app", "shop")
                try #require(synced.code == 0, "\(synced.description)")
                let deployments = try await scene.client.resource(for: GroupKind(group: "apps", kind: "Deployment"))
                _ = try await scene.client.patch(
                    deployments, namespace: "shop", name: "web", type: .merge, patch: ["spec": ["replicas": 5]], options: WriteOptions(fieldManager: "kubectl-scale"))
                try await scene.workspace.push(
                    [
                        "environments/shop/web.yaml": Self.deployment.replacing("shop:1", with: "shop:2"), "environments/shop/new.yaml": Workspace.configMap("new"),
                        "environments/shop/settings.yaml": Self.settings.replacing("- 17", with: "- 18").replacing("  level: info\n", with: ""),
                        "environments/shop/secret.yaml": Self.secret("hunter3"), "environments/shop/old.yaml": nil,
                    ], message: "Open longer")
                try await body(scene)
            }
        }

        private func noSecrets(_ outcome: Outcome) {
            for value in ["hunter", "aHVudGVy", "unchanged\n", "dW5jaGFuZ2Vk"] { #expect(!outcome.description.contains(value), "secrets are not shown") }
        }

        @Test func showsItInEveryForm() async throws {
            try await withChangedShop { scene in
                for (name, options) in [
                    ("fields", []), ("unified", ["-o", "unified"]), ("json", ["-o", "json"]), ("yaml", ["-o", "yaml"]), ("markdown", ["-o", "markdown"]),
                ] {
                    let arguments = ["diff", "--app", "shop"] + options
                    let outcome = try await scene.workspace.reconciler.run(arguments)
                    #expect(outcome.code == 2, "\(outcome.description)")
                    noSecrets(outcome)
                    try expectGolden(transcript(arguments, outcome, in: scene.workspace), "diff/\(name).txt")
                }
                let value = try JSONValue(parsing: try await scene.run("diff", "--app", "shop", "-o", "json").output)
                let change = try #require(value[0]?["changes"]?.arrayValue?.first { $0[path: "object", "name"] == "web" })
                let replicas = try #require(change["fields"]?.arrayValue?.first { $0["path"] == ".spec.replicas" })
                #expect(replicas["manager"] == "kubectl-scale" && replicas["source"] == "environments/shop/web.yaml:6")
                #expect(replicas["since"]?.stringValue?.hasSuffix("Z") == true)
                #expect(try await scene.run("diff", "--app", "shop", "--no-exit-code").code == 0)
            }
        }

        @Test func aUnifiedDiffHoldsWhatIsDeclaredAndNothingElse() async throws {
            try await withChangedShop { scene in
                let diff = try await scene.run("diff", "--app", "shop", "-o", "unified").output
                #expect(diff.contains("--- live/apps/Deployment/shop/web\n+++ git/apps/Deployment/shop/web\tenvironments/shop/web.yaml:1\n@@ "))
                #expect(diff.contains("--- /dev/null\n+++ git/ConfigMap/shop/new") && diff.contains("--- live/ConfigMap/shop/old\n+++ /dev/null\n"))
                #expect(!diff.contains("status") && !diff.contains("resourceVersion") && !diff.contains("progressDeadlineSeconds") && !diff.contains("tracking-id"))
                let lines = diff.split(separator: "\n")
                #expect(lines.contains("-  replicas: 5") && lines.contains("+  replicas: 2") && lines.contains("+      - image: example.org/shop:2"))
            }
        }

        @Test func coloursOnlyWhereTheyAreWanted() async throws {
            try await withChangedShop { scene in
                func isColoured(_ arguments: [String], _ variables: [String: String] = [:]) async throws -> Bool {
                    var workspace = scene.workspace
                    for (name, value) in variables { workspace = workspace.with(name, value) }
                    return try await workspace.reconciler.run(["diff", "--app", "shop"] + arguments).output.contains("\u{1B}[")
                }
                for arguments in [[], ["--color", "never"], ["--color", "always", "-o", "json"], ["--color", "always", "-o", "markdown"]] {
                    #expect(try await !isColoured(arguments), "\(arguments)")
                }
                #expect(try await isColoured(["--color", "always"]))
                #expect(try await isColoured(["--color", "always", "-o", "unified"]))
                #expect(try await isColoured(["--color", "always"], ["NO_COLOR": "1"]))
                // A terminal, which `script` provides.
                func onTerminal(_ more: String) async throws -> Bool {
                    let command = "\(more) TERM=xterm \(Program.reconciler.string) diff --app shop"
                    var program = scene.workspace.reconciler
                    program.executable = try Workspace.tool("script")
                    return try await program.run(["-qec", command, "/dev/null"]).output.contains("\u{1B}[")
                }
                #expect(try await onTerminal(""))
                #expect(try await !onTerminal("NO_COLOR=1"))
                let coloured = try await scene.run("diff", "--app", "shop", "--color", "always")
                try expectGolden(transcript(["diff", "--color", "always"], coloured, in: scene.workspace).replacing("\u{1B}", with: "ESC"), "diff/colours.txt")
            }
        }

        @Test func aCommentStaysBelowWhatForgesTake() async throws {
            try await withScene { scene in
                var files: [String: String?] = ["environments/applications/shop.yaml": Workspace.application("shop")]
                for index in 0..<40 {
                    let text = (0..<120).map { "    line \($0) of ``` \(index) 🧵 \u{e9}\n" }.joined()
                    files["environments/shop/m\(index).yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m\(index)\ndata:\n  text: |\n" + text
                }
                try await scene.workspace.push(files)
                let outcome = try await scene.run("diff", "--app", "shop", "-o", "markdown")
                #expect(outcome.code == 2 && outcome.output.utf16.count < 65_536 && outcome.output.utf16.count > 50_000, "\(outcome.output.utf16.count)")
                #expect(outcome.output.contains("41 to create") && outcome.output.contains("Left out, because a comment holds no more: "))
                #expect(outcome.output.components(separatedBy: "<details>").count == outcome.output.components(separatedBy: "</details>").count)
                #expect(outcome.output.contains("\n````diff\n"), "a fence longer than what it holds")
            }
        }

        // MARK: Revisions

        @Test func comparesTwoRevisionsWithoutACluster() async throws {
            try await Workspace.with { workspace in
                let workspace = workspace.with("KUBECONFIG", "/nowhere/kubeconfig")
                let first = try await workspace.push([
                    "environments/applications/shop.yaml": Workspace.application("shop"), "environments/shop/keep.yaml": Workspace.configMap("keep"),
                    "environments/shop/secret.yaml": Self.secret("hunter2"), "environments/shop/old.yaml": Workspace.configMap("old"),
                ])
                try await workspace.git(["checkout", "-q", "-b", "feature"])
                for (name, text) in [("keep", Workspace.configMap("keep", ["key": "changed"])), ("secret", Self.secret("hunter3")), ("new", Workspace.configMap("new"))] {
                    try Data(text.utf8).write(to: URL(fileURLWithPath: workspace.clone.appending("environments/shop/\(name).yaml").string))
                }
                try await workspace.git(["rm", "-q", "environments/shop/old.yaml"])
                try Data(Workspace.application("more", path: "environments/shop").utf8).write(
                    to: URL(fileURLWithPath: workspace.clone.appending("environments/applications/more.yaml").string))
                try await workspace.git(["add", "-A"])
                try await workspace.git(["commit", "-q", "-m", "A feature"])
                try await workspace.git(["push", "-q", "origin", "feature"])
                for (name, options) in [("fields", []), ("unified", ["-o", "unified"]), ("json", ["-o", "json"]), ("markdown", ["-o", "markdown"])] {
                    let arguments = ["diff", "--app", "shop", "--from", "main", "--to", "feature"] + options
                    let outcome = try await workspace.reconciler.run(arguments)
                    #expect(outcome.code == 2 && outcome.errors.isEmpty, "\(outcome.description)")
                    noSecrets(outcome)
                    try expectGolden(transcript(arguments, outcome, in: workspace), "diff/revisions-\(name).txt")
                }
                let all = try await workspace.run("diff", "--all", "--from", "main", "--to", "feature")
                #expect(all.output.contains("# more\n") && all.output.contains("# shop\n"), "an application that the branch adds: \(all.description)")
                let same = try await workspace.run("diff", "--app", "shop", "--from", first, "--to", "main")
                #expect(same.code == 0 && same.output.isEmpty, "\(same.description)")
                let unknown = try await workspace.run("diff", "--app", "shop", "--from", "main", "--to", "nowhere")
                #expect(unknown.code != 0 && unknown.code != 2 && unknown.errors.contains("nowhere"))
                #expect(try await workspace.run("diff", "--app", "shop", "--to", "main").code == 64)
                #expect(try await workspace.run("diff", "--app", "shop", "--from", "main", "--revision", "main").code == 64)
            }
        }

        @Test func comparesTheClusterWithAnotherRevision() async throws {
            try await withScene { scene in
                try await scene.withShop()
                let before = try await scene.workspace.git(["rev-parse", "HEAD"])
                try await scene.workspace.push(["environments/shop/keep.yaml": Workspace.configMap("keep", ["key": "newer"])])
                #expect(try await scene.run("diff", "--app", "shop").code == 2)
                let old = try await scene.run("diff", "--app", "shop", "--revision", String(before.prefix(40)))
                #expect(old.code == 0 && old.output.isEmpty, "\(old.description)")
            }
        }

        // MARK: Files

        @Test func comparesFilesWithFiles() async throws {
            try await Workspace.with { workspace in
                func put(_ name: String, _ text: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: workspace.root.appending(name).string)) }
                try put("declared.yaml", Self.deployment + "---\n" + Workspace.configMap("new"))
                try put("live.yaml", "apiVersion: v1\nkind: List\nitems:\n- " + Self.deployment.replacing("\n", with: "\n  ").replacing("replicas: 2", with: "replicas: 3\n    paused: false")
                    .replacing("  name: web\n  spec", with: "  name: web\n    namespace: default\n  spec"))
                let offline = Program(executable: Program.reconciler, directory: workspace.root)
                for name in ["--target", "--config"] {
                    let arguments = ["diff", name, "declared.yaml", "--live", "live.yaml"]
                    let outcome = try await offline.run(arguments + ["--exit-code"])
                    #expect(outcome.code == 2 && outcome.errors.isEmpty, "\(outcome.description)")
                    #expect(outcome.output == "configure apps/Deployment default/web  (declared.yaml:1)\n  .spec.replicas: 3 -> 2\ncreate ConfigMap default/new  (declared.yaml:17)\n", "\(outcome.description)")
                }
                #expect(try await offline.run(["diff", "--target", "live.yaml", "--live", "live.yaml"]).code == 0)
                let missing = try await offline.run(["diff", "--target", "nowhere.yaml", "--live", "live.yaml"])
                #expect(missing.code == 1 && missing.errors.contains("nowhere.yaml"), "\(missing.description)")
                let broken = try await offline.run(["diff", "--live", "live.yaml"])
                #expect(broken.code == 64, "\(broken.description)")
            }
        }
    }
}
