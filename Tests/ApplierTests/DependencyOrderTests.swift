import ResourceModel
import Testing

@testable import Applier

/// `config.kubernetes.io/depends-on` beside waves.
@Suite(.timeLimit(.minutes(2))) struct DependencyOrderTests {
    private func on(_ names: String...) -> [String: String] {
        [Dependency.annotation: names.map { "/namespaces/shop/ConfigMap/\($0)" }.joined(separator: ",")]
    }

    private func declared(_ name: String, _ annotations: [String: String] = [:], wave: Int? = nil) -> Manifest {
        var annotations = annotations
        if let wave { annotations["argocd.argoproj.io/sync-wave"] = "\(wave)" }
        return manifest("ConfigMap", name, annotations: annotations)
    }

    /// The plan of objects that are not there, and of owned ones that are not declared.
    private func planned(_ manifests: [Manifest], pruned: [LiveObject] = [], unchanged: [LiveObject] = []) -> Plan {
        let kept = Set(unchanged.map(\.id))
        let changes =
            manifests.filter { !kept.contains($0.id) }.map { Change(id: $0.id, action: .create, manifest: $0) }
            + pruned.map { Change(id: $0.id, action: .prune, live: $0) }
            + unchanged.map { object in Change(id: object.id, action: .unchanged, manifest: manifests.first { $0.id == object.id }, live: object) }
        return plan(
            changes, desired: desiredState(manifests), inventory: Inventory(members: Set(pruned.map(\.id))), policy: PlanPolicy(prune: true))
    }

    private func shown(_ plan: Plan) -> [String] {
        plan.waves.map { wave in
            "\(wave.number).\(wave.rank): \(wave.batches.flatMap(\.steps).map { ($0.isPrune ? "-" : "") + $0.change.id.name }.joined(separator: " "))"
        }
    }

    @Test func withoutAnnotationsThereIsOneWave() {
        #expect(shown(planned([declared("a"), declared("b")])) == ["0.0: a b"])
    }

    @Test func aDependantComesAfterWhatItNeeds() {
        #expect(shown(planned([declared("a", on("b")), declared("b"), declared("c")])) == ["0.0: b c", "0.1: a"])
    }

    @Test func aChainHasAsManyParts() {
        #expect(shown(planned([declared("a", on("b")), declared("b", on("c")), declared("c")])) == ["0.0: c", "0.1: b", "0.2: a"])
    }

    @Test func aDiamondMeetsAtItsEnd() {
        let plan = planned([declared("top", on("left", "right")), declared("left", on("base")), declared("right"), declared("base")])
        #expect(shown(plan) == ["0.0: base right", "0.1: left", "0.2: top"])
    }

    @Test func anEarlierWaveIsNoReasonToWaitInside() {
        #expect(shown(planned([declared("a", on("b"), wave: 1), declared("b")])) == ["0.0: b", "1.0: a"])
    }

    @Test func aLaterWaveTakesItsDependantAlong() {
        #expect(shown(planned([declared("a", on("b")), declared("b", wave: 2), declared("c", wave: 2)])) == ["2.0: b c", "2.1: a"])
    }

    @Test func deletionsGoTheOtherWay() {
        let plan = planned([], pruned: [live("ConfigMap", "a", annotations: on("b")), live("ConfigMap", "b", annotations: on("c")), live("ConfigMap", "c")])
        #expect(shown(plan) == ["0.0: -a", "0.1: -b", "0.2: -c"])
    }

    @Test func whatNeedsNoWriteIsWaitedForWhereItBelongs() {
        var ill = live("Pod", "b")
        ill.body["status"] = ["phase": "Pending"]
        let dependant = manifest("ConfigMap", "a", annotations: [Dependency.annotation: "/namespaces/shop/Pod/b"])
        let plan = planned([dependant, manifest("Pod", "b")], unchanged: [ill])
        #expect(shown(plan) == ["0.0: ", "0.1: a"])
        #expect(plan.waves.first?.awaits == [ill.id])
    }

    @Test func theOrderIsPartOfThePlansIdentity() {
        let plain = planned([declared("a"), declared("b")])
        var tied = planned([declared("a", on("b")), declared("b")])
        tied.desired = plain.desired
        #expect(tied.id != plain.id)
    }

    private func job(_ script: String) throws -> JSONValue {
        try object(
            """
            apiVersion: batch/v1
            kind: Job
            metadata: {name: migrate}
            spec:
              backoffLimit: 0
              template:
                spec:
                  restartPolicy: Never
                  containers: [{name: main, image: local, command: [sh, -c, "\(script)"]}]
            """)
    }

    @Test func writesADependantOnlyWhenWhatItNeedsIsHealthy() async throws {
        try await withSession(controllers: true) { session in
            try #require(ranEmbedded)
            let job = try job("sleep 0.5")
            var after = configMap("after")
            after[path: "metadata", "annotations", Dependency.annotation] = .string("batch/namespaces/\(session.namespace)/Job/migrate")
            let (plan, results) = try await session.sync([after, job])
            #expect(plan.waves.count == 2 && results.allSatisfy { $0.actuation == .created }, "\(results)")
            let done = try await session.live("Job", "migrate", group: "batch")
            let made = try await session.live("ConfigMap", "after")
            let finished = try #require(done?[path: "status", "completionTime"]?.stringValue)
            #expect(finished <= made?[path: "metadata", "creationTimestamp"]?.stringValue ?? "", "finished \(finished)")
        }
    }

    @Test func writesNoDependantOfWhatFailed() async throws {
        try await withSession(controllers: true) { session in
            try #require(ranEmbedded)
            let job = try job("exit 3")
            var after = configMap("after")
            after[path: "metadata", "annotations", Dependency.annotation] = .string("batch/namespaces/\(session.namespace)/Job/migrate")
            let results = try await session.sync([after, job]).results
            #expect(results.first { $0.id.name == "after" }?.actuation == .notReached, "\(results)")
            #expect(try await session.live("ConfigMap", "after") == nil)
        }
    }
}
