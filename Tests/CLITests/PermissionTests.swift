import Foundation
import KubernetesClient
import ResourceModel
import TestSupport
import Testing

extension CommandLineTests {
    /// What a project does not permit is refused before anything is written (rows of gitops-engine, pkg/sync: permission of a task).
    @Suite(.serialized, .timeLimit(.minutes(2)))
    struct PermissionTests {
        private func project(_ rest: String) -> String {
            """
            apiVersion: argoproj.io/v1alpha1
            kind: AppProject
            metadata: {name: team}
            spec:
              sourceRepos: ["*"]
            \(rest)
            """
        }

        private let anywhere = "  destinations: [{server: \"*\", namespace: \"*\"}]\n"

        private func declare(_ scene: Scene, _ project: String, _ files: [String: String]) async throws {
            var all: [String: String?] = [
                "environments/applications/shop.yaml": Workspace.application("shop").replacing("project: default", with: "project: team"),
                "environments/applications/team.yaml": project, "environments/shop/keep.yaml": Workspace.configMap("keep"),
            ]
            for (name, text) in files { all["environments/shop/\(name).yaml"] = text }
            try await scene.workspace.push(all)
        }

        @Test(arguments: [
            ("  namespaceResourceBlacklist: [{group: \"\", kind: Secret}]\n", "apiVersion: v1\nkind: Secret\nmetadata: {name: denied}\n", "does not permit Secret"),
            ("  namespaceResourceWhitelist: [{group: \"\", kind: ConfigMap}]\n", "apiVersion: v1\nkind: Secret\nmetadata: {name: denied}\n", "does not permit Secret"),
            ("", "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: denied}\nrules: []\n", "does not permit ClusterRole"),
        ])
        func aKindThatIsNotPermittedFailsBeforeAnyWrite(_ rule: String, _ manifest: String, _ message: String) async throws {
            try await withScene { scene in
                try await declare(scene, project(anywhere + rule), ["denied": manifest])
                let outcome = try await scene.run("sync", "--app", "shop")
                #expect(outcome.code == 1 && outcome.errors.contains(message), "\(outcome.description)")
                #expect(try await scene.object("ConfigMap", "keep", namespace: "shop") == nil)
                #expect(try await scene.object("Namespace", "shop", namespace: nil) == nil)
                let history = try await scene.run("history", "--app", "shop")
                #expect(history.output.contains("Failed"), "\(history.description)")
            }
        }

        @Test func aNamespaceThatIsNotPermittedFailsBeforeAnyWrite() async throws {
            try await withScene { scene in
                try await declare(scene, project("  destinations: [{server: \"*\", namespace: elsewhere}]\n"), [:])
                let outcome = try await scene.run("sync", "--app", "shop")
                #expect(outcome.code == 1 && outcome.errors.contains("does not permit the namespace `shop`"), "\(outcome.description)")
                #expect(try await scene.object("ConfigMap", "keep", namespace: "shop") == nil)
            }
        }

        @Test func anObjectInANamespaceThatIsNotPermittedFailsBeforeAnyWrite() async throws {
            try await withScene { scene in
                try await declare(
                    scene, project("  destinations: [{server: \"*\", namespace: shop}]\n"),
                    ["other": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other, namespace: kube-system}\n"])
                let outcome = try await scene.run("sync", "--app", "shop")
                #expect(outcome.code == 1 && outcome.errors.contains("kube-system"), "\(outcome.description)")
                #expect(try await scene.object("ConfigMap", "keep", namespace: "shop") == nil)
                #expect(try await scene.object("ConfigMap", "other", namespace: "kube-system") == nil)
            }
        }

        @Test func whatIsSkippedByItsAnnotationIsLeftAloneByTheDaemonUntilSomebodyAsks() async throws {
            try await withScene { scene in
                let skipped = Workspace.application("shop").replacing("  name: shop\n", with: "  name: shop\n  annotations: {argocd.argoproj.io/skip-reconcile: \"true\"}\n", maxReplacements: 1)
                try await scene.workspace.push([
                    "environments/applications/shop.yaml": skipped, "environments/shop/keep.yaml": Workspace.configMap("keep"),
                    "environments/applications/zone.yaml": Workspace.application("zone"), "environments/zone/z.yaml": Workspace.configMap("z"),
                ])
                let (_, code) = try await scene.workspace.reconciler.whileRunning(["run", "--interval", "1"]) { run in
                    try await run.line(containing: "zone: successfully synced")
                }
                #expect(code == 0)
                #expect(try await scene.object("ConfigMap", "keep", namespace: "shop") == nil)
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                #expect(try await scene.object("ConfigMap", "keep", namespace: "shop") != nil)
            }
        }
    }
}
