import Foundation
import KubernetesClient
import ResourceModel
import Testing
import TestSupport

@testable import Applier

/// What `kubectl apply`, Helm and Argo CD left is taken over, so that fields that are no longer declared go.
@Suite(.timeLimit(.minutes(2)))
struct TakeOverTests {
    /// Writes as another tool does: an update under its name.
    private func create(_ session: Session, _ body: JSONValue, as manager: String) async throws {
        let maps = try await session.client.resource(for: GroupKind(group: "", kind: "ConfigMap"))
        var body = body
        body[path: "metadata", "namespace"] = .string(session.namespace)
        _ = try await session.client.create(body, as: maps, options: WriteOptions(fieldManager: manager))
    }

    private func managers(_ object: JSONValue?) -> [String] {
        (object?[path: "metadata", "managedFields"]?.arrayValue ?? []).map {
            "\($0["manager"]?.stringValue ?? "") \($0["operation"]?.stringValue ?? "")"
        }
    }

    @Test(arguments: ["kubectl-client-side-apply", "helm", "argocd-controller"])
    func aFieldThatAFormerApplierLeftIsShownAndGoes(manager: String) async throws {
        try await withSession { session in
            try await create(session, configMap("a", ["one": "1", "two": "2"]), as: manager)
            let (changes, _, _) = try await session.changes([configMap("a", ["one": "1"])])
            #expect(changes[0].fields.contains { $0.path == ".data.two" && $0.before == "2" && $0.after == nil })
            let result = try await session.sync([configMap("a", ["one": "1"])])
            #expect(result.results.map(\.actuation) == [.configured])
            let live = try await session.live("ConfigMap", "a")
            #expect(live?["data"] == ["one": "1"])
            #expect(managers(live) == ["reconciler Apply"])
            #expect(try await session.sync([configMap("a", ["one": "1"])]).results.isEmpty)
        }
    }

    @Test func whatOthersWroteStays() async throws {
        try await withSession { session in
            try await create(session, configMap("a", ["one": "1", "two": "2"]), as: "someone")
            try await session.sync([configMap("a", ["one": "1"])])
            #expect(try await session.live("ConfigMap", "a")?["data"] == ["one": "1", "two": "2"])
        }
    }

    @Test func theOptionLeavesAFormerAppliersFields() async throws {
        try await withSession { session in
            try await create(session, configMap("a", ["one": "1", "two": "2"]), as: "helm")
            let options = ExecutionOptions(syncOptions: SyncOptions(annotation: "ClientSideApplyMigration=false"))
            try await session.sync([configMap("a", ["one": "1"])], options: options)
            #expect(try await session.live("ConfigMap", "a")?["data"] == ["one": "1", "two": "2"])
        }
    }

    @Test func anAnnotationNamesAnotherFormerApplier() async throws {
        try await withSession { session in
            try await create(session, configMap("a", ["one": "1", "two": "2"]), as: "deployer")
            var map = configMap("a", ["one": "1"])
            map[path: "metadata", "annotations"] = ["argocd.argoproj.io/client-side-apply-migration-manager": "deployer"]
            try await session.sync([map])
            #expect(try await session.live("ConfigMap", "a")?["data"] == ["one": "1"])
        }
    }

    @Test func afterOurFirstApplyOthersKeepTheirFields() async throws {
        try await withSession { session in
            try await session.sync([configMap("a", ["one": "1"])])
            let maps = try await session.client.resource(for: GroupKind(group: "", kind: "ConfigMap"))
            _ = try await session.client.patch(
                maps, namespace: session.namespace, name: "a", type: .merge, patch: ["data": ["two": "2"]],
                options: WriteOptions(fieldManager: "kubectl-client-side-apply"))
            #expect(try await session.changes([configMap("a", ["one": "1"])]).changes.map(\.action) == [.unchanged])
        }
    }

    @Test func whatKubectlAppliedLosesFieldsAndKubectlsAnnotation() async throws {
        try await withCluster { cluster in
            let kubectl = try LocalTool.named("kubectl", environment: ["KUBECONFIG": cluster.kubeconfig, "HOME": NSTemporaryDirectory()])
            let access = try #require(try ClusterAccess.discover(kubeconfig: cluster.kubeconfig))
            let client = KubernetesClient(access: access)
            defer { client.shutDown() }
            let name = "take-over-" + UUID().uuidString.lowercased().prefix(8)
            let namespaces = try await client.resource(for: GroupKind(group: "", kind: "Namespace"))
            _ = try await client.create(["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(name)]], as: namespaces)
            let file = NSTemporaryDirectory() + name + ".json"
            defer { try? FileManager.default.removeItem(atPath: file) }  // a scratch file
            var secret = try object("{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {kept: a, left: b}}")
            try Data(secret.serialized()).write(to: URL(fileURLWithPath: file))
            let output = try await kubectl.run(["apply", "-n", name, "-f", file])
            #expect(output.status == 0, "\(output.errors)")

            let session = Session(applier: Applier(client: client, logger: .init(label: "tests")), namespace: name, application: name)
            secret["stringData"] = ["kept": "a"]
            let annotation = "kubectl.kubernetes.io/last-applied-configuration"
            let before = try await session.live("Secret", "s")
            #expect(before?[path: "metadata", "annotations", annotation] != nil)
            let (changes, _, _) = try await session.changes([secret])
            let exposed = changes[0].fields.filter { $0.before != nil && !$0.isSecret }.map(\.path)
            #expect(exposed == [".type"], "the annotation holds the values")
            try await session.sync([secret])
            let live = try await session.live("Secret", "s")
            #expect(live?["data"] == ["kept": "YQ=="])
            #expect(live?[path: "metadata", "annotations", annotation] == nil)
            #expect(try await session.sync([secret]).results.isEmpty)
            if cluster.embedded == nil { try await client.delete(namespaces, namespace: nil, name: name) }
        }
    }
}
