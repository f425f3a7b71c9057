import Foundation
import KubernetesClient
import ResourceModel
import TestSupport
import Testing

extension CommandLineTests {
    /// Who declares a field, who owns it, and since when.
    @Suite(.serialized, .timeLimit(.minutes(2)))
    struct WhyTests {
        private static let web = """
            apiVersion: apps/v1
            kind: Deployment
            metadata:
              name: web
            spec:
              replicas: 2
              selector:
                matchLabels: {app: web}
              template:
                metadata:
                  labels: {app: web}
                spec:
                  containers:
                    - name: web
                      image: example.org/shop:1
                      ports:
                        - containerPort: 80
              revisionHistoryLimit: 3

            """

        private func json(_ scene: Scene, _ arguments: String...) async throws -> JSONValue {
            let outcome = try await scene.workspace.reconciler.run(["why", "--app", "shop", "-o", "json"] + arguments)
            try #require(outcome.code == 0, "\(outcome.description)")
            return try JSONValue(parsing: outcome.output)
        }

        @Test func saysWhoSetsAFieldAndWhoOwnsIt() async throws {
            try await withScene { scene in
                let workspace = scene.workspace
                let rules = "  ignoreDifferences:\n    - group: apps\n      kind: Deployment\n      jsonPointers: [/spec/minReadySeconds, /spec/revisionHistoryLimit]\n"
                let first = try await workspace.push(
                    [
                        "environments/applications/shop.yaml": Workspace.application("shop", more: rules), "environments/shop/web.yaml": Self.web,
                        "environments/shop/secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata:\n  name: door\nstringData:\n  password: hunter2\n",
                    ], message: "Open the shop")
                #expect(try await scene.run("sync", "--app", "shop").code == 0)
                let second = try await workspace.push(["environments/shop/web.yaml": "# the shop\n" + Self.web.replacing("shop:1", with: "shop:2")], message: "Release 2")
                let deployments = try await scene.client.resource(for: GroupKind(group: "apps", kind: "Deployment"))
                _ = try await scene.client.patch(
                    deployments, namespace: "shop", name: "web", type: .merge, patch: ["spec": ["replicas": 5, "minReadySeconds": 9, "revisionHistoryLimit": 7]],
                    options: WriteOptions(fieldManager: "kubectl-scale"))

                let replicas = try await json(scene, "deployment/web", ".spec.replicas")
                #expect(replicas["state"] == "drift" && replicas["declared"] == 2 && replicas["live"] == 5)
                #expect(replicas["source"] == ["path": "environments/shop/web.yaml", "precision": "field", "line": 7])
                #expect(replicas[path: "commit", "commit"] == .string(first), "the line moved, and its commit is the one that wrote it")
                #expect(replicas["owners"]?[0]?["manager"] == "kubectl-scale" && replicas["owners"]?[0]?["since"]?.stringValue?.hasSuffix("Z") == true)
                #expect(replicas[path: "lastWrite", "result"] == "created" && replicas[path: "lastWrite", "commit"] == .string(first))

                for word in ["deploy/web", "deployments.apps/web", "Deployment/web"] {
                    let image = try await json(scene, word, "spec.template.spec.containers[0].image")
                    #expect(image["state"] == "pending" && image[path: "commit", "commit"] == .string(second), "\(image.jsonString)")
                    #expect(image["owners"]?.arrayValue?.map { $0["manager"] } == ["reconciler"])
                }
                let port = try await json(scene, "deployment/web", ".spec.template.spec.containers[name=\"web\"].ports[containerPort=80].containerPort")
                #expect(port["state"] == "in-sync" && port[path: "source", "line"] == 18, "\(port.jsonString)")
                let ready = try await json(scene, "deployment/web", ".spec.minReadySeconds")
                #expect(ready["state"] == "undeclared" && ready["ignoredBy"]?[0]?["rule"] == 0 && ready["source"] == nil, "\(ready.jsonString)")
                let limit = try await json(scene, "deployment/web", ".spec.revisionHistoryLimit")
                #expect(limit["state"] == "ignored" && limit["ignoredBy"]?[0]?["rule"] == 0 && limit[path: "source", "line"] == 19, "\(limit.jsonString)")
                let deadline = try await json(scene, "deployment/web", ".spec.progressDeadlineSeconds")
                #expect(deadline["state"] == "undeclared" && deadline["live"] == 600)
                let secret = try await scene.run("why", "--app", "shop", "secret/door", ".data.password")
                #expect(secret.code == 0 && !secret.description.contains("hunter2") && !secret.description.contains("aHVudGVyMg") && secret.output.contains("in sync") && secret.output.contains("secret.yaml:6"), "\(secret.description)")

                for (name, arguments) in [("field", ["deployment/web", ".spec.replicas"]), ("object", ["deployment/web"]), ("pending", ["deploy/web", ".spec.template.spec.containers[name=\"web\"].image"])] {
                    let all = ["why", "--app", "shop"] + arguments
                    try expectGolden(transcript(all, try await workspace.reconciler.run(all), in: workspace), "why/\(name).txt")
                }
                for (name, arguments) in [("unknown-field", ["deployment/web", ".spec.replica"]), ("unknown-object", ["deployment/wep"]), ("unknown-kind", ["gadget/web"]), ("bad-field", ["deployment/web", ".spec["])] {
                    let all = ["why", "--app", "shop"] + arguments
                    let outcome = try await workspace.reconciler.run(all)
                    #expect(outcome.code == (name == "bad-field" ? 64 : 1), "\(outcome.description)")
                    try expectGolden(transcript(all, outcome, in: workspace), "why/\(name).txt")
                }
            }
        }

        @Test func tellsObjectsOfSeveralNamespacesApart() async throws {
            try await withScene { scene in
                func map(_ namespace: String) -> String { Workspace.configMap("a").replacing("name: a\n", with: "name: a\n  namespace: \(namespace)\n") }
                try await scene.workspace.push([
                    "environments/applications/shop.yaml": Workspace.application("shop"), "environments/shop/one.yaml": map("shop"), "environments/shop/two.yaml": map("default"),
                ])
                let ambiguous = try await scene.run("why", "--app", "shop", "cm/a", ".data.key")
                #expect(ambiguous.code == 1 && ambiguous.errors.contains("-n NAMESPACE"), "\(ambiguous.description)")
                let one = try await json(scene, "cm/a", ".data.key", "-n", "default")
                #expect(one["state"] == "missing" && one[path: "source", "path"] == "environments/shop/two.yaml")
            }
        }
    }
}
