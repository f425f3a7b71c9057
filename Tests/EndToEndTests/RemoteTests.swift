import Foundation
import Glibc
import KubernetesClient
import ResourceModel
import SystemPackage
import TestSupport
import Testing

/// Objects without processes: these run against any API server.
@Suite(.timeLimit(.minutes(2)))
struct RemoteTests {
    @Test func followsARepositoryOfTheGitDaemon() async throws {
        try await withStage { stage in
            let namespace = stage.name("shop")
            try await stage.workspace.push([
                "environments/applications/shop.yaml": Workspace.application(stage.name("shop"), path: "environments/shop", namespace: namespace),
                "environments/shop/a.yaml": Workspace.configMap("a"),
            ])
            let port = try freePort()
            let git = Program(executable: try Workspace.tool("git"), directory: stage.workspace.root)
            _ = try await git.whileRunning([
                "daemon", "--verbose", "--reuseaddr", "--export-all", "--listen=127.0.0.1", "--port=\(port)",
                "--base-path=\(stage.workspace.root.string)",
            ]) { daemon in
                try await daemon.line(containing: "Ready to rumble")
                let remote = stage.workspace.with("RECONCILER_REPO", "git://127.0.0.1:\(port)/remote.git")
                let first = try await remote.run("sync", "--app", stage.name("shop"))
                #expect(first.code == 0 && first.output.contains("2 created"), "\(first.description)")
                try await stage.workspace.push(["environments/shop/b.yaml": Workspace.configMap("b"), "environments/shop/a.yaml": nil])
                let second = try await remote.run("sync", "--app", stage.name("shop"))
                #expect(second.code == 0 && second.output.contains("1 created, 1 pruned"), "\(second.description)")
            }
            let gone = try await stage.workspace.with("RECONCILER_REPO", "git://127.0.0.1:\(port)/remote.git").run("sync", "--app", stage.name("shop"))
            #expect(gone.code == 4, "\(gone.description)")
            #expect(try await stage.client.get(try await stage.resource("ConfigMap"), namespace: namespace, name: "b") != nil)
        }
    }

    @Test func onlyWhatChangedIsWritten() async throws {
        try await withStage { stage in
            let namespace = stage.name("shop")
            var files: [String: String?] = ["environments/applications/shop.yaml": Workspace.application(stage.name("shop"), path: "environments/shop", namespace: namespace)]
            for number in 0..<20 { files["environments/shop/c\(number).yaml"] = Workspace.configMap("c\(number)") }
            try await stage.workspace.push(files)
            _ = try await stage.workspace.run("sync", "--app", stage.name("shop"))
            let maps = try await stage.resource("ConfigMap")
            func versions() async throws -> [String: String] {
                var result: [String: String] = [:]
                for item in try await stage.client.list(maps, namespace: namespace).items {
                    result[item[path: "metadata", "name"]?.stringValue ?? ""] = item[path: "metadata", "resourceVersion"]?.stringValue
                }
                return result
            }
            let before = try await versions()
            try await stage.workspace.push(["environments/shop/c7.yaml": Workspace.configMap("c7", ["key": "new"])])
            let outcome = try await stage.workspace.run("sync", "--app", stage.name("shop"))
            #expect(outcome.output.contains("1 configured, 19 unchanged"), "\(outcome.description)")
            let after = try await versions()
            #expect(before.keys.filter { before[$0] != after[$0] } == ["c7"])
        }
    }

    @Test func aRunThatIsAskedToStopEndsWithinSeconds() async throws {
        try await withStage { stage in
            // The second wave can't begin: the first one's object never becomes healthy.
            let stuck =
                "apiVersion: v1\nkind: Service\nmetadata:\n  name: stuck\n  annotations: {argocd.argoproj.io/sync-wave: \"-1\"}\n"
                + "spec: {type: LoadBalancer, ports: [{port: 80}]}\n"
            try await stage.workspace.push([
                "environments/applications/shop.yaml": Workspace.application(stage.name("shop"), path: "environments/shop", namespace: stage.name("shop")),
                "environments/shop/stuck.yaml": stuck, "environments/shop/after.yaml": Workspace.configMap("after"),
            ])
            let clock = ContinuousClock()
            let (stopped, code) = try await stage.workspace.reconciler.whileRunning(["run", "--interval", "1"]) { run in
                try await run.line(containing: "Service \(stage.name("shop"))/stuck created")
                return clock.now
            }
            #expect(code == 0)
            #expect(clock.now - stopped < .seconds(8))
            // What was done before the end is in the history.
            let history = try JSONValue(parsing: try await stage.workspace.run("history", "-o", "json").output)
            #expect(history[0]?["conclusion"] == "Canceled" || history[0]?["conclusion"] == "Failed", "\(history)")
            #expect(history[0]?["steps"]?.arrayValue?.isEmpty == false)
        }
    }

    private func freePort() throws -> Int {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, length) == 0 ? getsockname(socket, $0, &length) : -1 }
        }
        guard code == 0 else { throw ProgramFailure(description: "no free port: \(errno)") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
