import Foundation
import ResourceModel
import SystemPackage
import TestSupport
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

    // MARK: On disk

    private func render(_ files: FilePath, in root: FilePath, _ text: String = applicationYAML(), tools: ToolConfiguration = toolsWithTestTools)
        async throws -> (state: DesiredState, hits: Int)
    {
        // A cache of its own each time, as another process has one.
        let cache = RenderCache(files: RenderFiles(directory: files, tools: tools))
        let application = try decoded(text)
        let revision = Revision(repository: "r", ref: "main", commit: "c", author: "", subject: "", committedAt: 0)
        let trees = application.sources.map { _ in (tree: DirectoryFileTree(root: root) as any FileTree, revision: Optional(revision)) }
        let state = try await Renderer(tools: tools, cache: cache).desiredState(of: application, from: trees, revision: revision)
        await cache.finishStoring()
        return (state, cache.statistics.hits)
    }

    private static let odd = """
        apiVersion: example.org/v1
        kind: Odd
        metadata: {name: odd}
        spec: {big: 18446744073709551616, small: 1.50, text: "line\\nnext \\u00e9\\u2028", empty: {}, none: null, list: [[], [1]]}
        """

    @Test func anotherProcessUsesTheRenderAgain() async throws {
        try await withFiles(["app/a.yaml": configMap("a"), "app/odd.yaml": Self.odd, "other/b.yaml": configMap("b")]) { root in
            let files = root.appending("renders")
            let first = try await render(files, in: root)
            try write(configMap("c"), to: "other/b.yaml", in: root)
            let second = try await render(files, in: root)
            #expect((first.hits, second.hits) == (0, 1))
            #expect(first.state == second.state && first.state.manifests.map(\.source) == second.state.manifests.map(\.source))
            #expect(first.state.manifests.map(\.body.jsonString) == second.state.manifests.map(\.body.jsonString), "byte for byte")
            try write(configMap("d"), to: "app/a.yaml", in: root)
            let third = try await render(files, in: root)
            #expect(third.hits == 0 && third.state.digest != first.state.digest)
        }
    }

    @Test func whatIsKnownOfAKeptRenderNeedsNoManifests() async throws {
        try await withFiles(["app/a.yaml": configMap("a"), "app/odd.yaml": Self.odd]) { root in
            let files = root.appending("renders")
            let first = try await render(files, in: root).state
            let cache = RenderCache(files: RenderFiles(directory: files, tools: toolsWithTestTools))
            let renderer = Renderer(tools: toolsWithTestTools, cache: cache)
            let application = try decoded(applicationYAML())
            let trees = [(tree: DirectoryFileTree(root: root) as any FileTree, revision: Optional(first.revision))]
            let summary = try #require(try await renderer.summary(of: application, from: trees))
            #expect(summary.digest == first.digest && summary.count == 2 && summary.warnings.isEmpty)
            #expect(try await renderer.desiredState(of: application, from: trees, revision: first.revision) == first)
            #expect(try await renderer.summary(of: application, from: trees)?.count == 2)
            #expect(cache.statistics.hits == 3 && cache.statistics.misses == 0)
            try write(configMap("b"), to: "app/a.yaml", in: root)
            #expect(try await renderer.summary(of: application, from: trees) == nil)
            #expect(try await Renderer(tools: toolsWithTestTools, cache: nil).summary(of: application, from: trees) == nil)
        }
    }

    @Test(arguments: ["cut", "flipped", "emptied", "of another application"])
    func aDamagedFileIsMadeAnew(how: String) async throws {
        try await withFiles(["app/a.yaml": configMap("a")]) { root in
            let files = root.appending("renders")
            let first = try await render(files, in: root)
            let path = try #require(FileManager.default.contentsOfDirectory(atPath: files.string).first.map { files.appending($0).string })
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            switch how {
            case "cut": bytes.removeLast(20)
            case "flipped": bytes[bytes.count - 10] ^= 1
            case "emptied": bytes = Data()
            default:
                _ = try await render(files, in: root, applicationYAML().replacing("namespace: ", with: "namespace: other-"))
                bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            }
            try bytes.write(to: URL(fileURLWithPath: path))
            let second = try await render(files, in: root)
            #expect(second.hits == 0 && second.state == first.state)
            #expect(try await render(files, in: root).hits == 1)
        }
    }

    @Test func otherToolsRenderAnew() async throws {
        try await withFiles(["app/a.yaml": configMap("a"), "tools/other": ""]) { root in
            let files = root.appending("renders")
            _ = try await render(files, in: root)
            try writeProgram("#!/bin/sh\n", to: root.appending("tools/helm").string)
            let others = ToolConfiguration(searchPath: root.appending("tools").string)
            #expect(try await render(files, in: root, tools: others).hits == 0)
        }
    }

    @Test func whatIsStoredIsReadableByTheOwnerOnly() async throws {
        try await withFiles(["app/a.yaml": configMap("a")]) { root in
            let files = root.appending("renders")
            _ = try await render(files, in: root)
            let names = try FileManager.default.contentsOfDirectory(atPath: files.string)
            #expect(names.count == 1)
            for path in [files.string, files.appending(try #require(names.first)).string] {
                let mode = try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
                #expect(mode & 0o077 == 0)
            }
        }
    }
}
