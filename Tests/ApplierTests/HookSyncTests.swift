import Foundation
import KubernetesClient
import ResourceModel
import TestSupport
import Testing

@testable import Applier

/// Hooks and waves on a real API server; on the embedded cluster their Jobs are real processes.
@Suite(.enabled(if: ranEmbedded, "Jobs run `sh` without an image")) struct HookSyncTests {
    private func words(_ results: [StepResult]) -> [String] {
        results.map { result in
            let word =
                switch result.actuation {
                case .failed: "failed"
                case .notReached: "not reached"
                default: "\(result.actuation)"
                }
            return "\(result.phase.rawValue) \(result.id.name) \(word)"
        }
    }

    private func message(_ results: [StepResult], _ name: String) -> String {
        for result in results where result.id.name == name { if case .failed(let message) = result.actuation { return message } }
        return ""
    }

    private func job(
        _ name: String, _ phases: String, _ command: String = "true", policy: String? = nil, wave: Int? = nil, more: String = ""
    ) throws -> JSONValue {
        var body = try object(
            """
            apiVersion: batch/v1
            kind: Job
            metadata: {name: \(name), annotations: {argocd.argoproj.io/hook: "\(phases)"}}
            spec:
              backoffLimit: 0
              template:
                spec:
                  restartPolicy: Never
                  containers: [{name: main, image: busybox, command: [sh, -c, \(JSONValue.string(command).jsonString)]}]
            \(more)
            """)
        if let policy { body[path: "metadata", "annotations", Hook.deletePolicyAnnotation] = .string(policy) }
        if let wave { body[path: "metadata", "annotations", "argocd.argoproj.io/sync-wave"] = .string("\(wave)") }
        return body
    }

    private func finalizers(_ object: JSONValue?) -> [JSONValue] { object?[path: "metadata", "finalizers"]?.arrayValue ?? [] }

    @Test func hooksRunAroundTheSyncAndEachIsWaitedFor() async throws {
        try await withSession(controllers: true) { session in
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("hooks-\(UUID())").path
            defer { try? FileManager.default.removeItem(atPath: file) }  // scratch
            let result = try await session.sync([
                configMap("a"), try job("before", "PreSync", "sleep 0.3; echo before >> \(file)"),
                try job("second", "PreSync", "echo second >> \(file)", wave: 1), try job("after", "PostSync", "echo after >> \(file)"),
                try job("never", "SyncFail", "echo never >> \(file)"), try job("skipped", "Skip", "echo skipped >> \(file)"),
            ])
            #expect(
                words(result.results) == ["PreSync before created", "PreSync second created", "Sync a created", "PostSync after created"])
            #expect(result.results.filter { $0.phase != .sync }.allSatisfy { $0.health?.status == .healthy })
            #expect(try String(contentsOfFile: file, encoding: .utf8) == "before\nsecond\nafter\n")
            let kept = try #require(try await session.live("Job", "before", group: "batch"), "BeforeHookCreation keeps it until the next run")
            #expect(!finalizers(kept).contains(.string(Hook.finalizer)))
            #expect(try await session.live("Job", "skipped", group: "batch") == nil)
        }
    }

    @Test func aSyncThatHasNothingToDoRunsNoHooksAndAChangedHookRuns() async throws {
        try await withSession(controllers: true) { session in
            let first = try await session.sync([configMap("a"), try job("before", "PreSync")])
            let uid = try await session.live("Job", "before", group: "batch")?[path: "metadata", "uid"]
            #expect(first.results.count == 2)
            let second = try await session.sync([configMap("a"), try job("before", "PreSync")])
            #expect(second.plan.steps.isEmpty)
            let third = try await session.sync([configMap("a"), try job("before", "PreSync", "exit 0")])
            #expect(words(third.results) == ["PreSync before created"])
            let other = try await session.live("Job", "before", group: "batch")?[path: "metadata", "uid"]
            #expect(other != uid, "made anew")
            let fourth = try await session.sync([configMap("a"), try job("before", "PreSync", "exit 0")], policy: PlanPolicy(prune: true, hooks: .always))
            #expect(words(fourth.results) == ["PreSync before created"])
        }
    }

    @Test func aFailedHookStopsTheSyncAndRunsTheHooksForThat() async throws {
        try await withSession(controllers: true) { session in
            let bodies = [
                configMap("a"), try job("broken", "PreSync", "exit 3", policy: "HookFailed"),
                try job("fine", "PreSync", policy: "HookSucceeded", wave: -1), try job("alarm", "SyncFail"),
            ]
            let result = try await session.sync(bodies)
            #expect(
                words(result.results) == [
                    "PreSync fine created", "PreSync broken failed", "Sync a not reached", "SyncFail alarm created",
                ])
            #expect(message(result.results, "broken").contains("PreSync hook failed"))
            #expect(try await session.live("ConfigMap", "a") == nil)
            #expect(try await session.live("Job", "fine", group: "batch") == nil, "HookSucceeded")
            // It failed, so it is tried again.
            let again = try await session.sync(bodies)
            #expect(again.results.contains { $0.hasFailed })
        }
    }

    @Test func aFailedHookIsKeptOrDeletedByItsPolicy() async throws {
        try await withSession(controllers: true) { session in
            let result = try await session.sync([
                try job("kept", "Sync", "exit 1", policy: "HookSucceeded"), try job("gone", "Sync", "exit 1", policy: "HookFailed"),
                try job("alarm", "SyncFail", "exit 1"),
            ])
            #expect(words(result.results) == ["Sync gone failed", "Sync kept failed", "SyncFail alarm failed"])
            let kept = try #require(try await session.live("Job", "kept", group: "batch"))
            #expect(finalizers(kept).isEmpty)
            let gone = try await session.live("Job", "gone", group: "batch")
            #expect(gone == nil || gone?[path: "metadata", "deletionTimestamp"] != nil)
        }
    }

    @Test func aHookInTwoPhasesRunsInBoth() async throws {
        try await withSession(controllers: true) { session in
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("hooks-\(UUID())").path
            defer { try? FileManager.default.removeItem(atPath: file) }  // scratch
            let result = try await session.sync([configMap("a"), try job("both", "PreSync,PostSync", "echo x >> \(file)")])
            #expect(words(result.results) == ["PreSync both created", "Sync a created", "PostSync both created"])
            #expect(try String(contentsOfFile: file, encoding: .utf8) == "x\nx\n")
        }
    }

    @Test func aHookThatIsGoneAfterItEndedCountsWithItsOutcome() async throws {
        try await withSession(controllers: true) { session in
            let result = try await session.sync([try job("brief", "Sync", "true", more: "  ttlSecondsAfterFinished: 0")])
            #expect(words(result.results) == ["Sync brief created"] && result.results[0].health?.status == .healthy)
        }
    }

    @Test func aHookOfAnEarlierRunThatArgoCDHoldsIsReplaced() async throws {
        try await withSession(controllers: true) { session in
            var old = try job("migrate", "PreSync", "sleep 1000")
            old[path: "metadata", "namespace"] = .string(session.namespace)
            old[path: "metadata", "finalizers"] = [.string(Hook.finalizer)]
            _ = try await session.client.create(old, as: try await session.client.resource(for: GroupKind(group: "batch", kind: "Job")))
            let result = try await session.sync([try job("migrate", "PreSync")])
            #expect(words(result.results) == ["PreSync migrate created"])
        }
    }

    @Test func aHookIsNeverPruned() async throws {
        try await withSession(controllers: true) { session in
            try await session.sync([configMap("a"), configMap("b"), try job("before", "PreSync")])
            let result = try await session.sync([configMap("a")])
            #expect(words(result.results) == ["Sync b pruned"])
            #expect(try await session.live("Job", "before", group: "batch") != nil)
        }
    }

    @Test func namelessHooksAreMadeAnewEachTime() async throws {
        try await withSession(controllers: true) { session in
            var body = try job("x", "PostSync", policy: "HookSucceeded")
            body[path: "metadata", "name"] = nil
            body[path: "metadata", "generateName"] = "load-"
            let result = try await session.sync([configMap("a"), body])
            #expect(words(result.results) == ["Sync a created", "PostSync load-aaaaaaa-postsync-1700000000 created"])
        }
    }

    @Test func aRefusalOfTheServerStopsASyncOfSeveralWavesBeforeItsFirstWrite() async throws {
        try await withSession { session in
            var bad = try object("{apiVersion: v1, kind: Secret, metadata: {name: bad}, data: {k: not-base64!}}")
            bad[path: "metadata", "annotations", "argocd.argoproj.io/sync-wave"] = "1"
            let result = try await session.sync([configMap("a"), bad])
            #expect(words(result.results) == ["Sync a not reached", "Sync bad failed"])
            #expect(message(result.results, "bad").hasPrefix("dry run, nothing was written: app/all.yaml:1: "))
            #expect(try await session.live("ConfigMap", "a") == nil)
        }
    }

    @Test func deletionsGoWaveByWaveAndEachIsGoneBeforeTheNext() async throws {
        try await withSession { session in
            func map(_ name: String, _ wave: Int, held: Bool = false) -> JSONValue {
                var body = configMap(name)
                body[path: "metadata", "annotations", "argocd.argoproj.io/sync-wave"] = .string("\(wave)")
                if held { body[path: "metadata", "finalizers"] = ["example.com/held"] }
                return body
            }
            try await session.sync([map("one", 1), map("two", 2, held: true), map("three", 3), configMap("stays")])
            let result = try await session.sync([configMap("stays")], options: ExecutionOptions(waveTimeout: .milliseconds(700)))
            #expect(words(result.results) == ["Sync three pruned", "Sync two failed", "Sync one not reached"])
            #expect(message(result.results, "two").contains("waiting for deletion") && message(result.results, "two").contains("example.com/held"))
            #expect(try await session.live("ConfigMap", "one") != nil)
            let maps = try await session.client.resource(for: GroupKind(group: "", kind: "ConfigMap"))
            _ = try await session.client.patch(
                maps, namespace: session.namespace, name: "two", type: .merge, patch: ["metadata": ["finalizers": .null]], options: WriteOptions())
            #expect(words(try await session.sync([configMap("stays")]).results) == ["Sync one pruned"])
        }
    }

    @Test func anObjectDeletedWhileItIsWaitedForFailsTheSync() async throws {
        try await withSession(controllers: true) { session in
            var pod = try object(
                "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: main, image: x, command: [sleep, '1000'], readinessProbe: {exec: {command: ['false']}}}]}}")
            pod[path: "metadata", "annotations", "argocd.argoproj.io/sync-wave"] = "-1"
            let pods = try await session.client.resource(for: GroupKind(group: "", kind: "Pod"))
            async let deletion: Void = {
                for try await event in session.client.listAndWatch(pods, namespace: session.namespace, fieldSelector: "metadata.name=web") {
                    let items: [JSONValue]
                    switch event {
                    case .listed(let listed, _): items = listed
                    case .added(let item), .modified(let item): items = [item]
                    default: items = []
                    }
                    guard items.contains(where: { $0[path: "status", "phase"] == "Running" }) else { continue }
                    try await session.client.delete(pods, namespace: session.namespace, name: "web", options: DeleteOptions(gracePeriodSeconds: 0))
                    return
                }
            }()
            let result = try await session.sync([pod, configMap("after")])
            try await deletion
            #expect(words(result.results) == ["Sync web failed", "Sync after not reached"])
            #expect(message(result.results, "web").contains("was deleted while the sync waited for it"))
        }
    }

    @Test(.timeLimit(.minutes(1))) func anObjectDeletedBeforeItIsLookedAtIsNotWaitedForEither() async throws {
        try await withSession { session in
            let gone = ResourceID(group: "", kind: "Pod", namespace: session.namespace, name: "gone")
            let outcome = try await session.applier.waitForHealth(
                of: [gone], versions: [:], timeout: .seconds(300), deletionFails: true
            ) { _ in }
            #expect(outcome == [gone: HealthAssessment(.missing, "was deleted while the sync waited for it")])
        }
    }

    @Test func replaceAndForceDoWhatTheySay() async throws {
        try await withSession { session in
            func map(_ options: String, _ data: [String: String]) -> JSONValue {
                var body = configMap("a", data)
                body[path: "metadata", "annotations", SyncOptions.annotation] = .string(options)
                return body
            }
            try await session.sync([map("Replace=true", ["k": "1"])])
            let maps = try await session.client.resource(for: GroupKind(group: "", kind: "ConfigMap"))
            _ = try await session.client.patch(
                maps, namespace: session.namespace, name: "a", type: .merge, patch: ["data": ["theirs": "x"]], options: WriteOptions(fieldManager: "them"))
            let replaced = try await session.sync([map("Replace=true", ["k": "2"])])
            #expect(words(replaced.results) == ["Sync a configured"])
            #expect(try await session.live("ConfigMap", "a")?["data"] == ["k": "2"], "what others added is gone")
            let uid = try await session.live("ConfigMap", "a")?[path: "metadata", "uid"]
            let recreated = try await session.sync([map("Replace=true,Force=true", ["k": "3"])])
            #expect(words(recreated.results) == ["Sync a recreated"])
            #expect(try await session.live("ConfigMap", "a")?[path: "metadata", "uid"] != uid)
        }
    }

    @Test func forceRecreatesWhereAFieldCannotBeChanged() async throws {
        try await withSession { session in
            func map(_ value: String) throws -> JSONValue {
                var body = configMap("a", ["k": value])
                body["immutable"] = true
                body[path: "metadata", "annotations", SyncOptions.annotation] = "Force=true"
                return body
            }
            try await session.sync([try map("1")])
            let result = try await session.sync([try map("2")])
            #expect(words(result.results) == ["Sync a recreated"])
            #expect(try await session.live("ConfigMap", "a")?[path: "data", "k"] == "2")
        }
    }
}
