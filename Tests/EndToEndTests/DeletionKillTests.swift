import EmbeddedCluster
import Foundation
import KubernetesClient
import ResourceModel
import TestSupport
import Testing

/// Kills the process at every write of an application's deletion, before it is done or after it, in turns. The next deletion must end
/// with nothing left, and nobody else's object touched.
@Suite(.serialized) struct DeletionKillTests {
    private func map(_ name: String, wave: Int) -> String {
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \(name), annotations: {argocd.argoproj.io/sync-wave: \"\(wave)\"}}\n"
    }

    private func job(_ name: String, _ phase: String) -> String {
        """
        apiVersion: batch/v1
        kind: Job
        metadata: {name: \(name), annotations: {argocd.argoproj.io/hook: \(phase), argocd.argoproj.io/hook-delete-policy: HookSucceeded}}
        spec: {backoffLimit: 0, template: {spec: {restartPolicy: Never, containers: [{name: main, image: x, command: ["true"]}]}}}
        """
    }

    @Test(.timeLimit(.minutes(5))) func aDeletionThatIsKilledAtAnyWriteIsCompletedByTheNextOne() async throws {
        try await withEmbeddedCluster { cluster in
            guard let access = try ClusterAccess.discover(kubeconfig: cluster.kubeconfig) else { throw CancellationError() }
            let client = KubernetesClient(access: access)
            defer { client.shutDown() }
            let trap = KillTests.Trap()
            cluster.apiServer.observer.withLock { $0 = .init { await trap.observe($0, isDone: $1) } }
            try await Workspace.with { try await run($0.with("KUBECONFIG", cluster.kubeconfig), client, trap) }
        }
    }

    private func run(_ workspace: Workspace, _ client: KubernetesClient, _ trap: KillTests.Trap) async throws {
        let finalizer = "  name: shop\n  finalizers: [resources-finalizer.argocd.argoproj.io]\n"
        var files: [String: String?] = [
            "environments/applications/shop.yaml": Workspace.application("shop").replacing("  name: shop\n", with: finalizer, maxReplacements: 1),
            "environments/shop/before.yaml": job("before", "PreDelete"), "environments/shop/after.yaml": job("after", "PostDelete"),
            "environments/shop/account.yaml": "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: account}\n",
        ]
        for index in 0..<4 { files["environments/shop/m\(index).yaml"] = map("m\(index)", wave: index % 2) }
        try await workspace.push(files)
        let maps = try await client.resource(for: GroupKind(group: "", kind: "ConfigMap"))
        var points = 0
        for write in 1... {
            trap.set(at: .max, before: true)
            let synced = try await workspace.run("sync", "--app", "shop")
            try #require(synced.code == 0, "\(synced.description)")
            if write == 1 {
                _ = try await client.create(["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "foreign", "namespace": "shop"]], as: maps)
            }
            let isBefore = write % 2 == 1
            trap.set(at: write, before: isBefore)
            _ = try await workspace.reconciler.whileRunning(["delete", "--app", "shop", "--yes"]) { program in
                trap.state.withLock { $0.process = program.process }
                await program.ended()
            }
            let wasKilled = trap.state.withLock { $0.isSprung }
            trap.set(at: .max, before: true)
            let place = "killed \(isBefore ? "before" : "after") write \(write)"
            if wasKilled {
                points += 1
                let next = try await workspace.run("delete", "--app", "shop", "--yes")
                #expect(next.code == 0, "\(place): \(next.description)")
            }
            let left = try await client.list(maps, namespace: "shop").items.compactMap { $0[path: "metadata", "name"]?.stringValue }
            #expect(left.filter { $0 != "kube-root-ca.crt" } == ["foreign"], "\(place)")
            for (group, kind) in [("", "ServiceAccount"), ("batch", "Job")] {
                let resource = try await client.resource(for: GroupKind(group: group, kind: kind))
                let names = try await client.list(resource, namespace: "shop").items.compactMap { $0[path: "metadata", "name"]?.stringValue }
                #expect(names.filter { $0 != "default" }.isEmpty, "\(place): \(names)")
            }
            #expect(try await client.get(maps, namespace: "reconciler-system", name: "application-shop") == nil, "\(place)")
            let leases = try await client.resource(for: GroupKind(group: "coordination.k8s.io", kind: "Lease"))
            #expect(try await client.get(leases, namespace: "reconciler-system", name: "application-shop") == nil, "\(place)")
            if !wasKilled { break }
        }
        print("killed at \(points) writes of a deletion")
        #expect(points > 12)
    }
}
