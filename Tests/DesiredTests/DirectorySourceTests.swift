import ResourceModel
import Testing

@testable import Desired

@Suite struct DirectorySourceTests {
    @Test func rendersTheDirectorysOwnFilesInOrderOfPath() async throws {
        try await withFiles([
            "app/b.yaml": configMap("b"), "app/a.yml": configMap("a1") + "---\n# nothing\n---\n" + configMap("a2"),
            "app/c.json": #"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "\ud83d\ude00"}}"#,
            "app/sub/d.yaml": configMap("d"), "app/README.md": "no", "app/.argocd-source.yaml": "{}",
        ]) { root in
            let state = try await render(applicationYAML(), in: root)
            #expect(state.manifests.map(\.id.name) == ["a1", "a2", "b", "c"])
            #expect(state.manifests.map(\.source.description) == ["app/a.yml:1", "app/a.yml:10", "app/b.yaml:1", "app/c.json:1"])
            #expect(state.manifests.allSatisfy { $0.id.namespace == "shop" && $0.body[path: "metadata", "namespace"] == "shop" })
            #expect(state.manifests[3].body[path: "data", "a"] == "😀")
            #expect(state.warnings.isEmpty)
            let again = try await render(applicationYAML(source: "directory: {recurse: true}"), in: root)
            #expect(again.manifests.map(\.id.name) == ["a1", "a2", "b", "c", "d"])
            #expect(again.digest != state.digest)
        }
    }

    @Test(
        arguments: [
            ("include: '*.yaml'", ["a", "x"]), ("exclude: '{sub/*,a.yaml}'", ["b"]),
            ("include: 'sub/**'\nexclude: '**/x.yaml'", []),
            ("disableExtensionFilter: true", ["a", "b", "plain", "x"]),
        ] as [(String, [String])])
    func includesAndExcludes(_ options: String, names: [String]) async throws {
        try await withFiles([
            "app/a.yaml": configMap("a"), "app/b.yml": configMap("b"), "app/plain": configMap("plain"),
            "app/sub/x.yaml": configMap("x"),
        ]) { root in
            let source = "directory:\n  recurse: true\n" + options.split(separator: "\n").map { "  \($0)\n" }.joined()
            let state = try await render(applicationYAML(source: source), in: root)
            #expect(state.manifests.map(\.id.name) == names)
        }
    }

    /// More files than are parsed by one task: they stay in order, and every problem is told.
    @Test func rendersManyFilesInOrderOfPath() async throws {
        func path(_ number: Int) -> String { "app/\(1000 + number).yaml" }
        var files = Dictionary(uniqueKeysWithValues: (0..<300).map { (path($0), configMap("c\($0)")) })
        try await withFiles(files) { root in
            let names = try await render(applicationYAML(), in: root).manifests.map(\.id.name)
            #expect(names == (0..<300).map { "c\($0)" })
        }
        for broken in [7, 130, 299] { files[path(broken)] = "apiVersion: v1\nkind: [" }
        try await withFiles(files) { root in
            let error = await #expect(throws: Problems.self) { try await render(applicationYAML(), in: root) }
            let paths = error?.problems.compactMap(\.location?.path)
            #expect(paths == [7, 130, 299].map(path))
        }
    }

    @Test func leavesOutFilesWithTheMarker() async throws {
        try await withFiles([
            "app/a.yaml": configMap("a"), "app/values.yaml": "# +argocd:skip-file-rendering\nreplicas: [",
            "app/b.yaml": configMap("b"),
        ]) {
            let found1 = try await render(applicationYAML(), in: $0).manifests.map(\.id.name)
            #expect(found1 == ["a", "b"])
        }
    }

    @Test func warnsOfFilesThatHoldNoObject() async throws {
        let files = [
            "app/a.yaml": configMap("a"), "app/values.yaml": "replicas: 1", "app/broken.yaml": "a: [",
            "app/cut-off.yaml": "apiVe", "app/empty.yaml": "# nothing\n",
        ]
        try await withFiles(files) { root in
            let state = try await render(applicationYAML(), in: root)
            #expect(state.manifests.map(\.id.name) == ["a"])
            #expect(
                state.warnings.map { "\($0.location?.path ?? "") \($0.code)" } == [
                    "app/broken.yaml source.unreadable-file", "app/cut-off.yaml source.unreadable-file", "app/values.yaml source.irrelevant-file",
                ])
        }
    }

    @Test func readsUTF16WithAByteOrderMark() async throws {
        try await withFiles([:]) { root in
            for (name, mark, bigEndian) in [("le", [0xFF, 0xFE], false), ("be", [0xFE, 0xFF], true)] as [(String, [UInt8], Bool)]
            {
                let units = Array(configMap("\(name)").utf16).flatMap { unit -> [UInt8] in
                    let pair = [UInt8(unit >> 8), UInt8(unit & 0xFF)]
                    return bigEndian ? pair : pair.reversed()
                }
                try write("", to: "app/\(name).yaml", in: root)
                try FileBytes.write(mark + units, to: root.appending("app/\(name).yaml"))
            }
            let names = try await render(applicationYAML(), in: root).manifests.map(\.id.name)
            #expect(names == ["be", "le"])
        }
    }

    @Test(
        arguments: [
            ("apiVersion: v1\nkind: ConfigMapList\nitems:\n", []), ("apiVersion: v1\nkind: ConfigMapList\nitems: []\n", []),
            ("apiVersion: x/v1\nkind: NotAList\nmetadata: {name: it}\nitems:\nspec: {a: 1}\n", ["it"]),
        ] as [(String, [String])])
    func anEmptyListHoldsNothing(_ text: String, names: [String]) async throws {
        try await withFiles(["app/a.yaml": text]) { root in
            let found = try await render(applicationYAML(), in: root).manifests.map(\.id.name)
            #expect(found == names)
        }
    }

    @Test func takesListsApart() async throws {
        let list = """
            apiVersion: v1
            kind: ConfigMapList
            items:
              - apiVersion: v1
                kind: ConfigMap
                metadata: {name: one}
              - apiVersion: v1
                kind: ConfigMap
                metadata: {name: two}
            """
        try await withFiles(["app/a.yaml": list]) { root in
            let state = try await render(applicationYAML(), in: root)
            #expect(state.manifests.map(\.id.name) == ["one", "two"])
            #expect(state.manifests.map(\.source.line) == [4, 7])
        }
    }

    @Test func reportsEveryProblemOfEveryFile() async throws {
        try await withFiles([
            "app/a.yaml": "kind: [1\n",
            "app/b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n---\nkind: Pod\nmetadata: {name: x}",
            "app/c.yaml": "- kind", "app/d.json": "{\n\"a\": }", "app/ok.yaml": configMap("ok"),
            "app/e.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  annotations:\n    example.com/port: 80",
            "app/f.yaml": "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: x-}",
        ]) { root in
            let problems = try await problemsOfRendering(applicationYAML(), in: root)
            #expect(
                problems.map { "\($0.location?.description ?? "") \($0.code)" } == [
                    "app/a.yaml:2 yaml.syntax", "app/b.yaml:3 manifest.missing-field", "app/b.yaml:5 manifest.missing-field",
                    "app/c.yaml:1 manifest.not-an-object", "app/d.json:2 json.syntax", "app/e.yaml:6 manifest.wrong-type",
                    "app/f.yaml:3 manifest.missing-field",
                ])
        }
    }

    @Test func keepsHooksWithGenerateName() async throws {
        let hook =
            "apiVersion: batch/v1\nkind: Job\nmetadata:\n  generateName: migrate-\n  annotations: {argocd.argoproj.io/hook: PreSync}\n"
        try await withFiles(["app/a.yaml": hook + "---\n" + hook]) { root in
            let state = try await render(applicationYAML(), in: root)
            #expect(state.manifests.map(\.id.name) == ["migrate-", "migrate-"])
            #expect(state.manifests[0].body[path: "metadata", "name"] == nil)
        }
    }

    @Test func resolvesNamespacesAsFarAsTheyAreKnown() async throws {
        let manifests = """
            apiVersion: v1
            kind: Namespace
            metadata: {name: shop, namespace: wrong}
            ---
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: elsewhere, namespace: other}
            ---
            apiVersion: apiextensions.k8s.io/v1
            kind: CustomResourceDefinition
            metadata: {name: gates.example.com}
            spec: {group: example.com, scope: Cluster, names: {kind: Gate, plural: gates}}
            ---
            apiVersion: example.com/v1
            kind: Gate
            metadata: {name: cluster-wide}
            ---
            apiVersion: example.com/v1
            kind: Unknown
            metadata: {name: unknown}
            """
        try await withFiles(["app/a.yaml": manifests]) { root in
            let state = try await render(applicationYAML(), in: root)
            #expect(state.manifests.map(\.id.namespace) == [nil, "other", nil, nil, nil])
            #expect(state.manifests[0].body[path: "metadata", "namespace"] == nil)
            #expect(state.manifests.map(\.namespaceIfNamespaced) == [nil, nil, nil, nil, "shop"])
            let settled = state.manifests[4].withNamespace(resolvedTo: "shop")
            #expect(settled.id.namespace == "shop")
            #expect(settled.body[path: "metadata", "namespace"] == "shop")
        }
    }

    @Test func aNamespacedObjectWithoutAnyNamespaceIsAProblem() async throws {
        try await withFiles(["app/a.yaml": configMap("a")]) { root in
            let problems = try await problemsOfRendering(applicationYAML(namespace: "''"), in: root)
            #expect(problems.map(\.code) == ["manifest.namespace-missing"])
        }
    }

    @Test func theLastOfTwoDeclarationsWinsWithAWarning() async throws {
        try await withFiles([
            "app/a.yaml": configMap("a", "key: first"), "app/b.yaml": configMap("a", "key: last", namespace: "shop"),
        ]) { root in
            let state = try await render(applicationYAML(), in: root)
            #expect(state.manifests.map { $0.body[path: "data", "key"] } == ["last"])
            #expect(state.warnings.map(\.code) == ["RepeatedResourceWarning"])
            #expect(state.warnings[0].location?.path == "app/b.yaml")
        }
    }

    @Test func aMissingPathNamesTheNearestOne() async throws {
        try await withFiles(["envs/canary/a.yaml": configMap("a"), "envs/file.yaml": "a: 1"]) { root in
            let missing = try await problemsOfRendering(applicationYAML(path: "envs/canari"), in: root)
            #expect(missing.map(\.code) == ["source.path-missing"])
            #expect(missing[0].hint == "did you mean `envs/canary`?")
            let found2 = try await problemsOfRendering(applicationYAML(path: "envs/file.yaml"), in: root).map(\.code)
            #expect(found2 == ["source.path-missing"])
        }
    }

    @Test func followsLinksInsideTheRepositoryAndRefusesThoseThatLeave() async throws {
        try await withFiles(["shared/a.yaml": configMap("a"), "app/a.yaml": "-> ../shared/a.yaml", "linked": "-> app"]) { root in
            let found3 = try await render(applicationYAML(), in: root).manifests.map(\.source.path)
            #expect(found3 == ["app/a.yaml"])
            let found4 = try await render(applicationYAML(path: "linked"), in: root).manifests.map(\.id.name)
            #expect(found4 == ["a"])
        }
        for target in ["/etc/passwd", "../../outside.yaml"] {
            try await withFiles(["app/a.yaml": "-> \(target)", "app/b.yaml": configMap("b")]) { root in
                let found5 = try await problemsOfRendering(applicationYAML(), in: root).map(\.code)
                #expect(found5 == ["source.symlink-escape"])
            }
        }
        try await withFiles(["app/a.yaml": "-> b.yaml", "app/b.yaml": "-> a.yaml"]) { root in
            let holds = try await problemsOfRendering(applicationYAML(), in: root).map(\.code).contains("source.symlink-loop")
            #expect(holds)
        }
    }
}
