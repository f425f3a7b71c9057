import EmbeddedCluster
import Foundation
import Glibc
import Logging
import ResourceModel

/// The cluster a test runs against.
package struct TestCluster: Sendable {
    /// Path of a kubeconfig.
    package let kubeconfig: String
    /// The embedded cluster; `nil` when the tests run against another API server.
    package let embedded: EmbeddedCluster?

    /// Path of one that knows no socket, for what has to go the way that leads to other machines.
    package var kubeconfigForTLS: String {
        get throws {
            let text = try String(contentsOfFile: kubeconfig, encoding: .utf8)
            var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            if let first = lines.firstIndex(of: "    extensions:"), let last = lines[first...].firstIndex(of: "users:") { lines.removeSubrange(first..<last) }
            guard embedded != nil else { return kubeconfig }
            guard !lines.contains(where: { $0.contains("api.sock") }) else { throw ClusterError(code: "test.kubeconfig", message: "\(kubeconfig) still names a socket") }
            try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: kubeconfig + "-tls"))
            return kubeconfig + "-tls"
        }
    }

    package init(kubeconfig: String, embedded: EmbeddedCluster?) {
        self.kubeconfig = kubeconfig
        self.embedded = embedded
    }
}

/// Runs `body` with a fresh embedded cluster in a scratch directory, which is gone afterwards. When `RECONCILER_TEST_KUBECONFIG` is
/// set, `body` gets that API server instead, and cleans up after itself.
package func withCluster<Result>(
    controllers: EmbeddedCluster.Controllers = .all, _ body: (TestCluster) async throws -> Result
) async throws -> Result {
    if let path = getenv("RECONCILER_TEST_KUBECONFIG").map({ String(cString: $0) }), !path.isEmpty {
        return try await body(TestCluster(kubeconfig: path, embedded: nil))
    }
    return try await withEmbeddedCluster(controllers: controllers) { cluster in
        try await body(TestCluster(kubeconfig: cluster.kubeconfig, embedded: cluster))
    }
}

/// Runs `body` with a fresh embedded cluster, whatever the environment says.
package func withEmbeddedCluster<Result>(
    controllers: EmbeddedCluster.Controllers = .all, _ body: (EmbeddedCluster) async throws -> Result
) async throws -> Result {
    try await withClusterDirectory { directory in
        let cluster = try await EmbeddedCluster.start(directory: directory, controllers: controllers, logger: quietLogger)
        do {
            let result = try await body(cluster)
            try await cluster.stop()
            return result
        } catch {
            try await cluster.stop()
            throw error
        }
    }
}

/// Runs `body` with an empty directory that is removed afterwards.
package func withClusterDirectory<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    var template = Array("/tmp/reconciler-cluster-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
        throw ClusterError(code: "test.directory", message: "cannot make a scratch directory: \(String(cString: strerror(errno)))")
    }
    let path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    defer { try? FileManager.default.removeItem(atPath: path) }  // scratch files: nothing depends on their going
    return try await body(path)
}

private let quietLogger: Logger = {
    var logger = Logger(label: "test-cluster")
    logger.logLevel = .error
    return logger
}()
