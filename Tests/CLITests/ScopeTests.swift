import Foundation
import ResourceModel
import TestSupport
import Testing

extension CommandLineTests {
    /// What of an application is synced, and from where.
    @Suite(.serialized, .timeLimit(.minutes(2)))
    struct ScopeTests {
        /// `shop` on request only, with three ConfigMaps, one of them in wave 1, and a hook.
        private func declare(_ scene: Scene, automated: Bool = false, value: String = "1") async throws {
            try await scene.workspace.push(files(automated: automated, value: value))
        }

        private func files(automated: Bool = false, value: String) -> [String: String] {
            let late = "\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: late\n  annotations: {argocd.argoproj.io/sync-wave: \"1\"}\ndata: {key: \"\(value)\"}\n"
            let hook = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: hook\n  annotations: {argocd.argoproj.io/hook: PreSync}\n"
            return [
                "environments/applications/shop.yaml": Workspace.application("shop", automated: automated),
                "environments/shop/first.yaml": Workspace.configMap("first", ["key": value]) + "---\n" + late,
                "environments/shop/second.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: second, labels: {tier: db}}\ndata: {key: \"\(value)\"}\n",
                "environments/shop/hook.yaml": hook,
            ]
        }

        private func value(_ scene: Scene, _ name: String) async throws -> String? {
            try await scene.object("ConfigMap", name, namespace: "shop")?[path: "data", "key"]?.stringValue
        }

        @Test func syncsOnlyWhatWasNamed() async throws {
            try await withScene { scene in
                try await declare(scene)
                let one = try await scene.run("sync", "--app", "shop", "--resource", "configmap/first")
                #expect(one.code == 0 && one.output.contains("Succeeded, OutOfSync") && one.output.contains("2 other objects differ and were not selected"), "\(one.description)")
                #expect(try await value(scene, "first") == "1")
                #expect(try await scene.object("ConfigMap", "second", namespace: "shop") == nil)
                #expect(try await scene.object("ConfigMap", "hook", namespace: "shop") == nil, "hooks do not run for chosen objects")
                let labelled = try await scene.run("sync", "--app", "shop", "--label", "tier=db")
                #expect(labelled.code == 0, "\(labelled.description)")
                #expect(try await value(scene, "second") == "1")
                let wave = try await scene.run("sync", "--app", "shop", "--wave", "1")
                #expect(wave.code == 0 && wave.output.contains("Succeeded, Synced"), "\(wave.description)")
                #expect(try await value(scene, "late") == "1")
            }
        }

        @Test func prunesOnlyWhatWasNamed() async throws {
            try await withScene { scene in
                try await declare(scene)
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                try await scene.workspace.push(["environments/shop/first.yaml": nil, "environments/shop/second.yaml": nil])
                let outcome = try await scene.run("sync", "--app", "shop", "--prune", "--allow-empty", "--resource", ":ConfigMap:second")
                #expect(outcome.code == 0 && outcome.output.contains("1 pruned"), "\(outcome.description)")
                #expect(try await scene.object("ConfigMap", "second", namespace: "shop") == nil)
                #expect(try await value(scene, "first") == "1")
            }
        }

        @Test func aSyncOfChosenObjectsIsNothingToGoBackTo() async throws {
            try await withScene { scene in
                try await declare(scene)
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                try await declare(scene, value: "2")
                #expect(try await scene.run("sync", "--app", "shop", "--resource", "configmap/first").code == 0)
                try await declare(scene, value: "3")
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                let outcome = try await scene.run("rollback", "--app", "shop")
                #expect(outcome.code == 0, "\(outcome.description)")
                #expect(try await value(scene, "first") == "1")
                #expect(try await value(scene, "second") == "1")
                let history = try await scene.run("history", "--app", "shop", "-o", "json")
                #expect(history.output.contains("\"selection\":\"configmap/first\""), "\(history.output)")
            }
        }

        @Test(arguments: [["--resource", "first"], ["--label", "a in (b"], ["--wave", "x"], ["--revision", "main", "--local", "."]])
        func whatCannotBeReadIsAUsageError(_ arguments: [String]) async throws {
            try await withScene { scene in
                try await declare(scene)
                let outcome = try await scene.workspace.reconciler.run(["sync", "--app", "shop"] + arguments)
                #expect(outcome.code == 64, "\(outcome.description)")
            }
        }

        @Test func syncsAnotherRevision() async throws {
            try await withScene { scene in
                try await declare(scene)
                try await scene.workspace.git(["tag", "v1"])
                try await scene.workspace.git(["push", "-q", "origin", "v1"])
                try await declare(scene, value: "2")
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                let planned = try await scene.run("plan", "--app", "shop", "--revision", "v1")
                #expect(planned.code == 2 && planned.output.contains("configure"), "\(planned.description)")
                let outcome = try await scene.run("sync", "--app", "shop", "--revision", "v1")
                #expect(outcome.code == 0 && outcome.output.contains("3 configured"), "\(outcome.description)")
                #expect(try await value(scene, "first") == "1")
                #expect(try await scene.run("diff", "--app", "shop").code == 2, "the branch still says 2")
            }
        }

        @Test func refusesAnotherRevisionOfAnAutomatedApplication() async throws {
            try await withScene { scene in
                try await declare(scene, automated: true)
                for arguments in [["--revision", "main"], ["--local", scene.workspace.clone.string]] {
                    let outcome = try await scene.workspace.reconciler.run(["sync", "--app", "shop"] + arguments)
                    #expect(outcome.code == 3 && outcome.errors.contains("is synced automatically"), "\(outcome.description)")
                }
                #expect(try await scene.run("sync", "--app", "shop", "--dry-run", "--local", scene.workspace.clone.string).code == 0)
                #expect(try await scene.object("Namespace", "shop", namespace: nil) == nil)
            }
        }

        @Test func syncsFilesThatAreInNoCommit() async throws {
            try await withScene { scene in
                try await declare(scene)
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                for (name, text) in files(value: "local") {
                    try Data(text.utf8).write(to: URL(fileURLWithPath: scene.workspace.clone.appending(name).string))
                }
                let folder = scene.workspace.clone.appending("environments/shop").string
                let planned = try await scene.run("sync", "--app", "shop", "--local", folder, "--dry-run")
                #expect(planned.code == 0 && planned.output.contains("shop at local"), "\(planned.description)")
                #expect(try await value(scene, "first") == "1")
                let outcome = try await scene.run("sync", "--app", "shop", "--local", folder)
                #expect(outcome.code == 0 && outcome.output.contains("at local (1 created, 3 configured)"), "\(outcome.description)")
                #expect(try await value(scene, "first") == "local")
                #expect(try await scene.run("history", "--app", "shop").output.contains("local"))
            }
        }

        @Test func localFilesNeedNoRepository() async throws {
            try await withScene { scene in
                for (name, text) in files(value: "1") {
                    let path = scene.workspace.root.appending("plain").appending(name)
                    try FileManager.default.createDirectory(atPath: path.removingLastComponent().string, withIntermediateDirectories: true)
                    try Data(text.utf8).write(to: URL(fileURLWithPath: path.string))
                }
                let outcome = try await scene.workspace.with("RECONCILER_REPO", "").reconciler.run([
                    "sync", "--app", "shop", "--local", scene.workspace.root.appending("plain").string,
                ])
                #expect(outcome.code == 0 && outcome.output.contains("4 created") || outcome.output.contains("5 created"), "\(outcome.description)")
            }
        }
    }
}
