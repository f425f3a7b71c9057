import ResourceModel
import SystemPackage
import Testing

@testable import Desired

@Suite struct CatalogTests {
    private func catalog(_ files: [String: String], path: String = "") async throws -> ApplicationCatalog {
        try await withFiles(files) { try await ApplicationCatalog.read(DirectoryFileTree(root: $0), path: path, origin: nil) }
    }

    @Test func findsApplicationsWhereverTheyLie() async throws {
        let catalog = try await catalog([
            "apps/a.yaml": applicationYAML("a") + "\n---\n" + applicationYAML("b"), "deep/er/c.yml": applicationYAML("c"),
            "json/d.json":
                #"{"apiVersion":"argoproj.io/v1alpha1","kind":"Application","metadata":{"name":"d"},"spec":{"source":{"repoURL":".","path":"x"},"destination":{"name":"in-cluster"}}}"#,
            "list.yaml": """
            apiVersion: v1
            kind: List
            items:
            - apiVersion: argoproj.io/v1alpha1
              kind: AppProject
              metadata: {name: p}
            """,
            "README.md": "argoproj.io/ kind: Application", "other.yaml": configMap("x"),
        ])
        #expect(catalog.applications.map(\.name) == ["a", "b", "c", "d"])
        #expect(catalog.projects.map(\.name) == ["p"])
        #expect(catalog.problems.isEmpty)
        #expect(catalog.isComplete)
        #expect(catalog.applications[1].location.path == "apps/a.yaml")
        #expect(try catalog.application(named: "c").name == "c")
    }

    @Test func doesNotReadHelmTemplatesAsManifests() async throws {
        let catalog = try await catalog([
            "chart/Chart.yaml": "name: c\nversion: 1.0.0",
            "chart/templates/app.yaml": "{{ if x }}\napiVersion: argoproj.io/v1alpha1\nkind: Application\n{{ end }}",
            "templates/app.yaml": applicationYAML("a"),
        ])
        #expect(catalog.applications.map(\.name) == ["a"])
        #expect(catalog.problems.isEmpty)
    }

    @Test func reportsEveryProblemAndKeepsTheOthers() async throws {
        let catalog = try await catalog([
            "a.yaml": applicationYAML("good"), "b.yaml": "# argoproj.io/\na: [1",
            "c.yaml": applicationYAML("bad", spec: "projct: x"),
            "d.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: set}",
            "e.yaml": "apiVersion: argoproj.io/v2\nkind: Application",
        ])
        #expect(catalog.applications.map(\.name) == ["good"])
        #expect(catalog.problems.map { $0.location?.path } == ["b.yaml", "c.yaml", "d.yaml", "e.yaml"])
        #expect(
            catalog.problems.map(\.code) == [
                "yaml.syntax", "application.unknown-field", "application-set.unsupported", "application.unknown-version",
            ])
        #expect(!catalog.isComplete)
        #expect(throws: Problems.self) { try catalog.application(named: "bad") }
    }

    @Test func refusesTwoApplicationsWithOneNameAndSaysWhere() async throws {
        let catalog = try await catalog(["a.yaml": applicationYAML("web"), "b/b.yaml": applicationYAML("web")])
        #expect(catalog.applications.isEmpty)
        #expect(catalog.problems.map(\.code) == ["application.duplicate-name"])
        #expect(catalog.problems[0].message.contains("a.yaml:1 and b/b.yaml:1"))
        #expect(throws: Problems.self) { try catalog.application(named: "web") }
    }

    @Test func aNameThatIsNotDeclaredIsAnErrorWithASuggestion() async throws {
        let catalog = try await catalog(["a.yaml": applicationYAML("canary")])
        let error = #expect(throws: Problems.self) { try catalog.application(named: "canray") }
        #expect(error?.description.contains("did you mean `canary`?") == true)
    }

    @Test func aMissingPathIsAnError() async throws {
        await #expect(throws: Problem.self) { try await catalog(["a.yaml": "a: 1"], path: "environments") }
    }
}
