import ResourceModel
import SystemPackage
import Testing

@testable import Desired

/// Which line of which file sets a field.
@Suite struct DeclarationsTests {
    /// `FILE:LINE MEANS` of a field.
    private func place(
        _ path: String, _ kind: String, _ name: String, _ application: String, _ files: [String: String], through: Bool = false
    ) async throws -> String {
        try await withFiles(files) { root in
            let state = try await render(application, in: root)
            let manifest = try #require(state.manifests.first { $0.id.kind == kind && $0.id.name == name }, "\(state.manifests.map(\.id))")
            let declarations = Declarations(application: try decoded(application), trees: [DirectoryFileTree(root: root)])
            let found = try await declarations.place(of: try #require(FieldPath(path)), in: manifest)
            return "\(found.location) \(found.precision.rawValue)" + (found.means.map { " \($0)" } ?? "") + (found.through.map { " \($0)" } ?? "")
        }
    }

    private static let deployment = """
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: web
        spec:
          replicas: 1
          selector:
            matchLabels: {app: web}
          template:
            metadata:
              labels: {app: web}
            spec:
              containers:
                - name: sidecar
                  image: proxy:1
                - name: web
                  image: shop:1
                  ports:
                    - containerPort: 80
        """

    @Test(arguments: [
        (".spec.replicas", "app/web.yaml:8 field"), (".spec.template.spec.containers[name=\"web\"].image", "app/web.yaml:19 field"),
        (".spec.template.spec.containers[name=\"web\"].ports[containerPort=80,protocol=\"TCP\"].containerPort", "app/web.yaml:21 field"),
        (".spec.template.spec.priority", "app/web.yaml:14 part"), (".metadata.labels.x", "app/web.yaml:5 part"),
    ])
    func inPlainManifestsTheVeryLine(_ path: String, _ expected: String) async throws {
        let text = "# two objects\n---\n" + Self.deployment + "\n---\n" + configMap("other")
        #expect(try await place(path, "Deployment", "web", applicationYAML(), ["app/web.yaml": text]) == expected)
    }

    @Test func inAListTheItemsOwnLine() async throws {
        let list = "apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: a}\n    data:\n      key: x\n  - apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: b}\n    data:\n      key: y\n"
        #expect(try await place(".data.key", "ConfigMap", "b", applicationYAML(), ["app/l.yaml": list]) == "app/l.yaml:13 field")
    }

    @Test(arguments: [
        (".spec.replicas", "overlay/kustomization.yaml:11 field replicas"),
        (".spec.template.spec.containers[name=\"web\"].image", "overlay/kustomization.yaml:8 field images"),
        (".spec.template.spec.containers[name=\"sidecar\"].image", "overlay/patch.yaml:10 field patch"),
        (".spec.template.spec.terminationGracePeriodSeconds", "overlay/kustomization.yaml:13 field patch"),
        (".spec.template.spec.containers[name=\"web\"].ports[containerPort=80].containerPort", "base/web.yaml:19 field"),
        (".metadata.namespace", "overlay/kustomization.yaml:1 field namespace"),
    ])
    func inAKustomizationWhatWinsInTheEnd(_ path: String, _ expected: String) async throws {
        try requireTool("kubectl")
        let overlay = """
            namespace: shop
            namePrefix: prod-
            resources:
              - ../base
            images:
              - name: shop
                # a comment
                newTag: "2"
            replicas:
              - name: web
                count: 3
            patches:
              - target: {kind: Deployment, name: web}
                patch: |
                  - {op: add, path: /spec/template/spec/terminationGracePeriodSeconds, value: 5}
              - path: patch.yaml
            """
        let patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      containers:\n        - name: sidecar\n          image: proxy:9\n"
        let files = ["base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": Self.deployment, "overlay/kustomization.yaml": overlay, "overlay/patch.yaml": patch]
        #expect(try await place(path, "Deployment", "prod-web", applicationYAML(path: "overlay"), files) == expected)
    }

    @Test func aGeneratedMapIsItsGenerators() async throws {
        try requireTool("kubectl")
        let files = ["app/kustomization.yaml": "configMapGenerator:\n  - name: settings\n    literals: [a=b]\ngeneratorOptions: {disableNameSuffixHash: true}\n"]
        #expect(try await place(".data.a", "ConfigMap", "settings", applicationYAML(), files) == "app/kustomization.yaml:2 part configMapGenerator")
    }

    @Test(arguments: [
        (".spec.replicas", "app/production.yaml:2 field values app/templates/web.yaml:6"), (".data.tag", "app/values.yaml:3 field values app/templates/web.yaml:12"),
        (".data.name", "app/templates/web.yaml:13 field template"), (".data.loop", "app/templates/web.yaml:0 file"),
    ])
    func inAChartTheValueThatTheTemplateTakesIn(_ path: String, _ expected: String) async throws {
        try requireTool("helm")
        let template = """
            # the workload
            apiVersion: v1
            kind: ReplicationController
            metadata: {name: web}
            spec:
              replicas: {{ .Values.count }}
            ---
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: settings}
            data:
              tag: {{ .Values.image.tag | quote }}
              name: {{ .Release.Name }}
            {{- range $name := list "loop" }}
              {{ $name }}: "x"
            {{- end }}
            """
        let files = [
            "app/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n", "app/templates/web.yaml": template, "app/values.yaml": "count: 1\nimage:\n  tag: \"1\"\n",
            "app/production.yaml": "# more\ncount: 3\n",
        ]
        let isWorkload = path.hasPrefix(".spec")
        let found = try await place(
            path, isWorkload ? "ReplicationController" : "ConfigMap", isWorkload ? "web" : "settings", applicationYAML(source: "helm:\n  valueFiles: [production.yaml]"), files)
        #expect(found == expected.replacing(":0 ", with: " "))
    }
}
