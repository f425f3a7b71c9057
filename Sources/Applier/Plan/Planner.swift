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
    /// Takes objects over that another application tracks.
    package var adopt: Bool
    package var syncOptions: SyncOptions

    package init(
        prune: Bool, allowEmpty: Bool = false, budgetCount: Int = 10, budgetPercent: Int = 50, adopt: Bool = false,
        syncOptions: SyncOptions = SyncOptions()
    ) {
        self.prune = prune
        self.allowEmpty = allowEmpty
        self.budgetCount = budgetCount
        self.budgetPercent = budgetPercent
        self.adopt = adopt
        self.syncOptions = syncOptions
    }
}

/// Orders the changes into steps and says what must not be done. Pure: the same changes and policy give the same plan.
package func plan(_ changes: [Change], desired: DesiredState, inventory: Inventory, policy: PlanPolicy) -> Plan {
    let unreadable = desired.warnings.first { $0.code == Problem.unreadableFile }
    var planner = Planner(
        application: desired.application, policy: policy, unreadable: unreadable.map { $0.location ?? SourceLocation(path: "", line: 0) })
    for change in changes { planner.add(change) }
    planner.checkGuards(declared: desired.manifests.count, inventory: inventory)
    return planner.plan(desired: desired)
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

    init(application: String, policy: PlanPolicy, unreadable: SourceLocation?) {
        self.application = application
        self.policy = policy
        self.unreadable = unreadable
    }

    mutating func add(_ change: Change) {
        if let live = change.live {
            preconditions[change.id] = .init(uid: live.uid, resourceVersion: live.resourceVersion)
        }
        if change.action != .prune, let manifest = change.manifest, let hook = unsupportedHook(manifest) {
            switch hook {
            case .skip: skipped.append(with(change, .skip(.hookSkipped)))
            case .refuse(let name):
                refusals.append(
                    Refusal(
                        code: "hook-unsupported", message: "\(manifest.source): \(change.id) is a \(name) hook; hooks are not run yet",
                        objects: [change.id], permit: "argocd.argoproj.io/hook: Skip"))
            }
            return
        }
        switch change.action {
        case .unchanged: unchanged.append(change.id)
        case .create: append(.apply, change)
        case .configure:
            if let live = change.live, let owner = owningApplication(of: live), owner != application, !policy.adopt {
                let place = change.manifest.map { "\($0.source): " } ?? ""
                refusals.append(
                    Refusal(
                        code: "shared-object", message: "\(place)\(change.id) belongs to application \(owner)", objects: [change.id],
                        permit: "--adopt, after it was removed from \(owner)"))
                return
            }
            append(.apply, change)
        case .recreate: append(.replace, change)
        case .prune: addPrune(change)
        case .skip: skipped.append(change)
        }
    }

    private mutating func addPrune(_ change: Change) {
        guard let live = change.live else { return }
        let options = SyncOptions(annotation: live.annotations[SyncOptions.annotation]?.stringValue ?? "")
        if let controller = controllerOwner(of: live) {
            skipped.append(with(change, .skip(.ownedByController(controller))))
        } else if (options.prune ?? policy.syncOptions.prune) == .no || !policy.prune {
            skipped.append(with(change, .skip(.pruneDisabled)))
        } else if (options.prune ?? policy.syncOptions.prune) == .confirm {
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

    private mutating func append(_ verb: PlanStep.Verb, _ change: Change) {
        let annotations = change.manifest?.annotations ?? change.live?.annotations ?? [:]
        let wave = annotations["argocd.argoproj.io/sync-wave"]?.stringValue.flatMap { Int($0) } ?? 0
        steps.append(PlanStep(verb: verb, change: change, wave: wave))
    }

    /// The guards of docs/architecture.md: mass deletion is refused, not carried out.
    mutating func checkGuards(declared: Int, inventory: Inventory) {
        let prunes = steps.filter { $0.verb == .delete }.map(\.change.id).sorted()
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

    func plan(desired: DesiredState) -> Plan {
        var parts = [desired.revision.commit, desired.digest]
        for (id, precondition) in preconditions.sorted(by: { $0.key < $1.key }) {
            parts.append("\(id) \(precondition.uid) \(precondition.resourceVersion)")
        }
        let id = JSONValue.array(parts.map { .string($0) }).digest
        return Plan(
            id: String(id.prefix(16)), application: application, revision: desired.revision, waves: waves(), unchanged: unchanged,
            skipped: skipped, refusals: refusals, preconditions: preconditions)
    }

    /// Phase, wave, deletions before writes, kind, name; deletions in the opposite order of kinds.
    private func waves() -> [PlanWave] {
        let groups = Dictionary(grouping: steps) { WaveKey(phase: $0.phase, number: $0.wave) }
        return groups.sorted { $0.key < $1.key }.map { key, steps in
            let deletions = batches(steps.filter { $0.verb == .delete }).reversed()
            return PlanWave(
                phase: key.phase, number: key.number, batches: deletions + batches(steps.filter { $0.verb != .delete }))
        }
    }

    private func batches(_ steps: [PlanStep]) -> [PlanBatch] {
        Dictionary(grouping: steps, by: \.change.id.groupKind)
            .sorted { (KindOrder.rank($0.key.kind), $0.key) < (KindOrder.rank($1.key.kind), $1.key) }
            .map { PlanBatch(kind: $0.key, steps: $0.value.sorted { $0.change.id < $1.change.id }) }
    }
}

private struct WaveKey: Hashable, Comparable {
    var phase: SyncPhase
    var number: Int
    static func < (left: WaveKey, right: WaveKey) -> Bool { (left.phase, left.number) < (right.phase, right.number) }
}

private enum HookDecision { case skip, refuse(String) }

/// Hooks have their place in the plan's phases and are not run yet: what must not be applied as a plain object is told by name.
private func unsupportedHook(_ manifest: Manifest) -> HookDecision? {
    let annotations = manifest.annotations
    if let hook = annotations["argocd.argoproj.io/hook"]?.stringValue {
        return hook == "Skip" ? .skip : hook == "Sync" ? nil : .refuse(hook)
    }
    guard let helm = annotations["helm.sh/hook"]?.stringValue else { return nil }
    let names = helm.split(separator: ",").map { String($0.filter { !$0.isWhitespace }) }
    if names.contains("crd-install") { return nil }
    if names.allSatisfy({ $0.hasPrefix("test") || $0.hasSuffix("rollback") }) { return .skip }
    return .refuse("Helm \(helm)")
}

private func controllerOwner(of object: LiveObject) -> String? {
    for owner in object.body[path: "metadata", "ownerReferences"]?.arrayValue ?? [] where owner["controller"] == true {
        return "\(owner["kind"]?.stringValue ?? "") \(owner["name"]?.stringValue ?? "")"
    }
    return nil
}
