import EmbeddedCluster
import Foundation
import Glibc
import KubernetesClient
import Logging
import ResourceModel
import Synchronization
import TestSupport
import Testing

extension CommandLineTests {
    /// Broken worlds: what happened is named, nothing is lost, and the next run makes good what is missing.
    @Suite(.serialized, .timeLimit(.minutes(3)))
    struct FaultTests {
        // MARK: The API server

        @Test func waitsWhenTheServerIsBusy() async throws {
            try await withFaults { scene, cluster in
                try await declare(scene, ["a", "b", "c"])
                let left = Counter(4)
                cluster.intercept { request in
                    guard request.isWrite(of: "configmaps"), left.take() else { return nil }
                    return .status(429, "TooManyRequests", "too many requests", headers: ["Retry-After": "1"])
                }
                let outcome = try await scene.run("sync", "--app", "shop")
                #expect(outcome.code == 0 && outcome.duration >= .seconds(1), "\(outcome.description)")
                #expect(try await names(scene) == ["a", "b", "c"])
            }
        }

        @Test(arguments: [
            (500, "InternalError", "etcdserver: leader changed", "etcdserver: leader changed"),
            (403, "Forbidden", "admission webhook \"policy.example.org\" denied the request: no owner label", "that webhook's policy refuses it"),
        ])
        func oneRefusedObjectKeepsNoOtherBack(_ code: Int, _ reason: String, _ message: String, _ told: String) async throws {
            try await withFaults { scene, cluster in
                try await declare(scene, ["a", "b", "c"])
                cluster.intercept { request in
                    request.isWrite(of: "configmaps") && request.path.hasSuffix("/b") ? .status(code, reason, message) : nil
                }
                let outcome = try await scene.run("sync", "--app", "shop")
                #expect(outcome.code == 1 && outcome.output.contains("failed ConfigMap shop/b") && outcome.output.contains(told), "\(outcome.description)")
                #expect(outcome.output.contains("environments/shop/b.yaml:1"))
                #expect(try await names(scene) == ["a", "c"])
                let history = try await scene.run("history", "--app", "shop")
                #expect(history.output.contains("Failed") && history.output.contains("1 of 4 writes failed"), "\(history.output)")
                cluster.intercept(nil)
                let next = try await scene.run("sync", "--app", "shop")
                #expect(next.code == 0 && next.output.contains("1 created, 2 unchanged"), "\(next.description)")
            }
        }

        @Test func aListThatIsCutOffPrunesNothing() async throws {
            try await withFaults { scene, cluster in
                try await declare(scene, ["a", "b", "c"])
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                try await scene.workspace.push(["environments/shop/c.yaml": nil])
                cluster.intercept { request in
                    guard request.method == "GET", request.path.hasSuffix("/configmaps"), request.parameter("labelSelector") != nil else { return nil }
                    return APIResponse(
                        status: 200, body: .stream { writer in
                            try await writer.write(Array(#"{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"9"},"items":["#.utf8))
                            throw CutOff()
                        })
                }
                let outcome = try await scene.run("sync", "--app", "shop")
                #expect(outcome.code != 0 && !outcome.output.contains("pruned"), "\(outcome.description)")
                cluster.intercept(nil)
                #expect(try await names(scene) == ["a", "b", "c"])
                let next = try await scene.run("sync", "--app", "shop")
                #expect(next.code == 0 && next.output.contains("1 pruned"), "\(next.description)")
            }
        }

        @Test func aRequestThatIsNeverAnsweredEndsAndIsNamed() async throws {
            try await withFaults { scene, cluster in
                try await declare(scene, ["a", "b", "c"])
                let (end, over) = AsyncStream.makeStream(of: Void.self)
                defer { over.finish() }
                cluster.intercept { request in
                    guard request.isWrite(of: "configmaps"), request.path.hasSuffix("/b") else { return nil }
                    for await _ in end {}
                    return .status(504, "Timeout", "too late")
                }
                let outcome = try await scene.run("sync", "--app", "shop", "--request-timeout", "4")
                #expect(outcome.code == 1 && outcome.output.contains("failed ConfigMap shop/b"), "\(outcome.description)")
                #expect(outcome.output.contains("2 created") || outcome.output.contains("3 created"), "\(outcome.output)")
                cluster.intercept(nil)
                #expect(try await names(scene) == ["a", "c"])
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
            }
        }

        @Test func aServerThatIsRestartedInTheMiddleIsWaitedFor() async throws {
            try await withClusterDirectory { directory in
                let first = try await EmbeddedCluster.start(directory: directory + "/c", controllers: .api, logger: quiet)
                let access = try #require(try ClusterAccess.discover(kubeconfig: first.kubeconfig))
                let client = KubernetesClient(access: access)
                defer { client.shutDown() }
                try await Workspace.with { workspace in
                    let scene = Scene(workspace: workspace.with("KUBECONFIG", first.kubeconfig), client: client)
                    try await declare(scene, (0..<30).map { "m-\($0)" })
                    let (reached, signal) = AsyncStream.makeStream(of: Void.self)
                    let left = Counter(10)
                    first.intercept { request in
                        if request.isWrite(of: "configmaps"), !left.take() {
                            signal.finish()
                            return .status(503, "ServiceUnavailable", "shutting down", headers: ["Retry-After": "1"])
                        }
                        return nil
                    }
                    async let outcome = scene.run("sync", "--app", "shop")
                    for await _ in reached {}
                    try await first.stop()
                    let second = try await EmbeddedCluster.start(directory: directory + "/c", controllers: .api, logger: quiet)
                    let result = try await outcome
                    #expect(result.code == 0, "\(result.description)")
                    #expect(try await names(scene).count == 30)
                    #expect(try await scene.run("history", "verify").code == 0)
                    try await second.stop()
                }
            }
        }

        @Test func aDaemonHealsAfterTheWatchHistoryWasLost() async throws {
            try await withFaults { scene, cluster in
                try await declare(scene, ["a"])
                // The watch of the daemon has begun.
                let (watching, began) = AsyncStream.makeStream(of: Void.self)
                cluster.intercept { request in
                    if request.flag("watch"), request.path.hasSuffix("/configmaps") { began.finish() }
                    return nil
                }
                _ = try await scene.workspace.reconciler.whileRunning(["run", "--interval", "60"]) { running in
                    _ = try await running.line(containing: "successfully synced")
                    for await _ in watching {}
                    let left = Counter(3)
                    cluster.intercept { request in
                        guard request.flag("watch"), left.take() else { return nil }
                        return .status(410, "Expired", "too old resource version: 1 (9)")
                    }
                    cluster.endWatches()
                    try await change(scene, "a", to: "by hand")
                    while try await value(scene, "a") != "1" { try await Task.sleep(for: .milliseconds(50)) }
                }
            }
        }

        // MARK: The cluster's objects

        private static let definition = """
            apiVersion: apiextensions.k8s.io/v1
            kind: CustomResourceDefinition
            metadata: {name: widgets.example.org}
            spec:
              group: example.org
              scope: Namespaced
              names: {plural: widgets, singular: widget, kind: Widget}
              versions:
                - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}

            """

        @Test func aDefinitionThatWasDeletedMeanwhileIsNamedAndNothingIsPruned() async throws {
            try await withFaults { scene, _ in
                try await declare(scene, ["a"])
                try await scene.workspace.push([
                    "environments/applications/kinds.yaml": Workspace.application("kinds"), "environments/kinds/widget.yaml": Self.definition,
                    "environments/shop/widget.yaml": "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: 1}\n",
                ])
                #expect(try await scene.run("sync", "--app", "kinds").code == 0)
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                let definitions = try await scene.client.resource(for: GroupKind(group: "apiextensions.k8s.io", kind: "CustomResourceDefinition"))
                try await scene.client.delete(definitions, namespace: nil, name: "widgets.example.org")
                while try await scene.client.get(definitions, namespace: nil, name: "widgets.example.org") != nil { try await Task.sleep(for: .milliseconds(20)) }
                let outcome = try await scene.run("sync", "--app", "shop")
                #expect(outcome.code == 1 && outcome.errors.contains("knows no kind Widget") && outcome.errors.contains("environments/shop/widget.yaml:1"), "\(outcome.description)")
                #expect(try await names(scene) == ["a"])
                #expect(try await scene.run("sync", "--app", "kinds").code == 0)
                let healed = try await scene.run("sync", "--app", "shop")
                #expect(healed.code == 0 && healed.output.contains("1 created"), "\(healed.description)")
            }
        }

        @Test func aNamespaceThatIsStuckIsNamed() async throws {
            try await withFaults { scene, _ in
                try await declare(scene, ["a"])
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                let maps = try await scene.client.resource(for: GroupKind(group: "", kind: "ConfigMap"))
                let namespaces = try await scene.client.resource(for: GroupKind(group: "", kind: "Namespace"))
                _ = try await scene.client.create(
                    ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "stuck", "namespace": "shop", "finalizers": ["example.org/hold"]]], as: maps)
                try await scene.client.delete(namespaces, namespace: nil, name: "shop")
                while try await scene.client.get(maps, namespace: "shop", name: "a") != nil { try await Task.sleep(for: .milliseconds(20)) }
                let outcome = try await scene.run("sync", "--app", "shop")
                #expect(outcome.code == 1 && outcome.output.contains("being terminated") && outcome.output.contains("wait until the namespace is gone"), "\(outcome.description)")
                _ = try await scene.client.patch(maps, namespace: "shop", name: "stuck", type: .merge, patch: ["metadata": ["finalizers": .null]], options: WriteOptions())
                while try await scene.client.get(namespaces, namespace: nil, name: "shop") != nil { try await Task.sleep(for: .milliseconds(20)) }
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                #expect(try await names(scene) == ["a"])
            }
        }

        // MARK: Git

        @Test func aBranchThatWasRewrittenIsFollowedAndTold() async throws {
            try await withFaults { scene, _ in
                try await declare(scene, ["a"])
                try await scene.workspace.push(["environments/shop/b.yaml": Workspace.configMap("b", ["key": "1"])], message: "Add b")
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                try await scene.workspace.git(["reset", "-q", "--hard", "HEAD~1"])
                try await scene.workspace.git(["commit", "-q", "--allow-empty", "-m", "Another way"])
                try await scene.workspace.git(["push", "-q", "--force", "origin", "main"])
                let outcome = try await scene.run("sync", "--app", "shop")
                #expect(outcome.code == 0 && outcome.output.contains("1 pruned"), "\(outcome.description)")
                #expect(outcome.output.contains("`main` of") && outcome.output.contains("was rewritten") && outcome.output.contains("Add b"), "\(outcome.output)")
                try await scene.workspace.push(["environments/shop/c.yaml": Workspace.configMap("c")])
                #expect(try await !scene.run("sync", "--app", "shop").output.contains("rewritten"))
            }
        }

        @Test func aTagThatWasMovedIsFollowedAndTold() async throws {
            try await withFaults { scene, _ in
                let application = Workspace.application("shop").replacing("path: environments/shop", with: "path: environments/shop\n    targetRevision: v1")
                try await scene.workspace.push([
                    "environments/applications/shop.yaml": application, "environments/shop/a.yaml": Workspace.configMap("a", ["key": "1"]),
                ])
                try await scene.workspace.git(["commit", "-q", "--allow-empty", "-m", "Tagged"])
                try await scene.workspace.git(["tag", "v1"])
                try await scene.workspace.git(["push", "-q", "origin", "v1"])
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                try await scene.workspace.git(["reset", "-q", "--hard", "HEAD~1"])
                try await scene.workspace.push(["environments/shop/a.yaml": Workspace.configMap("a", ["key": "2"])])
                try await scene.workspace.git(["tag", "-f", "v1"])
                try await scene.workspace.git(["push", "-q", "--force", "origin", "v1"])
                let outcome = try await scene.run("sync", "--app", "shop")
                #expect(outcome.code == 0 && outcome.output.contains("`v1` of") && outcome.output.contains("was rewritten"), "\(outcome.description)")
                #expect(try await value(scene, "a") == "2")
            }
        }

        // MARK: This machine

        /// The state directory on a file system of its own, which only root can make.
        @Test(.enabled(if: geteuid() == 0)) func aFullDiskIsNamedBeforeAnythingIsWritten() async throws {
            try await withFaults { scene, _ in
                try await declare(scene, ["a"])
                let state = scene.workspace.state.string
                try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
                let script = """
                    mount -t tmpfs -o size=4m none \(state) || exit 77
                    "$0" sync --app shop || exit 10
                    dd if=/dev/zero of=\(state)/ballast bs=4k 2>/dev/null
                    cd \(scene.workspace.clone) && echo '  more: "2"' >> environments/shop/a.yaml && git commit -qam more && git push -q origin main
                    "$0" sync --app shop; echo "full: $?"
                    rm \(state)/ballast
                    "$0" sync --app shop; echo "freed: $?"
                    "$0" history verify || exit 11
                    """
                let shell = Program(
                    executable: try Workspace.tool("unshare"), environment: scene.workspace.reconciler.environment.merging([
                        "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org", "GIT_COMMITTER_NAME": "Ada",
                        "GIT_COMMITTER_EMAIL": "ada@example.org",
                    ]) { $1 }, directory: scene.workspace.root)
                let outcome = try await shell.run(["-m", "sh", "-c", script, Program.reconciler.string], limit: .seconds(90))
                if outcome.code == 77 { return }  // a sandbox without mounts
                #expect(outcome.code == 0 && outcome.output.contains("freed: 0"), "\(outcome.description)")
                #expect(outcome.output.contains("full: 1"), "\(outcome.description)")
                #expect(outcome.errors.contains("disk") || outcome.errors.contains("No space left"), "\(outcome.errors)")
                #expect(try await scene.object("ConfigMap", "a", namespace: "shop")?[path: "data", "more"] == "2")
            }
        }

        @Test(arguments: ["+3h", "-3h"]) func aClockThatJumpedLosesNothing(_ jump: String) async throws {
            try await withFaults { scene, _ in
                try await declare(scene, ["a"])
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                try await scene.workspace.push(["environments/shop/a.yaml": Workspace.configMap("a", ["key": "2"])])
                let jumped = Program(
                    executable: try Workspace.tool("faketime"), environment: scene.workspace.reconciler.environment, directory: scene.workspace.root)
                let outcome = try await jumped.run(["-f", jump, Program.reconciler.string, "sync", "--app", "shop"])
                #expect(outcome.code == 0, "\(outcome.description)")
                try await scene.workspace.push(["environments/shop/a.yaml": Workspace.configMap("a", ["key": "3"])])
                let back = try await scene.run("sync", "--app", "shop")
                #expect(back.code == 0 && back.duration < .seconds(20), "\(back.description)")
                #expect(try await value(scene, "a") == "3")
                let history = try JSONValue(parsing: Array(try await scene.run("history", "--app", "shop", "-o", "json").output.utf8))
                #expect(history.arrayValue?.compactMap { $0["id"]?.integerValue } == [3, 2, 1], "the newest first, whatever the clock said")
                #expect(try await scene.run("history", "verify").code == 0)
            }
        }
    }
}

// MARK: Helpers

private let quiet: Logger = {
    var logger = Logger(label: "faults")
    logger.logLevel = .critical
    return logger
}()

private struct CutOff: Error {}

/// Lets a number of takers through.
private final class Counter: Sendable {
    private let left: Mutex<Int>
    init(_ count: Int) { left = Mutex(count) }

    func take() -> Bool {
        left.withLock { left in
            left -= 1
            return left >= 0
        }
    }
}

extension CommandLineTests.FaultTests {
    /// Like `withScene`, with the cluster itself.
    fileprivate func withFaults(_ body: (Scene, EmbeddedCluster) async throws -> Void) async throws {
        try await withEmbeddedCluster(controllers: .api) { cluster in
            let access = try #require(try ClusterAccess.discover(kubeconfig: cluster.kubeconfig))
            let client = KubernetesClient(access: access)
            defer { client.shutDown() }
            try await Workspace.with { workspace in
                try await body(Scene(workspace: workspace.with("KUBECONFIG", cluster.kubeconfig), client: client), cluster)
            }
        }
    }

    /// Declares `shop`, automated, with these ConfigMaps, each `key: "1"`.
    fileprivate func declare(_ scene: Scene, _ maps: [String]) async throws {
        var files = ["environments/applications/shop.yaml": Workspace.application("shop")]
        for map in maps { files["environments/shop/\(map).yaml"] = Workspace.configMap(map, ["key": "1"]) }
        try await scene.workspace.push(files)
    }

    fileprivate func names(_ scene: Scene) async throws -> [String] {
        let maps = try await scene.client.resource(for: GroupKind(group: "", kind: "ConfigMap"))
        return try await scene.client.list(maps, namespace: "shop").items.compactMap { $0[path: "metadata", "name"]?.stringValue }
            .filter { $0 != "kube-root-ca.crt" }.sorted()
    }

    fileprivate func value(_ scene: Scene, _ name: String) async throws -> String? {
        try await scene.object("ConfigMap", name, namespace: "shop")?[path: "data", "key"]?.stringValue
    }

    fileprivate func change(_ scene: Scene, _ name: String, to value: String) async throws {
        let maps = try await scene.client.resource(for: GroupKind(group: "", kind: "ConfigMap"))
        _ = try await scene.client.patch(maps, namespace: "shop", name: name, type: .merge, patch: ["data": ["key": .string(value)]], options: WriteOptions(fieldManager: "hand"))
    }
}

extension EmbeddedCluster {
    fileprivate func intercept(_ answer: (@Sendable (APIRequest) async -> APIResponse?)?) {
        apiServer.interceptor.withLock { $0 = answer.map { APIServer.RequestInterceptor($0) } }
    }
}

extension APIRequest {
    fileprivate func isWrite(of resource: String) -> Bool { method == "PATCH" && segments.contains(resource) && !path.contains("reconciler-system") }
}

extension APIResponse {
    fileprivate static func status(_ code: Int, _ reason: String, _ message: String, headers: [String: String] = [:]) -> APIResponse {
        let body: JSONValue = [
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": .integer(Int64(code)), "reason": .string(reason), "message": .string(message),
        ]
        var response = APIResponse(status: code, body: .bytes(body.serialized()))
        response.headers = headers
        return response
    }
}
