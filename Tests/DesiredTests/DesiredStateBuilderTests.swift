import Foundation
import Git
import ResourceModel
import SystemPackage
import Testing

@testable import Desired

/// From a push to a desired state, over real Git repositories.
@Suite struct DesiredStateBuilderTests {
    /// A work tree with one commit of the files, and a builder that reads it as a remote.
    private func withRepository<Result>(
        _ files: [String: String], _ body: (GitWorkTree, DesiredStateBuilder) async throws -> Result
    ) async throws -> Result {
        try await withFiles(files) { root in
            try await withFiles([:]) { mirrors in
                let work = GitWorkTree(root: root)
                try work.initialise()
                let configuration = DesiredConfiguration(
                    repository: "file://\(root)", mirrors: mirrors, tools: toolsWithTestTools)
                return try await body(work, DesiredStateBuilder(configuration))
            }
        }
    }

    @Test func readsApplicationsAndRendersThemAtTheirOwnRevision() async throws {
        try await withRepository([
            "environments/apps.yaml": applicationYAML("web", path: "environments/web"), "environments/web/a.yaml": configMap("a"),
        ]) { work, builder in
            let revision = try await builder.fetchConfiguration()
            #expect(revision.commit == (try work.head()))
            let catalog = try await builder.applications(at: revision)
            #expect(catalog.problems.isEmpty)
            let application = try catalog.application(named: "web")
            #expect(application.origin == revision)
            try work.commit(["environments/web/b.yaml": configMap("b")])
            _ = try await builder.fetchConfiguration()
            let at = try await builder.fetch(application)
            #expect(at == revision, "`repoURL: .` stays at the revision that the application was read from")
            let state = try await builder.desiredState(of: application, at: at)
            #expect(state.revision == revision)
            #expect(state.manifests.map(\.id.description) == ["ConfigMap shop/a"])
        }
    }

    @Test func aCommitElsewhereUsesTheRenderAndTheCatalogAgain() async throws {
        try await withRepository([
            "environments/apps.yaml": applicationYAML("web", path: "environments/web"), "environments/web/a.yaml": configMap("a"),
        ]) { work, builder in
            for (index, file) in ["docs/x.yaml", "environments/other/b.yaml", "environments/web/b.yaml"].enumerated() {
                let revision = try await builder.fetchConfiguration()
                let application = try await builder.applications(at: revision).application(named: "web")
                let state = try await builder.desiredState(of: application, at: try await builder.fetch(application))
                #expect(state.revision.commit == revision.commit)
                #expect(builder.cache.statistics.hits == index)
                try work.commit([file: configMap("new")])
            }
            let state = try await builder.render(
                try await builder.applications(at: try await builder.fetchConfiguration()).application(named: "web"))
            #expect(state.manifests.map(\.id.name) == ["a", "new"])
        }
    }

    @Test func takesSourcesFromOtherRepositoriesAndRevisions() async throws {
        try await withFiles(["shared/b.yaml": configMap("b")]) { other in
            let otherWork = GitWorkTree(root: other)
            try otherWork.initialise()
            try otherWork.tag("v1.2.0")
            try otherWork.commit(["shared/b.yaml": configMap("later")])
            let several = """
                apiVersion: argoproj.io/v1alpha1
                kind: Application
                metadata: {name: web}
                spec:
                  sources:
                    - {repoURL: ., path: web}
                    - {repoURL: 'file://\(other)', path: shared, targetRevision: v1.2.0}
                  destination: {name: in-cluster, namespace: shop}
                """
            try await withRepository(["environments/apps.yaml": several, "web/a.yaml": configMap("a")]) { _, builder in
                let application = try await builder.applications(at: try await builder.fetchConfiguration()).application(named: "web")
                let state = try await builder.render(application)
                #expect(state.manifests.map(\.id.name) == ["a", "b"])
            }
        }
    }

    @Test func followsLinksAndRendersChartsFromACommit() async throws {
        try requireTool("helm")
        try await withRepository([
            "environments/apps.yaml": applicationYAML("web", path: "chart") + "---\n" + applicationYAML("links", path: "links")
                + "---\n" + applicationYAML("escape", path: "escape"),
            "chart/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0",
            "chart/templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-chart}", "links/a.yaml": "-> ../plain/a.yaml",
            "plain/a.yaml": configMap("plain"), "escape/a.yaml": "-> ../../../etc/passwd",
        ]) { _, builder in
            let catalog = try await builder.applications(at: try await builder.fetchConfiguration())
            let chart = try await builder.render(try catalog.application(named: "web"))
            #expect(chart.manifests.map(\.id.name) == ["from-chart"])
            let links = try await builder.render(try catalog.application(named: "links"))
            #expect(links.manifests.map(\.id.name) == ["plain"])
            let escape = try catalog.application(named: "escape")
            let error = await #expect(throws: Problems.self) { try await builder.render(escape) }
            #expect(error?.problems.map(\.code) == ["source.symlink-escape"])
        }
    }

    @Test func aRepositoryThatIsGoneIsAnErrorAndNotAnEmptyCatalog() async throws {
        try await withRepository(["environments/a.yaml": applicationYAML()]) { work, builder in
            try FileManager.default.removeItem(atPath: work.root.string)
            await #expect(throws: GitError.self) { try await builder.fetchConfiguration() }
        }
    }

    @Test func anUnknownRevisionOfASourceIsAnError() async throws {
        try await withRepository([
            "environments/a.yaml": applicationYAML(path: "x", source: "targetRevision: no-such-branch")
        ]) { _, builder in
            let application = try await builder.applications(at: try await builder.fetchConfiguration()).application(named: "web")
            await #expect(throws: GitError.self) { try await builder.fetch(application) }
        }
    }
}

/// A repository made with the `git` command.
struct GitWorkTree {
    let root: FilePath

    func initialise() throws {
        try git("init", "-q", "-b", "main")
        try git("add", "-A")
        try git("commit", "-q", "-m", "Begin")
    }

    func commit(_ files: [String: String]) throws {
        for (name, text) in files { try write(text, to: name, in: root) }
        try git("add", "-A")
        try git("commit", "-q", "-m", "Change")
    }

    func tag(_ name: String) throws { try git("tag", name) }
    func head() throws -> String { try git("rev-parse", "HEAD") }

    @discardableResult
    private func git(_ arguments: String...) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["git", "-C", root.string, "-c", "user.name=test", "-c", "user.email=test@example.com"] + arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "git \(arguments.joined(separator: " "))")
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
