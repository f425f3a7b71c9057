import ResourceModel
import Testing

@testable import Applier

/// The rows of Argo CD's own tests of the order (gitops-engine, pkg/sync), by their names there.
@Suite struct StepOrderTests {
    private struct Task {
        var kind: String
        var name: String
        var phase: SyncPhase = .sync
        var wave = 0
        var prune = false
        var namespace: String? = "default"
        var group = ""
        var options: String?
        var body: JSONValue?

        var step: PlanStep {
            let annotations = options.map { [SyncOptions.annotation: $0] } ?? [:]
            let id = ResourceID(group: group, kind: kind, namespace: namespace, name: name)
            if prune {
                let object = live(kind, name, group: group, namespace: namespace, annotations: annotations)
                return PlanStep(verb: .delete, change: Change(id: id, action: .prune, live: object), phase: phase, wave: wave)
            }
            var manifest = manifest(kind, name, group: group, namespace: namespace)
            if let body { manifest.body = body }
            return PlanStep(verb: .apply, change: Change(id: id, action: .create, manifest: manifest), phase: phase, wave: wave)
        }
    }

    private func ordered(_ tasks: [Task], pruneLast: Bool = false) -> [PlanStep] {
        StepOrder.ordered(tasks.map(\.step), pruneLast: pruneLast)
    }

    private func waves(_ tasks: [Task], pruneLast: Bool = false) -> [String: Int] {
        Dictionary(uniqueKeysWithValues: ordered(tasks, pruneLast: pruneLast).map { ($0.change.id.name, $0.wave) })
    }

    private func pod(_ name: String, _ wave: Int, prune: Bool = false, _ options: String? = nil) -> Task {
        Task(kind: "Pod", name: name, wave: wave, prune: prune, options: options)
    }

    private func namespace(_ wave: Int, prune: Bool = false, _ name: String = "ns") -> Task {
        Task(kind: "Namespace", name: name, wave: wave, prune: prune, namespace: nil)
    }

    @Test func kindOrder() {
        #expect(KindOrder.rank("Namespace") == -35 && KindOrder.rank("APIService") == -1 && KindOrder.rank("MyCRD") == 0)
    }

    @Test func sortOfTwelveMixedTasks() {
        let tasks = [
            Task(kind: "Pod", name: "p1", phase: .preSync), Task(kind: "Pod", name: "p", phase: .sync),
            Task(kind: "Service", name: "s"), Task(kind: "PersistentVolume", name: "pv", namespace: nil), Task(kind: "ConfigMap", name: "c"),
            Task(kind: "Pod", name: "late", wave: 1), Task(kind: "Pod", name: "early", wave: -1), Task(kind: "Odd", name: "b"),
            Task(kind: "Odd", name: "a"), Task(kind: "Odd", name: ""), Task(kind: "Pod", name: "fail", phase: .syncFail),
            Task(kind: "Pod", name: "post", phase: .postSync),
        ]
        let expected = ["p1", "early", "c", "pv", "s", "p", "", "a", "b", "late", "post", "fail"]
        for _ in 0..<5 { #expect(ordered(tasks.shuffled()).map(\.change.id.name) == expected) }
    }

    @Test func namespaceBeforeACustomResource() {
        let tasks = [Task(kind: "Workflow", name: "w", group: "argoproj.io"), namespace(0, "default")]
        #expect(ordered(tasks).map(\.change.id.kind) == ["Namespace", "Workflow"])
    }

    @Test func namespaceMovesToTheFirstObjectInIt() {
        let tasks = [
            Task(kind: "Job", name: "job1", phase: .preSync, namespace: "ns1", group: "batch"),
            Task(kind: "Job", name: "job2", phase: .preSync, namespace: "ns2", group: "batch"), namespace(1, "ns1"), namespace(2, "ns2"),
        ]
        let steps = ordered(tasks.shuffled())
        #expect(steps.map(\.change.id.name) == ["ns1", "job1", "ns2", "job2"])
        #expect(steps.allSatisfy { $0.phase == .preSync && $0.wave == 0 })
    }

    @Test func definitionMovesToTheFirstObjectOfItsKind() {
        let definition: JSONValue = [
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": ["name": "workflows.argoproj.io"],
            "spec": ["group": "argoproj.io", "names": ["kind": "Workflow"], "scope": "Namespaced"],
        ]
        let tasks = [
            Task(kind: "Workflow", name: "w", phase: .preSync, group: "argoproj.io"),
            Task(
                kind: "CustomResourceDefinition", name: "workflows.argoproj.io", wave: 3, namespace: nil, group: "apiextensions.k8s.io",
                body: definition),
        ]
        let steps = ordered(tasks)
        #expect(steps.map(\.change.id.kind) == ["CustomResourceDefinition", "Workflow"])
        #expect(steps[0].phase == .preSync && steps[0].wave == 0)
    }

    @Test func pruneOfOneWaveStaysInIt() {
        #expect(waves([namespace(0, prune: true), pod("a", 0, prune: true), pod("b", 0, prune: true)]) == ["ns": 0, "a": 0, "b": 0])
    }

    @Test func wavesWithoutPruneAreUnchanged() {
        let tasks = [namespace(0), pod("pod1", 1), pod("pod2", 2), pod("pod3", 3), pod("pod4", 4)]
        #expect(waves(tasks) == ["ns": 0, "pod1": 1, "pod2": 2, "pod3": 3, "pod4": 4])
    }

    @Test func allPrunedWavesAreReversed() {
        let tasks = [namespace(0, prune: true)] + (1...4).map { pod("pod\($0)", $0, prune: true) }
        #expect(waves(tasks) == ["ns": 4, "pod1": 3, "pod2": 2, "pod3": 1, "pod4": 0])
    }

    @Test func mixedPruneReversesOnlyWhatIsPruned() {
        let tasks = [namespace(0), pod("pod1", 1, prune: true), pod("pod2", 2), pod("pod3", 3, prune: true), pod("pod4", 4, prune: true)]
        #expect(waves(tasks) == ["ns": 0, "pod1": 4, "pod2": 2, "pod3": 3, "pod4": 1])
    }

    @Test func mixedPruneWithRepeatedAndNegativeWaves() {
        let tasks = [
            pod("p1", 1, prune: true), pod("p3a", 3, prune: true), pod("p3b", 3, prune: true), pod("p4", 4, prune: true), pod("p5", 5, prune: true),
            pod("k-1", -1), pod("k3", 3), pod("k5", 5),
        ]
        #expect(waves(tasks) == ["p1": 5, "p3a": 4, "p3b": 4, "p4": 3, "p5": 1, "k-1": -1, "k3": 3, "k5": 5])
    }

    @Test func pruneLastOfTheApplication() {
        let tasks = [namespace(0)] + (1...4).map { pod("pod\($0)", $0, prune: true) }
        #expect(waves(tasks, pruneLast: true) == ["ns": 0, "pod1": 5, "pod2": 5, "pod3": 5, "pod4": 5])
    }

    @Test func pruneLastOfOneResource() {
        let tasks = (1...4).map { pod("pod\($0)", $0, prune: true, $0 == 2 ? "PruneLast=true" : nil) }
        #expect(waves(tasks) == ["pod1": 4, "pod2": 5, "pod3": 2, "pod4": 1])
    }

    @Test func pruneLastComesAfterTheLastWave() {
        #expect(waves([namespace(0), pod("a", 0), pod("gone", 0, prune: true)], pruneLast: true)["gone"] == 1)
        let tasks = [namespace(2), pod("a", 2), pod("b", 1, prune: true), pod("c", 7, prune: true)]
        #expect(waves(tasks, pruneLast: true) == ["ns": 2, "a": 2, "b": 8, "c": 8])
    }

    @Test func pruneLastFalseOfAResourceWinsOverTheApplication() {
        #expect(waves([pod("a", 0), pod("gone", 0, prune: true, "PruneLast=false")], pruneLast: true)["gone"] == 0)
    }
}
