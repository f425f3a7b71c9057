import Foundation
import ResourceModel
import SystemPackage
import TestSupport
import Testing
import YAML

@testable import Desired

/// Kustomize and Helm sources, rendered by the real tools.
@Suite struct ToolSourceTests {
    private let base = [
        "base/kustomization.yaml": "resources: [web.yaml]\nimages: [{name: web, newTag: \"1\"}]\n",
        "base/web.yaml": """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        spec:
          replicas: 1
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec: {containers: [{name: web, image: web}]}
        """,
        "overlay/kustomization.yaml": "resources: [../base]\nnamePrefix: pre-\n", "unrelated/broken.yaml": "a: [",
    ]

    @Test func buildsAnOverlayOnABase() async throws {
        try requireTool("kubectl")
        try await withFiles(base) { root in
            let state = try await render(applicationYAML(path: "overlay"), in: root)
            #expect(state.manifests.map(\.id.description) == ["apps/Deployment shop/pre-web"])
            #expect(state.manifests[0].source.path == "overlay/kustomization.yaml")
            #expect(state.manifests[0].body[path: "spec", "template", "spec"]?["containers"]?[0]?["image"] == "web:1")
        }
    }

    @Test func appliesTheApplicationsKustomizeOptions() async throws {
        try requireTool("kubectl")
        var files = base
        files["component/kustomization.yaml"] =
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: [{target: {kind: Deployment}, patch: '[{\"op\": \"add\", \"path\": \"/metadata/annotations\", \"value\": {\"component\": \"used\"}}]'}]\n"
        try await withFiles(files) { root in
            let state = try await render(
                applicationYAML(
                    path: "base",
                    source: """
                        kustomize:
                          namePrefix: a-
                          nameSuffix: -z
                          namespace: own
                          images: ["web=registry.example.com:5000/other:2"]
                          replicas: [{name: web, count: 4}]
                          commonLabels: {team: shop}
                          commonAnnotations: {app: $ARGOCD_APP_NAME}
                          commonAnnotationsEnvsubst: true
                          components: [../component, ../missing]
                          ignoreMissingComponents: true
                          patches:
                            - target: {kind: Deployment}
                              patch: '[{"op": "replace", "path": "/spec/paused", "value": true}]'
                        """), in: root)
            #expect(state.manifests.map(\.id.description) == ["apps/Deployment own/a-web-z"])
            let body = state.manifests[0].body
            #expect(body[path: "spec", "replicas"] == 4)
            #expect(body[path: "spec", "paused"] == true)
            #expect(body[path: "spec", "selector", "matchLabels", "team"] == "shop")
            #expect(body[path: "metadata", "annotations"] == ["app": "web", "component": "used"])
            #expect(body[path: "spec", "template", "spec"]?["containers"]?[0]?["image"] == "registry.example.com:5000/other:2")
        }
    }

    @Test func refusesToReplaceALabelUnlessForced() async throws {
        try requireTool("kubectl")
        var files = base
        files["base/kustomization.yaml"] = "resources: [web.yaml]\ncommonLabels: {team: a}\n"
        try await withFiles(files) { root in
            let options = "kustomize:\n  commonLabels: {team: b}\n"
            let problems = try await problemsOfRendering(applicationYAML(path: "base", source: options), in: root)
            #expect(problems.map(\.code) == ["source.kustomize-conflict"])
            let forced = try await render(applicationYAML(path: "base", source: options + "  forceCommonLabels: true"), in: root)
            #expect(forced.manifests[0].labels["team"] == "b")
        }
    }

    @Test func aFailingBuildSaysWhatKustomizeSaid() async throws {
        try requireTool("kubectl")
        try await withFiles(["app/kustomization.yaml": "commonLabels: {a: b}\nresources: [missing.yaml]"]) { root in
            let problems = try await problemsOfRendering(applicationYAML(), in: root)
            #expect(problems.map(\.code) == ["tool.failed"])
            #expect(problems[0].location?.path == "app/kustomization.yaml")
            #expect(problems[0].message.contains("missing.yaml"))
            #expect(!problems[0].message.contains("deprecated"), "what went wrong comes before what is merely old")
            #expect(!problems[0].message.contains("reconciler-render"), "\(problems)")
        }
        try await withFiles(["app/kustomization.yaml": "resources: [../../outside]"]) { root in
            let found1 = try await problemsOfRendering(applicationYAML(), in: root).map(\.code)
            #expect(found1 == ["source.path-escape"])
        }
    }

    // MARK: Helm

    private let chart = [
        "chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
        "chart/values.yaml": "a: chart\nb: chart\nc: chart\nd: chart\n",
        "chart/file.yaml": "b: file\nc: file\nd: file\n", "chart/values/x.yaml": "x: one\n", "chart/values/y.yaml": "x: two\n",
        "chart/crds/crd.yaml":
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: gates.example.com}\nspec: {group: example.com, scope: Cluster, names: {kind: Gate}}\n",
        "chart/templates/config.yaml": """
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: {{ .Release.Name }}
        data:
          namespace: {{ .Release.Namespace }}
          values: {{ .Values | toJson | quote }}
          kube: {{ .Capabilities.KubeVersion.Version | quote }}
        """,
        "chart/templates/tests/test.yaml":
            "apiVersion: v1\nkind: Pod\nmetadata: {name: test, annotations: {helm.sh/hook: test}}\n",
    ]

    /// The `values` that the chart saw.
    private func values(_ helm: String, in root: FilePath) async throws -> JSONValue {
        let source = "helm:\n" + helm.split(separator: "\n").map { "  \($0)\n" }.joined()
        let state = try await render(applicationYAML(path: "chart", source: source), in: root)
        let config = try #require(state.manifests.first { $0.id.kind == "ConfigMap" })
        return try JSONValue(parsing: Array(try #require(config.body[path: "data", "values"]?.stringValue).utf8))
    }

    @Test func rendersAChartAndNamesItsFiles() async throws {
        try requireTool("helm")
        try await withFiles(chart) { root in
            let state = try await render(applicationYAML(path: "chart"), in: root)
            #expect(
                state.manifests.map { "\($0.id) \($0.source)" } == [
                    "apiextensions.k8s.io/CustomResourceDefinition gates.example.com chart/crds/crd.yaml",
                    "ConfigMap shop/web chart/templates/config.yaml", "Pod shop/test chart/templates/tests/test.yaml",
                ])
            #expect(state.manifests[1].body[path: "data", "namespace"] == "shop")
            let fewer = try await render(
                applicationYAML(
                    path: "chart",
                    source: "helm: {releaseName: other, namespace: nn, skipCrds: true, skipTests: true, kubeVersion: 1.30.1}"),
                in: root)
            #expect(fewer.manifests.map(\.id.description) == ["ConfigMap shop/other"])
            #expect(fewer.manifests[0].body[path: "data", "namespace"] == "nn")
            #expect(fewer.manifests[0].body[path: "data", "kube"] == "v1.30.1")
        }
    }

    @Test func laterValuesWinInArgoCDsOrder() async throws {
        try requireTool("helm")
        try await withFiles(chart) { root in
            let seen = try await values(
                """
                valueFiles: [file.yaml]
                values: "c: ignored"
                valuesObject: {c: object, d: object}
                parameters: [{name: d, value: "p,q"}, {name: s, value: "1", forceString: true}, {name: i, value: "1"}, {name: l, value: "{x,y}"}]
                fileParameters: [{name: f, path: values/x.yaml}]
                """, in: root)
            #expect(
                seen == [
                    "a": "chart", "b": "file", "c": "object", "d": "p,q", "s": "1", "i": 1, "l": ["x", "y"], "f": "x: one\n",
                ])
        }
    }

    @Test func findsValueFilesByGlobRootAndReference() async throws {
        try requireTool("helm")
        var files = chart
        files["config/root.yaml"] = "r: root"
        try await withFiles(files) { root in
            let found2 = try await values("valueFiles: [values/*.yaml, /config/root.yaml]", in: root)["x"]
            #expect(found2 == "two")
            let found3 = try await values("valueFiles: [values/*.yaml, /config/root.yaml, ../config/root.yaml]", in: root)["r"]
            #expect(found3 == "root")
            let found4 = try await values("valueFiles: [none.yaml]\nignoreMissingValueFiles: true", in: root)["a"]
            #expect(found4 == "chart")
            let missing = try await problemsOfRendering(
                applicationYAML(path: "chart", source: "helm: {valueFiles: [none.yaml]}"), in: root)
            #expect(missing.map(\.code) == ["source.value-file-missing"])
            let several = """
                apiVersion: argoproj.io/v1alpha1
                kind: Application
                metadata: {name: web}
                spec:
                  sources:
                    - {repoURL: ., path: chart, helm: {valueFiles: [$config/config/root.yaml], skipCrds: true, skipTests: true}}
                    - {repoURL: ., ref: config}
                    - {repoURL: ., path: plain}
                  destination: {name: in-cluster, namespace: shop}
                """
            try write(configMap("web", "values: replaced"), to: "plain/a.yaml", in: root)
            let state = try await render(several, in: root)
            #expect(state.manifests.map { $0.body[path: "data", "values"] } == ["replaced"])
            #expect(state.warnings.map(\.code) == ["RepeatedResourceWarning"])
        }
    }

    @Test func takesOverridesThatLieInGit() async throws {
        try requireTool("helm")
        var files = chart
        files["chart/.argocd-source.yaml"] = "helm: {parameters: [{name: a, value: all}]}"
        files["chart/.argocd-source-web.yaml"] = "helm: {parameters: [{name: a, value: web}]}"
        try await withFiles(files) { root in
            let found5 = try await values("skipCrds: true", in: root)["a"]
            #expect(found5 == "web")
            try write("repoURL: https://elsewhere", to: "chart/.argocd-source.yaml", in: root)
            let problems = try await problemsOfRendering(applicationYAML(path: "chart"), in: root)
            #expect(problems.map { $0.location?.path } == ["chart/.argocd-source.yaml"])
        }
    }

    @Test func buildsDependenciesThatLieInTheRepository() async throws {
        try requireTool("helm")
        var files = chart
        files["chart/Chart.yaml"]! += "dependencies: [{name: lib, version: 1.0.0, repository: 'file://../lib'}]\n"
        files["lib/Chart.yaml"] = "apiVersion: v2\nname: lib\nversion: 1.0.0\n"
        files["lib/templates/lib.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-lib}\n"
        try await withFiles(files) { root in
            let state = try await render(applicationYAML(path: "chart"), in: root)
            #expect(state.manifests.contains { $0.id.name == "from-lib" })
        }
    }

    @Test func aFailingChartSaysWhatHelmSaid() async throws {
        try requireTool("helm")
        var files = chart
        files["chart/templates/config.yaml"] = "{{ fail \"a value is needed\" }}"
        try await withFiles(files) { root in
            let problems = try await problemsOfRendering(applicationYAML(path: "chart"), in: root)
            #expect(problems.map(\.code) == ["tool.failed"])
            #expect(problems[0].message.contains("a value is needed") && !problems[0].message.contains("--debug"), "\(problems)")
        }
    }

    @Test func aChartThatRendersNoManifestNamesTheTemplate() async throws {
        try requireTool("helm")
        var files = chart
        files["chart/templates/config.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {labels: {a: 1}}\n"
        try await withFiles(files) { root in
            let problems = try await problemsOfRendering(applicationYAML(path: "chart"), in: root)
            #expect(Set(problems.map { $0.location?.path }) == ["chart/templates/config.yaml"])
            #expect(problems.count == 2)
        }
    }

    // MARK: Tools

    @Test(arguments: [("Chart.yaml", "helm", "helm.sh"), ("kustomization.yaml", "kustomize", "kubectl")])
    func aMissingToolSaysWhatToInstall(_ file: String, tool: String, install: String) async throws {
        try await withFiles(["app/\(file)": "name: x"]) { root in
            let problems = try await problemsOfRendering(
                applicationYAML(), in: root, tools: ToolConfiguration(searchPath: "/nonexistent"))
            #expect(problems.map(\.code) == ["tool.missing"])
            #expect(problems[0].message.contains("`\(tool)`"))
            #expect(problems[0].hint?.contains(install) == true)
        }
    }

    /// A stand-in is needed where the real tool cannot be made to hang or to print without end.
    @Test(arguments: [
        ("exec sleep 600", "tool.timeout"), ("yes", "tool.output-limit"), ("env >&2; exit 3", "tool.failed"),
        ("echo 'a: [1'", "yaml.syntax"),
    ])
    func limitsWhatAToolMayDo(_ script: String, code: String) async throws {
        try await withFiles(["app/Chart.yaml": "name: x", "bin/other": ""]) { root in
            try writeProgram("#!/bin/sh\n\(script)\n", to: root.appending("bin/helm").string)
            let tools = ToolConfiguration(
                searchPath: root.appending("bin").string + ":/usr/bin:/bin",
                timeLimit: .milliseconds(code == "tool.timeout" ? 300 : 120_000),
                outputLimit: 1 << 20, scratchParent: root.appending("scratch"))
            try FileManager.default.createDirectory(atPath: root.appending("scratch").string, withIntermediateDirectories: true)
            let clock = ContinuousClock()
            let start = clock.now
            let problems = try await problemsOfRendering(applicationYAML(), in: root, tools: tools)
            #expect(problems.map(\.code) == [code])
            #expect(clock.now - start < .seconds(120), "the limit was not kept")
            if code == "tool.failed" {
                #expect(problems[0].message.contains("HOME="))
                #expect(!problems[0].message.contains("USER="), "the caller's environment must not reach the tool")
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: root.appending("scratch").string)
            #expect(left.isEmpty)
        }
    }

    @Test func linksOutOfTheRepositoryAreNotCopied() async throws {
        try requireTool("helm")
        var files = chart
        files["chart/templates/secret.yaml"] = "-> /etc/passwd"
        try await withFiles(files) { root in
            let found6 = try await problemsOfRendering(applicationYAML(path: "chart"), in: root).map(\.code)
            #expect(found6 == ["source.symlink-escape"])
        }
    }
}
