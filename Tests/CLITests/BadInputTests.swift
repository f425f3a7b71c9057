import Foundation
import ResourceModel
import TestSupport
import Testing

/// One thing that people get wrong.
struct BadInput: Sendable, CustomTestStringConvertible {
    /// The golden file's name.
    var name: String
    /// What is pushed on top of a good application `shop` that was synced; `nil` removes a file.
    var files: [String: String?] = [:]
    var arguments = ["sync", "--app", "shop"]
    var variables: [String: String] = [:]
    var code: Int32 = 1
    /// What the messages must hold: what, where, why, what to try.
    var mentions: [String]

    var testDescription: String { name }
}

private let bad = "environments/shop/bad.yaml"
private func other(_ text: String) -> [String: String?] { ["environments/applications/other.yaml": text, "environments/other/a.yaml": Workspace.configMap("a")] }
private func sync(_ name: String) -> [String] { ["sync", "--app", name] }

private let repositoryMistakes: [BadInput] = [
    BadInput(
        name: "broken-yaml", files: [bad: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x\ndata: ["],
        mentions: ["environments/shop/bad.yaml:4", "did not find expected"]),
    BadInput(
        name: "duplicate-key", files: [bad: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  a: \"1\"\n  a: \"2\"\n"],
        mentions: ["environments/shop/bad.yaml:6", "duplicate key 'a'", "line 5"]),
    BadInput(
        name: "not-an-object", files: [bad: "just: something\n"], code: 0, mentions: ["environments/shop/bad.yaml", "holds no Kubernetes object"]),
    BadInput(
        name: "cut-off", files: [bad: "apiVe"], code: 0, mentions: ["environments/shop/bad.yaml:1", "nothing is pruned"]),
    BadInput(
        name: "same-object-twice", files: [bad: Workspace.configMap("keep")], code: 0, mentions: ["environments/shop/keep.yaml:1", "declared twice"]),
    BadInput(
        name: "unknown-kind", files: [bad: "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: x}\n"],
        mentions: ["environments/shop/bad.yaml:1", "knows no kind Widget in example.com/v1", "CustomResourceDefinition"]),
    BadInput(
        name: "unknown-version", files: [bad: "apiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: x}\n"],
        mentions: ["environments/shop/bad.yaml:1", "apps/v1beta1", "write `apiVersion: apps/v1`"]),
    BadInput(
        name: "unknown-object-field",
        files: [bad: "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {prots: [{port: 80}], ports: [{port: 80}]}\n"],
        mentions: ["environments/shop/bad.yaml:1", "prots"]),
    BadInput(
        name: "invalid-object", files: [bad: "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: [{port: 99999}]}\n"],
        mentions: ["environments/shop/bad.yaml:1", "spec.ports[0].port", "correct the manifest"]),
    BadInput(
        name: "missing-path", files: other(Workspace.application("other", path: "environments/nowhere")), arguments: sync("other"),
        mentions: ["environments/applications/other.yaml:7", "environments/nowhere", "does not exist"]),
    BadInput(
        name: "missing-namespace", files: other(Workspace.application("other", namespace: "nowhere", createNamespace: false)),
        arguments: sync("other"), mentions: ["environments/other/a.yaml:1", "\"nowhere\" not found", "CreateNamespace=true"]),
    BadInput(
        name: "two-owners", files: other(Workspace.application("other", path: "environments/shop", namespace: "shop")), arguments: sync("other"),
        code: 3, mentions: ["environments/shop/keep.yaml:1", "ConfigMap shop/keep", "belongs to application shop", "--adopt"]),
    BadInput(
        name: "unknown-application-field", files: other(Workspace.application("other").replacing("destination:", with: "destinatoin:")),
        arguments: sync("other"), mentions: ["environments/applications/other.yaml:10", "spec.destinatoin", "destination"]),
    BadInput(
        name: "unsupported-application-field",
        files: other(Workspace.application("other").replacing("    path: environments/other", with: "    path: environments/other\n    plugin: {name: mine}")),
        arguments: sync("other"), mentions: ["environments/applications/other.yaml:10", "spec.source.plugin", "not supported yet"]),
    BadInput(
        name: "unknown-project", files: other(Workspace.application("other").replacing("project: default", with: "project: defualt")),
        arguments: sync("other"), mentions: ["defualt", "environments/applications/other.yaml:"]),
    BadInput(
        name: "unknown-target-revision",
        files: other(Workspace.application("other").replacing("    path: environments/other", with: "    path: environments/other\n    targetRevision: v9")),
        arguments: sync("other"), mentions: ["v9", "main"]),
    BadInput(
        name: "missing-tool",
        files: other(Workspace.application("other")).merging(["environments/other/Chart.yaml": "apiVersion: v2\nname: other\nversion: 1.0.0\n"]) { $1 },
        arguments: sync("other"), variables: ["PATH": "/nonexistent"], mentions: ["helm", "PATH", "environments/applications/other.yaml:"]),
    BadInput(
        name: "all-with-a-broken-application", files: other(Workspace.application("other").replacing("destination:", with: "destinatoin:")),
        arguments: ["sync", "--all"], mentions: ["environments/applications/other.yaml:10"]),
    BadInput(name: "nothing-declared", files: ["environments/shop/keep.yaml": nil, "environments/shop/README.md": "Empty."], code: 3, mentions: ["--allow-empty", "declares no object"]),
]

private let commandMistakes: [BadInput] = [
    BadInput(name: "unknown-application", arguments: sync("shops"), mentions: ["shops", "did you mean `shop`?"]),
    BadInput(name: "no-selection", arguments: ["sync"], code: 64, mentions: ["--app NAME", "--all"]),
    BadInput(name: "nothing-matches", arguments: ["sync", "-l", "team=x"], mentions: ["team=x", "shop"]),
    BadInput(name: "unknown-option", arguments: ["sync", "--ap", "shop"], code: 64, mentions: ["--ap'", "--app"]),
    BadInput(name: "no-repository", variables: ["RECONCILER_REPO": ""], code: 64, mentions: ["--repo URL", "$RECONCILER_REPO", "reconciler.yaml"]),
    BadInput(name: "unknown-branch", arguments: sync("shop") + ["--branch", "mian"], mentions: ["mian", "main"]),
    BadInput(name: "unknown-path", arguments: sync("shop") + ["--path", "enviroments"], mentions: ["enviroments", "--path"]),
    BadInput(name: "unreachable-repository", arguments: sync("shop") + ["--repo", "http://127.0.0.1:1/x.git"], code: 4, mentions: ["http://127.0.0.1:1/x.git", "refused"]),
    BadInput(name: "missing-repository", arguments: sync("shop") + ["--repo", "file:///nonexistent/x.git"], code: 4, mentions: ["/nonexistent/x.git"]),
    BadInput(name: "missing-kubeconfig", arguments: sync("shop") + ["--kubeconfig", "/nonexistent/config"], code: 64, mentions: ["/nonexistent/config"]),
    BadInput(name: "unknown-context", arguments: sync("shop") + ["--context", "nowhere"], code: 64, mentions: ["nowhere"]),
    BadInput(name: "state-directory-is-a-file", arguments: sync("shop") + ["--state-dir", "/etc/passwd"], mentions: ["/etc/passwd", "--state-dir"]),
    BadInput(name: "state-directory-not-writable", arguments: sync("shop") + ["--state-dir", "/proc/reconciler"], mentions: ["/proc/reconciler", "--state-dir"]),
    BadInput(name: "missing-configuration", arguments: sync("shop") + ["--config", "/nonexistent.yaml"], code: 64, mentions: ["/nonexistent.yaml"]),
]

extension CommandLineTests {
    /// Bad input never deletes, always explains itself, and has the exit code of docs/cli.md.
    @Suite(.serialized, .timeLimit(.minutes(2)))
    struct BadInputTests {
        /// One scene for all, one after another: what one mistake left behind would show in the next one's transcript.
        @Test(arguments: [repositoryMistakes, commandMistakes])
        func isExplainedAndHarmsNothing(_ inputs: [BadInput]) async throws {
            try await withScene { scene in
                try await scene.withShop()
                for input in inputs {
                    if !input.files.isEmpty { try await scene.workspace.push(input.files) }
                    var workspace = scene.workspace
                    workspace.variables.merge(input.variables) { $1 }
                    let outcome = try await workspace.reconciler.run(input.arguments)
                    #expect(outcome.code == input.code, "\(input.name): \(outcome.description)")
                    for text in input.mentions {
                        #expect(
                            (outcome.output + outcome.errors).contains(text),
                            "\(input.name): `\(text)` is not mentioned in:\n\(outcome.description)")
                    }
                    try expectGolden(transcript(input.arguments, outcome, in: scene.workspace), "bad-input/\(input.name).txt")
                    #expect(try await scene.object("ConfigMap", "keep", namespace: "shop") != nil, "\(input.name): nothing is deleted")
                    if !input.files.isEmpty { try await scene.workspace.revert() }
                }
                let mended = try await scene.run("sync", "--app", "shop")
                #expect(mended.code == 0 && mended.output.contains("(1 unchanged)"), "\(mended.description)")
            }
        }

        @Test func wrongCredentialsAreToldWithoutShowingThem() async throws {
            try await withAnswer(status: 401, body: "", headers: [.wwwAuthenticate: "Basic realm=\"git\""]) { port in
                try await Workspace.with { workspace in
                    let url = "http://127.0.0.1:\(port)/team/deploy.git"
                    let outcome = try await workspace.with("RECONCILER_GIT_PASSWORD", "hunter2-secret").with("RECONCILER_REPO", url)
                        .run("sync", "--app", "shop")
                    #expect(outcome.code == 4, "\(outcome.description)")
                    #expect(!outcome.description.contains("hunter2"))
                    try expectGolden(transcript(["sync", "--app", "shop"], outcome, in: workspace), "bad-input/wrong-credentials.txt")
                }
            }
        }

        @Test func aForbiddenRequestNamesTheRequestAndTheRight() async throws {
            let discovery = """
                {"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","metadata":{},"items":[{"metadata":{},"versions":[{"version":"v1",\
                "resources":[{"resource":"configmaps","responseKind":{"group":"","version":"v1","kind":"ConfigMap"},"scope":"Namespaced",\
                "singularResource":"configmap","verbs":["get","list","patch","delete"]}]}]}]}
                """
            let forbidden = """
                {"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"configmaps is forbidden: User \\"robot\\" \
                cannot get resource \\"configmaps\\" in API group \\"\\" in the namespace \\"reconciler-system\\""}
                """
            try await withAnswers { uri in uri == "/api" || uri == "/apis" ? (200, discovery) : (403, forbidden) } _: { port in
                try await Workspace.with { workspace in
                    let kubeconfig = workspace.root.appending("kubeconfig").string
                    try Data(
                        """
                        apiVersion: v1
                        kind: Config
                        current-context: x
                        contexts: [{name: x, context: {cluster: x, user: x}}]
                        clusters: [{name: x, cluster: {server: "http://127.0.0.1:\(port)"}}]
                        users: [{name: x, user: {}}]
                        """.utf8
                    ).write(to: URL(fileURLWithPath: kubeconfig))
                    try await workspace.push([
                        "environments/applications/shop.yaml": Workspace.application("shop"), "environments/shop/keep.yaml": Workspace.configMap("keep"),
                    ])
                    let arguments = ["sync", "--app", "shop"]
                    let outcome = try await workspace.with("KUBECONFIG", kubeconfig).reconciler.run(arguments)
                    #expect(outcome.code == 1, "\(outcome.description)")
                    try expectGolden(transcript(arguments, outcome, in: workspace), "bad-input/forbidden.txt")
                }
            }
        }

        @Test func anUnreachableClusterIsExit4() async throws {
            try await withScene { scene in
                try await scene.withShop()
                let closed = scene.workspace.root.appending("closed").string
                let config = String(decoding: try Data(contentsOf: URL(fileURLWithPath: try #require(scene.workspace.variables["KUBECONFIG"]))), as: UTF8.self)
                try Data(config.replacing(/127\.0\.0\.1:[0-9]+/, with: "127.0.0.1:1").utf8).write(to: URL(fileURLWithPath: closed))
                for command in ["sync", "diff", "plan", "wait"] {
                    let outcome = try await scene.run(command, "--app", "shop", "--kubeconfig", closed)
                    #expect(outcome.code == 4, "\(command): \(outcome.description)")
                    #expect(outcome.errors.contains("127.0.0.1:1"))
                    if command == "sync" {
                        try expectGolden(transcript([command, "--app", "shop", "--kubeconfig", "CLOSED"], outcome, in: scene.workspace), "bad-input/unreachable-cluster.txt")
                    }
                }
            }
        }

        @Test func anImmutableFieldAndAnInvalidCustomResourceAreExplained() async throws {
            func deployment(_ label: String) -> String {
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  selector: {matchLabels: {a: \(label)}}\n"
                    + "  template: {metadata: {labels: {a: \(label)}}, spec: {containers: [{name: c, image: i}]}}\n"
            }
            let definition = """
                apiVersion: apiextensions.k8s.io/v1
                kind: CustomResourceDefinition
                metadata: {name: widgets.example.com}
                spec:
                  group: example.com
                  scope: Namespaced
                  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
                  versions:
                    - name: v1
                      served: true
                      storage: true
                      schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer, minimum: 1}}}}}}

                """
            func widget(_ size: Int) -> String { "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: \(size)}\n" }
            try await withScene { scene in
                try await scene.withShop()
                try await scene.workspace.push([
                    "environments/shop/d.yaml": deployment("one"), "environments/shop/crd.yaml": definition, "environments/shop/widget.yaml": widget(1),
                ])
                let good = try await scene.run("sync", "--app", "shop")
                #expect(good.code == 0, "\(good.description)")
                try await scene.workspace.push(["environments/shop/d.yaml": deployment("two"), "environments/shop/widget.yaml": widget(0)])
                let arguments = ["sync", "--app", "shop"]
                let outcome = try await scene.workspace.reconciler.run(arguments)
                #expect(outcome.code == 1)
                try expectGolden(transcript(arguments, outcome, in: scene.workspace), "bad-input/refused-by-the-server.txt")
                // `status` says why it is so, and so does the history.
                let status = try await scene.run("status", "--app", "shop")
                #expect(status.output.contains("field is immutable") && status.output.contains("OutOfSync"), "\(status.description)")
                #expect(try await scene.run("history", "--app", "shop", "--limit", "1").output.contains("2 of 2 writes failed"))
            }
        }

        /// Guards against a crash in the exit handlers, which came in every second run.
        @Test func anEarlyFailureEndsTheProcessInOrder() async throws {
            try await withScene { scene in
                try await scene.withShop()
                for _ in 0..<10 {
                    let outcome = try await scene.run("sync", "--app", "nobody", "--branch", "nowhere")
                    #expect(outcome.code == 1, "\(outcome.description)")
                }
            }
        }

        @Test func aFailedRenderIsInTheHistory() async throws {
            try await withScene { scene in
                try await scene.withShop()
                try await scene.workspace.push([bad: "apiVersion: v1\nkind: ["], message: "Break it")
                _ = try await scene.run("sync", "--app", "shop")
                let history = try await scene.run("history", "--app", "shop", "--limit", "1")
                #expect(history.output.contains("Failed") && history.output.contains("environments/shop/bad.yaml:") && history.output.contains("Break it"))
            }
        }

        @Test func massDeletionIsRefusedUntilItIsPermitted() async throws {
            try await withScene { scene in
                var files: [String: String?] = ["environments/applications/shop.yaml": Workspace.application("shop")]
                for number in 0..<15 { files["environments/shop/c\(number).yaml"] = Workspace.configMap("c\(number)") }
                try await scene.workspace.push(files)
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                var removal: [String: String?] = [:]
                for number in 0..<12 { removal["environments/shop/c\(number).yaml"] = String?.none }
                try await scene.workspace.push(removal)
                for command in ["plan", "sync"] {
                    let refused = try await scene.run(command, "--app", "shop")
                    #expect(refused.code == 3 && refused.output.contains("--prune-budget 12"), "\(refused.description)")
                }
                #expect(try await scene.object("ConfigMap", "c0", namespace: "shop") != nil)
                let permitted = try await scene.run("sync", "--app", "shop", "--prune-budget", "12")
                #expect(permitted.code == 0 && permitted.output.contains("12 pruned"), "\(permitted.description)")
                #expect(try await scene.object("ConfigMap", "c0", namespace: "shop") == nil)
            }
        }

        @Test func aDamagedHistoryIsNamed() async throws {
            try await withScene { scene in
                try await scene.withShop()
                let database = scene.workspace.state.appending("reconciler.db").string
                try Data("not a database, and long enough to be taken for one's header by nobody".utf8).write(to: URL(fileURLWithPath: database))
                for suffix in ["-wal", "-shm"] where FileManager.default.fileExists(atPath: database + suffix) {
                    try FileManager.default.removeItem(atPath: database + suffix)
                }
                let outcome = try await scene.run("sync", "--app", "shop")
                #expect(outcome.code == 1 && outcome.errors.contains("reconciler.db") && outcome.errors.contains("move the file away"), "\(outcome.description)")
            }
        }

        @Test func aClusterThatAnotherProcessHasOpenIsNamed() async throws {
            try await Workspace.with { workspace in
                try await workspace.push(["environments/applications/shop.yaml": Workspace.application("shop"), "environments/shop/keep.yaml": Workspace.configMap("keep")])
                let lock = workspace.state.appending("cluster/lock").string
                try FileManager.default.createDirectory(atPath: workspace.state.appending("cluster").string, withIntermediateDirectories: true)
                try Data().write(to: URL(fileURLWithPath: lock))
                let holder = Program(executable: try Workspace.tool("flock"), directory: workspace.root)
                _ = try await holder.whileRunning([lock, "sh", "-c", "echo locked; exec sleep 60"]) { running in
                    try await running.line(containing: "locked")
                    let outcome = try await workspace.run("sync", "--app", "shop")
                    #expect(outcome.code == 1 && outcome.errors.contains("in use by another process"), "\(outcome.description)")
                }
            }
        }
    }
}
