import ResourceModel

/// What a person or an application's policy permits.
package struct PlanPolicy: Sendable, Hashable {
    /// Whether objects that Git no longer declares are deleted.
    package var prune: Bool
    /// Whether a revision that declares nothing may delete everything.
    package var allowEmpty: Bool
    /// The greatest number of deletions in one run, and the greatest share of what is owned, in percent. Both must be exceeded
    /// for a refusal: small applications may lose half of their objects, large ones not hundreds.
    package var budgetCount: Int
    package var budgetPercent: Int
    /// The greatest number of objects deleted and made anew in one run, and the greatest share, in percent. Both must be exceeded.
    package var recreateCount: Int
    package var recreatePercent: Int
    /// Takes objects over that another application tracks.
    package var adopt: Bool
    /// Deletes what asks for a confirmation (`Prune=confirm`): somebody gave it.
    package var isConfirmed: Bool
    package var hooks: Hooks
    package var syncOptions: SyncOptions

    /// When hooks are run.
    package enum Hooks: Sendable, Hashable {
        /// When something is written, and when they changed or did not complete since.
        case whenNeeded
        case always
        /// For a sync of chosen resources, as in Argo CD.
        case never
    }

    package init(
        prune: Bool, allowEmpty: Bool = false, budgetCount: Int = 10, budgetPercent: Int = 50, recreateCount: Int = 10,
        recreatePercent: Int = 50, adopt: Bool = false,
        isConfirmed: Bool = false, hooks: Hooks = .whenNeeded, syncOptions: SyncOptions = SyncOptions()
    ) {
        self.prune = prune
        self.allowEmpty = allowEmpty
        self.budgetCount = budgetCount
        self.budgetPercent = budgetPercent
        self.recreateCount = recreateCount
        self.recreatePercent = recreatePercent
        self.adopt = adopt
        self.isConfirmed = isConfirmed
        self.hooks = hooks
        self.syncOptions = syncOptions
    }
}

/// Orders the changes into steps and says what must not be done. Pure: the same changes and policy give the same plan.
/// - Parameter hooks: a step for each hook and phase (`hookSteps`).
package func plan(
    _ changes: [Change], hooks: [PlanStep] = [], desired: DesiredState, inventory: Inventory, policy: PlanPolicy
) -> Plan {
    let unreadable = desired.warnings.first { $0.code == Problem.unreadableFile }
    var planner = Planner(
        application: desired.application, policy: policy, unreadable: unreadable.map { $0.location ?? SourceLocation(path: "", line: 0) },
        order: DependencyOrder(desired.manifests))
    for change in changes { planner.add(change) }
    planner.checkGuards(declared: desired.manifests.filter { $0.hook == nil }.count, inventory: inventory)
    planner.add(hooks: hooks, digest: hooksDigest(of: desired), completed: inventory.completedHooks)
    return planner.plan(desired: desired)
}

/// What tells whether an application's hooks are the ones that ran: a digest over them; empty when there are none.
package func hooksDigest(of desired: DesiredState) -> String {
    let hooks = desired.manifests.filter { $0.hook != nil }.sorted { $0.id < $1.id }
    return hooks.isEmpty ? "" : JSONValue.array(hooks.map(\.body)).digest
}

private struct Planner {
    let application: String
    let policy: PlanPolicy
    /// A file of the sources that nobody could read.
    let unreadable: SourceLocation?
    private var steps: [PlanStep] = []
    private var unchanged: [ResourceID] = []
    private var skipped: [Change] = []
    private var refusals: [Refusal] = []
    private var preconditions: [ResourceID: Plan.Precondition] = [:]
    /// Objects that need no write and are not healthy, by the place that they belong to.
    private var unhealthy: [SyncPlace: [ResourceID]] = [:]
    private let order: DependencyOrder

    init(application: String, policy: PlanPolicy, unreadable: SourceLocation?, order: DependencyOrder) {
        self.application = application
        self.policy = policy
        self.unreadable = unreadable
        self.order = order
    }

    mutating func add(_ change: Change) {
        if let live = change.live {
            preconditions[change.id] = .init(uid: live.uid, resourceVersion: live.resourceVersion)
        }
        switch change.action {
        case .unchanged:
            unchanged.append(change.id)
            if let live = change.live, let manifest = change.manifest, !health(of: live.body).status.isAtRest {
                unhealthy[order.places[change.id] ?? SyncPlace(wave: manifest.wave), default: []].append(change.id)
            }
        case .create: append(change)
        case .configure:
            if let refusal = refusalToShare(change) {
                refusals.append(refusal)
                return
            }
            append(change)
        case .recreate: append(.recreate, change)
        case .prune: addPrune(change)
        case .release: append(.release, change)
        case .skip: skipped.append(change)
        }
    }

    /// Another application's object: `--adopt` takes it, unless `FailOnSharedResource=true` says that nobody may.
    private func refusalToShare(_ change: Change) -> Refusal? {
        guard let live = change.live, let owner = owningApplication(of: live), owner != application else { return nil }
        let own = SyncOptions(annotation: change.manifest?.annotations[SyncOptions.annotation]?.stringValue ?? "")
        let isNeverShared = own.failOnSharedResource ?? policy.syncOptions.failOnSharedResource ?? false
        guard isNeverShared || !policy.adopt else { return nil }
        let place = change.manifest.map { "\($0.source): " } ?? ""
        return Refusal(
            code: "shared-object", message: "\(place)\(change.id) belongs to application \(owner)", objects: [change.id],
            permit: isNeverShared
                ? "remove it from \(owner), sync that, and sync again; FailOnSharedResource=true leaves --adopt without effect"
                : "--adopt, after it was removed from \(owner)")
    }

    private mutating func addPrune(_ change: Change) {
        guard let live = change.live else { return }
        let options = SyncOptions(annotation: live.annotations[SyncOptions.annotation]?.stringValue ?? "")
        if let controller = controllerOwner(of: live) {
            skipped.append(with(change, .skip(.ownedByController(controller))))
        } else if (options.prune ?? policy.syncOptions.prune) == .no || !policy.prune {
            skipped.append(with(change, .skip(.pruneDisabled)))
        } else if (options.prune ?? policy.syncOptions.prune) == .confirm, !policy.isConfirmed {
            skipped.append(with(change, .skip(.pruneUnconfirmed)))
        } else if let unreadable {
            skipped.append(with(change, .skip(.sourceUnreadable(unreadable))))
        } else {
            append(.delete, change)
        }
    }

    private func with(_ change: Change, _ action: Change.Action) -> Change {
        var change = change
        change.action = action
        return change
    }

    /// A write, in the way that the options of the application and of the object ask for.
    private mutating func append(_ change: Change) {
        guard let manifest = change.manifest else { return }
        let own = SyncOptions(annotation: manifest.annotations[SyncOptions.annotation]?.stringValue ?? "")
        let there = SyncOptions(annotation: change.live?.annotations[SyncOptions.annotation]?.stringValue ?? "")
        let isReplaced = own.replace ?? there.replace ?? policy.syncOptions.replace ?? false
        // Whether a whole object may go is the object's own to say, never the application's.
        let isForced = own.force ?? there.force ?? false
        switch (isReplaced, isForced) {
        case (true, _) where change.live == nil: append(.create, change)
        case (true, true) where !Self.isNeverDeleted(change.id.groupKind): append(.recreate, change)
        case (true, _): append(.replace, change)
        case (false, _): append(.apply, change, force: isForced && !Self.isNeverDeleted(change.id.groupKind))
        }
    }

    private mutating func append(_ verb: PlanStep.Verb, _ change: Change, force: Bool = false) {
        let wave = change.manifest?.wave ?? change.live.map { syncWave(of: $0.annotations) } ?? 0
        var step = PlanStep(verb: verb, change: change, wave: wave, force: force)
        if change.manifest != nil, let place = order.places[change.id] { (step.wave, step.rank) = (place.wave, place.rank) }
        steps.append(step)
    }

    /// What takes everything below it along.
    private static func isNeverDeleted(_ kind: GroupKind) -> Bool {
        kind == GroupKind(group: "", kind: "Namespace") || kind.kind == "CustomResourceDefinition"
    }

    mutating func add(hooks: [PlanStep], digest: String, completed: String?) {
        switch policy.hooks {
        case .never: return
        case .always: steps += hooks
        case .whenNeeded: if !steps.isEmpty || digest != completed ?? "" { steps += hooks }
        }
    }

    /// The guards of docs/architecture.md: mass deletion is refused, not carried out.
    mutating func checkGuards(declared: Int, inventory: Inventory) {
        checkRecreations(inventory)
        let prunes = steps.filter(\.isPrune).map(\.change.id).sorted()
        guard !prunes.isEmpty else { return }
        if declared == 0, !policy.allowEmpty {
            refusals.append(
                Refusal(
                    code: "empty-render", message: "the revision declares no object; everything of \(application) would be deleted (objects: \(prunes.count))",
                    objects: prunes, permit: "--allow-empty, or syncPolicy.automated.allowEmpty: true"))
        } else if prunes.count > policy.budgetCount,
            prunes.count * 100 > policy.budgetPercent * max(inventory.members.count, 1)
        {
            refusals.append(
                Refusal(
                    code: "prune-budget",
                    message: "\(prunes.count) of \(inventory.members.count) objects would be deleted, more than \(policy.budgetCount) and more than \(policy.budgetPercent) %",
                    objects: prunes, permit: "--prune-budget \(prunes.count)"))
        }
    }

    private mutating func checkRecreations(_ inventory: Inventory) {
        let recreated = steps.filter(\.isRecreation).map(\.change.id).sorted()
        guard recreated.count > policy.recreateCount, recreated.count * 100 > policy.recreatePercent * max(inventory.members.count, 1) else { return }
        refusals.append(
            Refusal(
                code: "recreate-budget",
                message: "\(recreated.count) of \(inventory.members.count) objects would be deleted and made anew, more than \(policy.recreateCount) and more than \(policy.recreatePercent) %",
                objects: recreated, permit: "--recreate-budget \(recreated.count)"))
    }

    func plan(desired: DesiredState) -> Plan {
        let waves = waves()
        var parts = [desired.digest]
        parts += preconditions.map { "\($0.key) \($0.value.uid) \($0.value.resourceVersion)" }.sorted()
        for step in waves.flatMap(\.batches).flatMap(\.steps) {
            // The name of a nameless hook holds the time.
            let name = step.hook == nil ? "\(step.change.id)" : "\(step.change.id.groupKind)"
            parts.append("\(step.phase.rawValue) \(step.wave) \(step.verb.rawValue) \(name)" + (step.rank == 0 ? "" : " \(step.rank)"))
        }
        let id = JSONValue.array(parts.map { .string($0) }).digest
        return Plan(
            id: String(id.prefix(16)), desired: desired.digest, application: application, revision: desired.revision, waves: waves,
            unchanged: unchanged, skipped: skipped, refusals: refusals, preconditions: preconditions)
    }

    /// In a wave deletions come before writes, in the opposite order of kinds.
    private func waves() -> [PlanWave] {
        var waves: [PlanWave] = []
        for step in StepOrder.ordered(steps, pruneLast: policy.syncOptions.pruneLast ?? false) {
            if waves.last?.phase != step.phase || waves.last?.number != step.wave || waves.last?.rank != step.rank {
                waves.append(PlanWave(phase: step.phase, number: step.wave, rank: step.rank, batches: []))
            }
            let kind = step.change.id.groupKind
            let wave = waves.count - 1
            if waves[wave].batches.last?.kind != kind || waves[wave].batches.last?.steps.last?.isPrune != step.isPrune {
                waves[wave].batches.append(PlanBatch(kind: kind, steps: []))
            }
            waves[wave].batches[waves[wave].batches.count - 1].steps.append(step)
        }
        for index in waves.indices {
            let isPrune = { (batch: PlanBatch) in batch.steps.first?.isPrune == true }
            waves[index].batches = waves[index].batches.filter(isPrune).reversed() + waves[index].batches.filter { !isPrune($0) }
        }
        return withAwaited(waves)
    }

    /// Adds what later waves wait for although it needs no write.
    private func withAwaited(_ waves: [PlanWave]) -> [PlanWave] {
        var waves = waves
        for (place, ids) in unhealthy.sorted(by: { $0.key < $1.key }) {
            if let index = waves.firstIndex(where: { $0.phase == .sync && ($0.number, $0.rank) == (place.wave, place.rank) }) {
                waves[index].awaits = ids.sorted()
            } else if let next = waves.firstIndex(where: {
                ($0.phase, $0.number, $0.rank) > (.sync, place.wave, place.rank) && $0.phase != .syncFail
            }) {
                waves.insert(PlanWave(phase: .sync, number: place.wave, rank: place.rank, batches: [], awaits: ids.sorted()), at: next)
            }
        }
        return waves
    }
}

extension HealthStatus {
    /// Whether there is nothing to wait for.
    package var isAtRest: Bool { self == .healthy || self == .suspended }
}

func controllerOwner(of object: LiveObject) -> String? {
    for owner in object.body[path: "metadata", "ownerReferences"]?.arrayValue ?? [] where owner["controller"] == true {
        return "\(owner["kind"]?.stringValue ?? "") \(owner["name"]?.stringValue ?? "")"
    }
    return nil
}
