import ResourceModel
import SystemPackage
import Testing

@testable import Desired

@Suite struct RenderCacheTests {
    private func states(
        _ files: [String: String], _ text: String, change: (FilePath) throws -> Void
    ) async throws -> (hits: Int, before: DesiredState, after: DesiredState) {
        try await withFiles(files) { root in
            let cache = RenderCache()
            let renderer = Renderer(tools: toolsWithTestTools, cache: cache)
            let application = try decoded(text)
            let revision = Revision(repository: "r", ref: "main", commit: "c", author: "", subject: "", committedAt: 0)
            let trees = {
                application.sources.map { _ in (tree: DirectoryFileTree(root: root) as any FileTree, revision: Optional(revision))
                }
            }
            let before = try await renderer.desiredState(of: application, from: trees(), revision: revision)
            try change(root)
            let after = try await renderer.desiredState(of: application, from: trees(), revision: revision)
            return (cache.statistics.hits, before, after)
        }
    }

    @Test func aChangeElsewhereUsesTheRenderAgain() async throws {
        let result = try await states(["app/a.yaml": configMap("a"), "other/b.yaml": configMap("b")], applicationYAML()) {
            try write(configMap("c"), to: "other/b.yaml", in: $0)
        }
        #expect(result.hits == 1)
        #expect(result.before == result.after)
    }

    @Test func aChangedInputRendersAnew() async throws {
        let result = try await states(["app/a.yaml": configMap("a")], applicationYAML()) {
            try write(configMap("b"), to: "app/b.yaml", in: $0)
        }
        #expect(result.hits == 0)
        #expect(result.after.manifests.map(\.id.name) == ["a", "b"])
        #expect(result.before.digest != result.after.digest)
    }

    @Test func aFileThatWasMissingBeforeIsAnInputToo() async throws {
        try requireTool("helm")
        let files = [
            "chart/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0", "config/README.md": "x",
            "chart/templates/a.yaml":
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Values.name | default \"none\" }}'}",
        ]
        let source = "helm: {valueFiles: [/config/values.yaml], ignoreMissingValueFiles: true}"
        let result = try await states(files, applicationYAML(path: "chart", source: source)) {
            try write("name: there", to: "config/values.yaml", in: $0)
        }
        #expect(result.before.manifests.map(\.id.name) == ["none"])
        #expect(result.after.manifests.map(\.id.name) == ["there"])
    }

    @Test func aKustomizationDependsOnItsBase() async throws {
        try requireTool("kubectl")
        let files = [
            "base/kustomization.yaml": "resources: [a.yaml]", "base/a.yaml": configMap("a"),
            "overlay/kustomization.yaml": "resources: [../base]",
        ]
        let result = try await states(files, applicationYAML(path: "overlay")) {
            try write(configMap("b"), to: "base/a.yaml", in: $0)
        }
        #expect(result.after.manifests.map(\.id.name) == ["b"])
    }
}
