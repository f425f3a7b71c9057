import ResourceModel
import Testing

@testable import Desired

@Suite struct ValidationTests {
    private func problems(_ files: [String: String]) async throws -> [String] {
        try await withFiles(files) { root in
            try await OfflineRepository(directory: root, root: root, tools: toolsWithTestTools).validate().map {
                "\($0.location?.description ?? "") \($0.code)"
            }
        }
    }

    @Test func collectsTheProblemsOfAllFilesAndApplicationsOnce() async throws {
        let found = try await problems([
            "apps/a.yaml": applicationYAML("a", path: "a"), "apps/b.yaml": applicationYAML("b", path: "b", spec: "projekt: x"),
            "apps/c.yaml": applicationYAML("c", path: "missing"),
            "apps/d.yaml": applicationYAML("d", path: "d", spec: "project: none"),
            "a/broken.yaml": "kind: [1\n", "a/no-name.yaml": "apiVersion: v1\nkind: ConfigMap\n", "d/a.yaml": configMap("d"),
            "unused/broken.yaml": "\ta: 1\n",
        ])
        #expect(
            found == [
                "a/broken.yaml:2 yaml.syntax", "a/no-name.yaml:1 manifest.missing-field",
                "apps/b.yaml:12 application.unknown-field",
                "apps/c.yaml:6 source.path-missing", "apps/d.yaml:1 project.not-found", "unused/broken.yaml:1 yaml.syntax",
            ])
    }

    @Test func namesObjectsThatTwoApplicationsDeclare() async throws {
        let files = [
            "apps/a.yaml": applicationYAML("a", path: "a"), "apps/b.yaml": applicationYAML("b", path: "b"),
            "apps/c.yaml": applicationYAML("c", path: "b", namespace: "other"), "a/x.yaml": configMap("x"),
            "b/x.yaml": configMap("x"),
        ]
        #expect(try await problems(files) == ["b/x.yaml:1 application.shared-object"])
    }

    @Test func checksWhatProjectsPermit() async throws {
        let project = """
            apiVersion: argoproj.io/v1alpha1
            kind: AppProject
            metadata: {name: strict}
            spec:
              sourceRepos: ['*']
              destinations: [{server: '*', namespace: shop}]
            """
        let found = try await problems([
            "project.yaml": project, "apps/a.yaml": applicationYAML("a", path: "a", spec: "project: strict"),
            "apps/b.yaml": applicationYAML("b", path: "b", spec: "project: strict", namespace: "other"),
            "a/x.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}", "b/x.yaml": configMap("x"),
        ])
        #expect(found == ["a/x.yaml:1 project.kind-forbidden", "apps/b.yaml:1 project.destination-forbidden"])
    }

    @Test func saysWhatItCouldNotCheck() async throws {
        let elsewhere = applicationYAML("a", path: "a").replacing("repoURL: .", with: "repoURL: https://git.example.com/a.git")
        let other = applicationYAML("b", path: "a", source: "targetRevision: v1")
        try await withFiles(["a.yaml": elsewhere, "b.yaml": other]) { root in
            let found = try await OfflineRepository(directory: root, root: root).validate()
            #expect(found.map(\.code) == ["source.not-checked", "source.not-checked"])
            #expect(found.allSatisfy { $0.severity == .warning })
        }
    }
}
