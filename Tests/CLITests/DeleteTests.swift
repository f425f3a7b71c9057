import Foundation
import Glibc
import KubernetesClient
import ResourceModel
import TestSupport
import Testing

extension CommandLineTests {
    /// The end of an application.
    @Suite(.serialized, .timeLimit(.minutes(4)))
    struct DeleteTests {
        private static let finalizer = "resources-finalizer.argocd.argoproj.io"

        private func application(_ finalizers: [String] = [finalizer], annotations: [String: String] = [:], automated: Bool = true) -> String {
            var metadata = "  name: shop\n"
            if !finalizers.isEmpty { metadata += "  finalizers: [\(finalizers.joined(separator: ", "))]\n" }
            if !annotations.isEmpty {
                metadata += "  annotations: {\(annotations.map { "\($0.key): \"\($0.value)\"" }.joined(separator: ", "))}\n"
            }
            return Workspace.application("shop", automated: automated).replacing("  name: shop\n", with: metadata, maxReplacements: 1)
        }

        private func map(_ name: String, wave: Int = 0, _ options: String? = nil) -> String {
            var annotations = "argocd.argoproj.io/sync-wave: \"\(wave)\""
            if let options { annotations += ", argocd.argoproj.io/sync-options: \"\(options)\"" }
            return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \(name), annotations: {\(annotations)}}\ndata: {k: v}\n"
        }

        private func job(_ name: String, _ phases: String, _ command: String = "true", policy: String = "HookSucceeded") -> String {
            """
            apiVersion: batch/v1
            kind: Job
            metadata: {name: \(name), annotations: {argocd.argoproj.io/hook: "\(phases)", argocd.argoproj.io/hook-delete-policy: \(policy)}}
            spec:
              backoffLimit: 0
              template:
                spec: {restartPolicy: Never, containers: [{name: main, image: x, command: [sh, -c, \(JSONValue.string(command).jsonString)]}]}
            """
        }

        /// Declares `shop` with these manifests and syncs it.
        private func declare(_ scene: Scene, _ application: String, _ files: [String: String]) async throws {
            var all: [String: String?] = ["environments/applications/shop.yaml": application]
            for (name, text) in files { all["environments/shop/\(name).yaml"] = text }
            try await scene.workspace.push(all)
            let outcome = try await scene.run("sync", "--app", "shop")
            try #require(outcome.code == 0, "\(outcome.description)")
        }

        /// The branch says nothing of `shop` any more.
        private func undeclare(_ scene: Scene) async throws {
            try await scene.workspace.push([
                "environments/applications/shop.yaml": nil, "environments/applications/other.yaml": Workspace.application("other"),
                "environments/other/a.yaml": Workspace.configMap("a"),
            ])
        }

        private func isThere(_ scene: Scene, _ name: String, _ kind: String = "ConfigMap", group: String = "") async throws -> Bool {
            try await scene.object(kind, name, group: group, namespace: "shop") != nil
        }

        /// Neither inventory nor lease.
        private func isForgotten(_ scene: Scene) async throws -> Bool {
            let parent = try await scene.object("ConfigMap", "application-shop", namespace: "reconciler-system")
            let lease = try await scene.object("Lease", "application-shop", group: "coordination.k8s.io", namespace: "reconciler-system")
            return parent == nil && lease == nil
        }

        @Test func anApplicationThatGitNoLongerDeclaresIsDeletedByItsInventoryInTheOrderOfItsPlan() async throws {
            try await withScene(controllers: true) { scene in
                let file = scene.workspace.root.appending("order").string
                try await declare(
                    scene, application(),
                    [
                        "a": map("a"), "late": map("late", wave: 2), "kept": map("kept", "Delete=false"),
                        "before": job("before", "PreDelete", "echo before >> \(file)"), "after": job("after", "PostDelete", "echo after >> \(file)"),
                    ])
                try await undeclare(scene)
                let look = try await scene.run("delete", "--app", "shop", "--dry-run")
                try expectGolden(transcript(["delete", "--app", "shop", "--dry-run"], look, in: scene.workspace), "output/delete-plan.txt")
                #expect(try await isThere(scene, "a"), "a dry run deletes nothing")
                let outcome = try await scene.run("delete", "--app", "shop")
                try expectGolden(transcript(["delete", "--app", "shop"], outcome, in: scene.workspace), "output/delete.txt")
                #expect(try String(contentsOfFile: file, encoding: .utf8) == "before\nafter\n")
                for name in ["a", "late"] { #expect(try await !isThere(scene, name)) }
                let kept = try #require(try await scene.object("ConfigMap", "kept", namespace: "shop"))
                #expect(kept[path: "metadata", "labels", "applyset.kubernetes.io/part-of"] == nil && kept[path: "metadata", "annotations", "argocd.argoproj.io/tracking-id"] == nil)
                #expect(try await !isThere(scene, "before", "Job", group: "batch"), "HookSucceeded")
                #expect(try await isForgotten(scene))

                let history = try JSONValue(parsing: try await scene.run("history", "--app", "shop", "-o", "json", "--limit", "1").output)
                let steps = history[0]?["steps"]?.arrayValue ?? []
                #expect(steps.map { "\($0["phase"]?.stringValue ?? "") \($0["object"]?["name"]?.stringValue ?? "") \($0["result"]?.stringValue ?? "")" } == [
                    "PreDelete before created", "Delete late pruned", "Delete a pruned", "Delete kept released", "PostDelete after created",
                ], "\(history.jsonString)")
                #expect(try await scene.run("history", "verify").code == 0)
                let again = try await scene.run("delete", "--app", "shop")
                #expect(again.code == 1 && again.errors.contains("holds no inventory"), "\(again.description)")
            }
        }

        @Test func whatGitStillDeclaresNeedsAYes() async throws {
            try await withScene { scene in
                try await declare(scene, application(), ["a": map("a")])
                let refused = try await scene.run("delete", "--app", "shop")
                #expect(refused.code == 3 && refused.output.contains("is still declared at environments/applications/shop.yaml:1, automated"), "\(refused.description)")
                #expect(refused.output.contains("--yes"))
                #expect(try await isThere(scene, "a"))
                #expect(try await scene.run("delete", "--app", "shop", "--yes").code == 0)
                #expect(try await !isThere(scene, "a"))
                #expect(try await isForgotten(scene))
                // The next sync makes it anew, as the refusal said.
                let synced = try await scene.run("sync", "--app", "shop")
                #expect(synced.code == 0 && synced.output.contains("1 created"), "\(synced.description)")
            }
        }

        @Test func anApplicationWhoseFileCannotBeReadCountsAsDeclared() async throws {
            try await withScene { scene in
                try await declare(scene, application(), ["a": map("a")])
                try await scene.workspace.push(["environments/applications/shop.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: [\n"])
                let refused = try await scene.run("delete", "--app", "shop")
                #expect(refused.code == 3 && refused.output.contains("may be declared in what can't be read"), "\(refused.description)")
                #expect(try await isThere(scene, "a"))
            }
        }

        @Test func withoutAFinalizerTheObjectsStayAndBelongToNobody() async throws {
            try await withScene { scene in
                try await declare(scene, application([]), ["a": map("a")])
                let outcome = try await scene.run("delete", "--app", "shop", "--yes")
                #expect(outcome.code == 0 && outcome.errors.contains("cascade orphan (the Application has no resources-finalizer.argocd.argoproj.io"), "\(outcome.description)")
                let left = try #require(try await scene.object("ConfigMap", "a", namespace: "shop"))
                #expect(left[path: "metadata", "labels", "applyset.kubernetes.io/part-of"] == nil && left[path: "data", "k"] == "v")
                #expect(try await isForgotten(scene))
                // Another application may have it now without a word.
                try await scene.workspace.push([
                    "environments/applications/shop.yaml": nil, "environments/applications/heir.yaml": Workspace.application("heir", path: "environments/shop", namespace: "shop"),
                ])
                #expect(try await scene.run("sync", "--app", "heir").code == 0)
            }
        }

        @Test func theFlagWinsOverTheFinalizer() async throws {
            try await withScene { scene in
                try await declare(scene, application(), ["a": map("a")])
                let look = try JSONValue(parsing: try await scene.run("delete", "--app", "shop", "--yes", "--no-cascade", "--dry-run", "-o", "json").output)
                #expect(look["cascade"] == "orphan" && look["steps"]?[0]?["action"] == "release")
                let background = try JSONValue(parsing: try await scene.run("delete", "--app", "shop", "--yes", "--cascade", "background", "--dry-run", "-o", "json").output)
                #expect(background["cascade"] == "background" && background["steps"]?[0]?["action"] == "delete")
                #expect(try await scene.run("delete", "--app", "shop", "--yes", "--no-cascade", "--cascade", "foreground").code == 64)
                #expect(try await scene.run("delete", "--app", "shop", "--yes", "--no-cascade").code == 0)
                #expect(try await isThere(scene, "a"))
            }
        }

        @Test func aFailingPreDeleteHookStopsTheDeletionAndTheNextOneGoesOn() async throws {
            try await withScene(controllers: true) { scene in
                let flag = scene.workspace.root.appending("flag").string
                try await declare(scene, application(), ["a": map("a"), "check": job("check", "PreDelete", "test -e \(flag)", policy: "BeforeHookCreation")])
                let failed = try await scene.run("delete", "--app", "shop", "--yes")
                #expect(failed.code == 1 && failed.output.contains("the PreDelete hook failed"), "\(failed.description)")
                #expect(try await isThere(scene, "a"))
                #expect(try await !isForgotten(scene))
                FileManager.default.createFile(atPath: flag, contents: nil)
                let done = try await scene.run("delete", "--app", "shop", "--yes")
                #expect(done.code == 0, "\(done.description)")
                #expect(try await !isThere(scene, "a"))
                #expect(try await isForgotten(scene))
            }
        }

        @Test func aDeletionThatStuckIsResumedWithoutRunningItsPreDeleteHooksAgain() async throws {
            try await withScene(controllers: true) { scene in
                let file = scene.workspace.root.appending("count").string
                let held = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: held, finalizers: [example.com/held]}\n"
                try await declare(scene, application(), ["a": map("a", wave: -1), "held": held, "count": job("count", "PreDelete", "echo x >> \(file)")])
                let (_, code) = try await scene.workspace.reconciler.whileRunning(["delete", "--app", "shop", "--yes"]) { program in
                    try await program.line(containing: "waiting for ConfigMap shop/held")
                    kill(program.process, SIGKILL)
                    await program.ended()
                }
                #expect(code == 128 + SIGKILL)
                #expect(try await isThere(scene, "a"))
                #expect(try await isThere(scene, "held"))
                let maps = try await scene.client.resource(for: GroupKind(group: "", kind: "ConfigMap"))
                _ = try await scene.client.patch(maps, namespace: "shop", name: "held", type: .merge, patch: ["metadata": ["finalizers": .null]])
                let next = try await scene.run("delete", "--app", "shop", "--yes")
                #expect(next.code == 0 && !next.errors.contains("PreDelete"), "\(next.description)")
                #expect(try String(contentsOfFile: file, encoding: .utf8) == "x\n")
                #expect(try await !isThere(scene, "a"))
                #expect(try await isForgotten(scene))
                let history = try await scene.run("history", "--app", "shop")
                #expect(history.output.contains("Interrupted"), "\(history.description)")
            }
        }

        @Test func aSyncAfterADeletionThatDidNotEndMakesItsHooksRunAgain() async throws {
            try await withScene(controllers: true) { scene in
                let file = scene.workspace.root.appending("count").string
                let held = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: held, finalizers: [example.com/held]}\n"
                try await declare(scene, application(), ["a": map("a", wave: 1), "held": held, "count": job("count", "PreDelete", "echo x >> \(file)")])
                _ = try await scene.workspace.reconciler.whileRunning(["delete", "--app", "shop", "--yes"]) { program in
                    try await program.line(containing: "waiting for ConfigMap shop/held")
                    kill(program.process, SIGKILL)
                    await program.ended()
                }
                let maps = try await scene.client.resource(for: GroupKind(group: "", kind: "ConfigMap"))
                _ = try await scene.client.patch(maps, namespace: "shop", name: "held", type: .merge, patch: ["metadata": ["finalizers": .null]])
                let synced = try await scene.run("sync", "--app", "shop")
                #expect(synced.code == 0, "\(synced.description)")
                let look = try await scene.run("delete", "--app", "shop", "--yes", "--dry-run")
                #expect(look.output.contains("PreDelete"), "\(look.description)")
            }
        }

        @Test func whatAsksForAConfirmationBlocksUntilItIsApproved() async throws {
            try await withScene { scene in
                try await declare(scene, application(), ["a": map("a", "Delete=confirm"), "b": map("b", "Prune=confirm"), "c": map("c")])
                let refused = try await scene.run("delete", "--app", "shop", "--yes")
                #expect(refused.code == 3 && refused.output.contains("ConfigMap shop/a, ConfigMap shop/b ask for a confirmation"), "\(refused.description)")
                #expect(try await isThere(scene, "c"), "nothing at all is deleted")
                // Approved long ago: for something else.
                let approval = "argocd.argoproj.io/deletion-approved"
                try await scene.workspace.push(["environments/applications/shop.yaml": application(annotations: [approval: "2020-01-01T00:00:00Z"])])
                #expect(try await scene.run("delete", "--app", "shop", "--yes").code == 3)
                let now = ISO8601DateFormatter().string(from: Date())
                try await scene.workspace.push(["environments/applications/shop.yaml": application(annotations: [approval: now])])
                let done = try await scene.run("delete", "--app", "shop", "--yes")
                #expect(done.code == 0, "\(done.description)")
                #expect(try await isForgotten(scene))
            }
        }

        @Test func anApprovalInGitPermitsAPruneThatAsksForIt() async throws {
            try await withScene { scene in
                try await declare(scene, application(), ["a": map("a", "Prune=confirm"), "b": map("b"), "c": map("c", "Prune=confirm")])
                try await scene.workspace.push(["environments/shop/a.yaml": nil])
                let waiting = try await scene.run("sync", "--app", "shop")
                #expect(waiting.output.contains("Prune=confirm waits for approval"), "\(waiting.description)")
                #expect(try await isThere(scene, "a"))
                let now = ISO8601DateFormatter().string(from: Date())
                try await scene.workspace.push([
                    "environments/applications/shop.yaml": application(annotations: ["argocd.argoproj.io/deletion-approved": now])
                ])
                let approved = try await scene.run("sync", "--app", "shop")
                #expect(approved.code == 0 && approved.output.contains("1 pruned"), "\(approved.description)")
                #expect(try await !isThere(scene, "a"))
            }
        }

        @Test func aNamespaceWithAKeptObjectStays() async throws {
            try await withScene(controllers: true) { scene in
                let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
                try await declare(scene, application(), ["ns": namespace, "a": map("a"), "kept": map("kept", "Delete=false")])
                let outcome = try await scene.run("delete", "--app", "shop", "--yes")
                #expect(outcome.code == 0 && outcome.output.contains("skipped Namespace shop: namespace still in use: ConfigMap shop/kept"), "\(outcome.description)")
                #expect(try await isThere(scene, "kept"))
                #expect(try await !isThere(scene, "a"))
            }
        }

        @Test func aNamespaceGoesWithEverythingInItAfterThePostDeleteHook() async throws {
            try await withScene(controllers: true) { scene in
                let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
                try await declare(
                    scene, application(),
                    ["ns": namespace, "a": map("a"), "before": job("before", "PreDelete", policy: "BeforeHookCreation"), "bye": job("bye", "PostDelete", policy: "BeforeHookCreation")])
                let outcome = try await scene.run("delete", "--app", "shop", "--yes")
                #expect(outcome.code == 0, "\(outcome.description)")
                #expect(try await scene.object("Namespace", "shop", namespace: nil) == nil)
                #expect(try await isForgotten(scene))
            }
        }

        @Test func hooksThatNobodyKnowsAreNotLeftOutUnasked() async throws {
            try await withScene(controllers: true) { scene in
                try await declare(scene, application(), ["a": map("a"), "bye": job("bye", "PostDelete")])
                try await undeclare(scene)
                // Another machine: its history knows nothing of the application.
                let state = scene.workspace.root.appending("elsewhere").string
                let refused = try await scene.run("delete", "--app", "shop", "--state-dir", state)
                #expect(refused.code == 3 && refused.output.contains("the history here keeps no manifests of it"), "\(refused.description)")
                #expect(try await isThere(scene, "a"))
                let done = try await scene.run("delete", "--app", "shop", "--state-dir", state, "--no-hooks")
                #expect(done.code == 0 && done.errors.contains("cascade foreground (by the finalizer that the Application had)"), "\(done.description)")
                #expect(try await isForgotten(scene))
            }
        }

        @Test func theDaemonDeletesWhatTheBranchRemovedAndOnlyThat() async throws {
            try await withScene { scene in
                try await declare(scene, application(), ["a": map("a")])
                let plain = "environments/applications/plain.yaml"
                try await scene.workspace.push([plain: Workspace.application("plain"), "environments/plain/p.yaml": Workspace.configMap("p")])
                let (_, code) = try await scene.workspace.reconciler.whileRunning(["run", "--interval", "1"]) { run in
                    try await run.line(containing: "plain: successfully synced")
                    // A file that can't be read removes nothing, though another one is gone.
                    try await scene.workspace.push(["environments/applications/shop.yaml": nil, plain: "kind: Application\napiVersion: argoproj.io/v1alpha1\nmetadata: ["])
                    try await run.line(containing: "no application counts as removed")
                    #expect(try await isThere(scene, "a"))
                    try await scene.workspace.push([plain: nil, "environments/applications/other.yaml": Workspace.application("other"), "environments/other/o.yaml": Workspace.configMap("o")])
                    try await run.line(containing: "shop: deleted")
                    try await run.line(containing: "plain is no longer declared and had no resources-finalizer")
                    try await run.line(containing: "other: successfully synced")
                }
                #expect(code == 0)
                #expect(try await !isThere(scene, "a"))
                #expect(try await isForgotten(scene))
                #expect(try await scene.object("ConfigMap", "p", namespace: "plain") != nil)
            }
        }

        @Test func theDaemonDeletesNothingForACommitThatLeavesNothing() async throws {
            try await withScene { scene in
                try await declare(scene, application(), ["a": map("a")])
                let (_, code) = try await scene.workspace.reconciler.whileRunning(["run", "--interval", "1"]) { run in
                    try await run.line(containing: "new revision")
                    try await scene.workspace.push(["environments/applications/shop.yaml": nil])
                    try await run.line(containing: "a commit removed 1 of 1 applications, nothing is deleted")
                }
                #expect(code == 0)
                #expect(try await isThere(scene, "a"))
            }
        }

        @Test func theDaemonLeavesApplicationsOfOtherRepositoriesAlone() async throws {
            try await withScene { scene in
                try await declare(scene, application(), ["a": map("a")])
                try await Workspace.with { other in
                    let there = other.with("KUBECONFIG", scene.workspace.variables["KUBECONFIG"] ?? "")
                    try await there.push(["environments/applications/other.yaml": Workspace.application("other"), "environments/other/o.yaml": Workspace.configMap("o")])
                    let (_, code) = try await there.reconciler.whileRunning(["run", "--interval", "1"]) { run in
                        try await run.line(containing: "other: successfully synced")
                    }
                    #expect(code == 0)
                }
                #expect(try await isThere(scene, "a"))
                #expect(try await !isForgotten(scene))
            }
        }
    }
}
