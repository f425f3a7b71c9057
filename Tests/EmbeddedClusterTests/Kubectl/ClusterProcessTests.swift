import Glibc
import Processes
import ResourceModel
import TestSupport
import Testing

@testable import EmbeddedCluster

/// `reconciler cluster` as a process of its own: start, stop, crash and start again.
@Suite struct ClusterProcessTests {
    private struct Cluster {
        let directory: String
        let reconciler: LocalTool
        let kubectl: LocalTool

        init(_ directory: String) throws {
            self.directory = directory
            let environment = [
                "HOME": directory, "RECONCILER_STATE_DIR": directory, "KUBECONFIG": directory + "/cluster/kubeconfig",
                "PATH": "/usr/bin:/bin",
            ]
            reconciler = try LocalTool.reconciler(environment: environment)
            kubectl = try LocalTool.named("kubectl", environment: environment)
        }

        /// Returns when the cluster takes requests.
        func start() async throws -> RunningTool {
            let process = try await reconciler.start(["cluster", "start"])
            var lines = process.lines.makeAsyncIterator()
            let line = await lines.next()
            try #require(line == directory + "/cluster/kubeconfig")
            return process
        }

        @discardableResult
        func kubectl(_ arguments: String..., input: String = "") async throws -> String {
            let output = try await kubectl.run(arguments, input: input)
            try #require(output.status == 0, "kubectl \(arguments): \(output.errors)")
            return output.text
        }
    }

    private static func with(_ body: (Cluster) async throws -> Void) async throws {
        try await withScratchDirectory { directory in
            let cluster = try Cluster(directory)
            do { try await body(cluster) } catch {
                _ = try await cluster.reconciler.run(["cluster", "stop"])
                throw error
            }
        }
    }

    @Test func commandsSayWhatIsAndRefuseASecondStart() async throws {
        try await Self.with { cluster in
            let before = try await cluster.reconciler.run(["cluster", "status"])
            #expect(before.status == 1 && before.text.hasPrefix("stopped"))
            #expect(try await cluster.reconciler.run(["cluster", "kubeconfig"]).errors.contains("reconciler cluster start"))
            let process = try await cluster.start()
            let running = try await cluster.reconciler.run(["cluster", "status"])
            #expect(running.status == 0 && running.text.hasPrefix("running, pid \(process.pid), https://127.0.0.1:"))
            let second = try await cluster.reconciler.run(["cluster", "start"])
            #expect(second.status == 1 && second.errors.contains("in use by process \(process.pid)"))
            let stopped = try await cluster.reconciler.run(["cluster", "stop"])
            #expect(stopped.status == 0 && stopped.text == "stopped\n")
            #expect(try await process.exit() == 0)
            let again = try await cluster.reconciler.run(["cluster", "stop"])
            #expect(again.status == 0 && again.text == "stopped already\n")
            let port = try await cluster.reconciler.run(["cluster", "start", "--port", "99999"])
            #expect(port.status != 0 && port.errors.contains("--port 99999"))
        }
    }

    @Test func stopIsPromptWithOpenWatchesAndLeavesNoProcess() async throws {
        try await Self.with { cluster in
            let process = try await cluster.start()
            try await cluster.kubectl("run", "one", "--image=none", "--command", "--", "sh", "-c", "exec sleep 600")
            try await cluster.kubectl("wait", "--for=condition=Ready", "pod/one", "--timeout=20s")
            let container = try await cluster.kubectl(
                "get", "pod", "one", "-o", "jsonpath={.status.containerStatuses[0].containerID}")
            let pid = try #require(Int32(container.split(separator: "/").last ?? ""))
            let watcher = try await cluster.kubectl.start(["get", "pods", "-w", "-o", "name"])
            for await _ in watcher.lines { break }
            let begin = ContinuousClock.now
            process.signal(SIGTERM)
            #expect(try await process.exit() == 0)
            #expect(ContinuousClock.now - begin < .seconds(8))
            #expect(ProcessIdentity(pid: pid) == nil)
            watcher.signal(SIGKILL)
            _ = try await watcher.exit()

            // A new start keeps everything and runs the pod again.
            let next = try await cluster.start()
            try await cluster.kubectl(
                "wait", "--for=jsonpath={.status.containerStatuses[0].restartCount}=1", "pod/one", "--timeout=20s")
            next.signal(SIGTERM)
            #expect(try await next.exit() == 0)
        }
    }

    @Test func aKilledClusterKeepsWhatItAcknowledgedAndFindsItsPodsAgain() async throws {
        try await Self.with { cluster in
            let process = try await cluster.start()
            try await cluster.kubectl("run", "one", "--image=none", "--command", "--", "sh", "-c", "exec sleep 600")
            try await cluster.kubectl("wait", "--for=condition=Ready", "pod/one", "--timeout=20s")
            let objects = (0..<400).map { "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map-\($0)}\ndata: {n: \"\($0)\"}\n" }
            let writer = try await cluster.kubectl.start(["create", "-f", "-"], input: objects.joined(separator: "---\n"))
            var acknowledged: [String] = []
            for await line in writer.lines {
                if let name = line.split(separator: " ").first { acknowledged.append(String(name)) }
                if acknowledged.count == 60 { process.signal(SIGKILL) }
            }
            _ = try await writer.exit()
            #expect(try await process.exit() == 128 + SIGKILL)
            #expect(acknowledged.count < 400)
            let status = try await cluster.reconciler.run(["cluster", "status"])
            #expect(status.status == 1 && status.text.hasPrefix("stopped"))
            let stopped = try await cluster.reconciler.run(["cluster", "stop"])
            #expect(stopped.text == "stopped already\n")

            let next = try await cluster.start()
            let kept = Set(try await cluster.kubectl("get", "configmaps", "-o", "name").split(separator: "\n").map(String.init))
            #expect(Set(acknowledged).subtracting(kept).isEmpty)
            #expect(
                try await cluster.kubectl("get", "pod", "one", "-o", "jsonpath={.status.containerStatuses[0].restartCount}")
                    == "0")
            // The pod's process is no child of this cluster's process: stopping must still see it end.
            let begin = ContinuousClock.now
            next.signal(SIGTERM)
            #expect(try await next.exit() == 0)
            #expect(ContinuousClock.now - begin < .seconds(3))
        }
    }
}
