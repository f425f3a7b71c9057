import Foundation
import KubernetesClient
import ResourceModel
import TestSupport
import Testing

extension CommandLineTests {
    /// A sync that sees what the last one with nothing to do saw compares nothing; whatever moves is seen all the same.
    @Suite(.serialized, .timeLimit(.minutes(2)))
    struct SettledTests {
        private static let deployment = """
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: web}
            spec:
              replicas: 1
              selector: {matchLabels: {app: web}}
              template:
                metadata: {labels: {app: web}}
                spec: {containers: [{name: main, image: "example.org/web:1", command: [sleep, "60"]}]}
            """

        private struct Look {
            var outcome: Outcome
            var isShort: Bool { outcome.errors.contains("nothing has moved since all was as declared") }
            /// Nothing was compared either, but the health was read.
            var sawStatuses: Bool { outcome.errors.contains("only statuses have moved since all was as declared") }
        }

        private func sync(_ scene: Scene, _ more: String...) async throws -> Look {
            let told = scene.workspace.with("RECONCILER_LOG_LEVEL", "debug")
            return Look(outcome: try await told.reconciler.run(["sync", "--app", "shop"] + more))
        }

        /// The first look compares, the next one does not.
        private func settle(_ scene: Scene) async throws -> Look {
            let first = try await sync(scene)
            #expect(first.outcome.code == 0 && !first.isShort && !first.sawStatuses, "\(first.outcome.description)")
            return try await short(scene)
        }

        private func short(_ scene: Scene) async throws -> Look {
            let look = try await sync(scene)
            try #require(look.outcome.code == 0 && look.isShort, "\(look.outcome.description)")
            return look
        }

        private func patch(_ scene: Scene, _ kind: String, _ name: String, group: String = "", subresource: String? = nil, _ body: JSONValue) async throws {
            let resource = try await scene.client.resource(for: GroupKind(group: group, kind: kind))
            _ = try await scene.client.patch(
                resource, namespace: "shop", name: name, type: .merge, patch: body,
                options: WriteOptions(fieldManager: "kubectl-edit", subresource: subresource))
        }

        @Test func whatASyncMadeNeedsNoComparing() async throws {
            try await withScene { scene in
                try await scene.withShop()
                let second = try await short(scene)
                let third = try await short(scene)
                #expect(second.outcome.output == third.outcome.output && third.outcome.output.contains("(1 unchanged)"))
                // Each look is in the history, as before.
                let history = try JSONValue(parsing: try await scene.run("history", "--app", "shop", "-o", "json").output).arrayValue ?? []
                #expect(history.count == 3 && history[0]["plan"] == history[1]["plan"] && history[0]["message"] == "nothing to do", "\(history)")
                #expect(try await scene.run("history", "verify").code == 0)
                #expect(try await scene.run("rollback", "--app", "shop", "--to", "1", "--pin").code == 0)
                #expect(try await !sync(scene).isShort, "what holds the application is to be taken off")
            }
        }

        /// A second handshake would be most of the time that a sync over SSH takes.
        @Test func theRepositoryIsAskedOnce() async throws {
            try await withScene { scene in
                let declaration = Workspace.application("shop").replacing("repoURL: .", with: "repoURL: \(scene.workspace.remote)\n    targetRevision: HEAD")
                try await scene.workspace.push([
                    "environments/applications/shop.yaml": declaration, "environments/shop/keep.yaml": Workspace.configMap("keep"),
                ])
                func asked(_ outcome: Outcome) -> Int { outcome.errors.split(separator: "\n").count { $0.hasSuffix("[Desired] fetch") } }
                for run in [try await sync(scene), try await short(scene)] {
                    #expect(run.outcome.code == 0 && asked(run.outcome) == 1, "\(run.outcome.description)")
                }
                // Another branch of the repository has a commit that is not here yet.
                try await scene.workspace.git(["checkout", "-q", "-b", "next"])
                try Data(Workspace.configMap("keep", ["key": "next"]).utf8).write(to: URL(fileURLWithPath: scene.workspace.clone.string + "/environments/shop/keep.yaml"))
                try await scene.workspace.git(["commit", "-q", "-am", "Next"])
                try await scene.workspace.git(["push", "-q", "origin", "next"])
                try await scene.workspace.git(["checkout", "-q", "main"])
                try await scene.workspace.push(["environments/applications/shop.yaml": declaration.replacing("HEAD", with: "next")])
                let next = try await sync(scene)
                #expect(next.outcome.code == 0 && asked(next.outcome) == 2, "\(next.outcome.description)")
                let keep = try await scene.object("ConfigMap", "keep", namespace: "shop")
                #expect(keep?[path: "data", "key"] == "next")
            }
        }

        @Test func whatMovesInTheClusterIsSeen() async throws {
            try await withScene { scene in
                try await scene.workspace.push(["environments/shop/web.yaml": Self.deployment])
                try await scene.withShop()
                let before = try await short(scene)
                #expect(before.outcome.output.contains("Progressing"))

                try await patch(scene, "ConfigMap", "keep", ["data": ["key": "mine"]])
                let healed = try await sync(scene)
                #expect(!healed.isShort && healed.outcome.output.contains("1 configured"), "\(healed.outcome.description)")
                #expect(try await scene.object("ConfigMap", "keep", namespace: "shop")?[path: "data", "key"] == "value")
                // What was changed is compared once more before it is left alone.
                _ = try await settle(scene)
                try await patch(scene, "ConfigMap", "keep", ["metadata": ["labels": ["theirs": "1"]]])
                let foreign = try await settle(scene)
                #expect(foreign.outcome.output.contains("(2 unchanged)"))

                let resource = try await scene.client.resource(for: GroupKind(group: "", kind: "ConfigMap"))
                try await scene.client.delete(resource, namespace: "shop", name: "keep")
                #expect(try await sync(scene).outcome.output.contains("1 created"))

            }
        }

        /// Statuses move all the time, and say nothing about what is declared.
        @Test func whatControllersReportNeedsNoComparing() async throws {
            try await withScene { scene in
                try await scene.workspace.push(["environments/shop/web.yaml": Self.deployment])
                try await scene.withShop()
                // As the controllers do, between the sync that made it and the next one.
                try await patch(scene, "Deployment", "web", group: "apps", ["metadata": ["annotations": ["deployment.kubernetes.io/revision": "1"]]])
                try await report(scene, available: 1)
                let healthy = try await statuses(scene)
                #expect(healthy.outcome.output.contains("Synced, Healthy") && healthy.outcome.output.contains("(2 unchanged)"), "\(healthy.outcome.description)")
                #expect(try await short(scene).outcome.output == healthy.outcome.output)
                try await report(scene, available: 0)
                let busy = try await statuses(scene)
                #expect(busy.outcome.output.contains("Synced, Progressing") && busy.outcome.output.contains("Deployment shop/web: Waiting"), "\(busy.outcome.description)")
                #expect(try await short(scene).outcome.output == busy.outcome.output)

                // Beside a change of somebody's, and after a look that compared everything.
                try await patch(scene, "Deployment", "web", group: "apps", ["spec": ["replicas": 3]])
                try await report(scene, available: 3)
                let healed = try await sync(scene)
                #expect(!healed.isShort && !healed.sawStatuses && healed.outcome.output.contains("1 configured"), "\(healed.outcome.description)")
                _ = try await settle(scene)
                try await report(scene, available: 1)
                #expect(try await statuses(scene).outcome.output.contains("Synced, Healthy"))

                // One more object, made while the others are left alone.
                try await scene.workspace.push(["environments/shop/more.yaml": Workspace.configMap("more")])
                #expect(try await sync(scene).outcome.output.contains("1 created, 2 unchanged"))
                try await report(scene, available: 0)
                #expect(try await statuses(scene).outcome.output.contains("(3 unchanged)"))

                // What is not to count does not count here either.
                try await scene.workspace.push([
                    "environments/shop/web.yaml": Self.deployment.replacing("{name: web}", with: "{name: web, annotations: {argocd.argoproj.io/ignore-healthcheck: \"true\"}}")
                ])
                #expect(try await sync(scene).outcome.output.contains("Synced, Healthy"))
                _ = try await settle(scene)
                try await report(scene, available: 1)
                try await report(scene, available: 0)
                #expect(try await statuses(scene).outcome.output.contains("Synced, Healthy"))
                #expect(try await scene.run("history", "verify").code == 0)
            }
        }

        /// Custom resources are compared when theirs moves, and count for the health beside others that moved.
        @Test func customResourcesCountBesideStatuses() async throws {
            try await withScene { scene in
                let definition = """
                    apiVersion: apiextensions.k8s.io/v1
                    kind: CustomResourceDefinition
                    metadata: {name: doors.example.com}
                    spec:
                      group: example.com
                      names: {kind: Door, plural: doors}
                      scope: Namespaced
                      versions:
                        - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
                    """
                try await scene.workspace.push([
                    "environments/shop/web.yaml": Self.deployment, "environments/shop/crd.yaml": definition,
                    "environments/shop/door.yaml": "{apiVersion: example.com/v1, kind: Door, metadata: {name: front}, spec: {open: true}}\n",
                ])
                try await scene.withShop()
                try await report(scene, available: 1)
                _ = try await settle(scene)
                let stuck: JSONValue = ["status": ["conditions": [["type": "Ready", "status": "False", "reason": "Stuck", "message": "it is stuck"]]]]
                try await patch(scene, "Door", "front", group: "example.com", stuck)
                let seen = try await settle(scene)
                #expect(!seen.outcome.output.contains("Healthy") && seen.outcome.output.contains("it is stuck"), "\(seen.outcome.description)")
                try await patch(scene, "Deployment", "web", group: "apps", subresource: "status", ["status": ["collisionCount": 1]])
                let look = try await statuses(scene)
                #expect(look.outcome.output == seen.outcome.output, "\(look.outcome.description)")
            }
        }

        /// `jqPathExpressions` may choose by a status, and `managedFieldsManagers` by who reported it.
        @Test func whatIsIgnoredMayFollowFromAStatus() async throws {
            try await withScene { scene in
                try await scene.workspace.push([
                    "environments/shop/web.yaml": Self.deployment,
                ])
                try await scene.withShop()
                try await scene.workspace.push([
                    "environments/applications/shop.yaml": Workspace.application("shop")
                        + "  ignoreDifferences: [{group: apps, kind: Deployment, jqPathExpressions: ['select(.status.replicas > 0) | .spec.replicas']}]\n"
                ])
                _ = try await settle(scene)
                try await report(scene, available: 1)
                let look = try await sync(scene)
                #expect(look.outcome.code == 0 && !look.isShort && !look.sawStatuses, "\(look.outcome.description)")
            }
        }

        private func report(_ scene: Scene, available: Int64) async throws {
            let generation = try #require(try await scene.object("Deployment", "web", group: "apps", namespace: "shop")?[path: "metadata", "generation"])
            try await patch(
                scene, "Deployment", "web", group: "apps", subresource: "status",
                ["status": [
                    "observedGeneration": generation, "replicas": 1, "updatedReplicas": 1, "readyReplicas": .integer(available),
                    "availableReplicas": .integer(available),
                ]])
        }

        private func statuses(_ scene: Scene) async throws -> Look {
            let look = try await sync(scene)
            try #require(look.outcome.code == 0 && look.sawStatuses, "\(look.outcome.description)")
            return look
        }

        @Test func whatMovesInGitOrIsAskedForIsSeen() async throws {
            try await withScene { scene in
                try await scene.withShop()
                // A commit that changes nothing of what is declared leaves nothing to compare.
                try await scene.workspace.push(["README.md": "words\n"])
                #expect(try await sync(scene).isShort)
                try await scene.workspace.push(["environments/applications/shop.yaml": Workspace.application("shop") + "  # a note\n"])
                _ = try await settle(scene)
                try await scene.workspace.push(["environments/shop/more.yaml": Workspace.configMap("more")])
                #expect(try await sync(scene).outcome.output.contains("1 created"))
                _ = try await short(scene)
                for more in [["--wait"], ["--dry-run"], ["--resource", "ConfigMap/keep"]] {
                    let told = scene.workspace.with("RECONCILER_LOG_LEVEL", "debug")
                    let outcome = try await told.reconciler.run(["sync", "--app", "shop"] + more)
                    #expect(outcome.code == 0 && !outcome.errors.contains("nothing has moved"), "\(outcome.description)")
                }
            }
        }

        /// A Helm test never runs at a sync, and a hook that ran runs again only when something is written; a warning is told each time.
        @Test func hooksAndWarningsNeedNoComparingEither() async throws {
            try await withScene { scene in
                try await scene.workspace.push([
                    "environments/shop/test.yaml": Self.hook("test", "helm.sh/hook: test"), "environments/shop/values.yaml": "replicas: 1\n",
                ])
                try await scene.withShop()
                let second = try await short(scene)
                #expect(second.outcome.output.contains("(1 unchanged)"))
                #expect(second.outcome.output.contains("values.yaml: holds no Kubernetes object"), "\(second.outcome.description)")

                try await scene.workspace.push(["environments/shop/after.yaml": Self.hook("after", "argocd.argoproj.io/hook: PostSync")])
                #expect(try await sync(scene).outcome.output.contains("1 created"))
                _ = try await settle(scene)
                let again = try await sync(scene, "--hooks", "always")
                #expect(!again.isShort && again.outcome.output.contains("1 created"), "\(again.outcome.description)")
                _ = try await settle(scene)
                // A hook that is another one has to run, though nothing else is to do.
                try await scene.workspace.push(["environments/shop/after.yaml": Self.hook("after", "argocd.argoproj.io/hook: PostSync", word: "new")])
                let changed = try await sync(scene)
                #expect(!changed.isShort && changed.outcome.output.contains("1 created"), "\(changed.outcome.description)")
            }
        }

        private static func hook(_ name: String, _ annotation: String, word: String = "old") -> String {
            """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: \(name), annotations: {\(annotation)}}
            data: {word: \(word)}

            """
        }

        @Test func whatWasNeverSettledIsNotRemembered() async throws {
            try await withScene { scene in
                // An object that is gone from Git and kept is told each time.
                try await scene.workspace.push(["environments/shop/old.yaml": Workspace.configMap("old")])
                try await scene.withShop()
                _ = try await scene.workspace.push(["environments/shop/old.yaml": nil])
                for _ in 0..<3 {
                    let look = try await sync(scene, "--no-prune")
                    #expect(!look.isShort && look.outcome.output.contains("skipped ConfigMap shop/old"), "\(look.outcome.description)")
                }
            }
        }
    }
}
