import EmbeddedCluster
import Foundation
import KubernetesClient
import Logging
import ResourceModel
import Synchronization
import TestSupport
import Testing

/// Kills the process at every write of a sync of 60 objects with hooks, waves and deletions: so that the write is not done, or so that
/// it is done and the answer is lost, in turns; with `RECONCILER_KILL_TEST=all` both at each write. The next run must come out as if
/// nothing had happened.
@Suite(.serialized) struct KillTests {
    /// Ends a client's process at its n-th write.
    final class Trap: Sendable {
        struct State: Sendable {
            var process: Int32?
            var killAt = Int.max
            var isBefore = true
            var writes = 0
            var isSprung = false
        }
        let state = Mutex(State())

        func set(at write: Int, before: Bool) { state.withLock { $0 = State(killAt: write, isBefore: before) } }

        func observe(_ request: APIRequest, isDone: Bool) async -> Bool {
            let isWrite = ["POST", "PUT", "PATCH", "DELETE"].contains(request.method) && request.parameter("dryRun") == nil
            guard isWrite, !request.path.hasSuffix("reviews") else { return true }
            // The process is known a moment after it was started, long before it writes.
            while state.withLock({ $0.process == nil && $0.killAt != .max }) { await Task.yield() }
            return state.withLock { state in
                if !isDone { state.writes += 1 }
                guard let process = state.process, !state.isSprung, state.writes >= state.killAt, state.isBefore != isDone else { return true }
                state.isSprung = true
                kill(process, SIGKILL)
                return isDone
            }
        }
    }

    private func job(_ name: String, _ phase: String, _ version: Int) -> String {
        """
        apiVersion: batch/v1
        kind: Job
        metadata: {name: \(name), annotations: {argocd.argoproj.io/hook: \(phase)}}
        spec:
          backoffLimit: 0
          template:
            spec: {restartPolicy: Never, containers: [{name: main, image: x, command: ["true"], env: [{name: VERSION, value: "\(version)"}]}]}
        """
    }

    /// What a version declares: 20 objects that both have, 20 that differ, and 20 of its own in a second wave.
    private func manifests(_ version: Int) -> [String: String] {
        var files: [String: String] = [:]
        for index in 0..<20 {
            files["same-\(index)"] = Workspace.configMap("same-\(index)")
            files["changing-\(index)"] = Workspace.configMap("changing-\(index)", ["version": "\(version)"])
            let kind = index % 2 == 0 ? "Secret" : "ServiceAccount"
            files["own-\(version)-\(index)"] =
                "apiVersion: v1\nkind: \(kind)\nmetadata: {name: own-\(version)-\(index), annotations: {argocd.argoproj.io/sync-wave: '1'}}\n"
        }
        files["before"] = job("before", "PreSync", version)
        files["after"] = job("after", "PostSync", version)
        return files
    }

    @Test(.timeLimit(.minutes(15))) func aSyncThatIsKilledAtAnyWriteIsCompletedByTheNextOne() async throws {
        try await withEmbeddedCluster { cluster in
            guard let access = try ClusterAccess.discover(kubeconfig: cluster.kubeconfig) else { throw CancellationError() }
            let client = KubernetesClient(access: access)
            defer { client.shutDown() }
            let trap = Trap()
            cluster.apiServer.observer.withLock { $0 = .init { await trap.observe($0, isDone: $1) } }
            try await Workspace.with { workspace in
                try await run(workspace.with("KUBECONFIG", cluster.kubeconfig), client, trap)
            }
        }
    }

    private func run(_ workspace: Workspace, _ client: KubernetesClient, _ trap: Trap) async throws {
        func push(_ version: Int) async throws {
            var files: [String: String?] = ["environments/applications/shop.yaml": Workspace.application("shop")]
            for (name, text) in manifests(version) { files["environments/shop/\(name).yaml"] = text }
            for name in manifests(1 - version).keys where manifests(version)[name] == nil {
                if FileManager.default.fileExists(atPath: workspace.clone.appending("environments/shop/\(name).yaml").string) {
                    files["environments/shop/\(name).yaml"] = nil as String?
                }
            }
            try await workspace.push(files)
        }
        try await push(0)
        let first = try await workspace.run("sync", "--app", "shop")
        try #require(first.code == 0, "\(first.description)")
        // Somebody else's object: nothing may happen to it.
        let maps = try await client.resource(for: GroupKind(group: "", kind: "ConfigMap"))
        _ = try await client.create(
            ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "foreign", "namespace": "shop"]], as: maps)

        var version = 0
        var points: [String: Int] = [:]
        let isWhole = ProcessInfo.processInfo.environment["RECONCILER_KILL_TEST"] == "all"
        for round in 0..<(isWhole ? 2 : 1) {
            var write = 1
            while true {
                let isBefore = (write + round) % 2 == 1
                version = 1 - version
                try await push(version)
                trap.set(at: write, before: isBefore)
                let (_, code) = try await workspace.reconciler.whileRunning(["sync", "--app", "shop"]) { program in
                    trap.state.withLock { $0.process = program.process }
                    await program.ended()
                }
                let wasKilled = trap.state.withLock { $0.isSprung }
                trap.set(at: .max, before: true)
                let place = "killed \(isBefore ? "before" : "after") write \(write)"
                if wasKilled {
                    points[isBefore ? "before" : "after", default: 0] += 1
                    #expect(code == 128 + SIGKILL, "\(place)")
                    let next = try await workspace.run("sync", "--app", "shop")
                    #expect(next.code == 0, "\(place): \(next.description)")
                } else {
                    #expect(code == 0)
                }
                try await check(client, version, place)
                if write % 25 == 0 || !wasKilled {
                    let again = try await workspace.run("sync", "--app", "shop")
                    #expect(again.code == 0 && again.errors.contains("nothing to do"), "\(place): \(again.description)")
                }
                if !wasKilled { break }
                write += 1
            }
        }
        print("killed at \(points["before", default: 0]) writes before and at \(points["after", default: 0]) after they were done")
        #expect(points.values.reduce(0, +) > (isWhole ? 120 : 60))

        let verified = try await workspace.run("history", "verify")
        #expect(verified.code == 0, "\(verified.description)")
        let history = try JSONValue(parsing: try await workspace.run("history", "--limit", "1000", "-o", "json").output).arrayValue ?? []
        let conclusions = Dictionary(grouping: history.compactMap { $0["conclusion"]?.stringValue }, by: { $0 }).mapValues(\.count)
        let kills = points.values.reduce(0, +)
        // The first write takes the lease: a sync that is killed there has not begun.
        #expect(conclusions["Interrupted"] == kills - (isWhole ? 2 : 1), "each killed sync is told of: \(conclusions)")
        #expect(conclusions["Failed"] == nil && conclusions["Canceled"] == nil)
    }

    /// The namespace holds what is declared, and the foreign object, and nothing else.
    private func check(_ client: KubernetesClient, _ version: Int, _ place: String) async throws {
        var found: Set<String> = []
        for kind in ["ConfigMap", "Secret", "ServiceAccount"] {
            for item in try await client.list(try await client.resource(for: GroupKind(group: "", kind: kind)), namespace: "shop").items {
                let name = item[path: "metadata", "name"]?.stringValue ?? ""
                if name.hasPrefix("changing-") { #expect(item[path: "data", "version"] == .string("\(version)"), "\(place): \(name)") }
                found.insert(name)
            }
        }
        let declared = Set(manifests(version).keys).subtracting(["before", "after"])
        let others: Set<String> = ["foreign", "default", "kube-root-ca.crt"]
        #expect(found.subtracting(others) == declared, "\(place)")
        #expect(found.contains("foreign"), "\(place)")
        for item in try await client.list(try await client.resource(for: GroupKind(group: "batch", kind: "Job")), namespace: "shop").items {
            #expect(item[path: "metadata", "finalizers"]?.arrayValue?.isEmpty ?? true, "\(place): a hook is held")
        }
    }
}
