import ResourceModel
import Testing

@Suite struct ResourceSelectionTests {
    private static func change(
        _ kind: String, _ name: String, group: String = "", namespace: String? = "shop", labels: [String: String] = [:], wave: Int? = nil
    ) -> Change {
        var body: JSONValue = ["metadata": ["name": .string(name)]]
        for (key, value) in labels { body[path: "metadata", "labels", key] = .string(value) }
        if let wave { body[path: "metadata", "annotations", "argocd.argoproj.io/sync-wave"] = .string("\(wave)") }
        let id = ResourceID(group: group, kind: kind, namespace: namespace, name: name)
        let manifest = Manifest(id: id, apiVersion: "v1", body: body, source: SourceLocation(path: "a.yaml", line: 1))
        return Change(id: id, action: .create, manifest: manifest)
    }

    @Test(arguments: [
        (":ConfigMap:settings", true), ("*:ConfigMap:settings", true), ("apps:ConfigMap:settings", false), (":ConfigMap:shop/settings", true),
        (":ConfigMap:other/settings", false), (":ConfigMap:*", true), (":Secret:*", false), (":configmap:settings", false),
        ("configmap/settings", true), ("ConfigMap/settings", true), ("configmaps/settings", true), ("configmap/shop/settings", true),
        ("configmap/other/settings", false), ("secret/settings", false), ("configmap/sett*", true), ("configmap.apps/settings", false),
        ("!:ConfigMap:settings", false), ("!:ConfigMap:other", true),
    ])
    func resourcesAreNamedAsArgoCDAndKubectlDo(_ text: String, _ isChosen: Bool) throws {
        let selection = ResourceSelection(resources: [try ResourcePattern(text)])
        #expect(selection.selects(Self.change("ConfigMap", "settings")) == isChosen)
    }

    @Test(arguments: [("deployment.apps/web", true), ("deploy.apps/web", false), ("deployment/web", true), ("deployment.extensions/web", false)])
    func aGroupMayFollowTheKind(_ text: String, _ isChosen: Bool) throws {
        #expect(try ResourcePattern(text).matches(ResourceID(group: "apps", kind: "Deployment", namespace: "shop", name: "web")) == isChosen)
    }

    @Test(arguments: [("networkpolicies/a", "NetworkPolicy"), ("ingresses/a", "Ingress"), ("endpoints/a", "Endpoints"), ("gateways/a", "Gateway")])
    func pluralsAreTaken(_ text: String, _ kind: String) throws {
        #expect(try ResourcePattern(text).matches(ResourceID(group: "", kind: kind, namespace: nil, name: "a")))
    }

    @Test func aNameMayHoldColons() throws {
        let id = ResourceID(group: "rbac.authorization.k8s.io", kind: "ClusterRole", namespace: nil, name: "system:node:a")
        #expect(try ResourcePattern("rbac.authorization.k8s.io:ClusterRole:system:node:a").matches(id))
        #expect(try ResourcePattern(exactly: id).matches(id))
    }

    @Test(arguments: ["", "web", "a:b", "a:b:[", "/web["])
    func whatNamesNoResourceIsRefused(_ text: String) {
        #expect(throws: Problem.self) { try ResourcePattern(text) }
    }

    @Test func exclusionsWinOverEverything() throws {
        let selection = ResourceSelection(resources: [try ResourcePattern(":ConfigMap:*"), try ResourcePattern("!:ConfigMap:b")])
        #expect(selection.selects(Self.change("ConfigMap", "a")) && !selection.selects(Self.change("ConfigMap", "b")))
        #expect(!selection.selects(Self.change("Secret", "a")))
    }

    @Test func labelsAndWavesMustAllFit() throws {
        let selection = ResourceSelection(labels: try LabelSelector(parsing: "app=web,tier!=db"), waves: [1, 2])
        #expect(selection.selects(Self.change("Pod", "a", labels: ["app": "web"], wave: 2)))
        #expect(!selection.selects(Self.change("Pod", "a", labels: ["app": "web"], wave: 0)))
        #expect(!selection.selects(Self.change("Pod", "a", labels: ["app": "web", "tier": "db"], wave: 1)))
        #expect(!selection.selects(Self.change("Pod", "a", wave: 1)))
        #expect(selection.description == "label app=web,tier notin (db), wave 1, wave 2")
    }

    @Test func nothingChosenMeansEverything() {
        #expect(ResourceSelection().isWhole && ResourceSelection().selects(Self.change("Pod", "a")))
    }
}
