import EmbeddedCluster
import Foundation
import Glibc
import KubernetesClient
import ResourceModel
import TestSupport
import Testing

/// The embedded cluster's Unix socket, as its own kubeconfig leads to it.
@Suite(.timeLimit(.minutes(2)))
struct SocketTests {
    private func withSocketClient(_ body: (EmbeddedCluster, KubernetesClient, String) async throws -> Void) async throws {
        try await withEmbeddedCluster(controllers: .api) { cluster in
            let access = try #require(try ClusterAccess.discover(kubeconfig: cluster.kubeconfig))
            let client = KubernetesClient(access: access)
            defer { client.shutDown() }
            try await body(cluster, client, try #require(access.unixSocketPath))
        }
    }

    @Test func servesWhatThePortServes() async throws {
        try await withSocketClient { cluster, client, path in
            var facts = stat()
            try #require(lstat(path, &facts) == 0)
            #expect(facts.st_mode & 0o777 == 0o600)
            #expect(client.server == cluster.server && cluster.server.hasPrefix("https://127.0.0.1:"))
            let events = client.watch(configMaps, namespace: "default", options: WatchOptions())
            let names = Task { () -> Set<String> in
                var names: Set<String> = []
                for try await event in events {
                    if let name = event.object?[path: "metadata", "name"]?.stringValue, name.hasPrefix("map-") { names.insert(name) }
                    if names.count == 200 { break }
                }
                return names
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask { _ = try await client.apply(configMap("map-\(number)", "default", ["text": String(repeating: "x", count: 5000)]), as: configMaps) }
                }
                try await group.waitForAll()
            }
            #expect(try await names.value.count == 200)
            let all = try await client.list(configMaps, namespace: "default").items
            #expect(all.count { $0[path: "metadata", "name"]?.stringValue?.hasPrefix("map-") == true } == 200)
            #expect(connections(to: path) > 0, "nothing went through the socket")
        }
    }

    /// Connections that this process' side of the socket has accepted (proc(5)).
    private func connections(to path: String) -> Int {
        let table = (try? String(contentsOfFile: "/proc/net/unix", encoding: .utf8)) ?? ""  // an empty one is noticed
        return table.split(separator: "\n").count { $0.hasSuffix(" " + path) && $0.contains(" 0001 03 ") }
    }

    @Test func givesNothingToWhoHasNoToken() async throws {
        try await withSocketClient { cluster, _, path in
            var access = ClusterAccess(server: cluster.server)
            access.connect(throughSocket: path)
            let stranger = KubernetesClient(access: access)
            defer { stranger.shutDown() }
            let error = await #expect(throws: APIError.self) { try await stranger.list(configMaps, namespace: "default") }
            #expect(error?.code == 403 || error?.code == 401, "\(String(describing: error))")
        }
    }

    @Test func aWatcherThatGoesIsLetGo() async throws {
        try await withSocketClient { cluster, client, path in
            _ = try await client.list(configMaps, namespace: "default")
            let before = connections(to: path)
            let access = try #require(try ClusterAccess.discover(kubeconfig: cluster.kubeconfig))
            let other = KubernetesClient(access: access)
            let watching = Task { for try await _ in other.watch(configMaps, namespace: nil, options: WatchOptions()) {} }
            try await until { connections(to: path) > before }
            watching.cancel()
            other.shutDown()
            _ = await watching.result
            try await until { connections(to: path) <= before }
        }
    }

    private func until(_ condition: () -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(20)
        while !condition() {
            try #require(.now < end, "not within 20 seconds")
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test func watchesDoNotWaitForEachOther() async throws {
        try await withSocketClient { _, client, _ in
            let services = try await client.resource(for: GroupKind(group: "", kind: "Service"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        for try await event in client.watch(configMaps, namespace: "default", options: WatchOptions(fieldSelector: "metadata.name=map-\(number)"))
                        where event.object?[path: "metadata", "name"]?.stringValue == "map-\(number)" { break }
                    }
                }
                group.addTask {
                    for try await _ in client.watch(services, namespace: "nowhere", options: WatchOptions()) {}  // there is never anything
                }
                for number in 0..<20 { _ = try await client.apply(configMap("map-\(number)", "default"), as: configMaps) }
                for _ in 0..<20 { try await group.next() }
                group.cancelAll()
            }
        }
    }

    @Test func isMadeAnewAndRemoved() async throws {
        try await withClusterDirectory { directory in
            let path = directory + "/api.sock"
            // What a server leaves that was killed.
            try Data().write(to: URL(fileURLWithPath: path))
            let cluster = try await EmbeddedCluster.start(directory: directory, controllers: .api)
            let client = KubernetesClient(access: try #require(try ClusterAccess.discover(kubeconfig: cluster.kubeconfig)))
            #expect(try await client.serverVersion().hasPrefix("v1."))
            client.shutDown()
            try await cluster.stop()
            #expect(access(path, F_OK) != 0)
        }
    }

    @Test(arguments: ["too long", "taken"])
    func whereNoSocketCanBeThePortIsLeft(why: String) async throws {
        try await withClusterDirectory { root in
            let directory = root + "/" + String(repeating: "a", count: why == "taken" ? 1 : 90)
            if why == "taken" { try FileManager.default.createDirectory(atPath: directory + "/api.sock/x", withIntermediateDirectories: true) }
            let cluster = try await EmbeddedCluster.start(directory: directory, controllers: .api)
            let found = try #require(try ClusterAccess.discover(kubeconfig: cluster.kubeconfig))
            #expect(found.unixSocketPath == nil)
            let client = KubernetesClient(access: found)
            #expect(try await client.serverVersion().hasPrefix("v1."))
            client.shutDown()
            try await cluster.stop()
        }
    }
}
