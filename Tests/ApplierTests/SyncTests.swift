import KubernetesClient
import ResourceModel
import Testing
import TestSupport

@testable import Applier

/// Compare, apply, prune and wait against a real API server.
@Suite(.timeLimit(.minutes(2)))
struct SyncTests {
    private func words(_ results: [StepResult]) -> [String] {
        results.map { result in
            let word =
                switch result.actuation {
                case .created: "created"
                case .configured: "configured"
                case .recreated: "recreated"
                case .pruned: "pruned"
                case .released: "released"
                case .ran: "ran"
                case .unchanged: "unchanged"
                case .skipped: "skipped"
                case .failed: "failed"
                case .notReached: "not reached"
                }
            return "\(result.id.kind) \(result.id.name) \(word)"
        }
    }

    private func deployment(_ name: String, replicas: Int = 1, command: [String] = ["sleep", "1000"], memory: String = "1024Mi") throws -> JSONValue {
        try object(
            """
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: \(name)}
            spec:
              replicas: \(replicas)
              progressDeadlineSeconds: 900
              selector: {matchLabels: {app: \(name)}}
              template:
                metadata: {labels: {app: \(name)}}
                spec:
                  terminationGracePeriodSeconds: 1
                  containers:
                    - name: main
                      image: example/none:1
                      command: [\(command.map { "\"\($0)\"" }.joined(separator: ", "))]
                      resources: {limits: {memory: \(memory)}}
                      ports: [{containerPort: 80}]
            """)
    }

    @Test func createsConfiguresAndPrunesExactlyWhatChanged() async throws {
        try await withSession { session in
            let first = try await session.sync([configMap("a"), configMap("b"), try deployment("web")])
            #expect(words(first.results) == ["ConfigMap a created", "ConfigMap b created", "Deployment web created"])
            let second = try await session.sync([configMap("a", ["key": "new"]), try deployment("web")])
            #expect(words(second.results) == ["ConfigMap b pruned", "ConfigMap a configured"])
            #expect(try await session.live("ConfigMap", "b") == nil)
            #expect(try await session.live("ConfigMap", "a")?[path: "data", "key"] == "new")
        }
    }

    @Test func aSecondRunFindsNothingToDoAndWritesNothing() async throws {
        try await withSession { session in
            // Names, quantities and defaults that the server spells otherwise, a Secret, a Service and a custom form of a list.
            let bodies = [
                configMap("a"), try deployment("web"),
                try object("{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {k: v}}"),
                try object("{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}}"),
                try object("{apiVersion: v1, kind: ServiceAccount, metadata: {name: robot}}"),
                try object(
                    "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: policy}, spec: {podSelector: {}, policyTypes: [Ingress]}}"),
                try object(
                    "{apiVersion: batch/v1, kind: Job, metadata: {name: j}, spec: {suspend: true, template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}}"),
            ]
            try await session.sync(bodies)
            let before = session.client.requestCount
            let again = try await session.sync(bodies)
            #expect(again.plan.steps.isEmpty, "\(again.plan.steps.map { "\($0.change.id): \($0.change.fields)" })")
            #expect(session.client.requestCount["apply"] == before["apply"], "not even a dry run")
            #expect(session.client.requestCount["delete"] == before["delete"])
        }
    }

    @Test func anUnchangedApplicationOfManyObjectsCostsAListForEachKind() async throws {
        try await withSession { session in
            let bodies = (0..<50).map { configMap("c\($0)") } + (0..<50).map { index -> JSONValue in
                ["apiVersion": "v1", "kind": "Secret", "metadata": ["name": .string("s\(index)")], "data": ["k": "dg=="]]
            }
            try await session.sync(bodies)
            let before = session.client.requestCount
            let again = try await session.sync(bodies)
            #expect(again.results.isEmpty)
            let requests = session.client.requestCount.merging(before) { $0 - $1 }.filter { $0.value > 0 }
            // One list a kind, and the inventory's parent.
            #expect(requests == ["list": 2, "get": 1])
        }
    }

    @Test func anotherSpellingOfAQuantityIsNoChange() async throws {
        try await withSession { session in
            try await session.sync([try deployment("web", memory: "1024Mi")])
            let (changes, _, _) = try await session.changes([try deployment("web", memory: "1Gi")])
            #expect(changes.map(\.action) == [.unchanged], "\(changes.map(\.fields))")
            let (others, _, _) = try await session.changes([try deployment("web", memory: "2Gi")])
            #expect(others.map(\.action) == [.configure])
            #expect(others[0].fields.map(\.path) == [".spec.template.spec.containers[name=\"main\"].resources.limits.memory"])
        }
    }

    @Test func aFieldOfOthersIsNoDriftAndOneOfOursIs() async throws {
        try await withSession { session in
            try await session.sync([configMap("a", ["key": "value"])])
            let maps = try await session.client.resource(for: GroupKind(group: "", kind: "ConfigMap"))
            func edit(_ data: JSONValue) async throws {
                let patch: JSONValue = ["data": data]
                _ = try await session.client.patch(
                    maps, namespace: session.namespace, name: "a", type: .merge, patch: patch, options: WriteOptions(fieldManager: "someone"))
            }
            try await edit(["extra": "theirs"])
            #expect(try await session.changes([configMap("a")]).changes.map(\.action) == [.unchanged])
            try await edit(["key": "drifted"])
            let (changes, _, _) = try await session.changes([configMap("a")])
            #expect(changes.map(\.action) == [.configure])
            #expect(changes[0].fields == [FieldChange(path: ".data.key", before: "drifted", after: "value", manager: "someone")])
            try await session.sync([configMap("a")])
            #expect(try await session.live("ConfigMap", "a")?["data"] == ["key": "value", "extra": "theirs"])
            try await edit(["key": .null])
            #expect(try await session.changes([configMap("a")]).changes.map(\.action) == [.configure], "a field of ours that is gone is drift")
        }
    }

    @Test func aFieldThatIsNoLongerDeclaredIsRemoved() async throws {
        try await withSession { session in
            try await session.sync([configMap("a", ["one": "1", "two": "2"])])
            let result = try await session.sync([configMap("a", ["one": "1"])])
            #expect(result.plan.steps[0].change.fields == [FieldChange(path: ".data.two", before: "2", after: nil)])
            #expect(try await session.live("ConfigMap", "a")?["data"] == ["one": "1"])
        }
    }

    @Test func aSecretsValuesAreMarkedAsSecret() async throws {
        try await withSession { session in
            func secret(_ value: String) throws -> JSONValue {
                try object("{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {password: \(value)}}")
            }
            try await session.sync([try secret("one")])
            let (changes, _, _) = try await session.changes([try secret("two")])
            #expect(changes[0].fields.map(\.isSecret) == [true])
        }
    }

    @Test func pruneLeavesWhatOthersMadeAndWhatWasCopied() async throws {
        try await withSession { session in
            try await session.sync([configMap("a"), configMap("b")])
            let maps = try await session.client.resource(for: GroupKind(group: "", kind: "ConfigMap"))
            // A copy with every label and annotation of ours, as a controller or a careless person makes it.
            var copy = try #require(try await session.live("ConfigMap", "b"))
            copy["metadata"] = [
                "name": "copy", "namespace": .string(session.namespace), "labels": copy[path: "metadata", "labels"] ?? [:],
                "annotations": copy[path: "metadata", "annotations"] ?? [:],
            ]
            _ = try await session.client.create(copy, as: maps)
            _ = try await session.client.create(
                ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "foreign", "namespace": .string(session.namespace)]], as: maps)
            let result = try await session.sync([configMap("a")])
            #expect(words(result.results) == ["ConfigMap b pruned"])
            #expect(try await session.live("ConfigMap", "copy") != nil)
            #expect(try await session.live("ConfigMap", "foreign") != nil)
        }
    }

    @Test func theInventoryShrinksOnlyToWhatIsConfirmed() async throws {
        try await withSession { session in
            try await session.sync([configMap("a"), try object("{apiVersion: v1, kind: Secret, metadata: {name: s, finalizers: [example.com/keep]}}")])
            func kinds() async throws -> String? {
                let maps = try await session.client.resource(for: GroupKind(group: "", kind: "ConfigMap"))
                return try await session.client.get(maps, namespace: ApplySet.namespace, name: session.applySet.parent.name)?[
                    path: "metadata", "annotations", ApplySet.groupKindsAnnotation]?.stringValue
            }
            #expect(try await kinds() == "ConfigMap,Secret")
            // The finalizer keeps the Secret: it stays in the inventory.
            try await session.sync([configMap("a")])
            #expect(try await kinds() == "ConfigMap,Secret")
            let secrets = try await session.client.resource(for: GroupKind(group: "", kind: "Secret"))
            _ = try await session.client.patch(
                secrets, namespace: session.namespace, name: "s", type: .merge, patch: ["metadata": ["finalizers": .null]], options: WriteOptions())
            try await session.sync([configMap("a", ["key": "2"])])
            #expect(try await kinds() == "ConfigMap")
        }
    }

    @Test func oneFailedWriteIsToldAndTheOthersAreDone() async throws {
        try await withSession { session in
            let bad = try object("{apiVersion: v1, kind: Secret, metadata: {name: bad}, data: {k: not-base64!}}")
            let result = try await session.sync([configMap("a"), bad])
            #expect(words(result.results).contains("ConfigMap a created"))
            let failed = try #require(result.results.first { $0.hasFailed })
            guard case .failed(let message) = failed.actuation else { return }
            #expect(message.hasPrefix("app/all.yaml:1: apply Secret \(session.namespace)/bad: "), "\(message)")
        }
    }

    @Test func anImmutableFieldIsExplained() async throws {
        try await withSession { session in
            try await session.sync([try deployment("web")])
            var changed = try deployment("web")
            changed[path: "spec", "selector", "matchLabels"] = ["app": "other"]
            changed[path: "spec", "template", "metadata", "labels"] = ["app": "other"]
            let result = try await session.sync([changed])
            let step = try #require(result.results.first)
            guard case .failed(let message) = step.actuation else {
                Issue.record("\(result.results)")
                return
            }
            #expect(message.contains("field is immutable") && message.contains("delete it: the next sync makes it anew"), "\(message)")
            #expect(try await session.live("Deployment", "web", group: "apps") != nil)
        }
    }

    @Test func aMissingNamespaceIsToldOrMade() async throws {
        try await withSession(createNamespace: false) { session in
            let refused = try await session.sync([configMap("a")])
            let step = try #require(refused.results.first)
            guard case .failed(let message) = step.actuation else {
                Issue.record("\(refused.results)")
                return
            }
            #expect(message.contains("CreateNamespace=true"), "\(message)")
            let request = NamespaceRequest(name: session.namespace, labels: ["team": "shop"])
            let made = try await session.sync([configMap("a")], creating: request)
            #expect(words(made.results) == ["Namespace \(session.namespace) created", "ConfigMap a created"])
            let again = try await session.sync([configMap("a")], creating: request)
            #expect(again.plan.steps.isEmpty)
            let removed = try await session.sync([configMap("b")], creating: request)
            #expect(words(removed.results) == ["ConfigMap a pruned", "ConfigMap b created"], "the namespace stays")
            #expect(try await session.live("Namespace", session.namespace, inNamespace: false)?[path: "metadata", "labels", "team"] == "shop")
        }
    }

    @Test func unknownKindsAndVersionsAreAllNamedBeforeAnythingIsWritten() async throws {
        try await withSession { session in
            let bodies = [
                configMap("a"), try object("{apiVersion: example.com/v1, kind: Widget, metadata: {name: x}}"),
                try object("{apiVersion: example.com/v1, kind: Gadget, metadata: {name: y}}"),
                try object("{apiVersion: apps/v1beta1, kind: Deployment, metadata: {name: z}}"),
            ]
            let error = await #expect(throws: Problems.self) { try await session.sync(bodies) }
            let problems = error?.problems ?? []
            #expect(problems.map(\.code) == ["kind.unknown", "kind.unknown", "kind.unknown-version"])
            #expect(problems.last?.hint == "write `apiVersion: apps/v1`")
            let written = try await session.live("ConfigMap", "a")
            #expect(written == nil)
        }
    }

    @Test func aKindIsUsedInTheSyncThatDefinesIt() async throws {
        try await withSession { session in
            let group = "\(session.namespace).example.com"
            let definition = try object(
                """
                apiVersion: apiextensions.k8s.io/v1
                kind: CustomResourceDefinition
                metadata: {name: widgets.\(group)}
                spec:
                  group: \(group)
                  scope: Namespaced
                  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
                  versions:
                    - name: v1
                      served: true
                      storage: true
                      schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}
                """)
            let widget = try object("{apiVersion: \(group)/v1, kind: Widget, metadata: {name: w}, spec: {size: 1}}")
            let result = try await session.sync([widget, definition])
            #expect(words(result.results) == ["CustomResourceDefinition widgets.\(group) created", "Widget w created"])
            #expect(result.results[0].health?.status == .healthy)
            let gone = try await session.sync([configMap("a")])
            #expect(words(gone.results) == ["Widget w pruned", "CustomResourceDefinition widgets.\(group) pruned", "ConfigMap a created"])
        }
    }

    @Test func aNamespaceIsPrunedOnlyWhenNobodyUsesIt() async throws {
        try await withSession(controllers: true) { session in
            let name = session.namespace + "-extra"
            let namespace: JSONValue = ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(name)]]
            var inside = configMap("ours")
            inside[path: "metadata", "namespace"] = .string(name)
            try await session.sync([configMap("a"), namespace, inside])
            let maps = try await session.client.resource(for: GroupKind(group: "", kind: "ConfigMap"))
            _ = try await session.client.create(
                ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "theirs", "namespace": .string(name)]], as: maps)
            let first = try await session.sync([configMap("a")])
            #expect(first.plan.skipped.map(\.action) == [.skip(.namespaceInUse("ConfigMap \(name)/theirs"))])
            #expect(words(first.results) == ["ConfigMap ours pruned"])
            try await session.client.delete(maps, namespace: name, name: "theirs")
            let second = try await session.sync([configMap("a")])
            #expect(words(second.results) == ["Namespace \(name) pruned"])
        }
    }

    @Test func twoApplicationsDoNotPruneEachOther() async throws {
        try await withSession { session in
            let other = session.other("second")
            try await session.sync([configMap("mine"), configMap("shared")])
            let refused = try await other.sync([configMap("theirs"), configMap("shared")])
            #expect(refused.plan.refusals.map(\.code) == ["shared-object"])
            #expect(try await session.live("ConfigMap", "theirs") == nil, "a refused plan does nothing")
            try await other.sync([configMap("theirs")])
            try await session.sync([configMap("mine")])
            #expect(try await session.live("ConfigMap", "theirs") != nil)
            #expect(try await session.live("ConfigMap", "shared") == nil)
        }
    }

    @Test func waitsUntilWorkloadsAreHealthyOrSaysWhyNot() async throws {
        try await withSession(controllers: true) { session in
            // Only the embedded cluster runs a command without pulling an image.
            try await session.sync([configMap("a"), try deployment("good")])
            let ids = [id("ConfigMap", "a", namespace: session.namespace), id("Deployment", "good", group: "apps", namespace: session.namespace)]
            let seconds = 20
            let waited = try await session.applier.waitForHealth(of: ids, versions: [:], timeout: .seconds(seconds)) { _ in }
            if ranEmbedded { #expect(waited.values.allSatisfy { $0.status == .healthy }, "\(waited)") }
            let missing = id("ConfigMap", "nowhere", namespace: session.namespace)
            let never = try await session.applier.waitForHealth(of: [missing], versions: [:], timeout: .milliseconds(500)) { _ in }
            #expect(never[missing]?.status != .healthy)
        }
    }

    @Test func laterWavesWaitForEarlierOnes() async throws {
        try await withSession(controllers: true) { session in
            var bad = try deployment("bad")
            bad[path: "spec", "minReadySeconds"] = 600
            bad[path: "metadata", "annotations", "argocd.argoproj.io/sync-wave"] = "-1"
            let result = try await session.sync([bad, configMap("after")], options: ExecutionOptions(waveTimeout: .seconds(1)))
            #expect(words(result.results) == ["Deployment bad failed", "ConfigMap after not reached"])
            guard case .failed(let message) = result.results[0].actuation else { return }
            #expect(message.hasPrefix("waiting for healthy state, not reached within 1 s: Progressing"), "\(message)")
            #expect(try await session.live("ConfigMap", "after") == nil)
        }
    }
}
