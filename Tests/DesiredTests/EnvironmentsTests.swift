import ResourceModel
import Testing

@testable import Desired

/// The demo's own environments, checked as `reconciler validate environments` does.
@Suite struct EnvironmentsTests {
    private func repository() throws -> OfflineRepository {
        try requireTool("helm")
        try requireTool("kubectl")
        return try OfflineRepository(
            directory: packageRoot.appending("environments"), root: packageRoot, tools: toolsWithTestTools)
    }

    @Test func haveNoProblems() async throws {
        let found1 = try await repository().validate()
        #expect(found1 == [])
    }

    @Test(arguments: [
        ("canary", ["apps/Deployment canary/web", "ConfigMap canary/web", "Service canary/web"]),
        (
            "blue-green",
            [
                "apps/Deployment blue-green/web-blue", "apps/Deployment blue-green/web-green", "ConfigMap blue-green/web-blue",
                "ConfigMap blue-green/web-green", "Service blue-green/web",
            ]
        ),
        ("staging", ["apps/Deployment staging/web", "ConfigMap staging/web-fc6c2bckkb", "Service staging/web"]),
        (
            "production",
            ["apps/Deployment production/production", "ConfigMap production/production", "Service production/production"]
        ),
    ])
    func renderWhatTheyDeclare(_ name: String, objects: [String]) async throws {
        let repository = try repository()
        let application = try await repository.applications().application(named: name)
        #expect(application.syncPolicy.isAutomated)
        #expect(application.syncPolicy.syncOptions.createNamespace == true)
        let state = try await repository.desiredState(of: application)
        #expect(state.manifests.map(\.id.description).sorted() == objects.sorted())
    }
}
