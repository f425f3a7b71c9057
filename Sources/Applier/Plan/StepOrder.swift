import ResourceModel

/// The order of a sync's steps: phase, wave, rank, kind, name, with the exceptions that Argo CD makes
/// (gitops-engine, pkg/sync/sync_tasks.go and sync_context.go).
package enum StepOrder {
    /// The steps in the order in which they are carried out, with the waves and phases that they end up in.
    /// - Parameter pruneLast: the application's `PruneLast=true`.
    package static func ordered(_ steps: [PlanStep], pruneLast: Bool = false) -> [PlanStep] {
        var steps = steps
        reversePruneWaves(&steps)
        deferPrunes(&steps, all: pruneLast)
        DependencyOrder.orderDeletions(&steps)
        // Keys are sorted, not the steps, which are large.
        return needsFirst(steps.indices.map { Key(steps[$0], at: $0) }.sorted().map { steps[$0.index] })
    }

    /// What decides a step's place.
    private struct Key: Comparable {
        let index: Int
        private let phase: SyncPhase
        private let wave: Int
        private let rank: Int
        private let kindRank: Int
        private let id: ResourceID

        init(_ step: PlanStep, at index: Int) {
            self.index = index
            (phase, wave, rank, id) = (step.phase, step.wave, step.rank, step.change.id)
            kindRank = KindOrder.rank(id.kind)
        }

        static func < (left: Key, right: Key) -> Bool {
            if left.phase != right.phase { return left.phase < right.phase }
            if left.wave != right.wave { return left.wave < right.wave }
            if left.rank != right.rank { return left.rank < right.rank }
            if left.kindRank != right.kindRank { return left.kindRank < right.kindRank }
            if left.id.group != right.id.group { return left.id.group < right.id.group }
            if left.id.kind != right.id.kind { return left.id.kind < right.id.kind }
            if left.id.name != right.id.name { return left.id.name < right.id.name }
            return left.id < right.id
        }
    }

    /// What was made last goes first: the waves that hold deletions change places, the first with the last.
    private static func reversePruneWaves(_ steps: inout [PlanStep]) {
        let waves = Set(steps.filter(\.isPrune).map(\.wave)).sorted()
        let mirrored = Dictionary(uniqueKeysWithValues: zip(waves, waves.reversed()))
        for index in steps.indices where steps[index].isPrune {
            steps[index].wave = mirrored[steps[index].wave] ?? steps[index].wave
        }
    }

    /// `PruneLast`: in a wave of their own, after the last one of the sync phase.
    private static func deferPrunes(_ steps: inout [PlanStep], all: Bool) {
        let last = max(0, steps.filter { $0.phase == .sync }.map(\.wave).max() ?? 0) + 1
        for index in steps.indices where steps[index].isPrune {
            let annotation = steps[index].change.live?.annotations[SyncOptions.annotation]?.stringValue ?? ""
            if SyncOptions(annotation: annotation).pruneLast ?? all { steps[index].wave = last }
        }
    }

    /// A Namespace or a CustomResourceDefinition goes before the first step that needs it, into that step's phase and wave.
    private static func needsFirst(_ sorted: [PlanStep]) -> [PlanStep] {
        var steps = sorted
        for provider in sorted where !provider.isPrune {
            guard let isNeeded = need(of: provider), let from = steps.firstIndex(of: provider),
                let first = steps.firstIndex(where: { !$0.isPrune && isNeeded($0) }), first < from
            else { continue }
            var moved = steps.remove(at: from)
            moved.phase = steps[first].phase
            (moved.wave, moved.rank) = (steps[first].wave, steps[first].rank)
            steps.insert(moved, at: first)
        }
        return steps
    }

    private static func need(of provider: PlanStep) -> ((PlanStep) -> Bool)? {
        if provider.change.id.groupKind == GroupKind(group: "", kind: "Namespace") {
            let name = provider.change.id.name
            return { $0.change.id.namespace == name }
        }
        guard let defined = provider.change.manifest?.definedKind?.kind else { return nil }
        return { $0.change.id.groupKind == defined }
    }
}

extension PlanStep {
    package var isPrune: Bool { verb == .delete }
}
