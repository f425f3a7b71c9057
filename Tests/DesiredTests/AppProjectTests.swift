import ResourceModel
import Testing

@testable import Desired

@Suite struct AppProjectTests {
    private let place = SourceLocation(path: "project.yaml", line: 1)

    /// - Parameter spec: the fields of `spec`, indented by two; the first stands in line 5.
    private func decoded(_ spec: String) throws -> (project: AppProject?, problems: [Problem]) {
        AppProject.decode(try document("apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {name: p}\nspec:\n\(spec)"))
    }

    @Test(arguments: [
        (["*"], "https://git.example.com/a.git", true), ([], "https://git.example.com/a.git", false),
        (["https://git.example.com/*"], "https://git.example.com/a.git", true),
        (["https://git.example.com/*"], "https://git.example.com/group/a.git", false),
        (["https://git.example.com/**"], "https://git.example.com/group/a.git", true),
        (["https://git.example.com/A"], "https://git.example.com/a.git", true),
        (["*", "!https://git.example.com/secret"], "https://git.example.com/secret.git", false),
        (["!https://git.example.com/secret"], "https://git.example.com/a", false),
    ])
    func permitsRepositories(_ patterns: [String], url: String, expected: Bool) {
        let project = AppProject(name: "p", location: place, sourceRepos: patterns)
        #expect(project.permits(repository: url) == expected)
    }

    @Test(arguments: [
        ([AppProject.Destination(server: "*", namespace: "*")], "shop", true),
        ([.init(server: "*", namespace: "shop-*")], "shop", false),
        ([.init(server: "*", namespace: "shop-*")], "shop-1", true),
        ([.init(server: "*", namespace: "!kube-system"), .init(server: "*", namespace: "*")], "kube-system", false),
        ([.init(server: "*", namespace: "!kube-system")], "shop", true),
        ([.init(server: "!https://kubernetes.default.svc", namespace: "*"), .init(server: "*", namespace: "*")], "shop", false),
        ([.init(name: "in-cluster", namespace: "shop")], "shop", true),
        ([.init(server: "https://other", namespace: "*")], "shop", false),
    ])
    func permitsDestinations(_ destinations: [AppProject.Destination], namespace: String, expected: Bool) {
        let project = AppProject(name: "p", location: place, destinations: destinations)
        let target = Application.Destination(server: "https://kubernetes.default.svc", namespace: namespace)
        #expect(project.permits(destination: target) == expected)
    }

    @Test func deniesClusterKindsAndAllowsNamespacedOnesByDefault() {
        let project = AppProject(name: "p", location: place)
        #expect(project.permits(GroupKind(group: "apps", kind: "Deployment"), name: "a", namespaced: true))
        #expect(!project.permits(GroupKind(group: "", kind: "Namespace"), name: "a", namespaced: false))
    }

    @Test func obeysListsOfKinds() {
        let project = AppProject(
            name: "p", location: place, clusterResourceWhitelist: [.init(group: "", kind: "Namespace", name: "shop-*")],
            clusterResourceBlacklist: [.init(group: "", kind: "Namespace", name: "shop-0")],
            namespaceResourceWhitelist: [.init(group: "*", kind: "*")],
            namespaceResourceBlacklist: [.init(group: "", kind: "Secret")])
        let namespace = GroupKind(group: "", kind: "Namespace")
        #expect(project.permits(namespace, name: "shop-1", namespaced: false))
        #expect(!project.permits(namespace, name: "shop-0", namespaced: false))
        #expect(!project.permits(namespace, name: "other", namespaced: false))
        #expect(!project.permits(GroupKind(group: "", kind: "Secret"), name: "x", namespaced: true))
        #expect(
            AppProject(name: "p", location: place, namespaceResourceWhitelist: []).permits(namespace, name: "x", namespaced: true)
                == false)
    }

    @Test func theImplicitDefaultPermitsEverything() {
        let project = AppProject.default
        #expect(project.permits(repository: "file:///srv/git"))
        #expect(project.permits(destination: .init(server: "https://kubernetes.default.svc", namespace: "")))
        #expect(project.permits(GroupKind(group: "x", kind: "Y"), name: "z", namespaced: false))
    }

    @Test func refusesWhatWouldChangeASyncAndIsNotSupported() throws {
        let (project, problems) = try decoded(
            """
              description: x
              roles: [{name: r}]
              syncWindows:
                - {kind: deny, schedule: '* * * * *', duration: 1h}
            """)
        #expect(project == nil)
        #expect(problems.map(\.description) == ["app.yaml:7: AppProject p: `spec.syncWindows` is not supported yet"])
    }

    /// Where a pattern denies, one that matches nothing would permit everything.
    @Test func refusesAPatternThatIsNone() throws {
        let (project, problems) = try decoded(
            """
              sourceRepos: ['*', '!https://git.example.com/[secret']
              destinations:
                - {server: '*', namespace: '!kube-{system'}
              namespaceResourceBlacklist:
                - {group: '', kind: 'Sec[ret'}
            """)
        #expect(project == nil)
        #expect(problems.map { $0.location?.line } == [5, 7, 9], "\(problems)")
        #expect(problems.allSatisfy { $0.code == "application.invalid-value" && $0.description.contains("without") }, "\(problems)")
    }
}
