import Foundation
import ResourceModel
import TestSupport
import Testing

@testable import EmbeddedCluster

/// Real kubectl and helm against a cluster of this test's own.
struct KubectlSession: Sendable {
    let cluster: EmbeddedCluster
    /// Scratch directory: HOME of the tools.
    let directory: String
    private let environment: [String: String]

    var client: LocalClient { cluster.client(name: "test") }

    /// Runs `body` with a fresh cluster whose workloads are quick to start again.
    static func with(
        controllers: EmbeddedCluster.Controllers = .all, _ body: (KubectlSession) async throws -> Void
    ) async throws {
        try await withScratchDirectory { directory in
            var workloads = WorkloadConfiguration()
            workloads.restartBackoff = .milliseconds(100)
            let cluster = try await EmbeddedCluster.start(
                directory: directory + "/cluster", controllers: controllers, workloads: workloads)
            do {
                try await body(KubectlSession(cluster: cluster, directory: directory))
            } catch {
                try await cluster.stop()
                throw error
            }
            try await cluster.stop()
        }
    }

    private init(cluster: EmbeddedCluster, directory: String) {
        self.cluster = cluster
        self.directory = directory
        environment = [
            "HOME": directory, "KUBECONFIG": cluster.kubeconfig, "TMPDIR": directory, "KUBE_EDITOR": directory + "/editor",
            "KUBECTL_APPLYSET": "true",
        ]
    }

    func tool(_ name: String) throws -> LocalTool { try LocalTool.named(name, environment: environment) }

    /// Runs kubectl and expects success; returns what it printed.
    @discardableResult
    func kubectl(_ arguments: String..., input: String = "", sourceLocation: Testing.SourceLocation = #_sourceLocation)
        async throws -> String
    {
        let output = try await tool("kubectl").run(arguments, input: input)
        #expect(
            output.status == 0, "kubectl \(arguments.joined(separator: " ")): \(output.errors)", sourceLocation: sourceLocation)
        return output.text
    }

    /// Runs kubectl and expects it to fail; returns what it complained of.
    func refused(_ arguments: String..., input: String = "", sourceLocation: Testing.SourceLocation = #_sourceLocation)
        async throws -> String
    {
        let output = try await tool("kubectl").run(arguments, input: input)
        #expect(
            output.status != 0, "kubectl \(arguments.joined(separator: " ")) succeeded: \(output.text)",
            sourceLocation: sourceLocation)
        return output.errors
    }

    @discardableResult
    func helm(_ arguments: String..., sourceLocation: Testing.SourceLocation = #_sourceLocation) async throws -> String {
        let output = try await tool("helm").run(arguments)
        #expect(output.status == 0, "helm \(arguments.joined(separator: " ")): \(output.errors)", sourceLocation: sourceLocation)
        return output.text
    }

    /// Writes a file below the scratch directory; returns its path.
    @discardableResult
    func file(_ name: String, _ text: String, executable: Bool = false) throws -> String {
        let path = directory + "/" + name
        try FileManager.default.createDirectory(
            atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
        if executable { try writeProgram(text, to: path) } else { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }
        return path
    }

    func object(_ apiVersion: String, _ kind: String, _ name: String, namespace: String = "default") throws -> JSONValue {
        let type = try client.resource(apiVersion, kind)
        return try #require(
            client.get(type, namespace: type.isNamespaced ? namespace : nil, name: name), "no \(kind) \(namespace)/\(name)")
    }

    func exists(_ apiVersion: String, _ kind: String, _ name: String, namespace: String = "default") throws -> Bool {
        let type = try client.resource(apiVersion, kind)
        return client.get(type, namespace: type.isNamespaced ? namespace : nil, name: name) != nil
    }

    /// A Deployment whose pods only sleep.
    static func deployment(_ name: String, replicas: Int = 1, version: String = "1") -> String {
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: \(name), labels: {app: \(name)}}
        spec:
          replicas: \(replicas)
          selector: {matchLabels: {app: \(name)}}
          template:
            metadata: {labels: {app: \(name)}}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
              - {name: main, image: "local/\(name):\(version)", command: [sh, -c, "echo version \(version); exec sleep 600"]}
        """
    }
}
