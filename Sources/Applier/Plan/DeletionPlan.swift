import ResourceModel

/// What a person or an application's finalizers say about its deletion.
package struct DeletionPolicy: Sendable, Hashable {
    package var cascade: Cascade
    /// Deletes what asks for a confirmation (`Delete=confirm`, `Prune=confirm`): somebody gave it.
    package var isConfirmed: Bool
    /// The application's; an object's own win.
    package var syncOptions: SyncOptions

    package init(cascade: Cascade, isConfirmed: Bool = false, syncOptions: SyncOptions = SyncOptions()) {
        self.cascade = cascade
        self.isConfirmed = isConfirmed
        self.syncOptions = syncOptions
    }
}

/// What becomes of one object when its application is deleted, as far as the object itself says it. Pure.
/// - Parameter application: its name.
/// - Returns: `nil` for an object that has nothing to do with the application but a label that was copied to it.
package func deletion(of object: LiveObject, application: String, policy: DeletionPolicy) -> Change.Action? {
    guard let owner = owningApplication(of: object) else { return nil }
    if owner != application { return .skip(.ownedByApplication(owner)) }
    if policy.cascade == .orphan { return .release }
    // Hooks of the deletion itself come and go with their own policy.
    if let hook = Hook(annotations: object.annotations), !hook.deletions.isEmpty { return nil }
    if let controller = controllerOwner(of: object) { return .skip(.ownedByController(controller)) }
    let own = SyncOptions(annotation: object.annotations[SyncOptions.annotation]?.stringValue ?? "")
    let options = policy.syncOptions.overridden(by: own)
    if options.delete == .no { return .skip(.deleteDisabled) }
    if object.annotations["helm.sh/resource-policy"]?.stringValue == "keep" { return .skip(.keptByHelm) }
    // Only the definition itself can say that everybody's objects may go with it.
    if object.id.groupKind == .definition, own.delete != .yes { return .skip(.definition) }
    return .prune
}

/// Orders an application's deletion into steps. Pure: the same changes, hooks and policy give the same plan.
///
/// PreDelete hooks, then the objects by descending wave and in a wave against the order of kinds, then PostDelete hooks. A Namespace or a
/// definition goes not before the last object that needs it, a namespace in which PostDelete hooks run goes after these.
/// - Parameters:
///   - changes: `deletion(of:)` of every object, with what the cluster says about namespaces and definitions.
///   - hooks: steps of the phases `preDelete` and `postDelete`.
///   - refusals: what the caller found.
package func deletionPlan(
    _ changes: [Change], hooks: [PlanStep] = [], application: String, revision: Revision, inventory: Inventory, policy: DeletionPolicy,
    refusals: [Refusal] = []
) -> Plan {
    var planner = DeletionPlanner(application: application, policy: policy, refusals: refusals)
    for change in changes.sorted(by: { $0.id < $1.id }) { planner.add(change) }
    let isResumed = inventory.completedPreDelete.map { $0 == preDeleteDigest(of: hooks) } ?? false
    planner.add(hooks: hooks.filter { $0.phase != .preDelete || !isResumed })
    return planner.plan(revision: revision)
}

/// What tells whether the PreDelete hooks of a deletion are the ones that ran: a digest over them; empty when there are none.
package func preDeleteDigest(of hooks: [PlanStep]) -> String {
    let bodies = hooks.filter { $0.phase == .preDelete }.sorted { $0.change.id < $1.change.id }.compactMap { step -> JSONValue? in
        // The name of a nameless hook holds the time.
        var body = step.change.manifest?.body
        body?[path: "metadata", "name"] = nil
        body?[path: "metadata", "annotations", TrackingID.annotation] = nil
        return body
    }
    return bodies.isEmpty ? "" : JSONValue.array(bodies).digest
}

extension GroupKind {
    static let definition = GroupKind(group: "apiextensions.k8s.io", kind: "CustomResourceDefinition")
    static let namespace = GroupKind(group: "", kind: "Namespace")
}

private struct DeletionPlanner {
    let application: String
    let policy: DeletionPolicy
    var refusals: [Refusal]
    private var hooks: [PlanStep] = []
    private var deletions: [PlanStep] = []
    private var releases: [PlanStep] = []
    private var skipped: [Change] = []
    private var preconditions: [ResourceID: Plan.Precondition] = [:]

    init(application: String, policy: DeletionPolicy, refusals: [Refusal]) {
        self.application = application
        self.policy = policy
        self.refusals = refusals
    }

    mutating func add(_ change: Change) {
        guard let live = change.live else { return }
        // Its status may go on changing; another object of its name is another thing.
        preconditions[change.id] = .init(uid: live.uid, resourceVersion: "")
        switch change.action {
        case .prune:
            deletions.append(PlanStep(verb: .delete, change: change, phase: .delete, wave: syncWave(of: live.annotations)))
        case .release: release(change)
        case .skip(let reason):
            skipped.append(change)
            // What stays is nobody's, unless it is somebody else's.
            if case .ownedByApplication = reason { return }
            release(change)
        case .create, .configure, .recreate, .unchanged: return
        }
    }

    private mutating func release(_ change: Change) {
        var change = change
        change.action = .release
        releases.append(PlanStep(verb: .release, change: change, phase: .delete))
    }

    mutating func add(hooks: [PlanStep]) { self.hooks += hooks }

    mutating func plan(revision: Revision) -> Plan {
        checkConfirmations()
        holdBack()
        let before = StepOrder.ordered(hooks.filter { $0.phase == .preDelete })
        let after = StepOrder.ordered(hooks.filter { $0.phase == .postDelete })
        let last = deletions.filter { $0.phase == .delete }.map(\.wave).min() ?? 0
        for index in releases.indices { releases[index].wave = last }
        let middle = (deletions + releases).sorted(by: Self.precedes)
        let ordered = before + middle.filter { $0.phase == .delete } + after + middle.filter { $0.phase == .postDelete }
        let waves = Self.waves(of: ordered)
        var parts = [application, policy.cascade.rawValue]
        parts += preconditions.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.uid)" }
        parts += ordered.map { step in
            let name = step.hook == nil ? "\(step.change.id)" : "\(step.change.id.groupKind) \(preDeleteDigest(of: [step]))"
            return "\(step.phase.rawValue) \(step.wave) \(step.verb.rawValue) \(name)"
        }
        return Plan(
            id: String(JSONValue.array(parts.map { .string($0) }).digest.prefix(16)), desired: "", application: application, revision: revision,
            waves: waves, unchanged: [], skipped: skipped, refusals: refusals, preconditions: preconditions)
    }

    /// Nothing at all is deleted before everything that asks for it was confirmed.
    private mutating func checkConfirmations() {
        guard !policy.isConfirmed else { return }
        let objects = deletions.filter { step in
            let own = SyncOptions(annotation: step.change.live?.annotations[SyncOptions.annotation]?.stringValue ?? "")
            let options = policy.syncOptions.overridden(by: own)
            return options.delete == .confirm || options.prune == .confirm
        }.map(\.change.id).sorted()
        guard !objects.isEmpty else { return }
        refusals.append(
            Refusal(
                code: "unconfirmed-deletion",
                message: "\(objects.map(\.description).joined(separator: ", ")) \(objects.count == 1 ? "asks" : "ask") for a confirmation (Delete=confirm or Prune=confirm)",
                objects: objects, permit: "--confirm-prune, or the annotation argocd.argoproj.io/deletion-approved with the present time on the Application"))
    }

    /// What others need goes after them.
    private mutating func holdBack() {
        for index in deletions.indices {
            let step = deletions[index]
            let needing: [PlanStep]
            if step.change.id.groupKind == .namespace {
                needing = deletions.filter { $0.change.id.namespace == step.change.id.name }
                let hooks = hooks.filter { $0.phase == .postDelete && $0.change.id.namespace == step.change.id.name }
                if !hooks.isEmpty {
                    deletions[index].phase = .postDelete
                    deletions[index].wave = (self.hooks.filter { $0.phase == .postDelete }.map(\.wave).max() ?? 0) + 1
                    continue
                }
            } else if step.change.id.groupKind == .definition, let body = step.change.live?.body {
                let kind = GroupKind(group: body[path: "spec", "group"]?.stringValue ?? "", kind: body[path: "spec", "names", "kind"]?.stringValue ?? "")
                needing = deletions.filter { $0.change.id.groupKind == kind }
            } else {
                continue
            }
            deletions[index].wave = min(step.wave, needing.map(\.wave).min() ?? step.wave)
        }
    }

    private static func precedes(_ left: PlanStep, _ right: PlanStep) -> Bool {
        if left.wave != right.wave { return left.phase == .postDelete ? left.wave < right.wave : left.wave > right.wave }
        if left.verb != right.verb { return left.verb == .delete }
        let (leftRank, rightRank) = (KindOrder.rank(left.change.id.kind), KindOrder.rank(right.change.id.kind))
        if leftRank != rightRank { return leftRank > rightRank }
        if left.change.id.groupKind != right.change.id.groupKind { return right.change.id.groupKind < left.change.id.groupKind }
        return left.change.id < right.change.id
    }

    private static func waves(of steps: [PlanStep]) -> [PlanWave] {
        var waves: [PlanWave] = []
        for step in steps {
            if waves.last?.phase != step.phase || waves.last?.number != step.wave {
                waves.append(PlanWave(phase: step.phase, number: step.wave, batches: []))
            }
            let wave = waves.count - 1
            let kind = step.change.id.groupKind
            if waves[wave].batches.last?.kind != kind || waves[wave].batches.last?.steps.last?.isPrune != step.isPrune {
                waves[wave].batches.append(PlanBatch(kind: kind, steps: []))
            }
            waves[wave].batches[waves[wave].batches.count - 1].steps.append(step)
        }
        return waves
    }
}
