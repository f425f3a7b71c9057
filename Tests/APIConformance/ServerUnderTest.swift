import Foundation
import KubernetesClient
import Testing

/// The server that the suite runs against: the one of `RECONCILER_TEST_KUBECONFIG`, else an embedded cluster that lives as long
/// as the suite.
struct ServerUnderTest: SuiteTrait, TestScoping {
    @TaskLocal static var access: ClusterAccess?

    static var kubeconfig: String? {
        ProcessInfo.processInfo.environment["RECONCILER_TEST_KUBECONFIG"].flatMap { $0.isEmpty ? nil : $0 }
    }

    static var isEmbedded: Bool { kubeconfig == nil }

    func provideScope(for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void) async throws {
        if let path = Self.kubeconfig {
            let access = try ClusterAccess.discover(kubeconfig: path)
            try await Self.$access.withValue(access) { try await function() }
        } else {
            try await function()
        }
    }
}

extension Trait where Self == ServerUnderTest {
    static var serverUnderTest: Self { ServerUnderTest() }
}
