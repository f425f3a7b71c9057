import Foundation
import KubernetesClient
import ResourceModel
import TestSupport
import Testing

extension CommandLineTests {
    /// What a plan says beyond its steps, and plans from files.
    @Suite(.serialized, .timeLimit(.minutes(3)))
    struct PlanTests {
        private static func deployment(_ image: String, app: String = "web") -> String {
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 3\n  selector:\n    matchLabels: {app: \(app)}\n  template:\n    metadata:\n      labels: {app: \(app)}\n    spec:\n      containers:\n        - name: web\n          image: \(image)\n          envFrom:\n            - configMapRef: {name: keep}\n"
        }

        @Test func saysWhatItBringsAboutAndIsStillCarriedOut() async throws {
            try await withScene { scene in
                let workspace = scene.workspace
                try await workspace.push([
                    "environments/applications/shop.yaml": Workspace.application("shop"), "environments/shop/keep.yaml": Workspace.configMap("keep"),
                    "environments/shop/web.yaml": Self.deployment("a:1"),
                    "environments/shop/quota.yaml": "apiVersion: v1\nkind: ResourceQuota\nmetadata:\n  name: few\nspec:\n  hard: {count/configmaps: \"2\"}\n",
                ])
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                try await workspace.push(["environments/shop/web.yaml": Self.deployment("a:2"), "environments/shop/more.yaml": Workspace.configMap("more")])
                let arguments = ["plan", "--app", "shop"]
                let table = try await workspace.reconciler.run(arguments)
                #expect(table.code == 2, "\(table.description)")
                try expectGolden(transcript(arguments, table, in: workspace), "plan/consequences.txt")
                let outcome = try await scene.run("plan", "--app", "shop", "-o", "json")
                let plan = try JSONValue(parsing: outcome.output)[0]
                #expect(plan?["consequences"]?.arrayValue?.compactMap { $0["code"]?.stringValue }.contains("pods-restart") == true, "\(outcome.description)")
                let file = workspace.root.appending("plan.json").string
                try Data(outcome.output.utf8).write(to: URL(fileURLWithPath: file))
                let sync = try await scene.run("sync", "--app", "shop", "--plan", file)
                #expect(sync.code == 0, "a plan with consequences can be carried out: \(sync.description)")
                try await workspace.push(["environments/shop/keep.yaml": Workspace.configMap("keep", ["key": "new"])])
                #expect(try await scene.run("plan", "--app", "shop").output.contains("note: apps/Deployment shop/web reads ConfigMap shop/keep and sees the change only when its pods restart"))
                try await workspace.push(["environments/shop/web.yaml": Self.deployment("a:2", app: "other")])
                #expect(try await scene.run("plan", "--app", "shop").output.contains("the server will refuse to change .spec.selector"))
            }
        }

        @Test func refusesToMakeMostThingsAnewUnlessToldSo() async throws {
            try await withScene { scene in
                func maps(_ value: String) -> [String: String?] {
                    Dictionary(uniqueKeysWithValues: (0..<12).map { index in
                        ("environments/shop/m\(index).yaml", Workspace.configMap("m\(index)", ["key": value]).replacing("\ndata:", with: "\n  annotations: {argocd.argoproj.io/sync-options: \"Replace=true,Force=true\"}\ndata:"))
                    })
                }
                try await scene.workspace.push(maps("1").merging(["environments/applications/shop.yaml": Workspace.application("shop")]) { $1 })
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                try await scene.workspace.push(maps("2"))
                let plan = try await scene.run("plan", "--app", "shop", "-o", "json")
                #expect(plan.code == 3)
                let refusal = try JSONValue(parsing: plan.output)[0]?["refused"]?[0]
                #expect(refusal?["code"] == "recreate-budget" && refusal?["permit"] == "--recreate-budget 12" && refusal?["objects"]?.arrayValue?.count == 12)
                let sync = try await scene.run("sync", "--app", "shop")
                #expect(sync.code == 3 && sync.output.contains("--recreate-budget 12"), "\(sync.description)")
                #expect(try await scene.object("ConfigMap", "m1", namespace: "shop")?[path: "data", "key"] == "1", "nothing was written")
                #expect(try await scene.run("plan", "--app", "shop", "--recreate-budget", "12").code == 2)
                let permitted = try await scene.run("sync", "--app", "shop", "--recreate-budget", "12")
                #expect(permitted.code == 0 && permitted.output.contains("12 recreated"), "\(permitted.description)")
            }
        }

        @Test func plansFromFilesAlone() async throws {
            try await Workspace.with { workspace in
                func put(_ name: String, _ text: String) throws {
                    let url = URL(fileURLWithPath: workspace.root.appending(name).string)
                    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                    try Data(text.utf8).write(to: url)
                }
                func pod(_ name: String, wave: Int, more: String = "") -> String {
                    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: \(name)\n  namespace: shop\n  annotations:\n    argocd.argoproj.io/sync-wave: \"\(wave)\"\n\(more)spec: {containers: [{name: a, image: b}]}\n"
                }
                try put("target/all.yaml", pod("pod2", wave: 2) + "---\n" + pod("hook", wave: 0, more: "    argocd.argoproj.io/hook: PreSync\n"))
                try put("live/a.yaml", pod("pod1", wave: 1) + "---\n" + pod("pod3", wave: 3))
                try put("live/b.json", #"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"pod4","namespace":"shop","annotations":{"argocd.argoproj.io/sync-wave":"4"}},"spec":{}}"#)
                let offline = Program(executable: Program.reconciler, directory: workspace.root)
                let files = ["plan", "--target", "target", "--live", "live"]
                func steps(_ more: String...) async throws -> [String] {
                    let outcome = try await offline.run(files + ["-o", "json"] + more)
                    #expect(outcome.code == 2 && outcome.errors.isEmpty, "\(outcome.description)")
                    return (try JSONValue(parsing: outcome.output)[0]?["steps"]?.arrayValue ?? []).map { step in
                        "\(step["phase"]?.stringValue ?? "") \(step["wave"]?.integerValue ?? -9) \(step["verb"]?.stringValue ?? "") \(step[path: "change", "object", "name"]?.stringValue ?? "")"
                    }
                }
                #expect(try await steps() == ["PreSync 0 apply hook", "Sync 2 apply pod2"])
                #expect(try await steps("--prune") == ["PreSync 0 apply hook", "Sync 1 delete pod4", "Sync 2 apply pod2", "Sync 3 delete pod3", "Sync 4 delete pod1"])
                #expect(try await steps("--prune", "--sync-option", "PruneLast=true") == ["PreSync 0 apply hook", "Sync 2 apply pod2", "Sync 5 delete pod1", "Sync 5 delete pod3", "Sync 5 delete pod4"])
                #expect(try await steps("--sync-option", "Replace=true") == ["PreSync 0 apply hook", "Sync 2 create pod2"])
                let table = try await offline.run(files)
                #expect(table.output.contains("skipped Pod shop/pod1: no longer in Git; pruning is off"), "\(table.description)")
                #expect(try await offline.run(files + ["--sync-option", "Nonsense=1"]).code == 64)
                #expect(try await offline.run(["plan", "--target", "target"]).code == 64)
            }
        }
    }
}
