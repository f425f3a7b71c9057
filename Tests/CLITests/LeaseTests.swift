import Foundation
import Glibc
import KubernetesClient
import ResourceModel
import TestSupport
import Testing

extension CommandLineTests {
    /// Two runs at once, and runs that died.
    @Suite(.serialized, .timeLimit(.minutes(2)))
    struct LeaseTests {
        private func lease(_ scene: Scene) async throws -> JSONValue? {
            try await scene.object("Lease", "application-shop", group: "coordination.k8s.io", namespace: "reconciler-system")?["spec"]
        }

        private func lastToken(_ scene: Scene) async throws -> Int64? {
            try JSONValue(parsing: try await scene.run("history", "-o", "json").output)[0]?["fencingToken"]?.integerValue
        }

        /// An application whose first wave takes a minute: the pod of its Job never ends by itself.
        private static func slow(_ name: String) -> String {
            """
            apiVersion: batch/v1
            kind: Job
            metadata: {name: \(name), annotations: {argocd.argoproj.io/sync-wave: "-1"}}
            spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: busybox, command: [sleep, "60"]}]}}}
            """
        }

        @Test func recordsTheTokenAndAsksNobodyWhereNothingIsWritten() async throws {
            try await withScene { scene in
                try await scene.withShop()
                #expect(try await lastToken(scene) == 1)
                let before = try await lease(scene)
                #expect(before?["holderIdentity"] == "" && before?["leaseTransitions"] == 2)
                for command in ["sync", "diff", "plan"] { #expect(try await scene.run(command, "--app", "shop").code == 0) }
                #expect(try await lease(scene) == before)
                #expect(try await lastToken(scene) == nil)
                try await scene.workspace.push(["environments/shop/keep.yaml": Workspace.configMap("keep", ["key": "new"])])
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                #expect(try await lastToken(scene) == 2)
                #expect(try await scene.run("history", "show", "3").output.contains("lease       2\n"))
            }
        }

        @Test func refusesWhileAnotherMachineWrites() async throws {
            try await withScene { scene in
                try await scene.withShop()
                let resource = try await scene.client.resource(for: GroupKind(group: "coordination.k8s.io", kind: "Lease"))
                _ = try await scene.client.patch(
                    resource, namespace: "reconciler-system", name: "application-shop", type: .merge,
                    patch: ["spec": ["holderIdentity": "elsewhere process=7 started=1 place=x/1", "leaseDurationSeconds": 60]])
                try await scene.workspace.push(["environments/shop/keep.yaml": Workspace.configMap("keep", ["key": "new"])])
                let refused = try await scene.run("sync", "--app", "shop", "--lease-wait", "1")
                #expect(refused.code == 3 && refused.errors.contains("application shop is being synced by process 7 on elsewhere since 20"), "\(refused.description)")
                #expect(try await scene.object("ConfigMap", "keep", namespace: "shop")?[path: "data", "key"] == "value")
                let rows = try JSONValue(parsing: try await scene.run("history", "-o", "json").output)
                #expect(rows[0]?["conclusion"] == "Refused")
            }
        }

        @Test func twoAtOnceBothSucceedOneAfterTheOther() async throws {
            try await withScene { scene in
                try await scene.workspace.push([
                    "environments/applications/shop.yaml": Workspace.application("shop"), "environments/shop/keep.yaml": Workspace.configMap("keep"),
                ])
                async let one = scene.run("sync", "--app", "shop")
                // Another state directory: as on another machine, the cluster's lease alone keeps them apart.
                async let two = scene.workspace.with("RECONCILER_STATE_DIR", scene.workspace.root.appending("other").string).run("sync", "--app", "shop")
                async let three = scene.run("sync", "--app", "shop")
                for outcome in try await [one, two, three] { #expect(outcome.code == 0, "\(outcome.description)") }
                #expect(try await scene.run("history", "verify").code == 0)
                #expect(try await lease(scene)?["holderIdentity"] == "")
            }
        }

        @Test func theNextRunTakesOverFromOneThatWasKilled() async throws {
            try await withScene(controllers: true) { scene in
                try await scene.workspace.push([
                    "environments/applications/shop.yaml": Workspace.application("shop"), "environments/shop/keep.yaml": Workspace.configMap("keep"),
                    "environments/shop/slow.yaml": Self.slow("slow"),
                ])
                let (_, code) = try await scene.workspace.reconciler.whileRunning(["sync", "--app", "shop"]) { program in
                    try await program.line(containing: "Job shop/slow created")
                    kill(program.process, SIGKILL)
                }
                #expect(code == 128 + SIGKILL)
                let left = try await lease(scene)
                #expect(left?["holderIdentity"]?.stringValue?.isEmpty == false, "it could not give the lease back")
                let told = try await scene.run("history", "--app", "shop")
                #expect(told.output.contains("Interrupted") && told.output.contains("ended in the middle"), "before anybody syncs: \(told.output)")
                try await scene.workspace.push(["environments/shop/slow.yaml": nil])
                let next = try await scene.run("sync", "--app", "shop")
                #expect(next.code == 0 && next.duration < .seconds(14), "at once, not when the lease ran out: \(next.description)")
                let token = try #require(left?["leaseTransitions"]?.integerValue)
                #expect(try await lastToken(scene) == token + 1)
                #expect(try await scene.object("ConfigMap", "keep", namespace: "shop") != nil)
            }
        }

        @Test func whoLosesTheLeaseWritesNothingMore() async throws {
            try await withScene(controllers: true) { scene in
                try await scene.workspace.push([
                    "environments/applications/shop.yaml": Workspace.application("shop"), "environments/shop/keep.yaml": Workspace.configMap("keep"),
                    "environments/shop/slow.yaml": Self.slow("slow"),
                ])
                async let running = scene.workspace.with("RECONCILER_LEASE_DURATION", "6").run("sync", "--app", "shop")
                let jobs = try await scene.client.resource(for: GroupKind(group: "batch", kind: "Job"))
                for try await event in scene.client.listAndWatch(jobs, namespace: "shop") {
                    if case .listed(let items, _) = event, items.isEmpty { continue }
                    break
                }
                let resource = try await scene.client.resource(for: GroupKind(group: "coordination.k8s.io", kind: "Lease"))
                _ = try await scene.client.patch(
                    resource, namespace: "reconciler-system", name: "application-shop", type: .merge,
                    patch: ["spec": ["holderIdentity": "elsewhere process=7 started=1 place=x/1", "leaseTransitions": 9, "leaseDurationSeconds": 60]])
                let outcome = try await running
                #expect(outcome.code == 1 && outcome.errors.contains("the lease was lost (process 7 on elsewhere took it)"), "\(outcome.description)")
                #expect(try await scene.object("ConfigMap", "keep", namespace: "shop") == nil, "the next wave was not begun")
                #expect(try await lease(scene)?["holderIdentity"] == "elsewhere process=7 started=1 place=x/1")
                let rows = try JSONValue(parsing: try await scene.run("history", "-o", "json").output)
                #expect(rows[0]?["conclusion"] == "Failed" && rows[0]?["fencingToken"] == 1 && rows[0]?["steps"]?.arrayValue?.isEmpty == false, "\(rows)")
            }
        }
    }
}
