import Foundation
import KubernetesClient
import ResourceModel
import TestSupport
import Testing

@testable import Applier

/// Rows of Argo CD's own tests of a sync (gitops-engine, pkg/sync) that need a server: failures, waiting, termination.
@Suite(.enabled(if: ranEmbedded, "Jobs run `sh` without an image"), .timeLimit(.minutes(2))) struct SyncRowTests {
    private func words(_ results: [StepResult]) -> [String] {
        results.map { result in
            if result.hasFailed { return "\(result.id.name) failed" }
            return "\(result.id.name) \(result.actuation == .notReached ? "not reached" : "\(result.actuation)")"
        }
    }

    private func hook(_ name: String, _ phase: String, _ command: String, wave: Int = 0, policy: String = "BeforeHookCreation") throws -> JSONValue {
        try object(
            """
            apiVersion: batch/v1
            kind: Job
            metadata:
              name: \(name)
              annotations: {argocd.argoproj.io/hook: \(phase), argocd.argoproj.io/sync-wave: "\(wave)", argocd.argoproj.io/hook-delete-policy: "\(policy)"}
            spec:
              backoffLimit: 0
              template: {spec: {restartPolicy: Never, containers: [{name: main, image: x, command: [sh, -c, \(JSONValue.string(command).jsonString)]}]}}
            """)
    }

    private func map(_ name: String, wave: Int, finalizers: [String] = []) -> JSONValue {
        var body = configMap(name)
        body[path: "metadata", "annotations", "argocd.argoproj.io/sync-wave"] = .string("\(wave)")
        if !finalizers.isEmpty { body[path: "metadata", "finalizers"] = .array(finalizers.map(JSONValue.string)) }
        return body
    }

    /// Waits until an object is as wanted.
    private func wait(_ session: Session, _ kind: GroupKind, _ name: String, _ wanted: @escaping @Sendable (JSONValue) -> Bool) async throws {
        let resource = try await session.client.resource(for: kind)
        try await deadline(.seconds(30), "waiting for \(kind) \(name)") {
            for try await event in session.client.listAndWatch(resource, namespace: session.namespace, fieldSelector: "metadata.name=\(name)") {
                switch event {
                case .listed(let items, _): if items.contains(where: wanted) { return }
                case .added(let item), .modified(let item): if wanted(item) { return }
                case .deleted, .bookmark, .interrupted: continue
                }
            }
        }
    }

    private static let job = GroupKind(group: "batch", kind: "Job")

    // MARK: Clean-up

    @Test func eachPruneWaveIsGoneBeforeTheNextBegins() async throws {
        try await withSession { session in
            try await session.sync([map("pod1", wave: 1), map("pod2", wave: 2, finalizers: ["example.com/held"]), map("pod3", wave: 3), configMap("stays")])
            async let sync = session.sync([configMap("stays")])
            try await wait(session, GroupKind(group: "", kind: "ConfigMap"), "pod2") { $0[path: "metadata", "deletionTimestamp"] != nil }
            #expect(try await session.live("ConfigMap", "pod3") == nil)
            #expect(try await session.live("ConfigMap", "pod1")?[path: "metadata", "deletionTimestamp"] == nil)
            let maps = try await session.client.resource(for: GroupKind(group: "", kind: "ConfigMap"))
            _ = try await session.client.patch(maps, namespace: session.namespace, name: "pod2", type: .merge, patch: ["metadata": ["finalizers": .null]])
            #expect(words(try await sync.results) == ["pod3 pruned", "pod2 pruned", "pod1 pruned"])
        }
    }

    // MARK: Failures

    @Test func anObjectThatCannotBeCreatedFailsWithTheServersWords() async throws {
        try await withSession { session in
            let result = try await session.sync([try object("{apiVersion: v1, kind: Secret, metadata: {name: bad}, data: {k: not-base64!}}")])
            #expect(words(result.results) == ["bad failed"])
            #expect(result.results[0].failure?.hasPrefix("app/all.yaml:1: ") == true, "\(result.results)")
        }
    }

    @Test func anObjectThatCannotBePrunedFailsAndStaysInTheInventory() async throws {
        try await withSession { session in
            try await session.sync([configMap("a"), configMap("b")])
            let (changes, desired, live) = try await session.changes([configMap("a")])
            let plan = plan(changes, desired: desired, inventory: live.inventory, policy: PlanPolicy(prune: true))
            // Another object takes its name between plan and execution: that one was never looked at.
            let maps = try await session.client.resource(for: GroupKind(group: "", kind: "ConfigMap"))
            let former = try #require(try await session.live("ConfigMap", "b"))
            try await session.client.delete(maps, namespace: session.namespace, name: "b")
            var other = former
            other["metadata"] = ["name": "b", "namespace": .string(session.namespace), "labels": former[path: "metadata", "labels"] ?? [:], "annotations": former[path: "metadata", "annotations"] ?? [:]]
            _ = try await session.client.create(other, as: maps)
            let results = try await session.applier.execute(
                plan, desired: desired, applySet: session.applySet, inventory: live.inventory, options: ExecutionOptions(), onEvent: { _ in })
            #expect(words(results) == ["b failed"] && results[0].failure?.isEmpty == false)
            #expect(try await session.live("ConfigMap", "b") != nil)
            let next = try await session.changes([configMap("a")])
            #expect(next.live.inventory.members.contains(id("ConfigMap", "b", namespace: session.namespace)))
        }
    }

    @Test func whereTheDryRunFailsNotEvenTheNamespaceIsMade() async throws {
        try await withSession(createNamespace: false) { session in
            // Argo CD makes the namespace before the dry run; here a dry run writes nothing at all.
            var bad = try object("{apiVersion: v1, kind: Namespace, metadata: {name: Bad_Name}}")
            bad[path: "metadata", "annotations", "argocd.argoproj.io/sync-wave"] = "1"
            let result = try await session.sync([configMap("a"), bad], creating: NamespaceRequest(name: session.namespace))
            #expect(result.results.contains { $0.hasFailed } && result.results.allSatisfy { $0.hasFailed || $0.actuation == .notReached }, "\(words(result.results))")
            #expect(try await session.live("Namespace", session.namespace, inNamespace: false) == nil)
        }
    }

    // MARK: Waiting

    @Test func aNewObjectThatIsNotHealthyYetIsNotTakenForDeleted() async throws {
        try await withSession(controllers: true) { session in
            let pod = try object(
                "{apiVersion: v1, kind: Pod, metadata: {name: web, annotations: {argocd.argoproj.io/sync-wave: '-1'}}, spec: {containers: [{name: main, image: x, command: [sleep, '1000'], readinessProbe: {exec: {command: ['true']}, initialDelaySeconds: 1, periodSeconds: 1}}]}}")
            let result = try await session.sync([pod, configMap("after")])
            #expect(words(result.results) == ["web created", "after created"])
        }
    }

    @Test func aDegradedObjectEndsTheSyncBeforeTheNextWave() async throws {
        try await withSession(controllers: true) { session in
            let pod = try object(
                "{apiVersion: v1, kind: Pod, metadata: {name: web, annotations: {argocd.argoproj.io/sync-wave: '-1'}}, spec: {restartPolicy: Never, containers: [{name: main, image: x, command: ['false']}]}}")
            let result = try await session.sync([pod, configMap("after")])
            #expect(words(result.results) == ["web failed", "after not reached"])
            #expect(result.results[0].failure?.contains("Degraded") == true)
        }
    }

    @Test func aHookIsKeptWhileItsPhaseIsNotComplete() async throws {
        try await withSession(controllers: true) { session in
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("row-\(UUID())").path
            defer { try? FileManager.default.removeItem(atPath: file) }  // scratch
            async let sync = session.sync([
                try hook("quick", "Sync", "true", policy: "HookSucceeded"), try hook("slow", "Sync", "until test -e \(file); do sleep 0.05; done", policy: "HookSucceeded"),
            ])
            try await wait(session, Self.job, "quick") { $0[path: "status", "succeeded"] == 1 }
            #expect(try await session.live("Job", "quick", group: "batch")?[path: "metadata", "deletionTimestamp"] == nil)
            FileManager.default.createFile(atPath: file, contents: nil)
            #expect(words(try await sync.results).sorted() == ["quick created", "slow created"])
            #expect(try await session.live("Job", "quick", group: "batch") == nil)
        }
    }

    // MARK: Termination

    @Test func terminatingASyncDeletesTheHooksThatAreStillRunning() async throws {
        try await withSession(controllers: true) { session in
            let bodies = [configMap("a"), try hook("endless", "PreSync", "sleep 1000")]
            let sync = Task { try await session.sync(bodies) }
            try await wait(session, Self.job, "endless") { $0[path: "status", "active"] == 1 }
            sync.cancel()
            let result = await sync.result
            // Steps that were not reached are told, or the run ends with the cancellation itself.
            if case .success(let outcome) = result { #expect(words(outcome.results).last == "a not reached") }
            let left = try await session.live("Job", "endless", group: "batch")
            #expect(left == nil || left?[path: "metadata", "deletionTimestamp"] != nil, "\(left ?? .null)")
            #expect(left?[path: "metadata", "finalizers"]?.arrayValue?.contains(.string(Hook.finalizer)) != true)
            #expect(try await session.live("ConfigMap", "a") == nil)
        }
    }

    @Test func terminatingASyncKeepsHooksThatWereHealthyAlready() async throws {
        try await withSession(controllers: true) { session in
            let bodies = [try hook("done", "PreSync", "true"), try hook("endless", "PreSync", "sleep 1000", wave: 1)]
            let sync = Task { try await session.sync(bodies) }
            try await wait(session, Self.job, "endless") { $0[path: "status", "active"] == 1 }
            sync.cancel()
            if case .success(let outcome) = await sync.result { #expect(words(outcome.results).first == "done created") }
            #expect(try await session.live("Job", "done", group: "batch")?[path: "status", "succeeded"] == 1)
            let left = try await session.live("Job", "endless", group: "batch")
            #expect(left == nil || left?[path: "metadata", "deletionTimestamp"] != nil)
        }
    }

    @Test func terminatingASyncThatEndedChangesNothing() async throws {
        try await withSession(controllers: true) { session in
            let bodies = [configMap("a"), try hook("done", "PostSync", "true")]
            let sync = Task { try await session.sync(bodies) }
            let outcome = try await sync.value
            sync.cancel()
            #expect(words(outcome.results) == ["a created", "done created"])
            #expect(try await session.live("Job", "done", group: "batch") != nil)
            #expect(try await session.sync(bodies).plan.steps.isEmpty, "the hooks count as completed")
        }
    }
}
