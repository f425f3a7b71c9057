import ResourceModel
import Testing

@Suite struct DependencyTests {
    private func manifest(_ name: String, dependsOn text: String? = nil, namespace: String? = "shop", line: Int = 1, kind: String = "ConfigMap") -> Manifest {
        var body: JSONValue = ["metadata": ["name": .string(name)]]
        if let text { body[path: "metadata", "annotations", Dependency.annotation] = .string(text) }
        return Manifest(
            id: ResourceID(group: "", kind: kind, namespace: namespace, name: name), apiVersion: "v1", body: body,
            source: SourceLocation(path: "app/all.yaml", line: line))
    }

    private func on(_ name: String) -> String { "/namespaces/shop/ConfigMap/\(name)" }

    @Test func readsBothForms() throws {
        let annotations: JSONObject = [Dependency.annotation: "apps/namespaces/shop/Deployment/web, /Namespace/shop,rbac.authorization.k8s.io/ClusterRole/view"]
        #expect(
            try Dependency.references(in: annotations) == [
                ResourceID(group: "apps", kind: "Deployment", namespace: "shop", name: "web"),
                ResourceID(group: "", kind: "Namespace", namespace: nil, name: "shop"),
                ResourceID(group: "rbac.authorization.k8s.io", kind: "ClusterRole", namespace: nil, name: "view"),
            ])
        #expect(try Dependency.references(in: [:]).isEmpty)
    }

    @Test(arguments: ["", "web", "apps/Deployment", "apps/namespaces/shop/Deployment", "apps/namespace/shop/Deployment/web", "/namespaces//ConfigMap/a", "//a", "/Namespace/a,"])
    func refusesWhatNamesNoObject(_ text: String) {
        #expect(throws: Problem.self) { try Dependency.references(in: [Dependency.annotation: .string(text)]) }
        #expect(dependencyProblems(in: [manifest("a", dependsOn: text, line: 7)]).first?.location?.line == 7)
    }

    @Test func aDependencyMustBeDeclaredToo() {
        let problems = dependencyProblems(in: [manifest("a", dependsOn: on("b"), line: 3)])
        #expect(problems.map(\.code) == ["dependency.not-declared"])
        #expect(problems.first?.description.contains("app/all.yaml:3: ConfigMap shop/a: depends on ConfigMap shop/b, which this application does not declare") == true)
    }

    @Test func aCycleIsPrintedOnceFromItsLeastObject() {
        let problems = dependencyProblems(in: [
            manifest("c", dependsOn: on("a")), manifest("a", dependsOn: on("b"), line: 5), manifest("b", dependsOn: on("c")),
            manifest("outside", dependsOn: on("b")),
        ])
        #expect(problems.map(\.message) == ["dependency cycle: ConfigMap shop/a → ConfigMap shop/b → ConfigMap shop/c → ConfigMap shop/a"])
        #expect(problems.first?.location?.line == 5)
    }

    @Test func dependingOnOneselfIsACycle() {
        #expect(dependencyProblems(in: [manifest("a", dependsOn: on("a"))]).map(\.message) == ["dependency cycle: ConfigMap shop/a → ConfigMap shop/a"])
    }

    @Test func aDiamondIsNone() {
        let manifests = [
            manifest("top", dependsOn: "\(on("left")),\(on("right"))"), manifest("left", dependsOn: on("base")), manifest("right", dependsOn: on("base")),
            manifest("base"),
        ]
        #expect(dependencyProblems(in: manifests).isEmpty)
    }

    @Test func eitherNameWillDoWhereOnlyTheClusterKnowsTheScope() {
        var open = manifest("widget", namespace: nil, kind: "Widget")
        open.namespaceIfNamespaced = "shop"
        #expect(dependencyProblems(in: [open, manifest("a", dependsOn: "/namespaces/shop/Widget/widget")]).isEmpty)
        #expect(dependencyProblems(in: [open, manifest("a", dependsOn: "/Widget/widget")]).isEmpty)
    }
}
