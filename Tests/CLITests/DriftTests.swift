import Foundation
import KubernetesClient
import ResourceModel
import TestSupport
import Testing

extension CommandLineTests {
    /// The timeline of what others changed.
    @Suite(.serialized, .timeLimit(.minutes(2)))
    struct DriftTests {
        private func edit(_ scene: Scene, _ kind: String, _ name: String, group: String = "", _ patch: JSONValue, type: PatchType = .merge) async throws {
            let resource = try await scene.client.resource(for: GroupKind(group: group, kind: kind))
            _ = try await scene.client.patch(
                resource, namespace: "shop", name: name, type: type, patch: patch, options: WriteOptions(fieldManager: "kubectl-edit"))
        }

        private func drift(_ scene: Scene) async throws -> [JSONValue] {
            try JSONValue(parsing: try await scene.run("history", "--drift", "--app", "shop", "-o", "json").output).arrayValue ?? []
        }

        @Test func aFieldThatSomebodyChangedIsRecordedOnceAndThenHealed() async throws {
            try await withScene { scene in
                try await scene.withShop()
                try await edit(scene, "ConfigMap", "keep", ["data": ["key": "mine"]])
                for _ in 0..<2 { #expect(try await scene.run("diff", "--app", "shop").code == 2) }
                let seen = try await drift(scene)
                try #require(seen.count == 1, "\(seen)")
                #expect(seen[0]["field"] == ".data.key" && seen[0]["declared"] == "value" && seen[0]["found"] == "mine")
                #expect(seen[0]["owner"] == "kubectl-edit" && seen[0]["done"] == "reported")
                #expect(seen[0]["ownerWroteAt"]?.stringValue?.wholeMatch(of: /[-0-9]+T[:0-9]+Z/) != nil)
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                let healed = try await drift(scene)
                #expect(healed.count == 1 && healed[0]["done"] == "healed" && healed[0]["healedBy"] == 2)
                #expect(try await scene.run("history", "verify").code == 0)
                let arguments = ["history", "--drift"]
                try expectGolden(transcript(arguments, try await scene.workspace.reconciler.run(arguments), in: scene.workspace), "output/history-drift.txt")
            }
        }

        @Test func whatGitChangesIsNoDrift() async throws {
            try await withScene { scene in
                try await scene.withShop()
                try await scene.workspace.push([
                    "environments/shop/keep.yaml": Workspace.configMap("keep", ["key": "new", "more": "1"]), "environments/shop/other.yaml": Workspace.configMap("other"),
                ])
                #expect(try await scene.run("diff", "--app", "shop").code == 2)
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                // Somebody's field that Git begins to declare is Git's change too.
                try await edit(scene, "ConfigMap", "other", ["data": ["theirs": "1"]])
                try await scene.workspace.push(["environments/shop/other.yaml": Workspace.configMap("other", ["key": "value", "theirs": "2"])])
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                #expect(try await drift(scene).isEmpty)
            }
        }

        @Test func whatWasRemovedOrDeletedIsDriftToo() async throws {
            try await withScene { scene in
                try await scene.withShop()
                try await edit(scene, "ConfigMap", "keep", ["data": ["key": nil]])
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                let removed = try await drift(scene)
                // The only entry went, and with it the map.
                #expect(removed.count == 1 && removed[0]["field"] == ".data" && removed[0]["found"] == nil, "\(removed)")
                #expect(removed.first?[path: "declared", "key"] == "value" && removed.first?["owner"] == .null)
                try await scene.client.delete(try await scene.client.resource(for: GroupKind(group: "", kind: "ConfigMap")), namespace: "shop", name: "keep")
                #expect(try await scene.run("diff", "--app", "shop").code == 2)
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                let deleted = try await drift(scene)
                #expect(deleted.count == 2 && deleted[0]["field"] == "" && deleted[0]["done"] == "healed", "\(deleted)")
            }
        }

        @Test func namesTheOwnerOfAFieldInAListAndNoSecret() async throws {
            try await withScene { scene in
                let deployment = """
                    apiVersion: apps/v1
                    kind: Deployment
                    metadata: {name: web}
                    spec:
                      replicas: 1
                      selector: {matchLabels: {app: web}}
                      template:
                        metadata: {labels: {app: web}}
                        spec: {containers: [{name: main, image: "example.org/web:1"}]}
                    """
                let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: secret}\nstringData: {password: hunter2}\n"
                try await scene.workspace.push([
                    "environments/applications/shop.yaml": Workspace.application("shop"), "environments/shop/web.yaml": deployment,
                    "environments/shop/secret.yaml": secret,
                ])
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                try await edit(
                    scene, "Deployment", "web", group: "apps",
                    ["spec": ["template": ["spec": ["containers": [["name": "main", "image": "example.org/web:2"]]]]]], type: .strategicMerge)
                try await edit(scene, "Secret", "secret", ["data": ["password": "c3dvcmRmaXNo"]])
                let difference = try await scene.run("diff", "--app", "shop")
                #expect(difference.output.contains("[kubectl-edit, "), "\(difference.description)")
                let seen = try await drift(scene).sorted { ($0["field"]?.stringValue ?? "") < ($1["field"]?.stringValue ?? "") }
                #expect(seen.map { $0["field"]?.stringValue } == [".data.password", ".spec.template.spec.containers[name=\"main\"].image"], "\(seen)")
                #expect(seen.allSatisfy { $0["owner"] == "kubectl-edit" })
                #expect(seen.first?["secret"] == true && seen.first?["found"] == nil && seen.first?["declared"] == nil)
                // The log beside the database is gone once the last process closed it.
                let files = try FileManager.default.contentsOfDirectory(atPath: scene.workspace.state.string).filter { $0.hasPrefix("reconciler.db") }
                let bytes = try files.reduce(into: Data()) { try $0 += Data(contentsOf: URL(fileURLWithPath: scene.workspace.state.appending($1).string)) }
                #expect(bytes.range(of: Data("c3dvcmRmaXNo".utf8)) == nil && bytes.range(of: Data("swordfish".utf8)) == nil)
            }
        }
    }
}
