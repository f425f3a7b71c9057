import Foundation
import KubernetesClient
import TestSupport
import Testing

/// The server that the suite runs against: the one of `RECONCILER_TEST_KUBECONFIG`, else an embedded cluster that lives as long
/// as the suite.
struct ServerUnderTest: SuiteTrait, TestScoping {
    @TaskLocal static var access: ClusterAccess?

    static var isEmbedded: Bool { ProcessInfo.processInfo.environment["RECONCILER_TEST_KUBECONFIG"]?.isEmpty ?? true }

    func provideScope(for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void) async throws {
        // Objects have to stay as the API server leaves them: no controllers that act on them.
        try await withCluster(controllers: .api) { cluster in
            let access = try ClusterAccess.discover(kubeconfig: try cluster.kubeconfigForTLS)
            try await Self.$access.withValue(access) { try await function() }
        }
    }
}

extension Trait where Self == ServerUnderTest {
    static var serverUnderTest: Self { ServerUnderTest() }
}
