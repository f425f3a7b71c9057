import Foundation
import ResourceModel
import TestSupport
import Testing

extension CommandLineTests {
    /// What is deleted, and what never is.
    @Suite(.serialized, .timeLimit(.minutes(2)))
    struct SafetyTests {
        @Test func prunesTheSameWithAnEmptyStateDirectory() async throws {
            try await withScene { scene in
                try await scene.withShop()
                try await scene.workspace.push([
                    "environments/shop/old.yaml": Workspace.configMap("old"),
                    "environments/shop/secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: old}\ndata: {}\n",
                ])
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                try FileManager.default.removeItem(atPath: scene.workspace.state.string)
                try await scene.workspace.push(["environments/shop/old.yaml": nil, "environments/shop/secret.yaml": nil])
                let outcome = try await scene.run("sync", "--app", "shop")
                #expect(outcome.code == 0 && outcome.output.contains("2 pruned, 1 unchanged"), "\(outcome.description)")
                #expect(try await scene.object("ConfigMap", "old", namespace: "shop") == nil)
                #expect(try await scene.object("Secret", "old", namespace: "shop") == nil)
                #expect(try await scene.object("ConfigMap", "keep", namespace: "shop") != nil)
            }
        }

        @Test func carriesOutThePlanThatWasLookedAtOrNothing() async throws {
            try await withScene { scene in
                try await scene.withShop()
                try await scene.workspace.push(["environments/shop/new.yaml": Workspace.configMap("new")])
                let file = scene.workspace.root.appending("plan.json").string
                func plan() async throws {
                    let outcome = try await scene.run("plan", "--app", "shop", "-o", "json")
                    #expect(outcome.code == 2)
                    try Data(outcome.output.utf8).write(to: URL(fileURLWithPath: file))
                }
                try await plan()
                // A commit that does not concern the application moves nothing; one that does, does.
                try await scene.workspace.push(["README.md": "Hello."])
                #expect(try await scene.run("sync", "--app", "shop", "--plan", file).code == 0)
                let spent = try await scene.run("sync", "--app", "shop", "--plan", file)
                #expect(spent.code == 3 && spent.errors.contains("ConfigMap shop/new is there now"), "\(spent.description)")

                try await scene.workspace.push(["environments/shop/keep.yaml": Workspace.configMap("keep", ["key": "2"])])
                try await plan()
                try await scene.workspace.push(["environments/shop/keep.yaml": Workspace.configMap("keep", ["key": "3"])])
                let stale = try await scene.run("sync", "--app", "shop", "--plan", file)
                #expect(stale.code == 3 && stale.errors.contains("are not those of"), "\(stale.description)")

                try await plan()
                let maps = try await scene.client.resource(for: GroupKind(group: "", kind: "ConfigMap"))
                _ = try await scene.client.patch(
                    maps, namespace: "shop", name: "keep", type: .merge, patch: ["metadata": ["labels": ["touched": "yes"]]])
                let moved = try await scene.run("sync", "--app", "shop", "--plan", file)
                #expect(moved.code == 3 && moved.errors.contains("ConfigMap shop/keep changed (resourceVersion"), "\(moved.description)")
                #expect(try await scene.object("ConfigMap", "keep", namespace: "shop")?[path: "data", "key"] == "value", "nothing was written")
            }
        }

        @Test func prunesNothingWhenOneFileCannotBeRead() async throws {
            try await withScene { scene in
                try await scene.withShop()
                // `keep` is gone, and another file is broken: which one it is that is missing nobody knows.
                try await scene.workspace.push(["environments/shop/keep.yaml": nil, "environments/shop/broken.yaml": "apiVersion: v1\nkind: ["])
                #expect(try await scene.run("sync", "--app", "shop").code == 1)
                #expect(try await scene.object("ConfigMap", "keep", namespace: "shop") != nil)
            }
        }

        @Test func anApplicationMissingFromAnIncompleteCatalogIsNotDeleted() async throws {
            try await withScene { scene in
                try await scene.withShop()
                try await scene.workspace.push([
                    "environments/applications/shop.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: [\n",
                    "environments/applications/other.yaml": Workspace.application("other"), "environments/other/a.yaml": Workspace.configMap("a"),
                ])
                let status = try await scene.run("status")
                #expect(status.code == 1 || status.errors.contains("shop.yaml"), "\(status.description)")
                #expect(status.errors.contains("environments/applications/shop.yaml:"))
                let missing = try await scene.run("sync", "--app", "shop")
                #expect(missing.code == 1 && missing.errors.contains("environments/applications/shop.yaml:"), "\(missing.description)")
                #expect(try await scene.run("sync", "--app", "other").code == 0)
                #expect(try await scene.object("ConfigMap", "keep", namespace: "shop") != nil)
            }
        }

        @Test func aDefinitionStaysWhileObjectsOfItsKindDo() async throws {
            try await withScene { scene in
                let definition = """
                    apiVersion: apiextensions.k8s.io/v1
                    kind: CustomResourceDefinition
                    metadata: {name: widgets.example.org}
                    spec:
                      group: example.org
                      scope: Namespaced
                      names: {plural: widgets, singular: widget, kind: Widget}
                      versions:
                        - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}

                    """
                try await scene.workspace.push([
                    "environments/shop/kind.yaml": definition, "environments/shop/widget.yaml": "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: w}\n",
                ])
                try await scene.withShop()
                try await scene.workspace.push(["environments/shop/kind.yaml": nil])
                let kept = try await scene.run("sync", "--app", "shop")
                #expect(kept.code == 0 && kept.output.contains("definition still in use: example.org/Widget shop/w"), "\(kept.description)")
                #expect(try await scene.object("Widget", "w", group: "example.org", namespace: "shop") != nil)
                // One that asks to stay keeps its definition too.
                let stays = "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: w, annotations: {argocd.argoproj.io/sync-options: Prune=false}}\n"
                try await scene.workspace.push(["environments/shop/widget.yaml": stays])
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                try await scene.workspace.push(["environments/shop/widget.yaml": nil])
                let both = try await scene.run("sync", "--app", "shop")
                #expect(both.code == 0 && both.output.contains("definition still in use"), "\(both.description)")
                #expect(try await scene.object("Widget", "w", group: "example.org", namespace: "shop") != nil)
                try await scene.workspace.push(["environments/shop/widget.yaml": "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: w, annotations: {}}\n"])
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                try await scene.workspace.push(["environments/shop/widget.yaml": nil])
                let gone = try await scene.run("sync", "--app", "shop")
                #expect(gone.code == 0 && gone.output.contains("2 pruned"), "\(gone.description)")
            }
        }

        @Test func withoutPruneTheObjectStaysAndIsTold() async throws {
            try await withScene { scene in
                try await scene.workspace.push([
                    "environments/applications/shop.yaml": Workspace.application("shop", automated: false),
                    "environments/shop/keep.yaml": Workspace.configMap("keep"), "environments/shop/old.yaml": Workspace.configMap("old"),
                ])
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                try await scene.workspace.push(["environments/shop/old.yaml": nil])
                let kept = try await scene.run("sync", "--app", "shop")
                #expect(kept.code == 0 && kept.output.contains("OutOfSync") && kept.output.contains("use --prune"), "\(kept.description)")
                #expect(try await scene.object("ConfigMap", "old", namespace: "shop") != nil)
                #expect(try await scene.run("sync", "--app", "shop", "--prune").output.contains("1 pruned"))
                #expect(try await scene.object("ConfigMap", "old", namespace: "shop") == nil)
            }
        }

        /// Guards against "no declared object is there" of an application whose object is there and could not be changed.
        @Test func aWriteThatFailsLeavesTheHealthOfWhatIsThere() async throws {
            try await withScene { scene in
                func fixed(_ value: String) -> String { Workspace.configMap("fixed", ["key": value]) + "immutable: true\n" }
                try await scene.workspace.push([
                    "environments/applications/shop.yaml": Workspace.application("shop"), "environments/shop/fixed.yaml": fixed("one"),
                ])
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                try await scene.workspace.push(["environments/shop/fixed.yaml": fixed("two")])
                let outcome = try await scene.run("sync", "--app", "shop")
                #expect(outcome.code == 1 && outcome.output.contains("Failed, OutOfSync, Healthy"), "\(outcome.description)")
            }
        }

        @Test func adoptionTakesAnObjectOver() async throws {
            try await withScene { scene in
                try await scene.withShop()
                try await scene.workspace.push(["environments/applications/other.yaml": Workspace.application("other", path: "environments/shop", namespace: "shop")])
                #expect(try await scene.run("sync", "--app", "other").code == 3)
                #expect(try await scene.run("sync", "--app", "other", "--adopt").code == 0)
                // The former owner neither takes it back nor deletes it.
                #expect(try await scene.run("sync", "--app", "shop").code == 3)
                try await scene.workspace.push(["environments/shop/keep.yaml": nil, "environments/shop/more.yaml": Workspace.configMap("more")])
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                #expect(try await scene.object("ConfigMap", "keep", namespace: "shop") != nil)
            }
        }
    }
}
