import KubernetesClient
import ResourceModel

/// One plan being carried out.
struct SyncRun {
    let applier: Applier
    let plan: Plan
    let versions: [GroupKind: String]
    let options: ExecutionOptions
    let onEvent: @Sendable (SyncEvent) -> Void
    /// Waits for a wave also where it is the only one.
    let awaitsEachWave: Bool

    private(set) var results: [StepResult] = []
    private var hasFailed = false
    /// Hooks that ran, with how they ended; `nil` for one that was not seen to end.
    private var hooks: [(step: PlanStep, uid: String, outcome: HealthStatus?)] = []

    init(
        applier: Applier, plan: Plan, versions: [GroupKind: String], options: ExecutionOptions, awaitsEachWave: Bool = false,
        onEvent: @escaping @Sendable (SyncEvent) -> Void
    ) {
        self.applier = applier
        self.plan = plan
        self.versions = versions
        self.options = options
        self.awaitsEachWave = awaitsEachWave
        self.onEvent = onEvent
    }

    private var waves: [PlanWave] { plan.waves.filter { $0.phase != .syncFail } }
    /// With more than one wave each is waited for, the last one too, as in Argo CD.
    private var isMultiStep: Bool { waves.count > 1 || awaitsEachWave }

    // MARK: Before the first write

    /// Asks the server to check every write without doing it, where a refusal in the middle would leave a mess: more than one
    /// wave, hooks, or deletions. Whether the plan may be carried out; if not, `results` says why.
    ///
    /// What the plan itself makes ready (a namespace, a definition) cannot be checked against before it is there.
    mutating func rehearse() async throws -> Bool {
        let steps = waves.flatMap(\.batches).flatMap(\.steps)
        guard isMultiStep || steps.contains(where: { $0.hook != nil || $0.isPrune }) else { return true }
        let madeNamespaces = Set(steps.filter { !$0.isPrune && $0.change.id.kind == "Namespace" && $0.change.live == nil }.map(\.change.id.name))
        let madeKinds = Set(steps.compactMap { $0.change.live == nil ? $0.change.manifest?.definedKind?.kind : nil })
        let checked = steps.filter { step in
            guard !step.isPrune, step.verb == .apply || step.verb == .create else { return false }
            return !madeNamespaces.contains(step.change.id.namespace ?? "") && !madeKinds.contains(step.change.id.groupKind)
        }
        let (applier, options) = (applier, options)
        let failures = try await applier.concurrently(checked) { step in try await applier.rehearse(step, options: options) }
        guard failures.contains(where: { $0 != nil }) else { return true }
        let messages = Dictionary(zip(checked, failures).map { ($0, $1) }, uniquingKeysWith: { first, _ in first })
        for step in steps {
            let failure = messages[step] ?? nil
            finish(
                StepResult(
                    id: step.change.id, phase: step.phase, wave: step.wave,
                    actuation: failure.map { .failed("dry run, nothing was written: \($0)") } ?? .notReached))
        }
        hasFailed = true
        return false
    }

    // MARK: The run

    mutating func carryOut() async throws {
        for wave in waves {
            if hasFailed || Task.isCancelled {
                for step in wave.batches.flatMap(\.steps) {
                    results.append(StepResult(id: step.change.id, phase: wave.phase, wave: wave.number, actuation: .notReached))
                }
                continue
            }
            try await carryOut(wave)
        }
        if hasFailed, !Task.isCancelled {
            hasFailed = false
            for wave in plan.waves where wave.phase == .syncFail && !hasFailed { try await carryOut(wave) }
            hasFailed = true
        }
        await cleanUpHooks()
    }

    private mutating func carryOut(_ wave: PlanWave) async throws {
        let steps = wave.batches.flatMap(\.steps)
        onEvent(.waveStarted(application: plan.application, phase: wave.phase, wave: wave.number, steps: steps.count))
        let first = results.count
        for batch in wave.batches where batch.steps.first?.isPrune == true { try await perform(batch.steps) }
        if isMultiStep { try await waitForDeletions(steps.filter(\.isPrune), since: first) }
        guard !hasFailed else { return skipRest(of: steps, since: first) }
        try await removeFormerHooks(steps)
        guard !hasFailed else { return skipRest(of: steps, since: first) }
        for batch in wave.batches where batch.steps.first?.isPrune != true {
            try await perform(batch.steps)
            try await waitUntilServed(batch)
        }
        guard !hasFailed, !Task.isCancelled else { return }
        try await waitForHooks(steps.filter { $0.hook != nil }, since: first)
        if isMultiStep, !hasFailed {
            let written = steps.filter { $0.hook == nil && !$0.isPrune && $0.verb != .release }.map(\.change.id)
            try await waitForResources(written + wave.awaits, since: first)
        }
    }

    private mutating func perform(_ steps: [PlanStep]) async throws {
        let (applier, options, onEvent, application) = (applier, options, onEvent, plan.application)
        let done = try await applier.concurrently(steps) { step in
            var sent = step
            if step.hook != nil { sent.change.manifest?.body.addHookFinalizer() }
            let result = await applier.perform(sent, options: options)
            onEvent(.stepFinished(application: application, result))
            return result
        }
        results += done
        if done.contains(where: \.hasFailed) { hasFailed = true }
    }

    private mutating func finish(_ result: StepResult) {
        results.append(result)
        onEvent(.stepFinished(application: plan.application, result))
    }

    private mutating func fail(_ id: ResourceID, since first: Int, _ message: String) {
        hasFailed = true
        if let index = results[first...].lastIndex(where: { $0.id == id }) {
            results[index].actuation = .failed(message)
        } else {
            finish(StepResult(id: id, actuation: .failed(message)))
        }
    }

    private mutating func skipRest(of steps: [PlanStep], since first: Int) {
        let done = Set(results[first...].map(\.id))
        for step in steps where !done.contains(step.change.id) {
            results.append(StepResult(id: step.change.id, phase: step.phase, wave: step.wave, actuation: .notReached))
        }
    }

    // MARK: Waiting, by watches only

    private func announce(_ state: [ResourceID: HealthAssessment]) { onEvent(.waiting(application: plan.application, state)) }

    private mutating func waitForResources(_ ids: [ResourceID], since first: Int) async throws {
        let application = plan.application
        let onEvent = onEvent
        let outcome = try await applier.waitForHealth(
            of: ids, versions: versions, timeout: options.waveTimeout, deletionFails: true
        ) { onEvent(.waiting(application: application, $0)) }
        for (id, health) in outcome.sorted(by: { $0.key < $1.key }) {
            if let index = results[first...].lastIndex(where: { $0.id == id }) { results[index].health = health }
            guard !health.status.isAtRest, !Task.isCancelled else { continue }
            let why = health.message.isEmpty ? health.status.rawValue : "\(health.status.rawValue): \(health.message)"
            let isOver = health.status == .degraded || health.status == .missing
            fail(id, since: first, isOver ? why : "waiting for healthy state, not reached within \(options.waveTimeout.components.seconds) s: \(why)")
        }
    }

    private mutating func waitForDeletions(_ steps: [PlanStep], since first: Int) async throws {
        let pending = Dictionary(
            results[first...].compactMap { result in
                result.actuation == .pruned && result.health != nil ? result.uid.map { (result.id, $0) } : nil
            }, uniquingKeysWith: { first, _ in first })
        guard !pending.isEmpty else { return }
        announce(pending.mapValues { _ in HealthAssessment(.progressing, "waiting for its deletion") })
        let left = try await applier.waitUntilGone(pending, versions: versions, timeout: options.waveTimeout)
        for index in results.indices.dropFirst(first) where pending[results[index].id] != nil && left[results[index].id] == nil {
            results[index].health = nil
        }
        for (id, message) in left.sorted(by: { $0.key < $1.key }) where !Task.isCancelled {
            fail(id, since: first, "waiting for deletion, not gone within \(options.waveTimeout.components.seconds) s\(message)")
        }
    }

    /// A kind that was just defined can be used once its definition is established.
    private mutating func waitUntilServed(_ batch: PlanBatch) async throws {
        guard batch.kind.kind == "CustomResourceDefinition" else { return }
        let applied = Set(results.filter { !$0.hasFailed && !$0.isDeletion }.map(\.id))
        let ids = batch.steps.filter { !$0.isPrune && $0.verb != .release }.map(\.change.id).filter(applied.contains)
        let outcome = try await applier.waitForHealth(of: ids, versions: [:], timeout: .seconds(30)) { _ in }
        for index in results.indices { results[index].health = outcome[results[index].id] ?? results[index].health }
        await applier.client.forgetDiscovery()
    }

    // MARK: Hooks

    private mutating func removeFormerHooks(_ steps: [PlanStep]) async throws {
        let (applier, options) = (applier, options)
        let former = steps.filter { $0.hook?.deletePolicies.contains(.beforeHookCreation) == true }
        let failures = try await applier.concurrently(former) { step -> String? in
            do {
                try await applier.removeHook(step.change.id, version: step.change.manifest?.groupVersionKind.version, options: options)
                return nil
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                return "\(error)"
            }
        }
        for (step, failure) in zip(former, failures) {
            guard let failure else { continue }
            hasFailed = true
            finish(
                StepResult(
                    id: step.change.id, phase: step.phase, wave: step.wave,
                    actuation: .failed("the hook's former object could not be removed: \(failure)")))
        }
    }

    private mutating func waitForHooks(_ steps: [PlanStep], since first: Int) async throws {
        guard !steps.isEmpty else { return }
        var ran: [ResourceID: PlanStep] = [:]
        for step in steps {
            guard let result = results[first...].last(where: { $0.id == step.change.id }), !result.hasFailed, let uid = result.uid else { continue }
            ran[step.change.id] = step
            hooks.append((step, uid, nil))
        }
        let application = plan.application
        let onEvent = onEvent
        let outcome = try await applier.waitForHooks(
            Array(ran.keys), versions: versions, timeout: options.hookTimeout
        ) { onEvent(.waiting(application: application, $0)) }
        for (id, health) in outcome.sorted(by: { $0.key < $1.key }) {
            if let index = results[first...].lastIndex(where: { $0.id == id }) { results[index].health = health }
            if let index = hooks.lastIndex(where: { $0.step.change.id == id }) { hooks[index].outcome = health.status }
            switch health.status {
            case .healthy: break
            case .degraded, .unknown, .missing: fail(id, since: first, "the \(ran[id]?.phase.rawValue ?? "") hook failed: \(health.message)")
            case .progressing, .suspended:
                if Task.isCancelled { continue }
                fail(id, since: first, "waiting for completion of the hook, not finished within \(options.hookTimeout.components.seconds) s: \(health.message)")
            }
        }
    }

    /// Lets hooks go that ended and are not kept, and stops those that were still running when the run was told to stop.
    private func cleanUpHooks() async {
        for hook in hooks {
            let isOver: Bool
            switch hook.outcome {
            case .healthy: isOver = hook.step.hook?.deletePolicies.contains(.hookSucceeded) == true
            case .degraded, .unknown: isOver = hook.step.hook?.deletePolicies.contains(.hookFailed) == true
            default: isOver = Task.isCancelled
            }
            let (applier, options, step, uid) = (applier, options, hook.step, hook.uid)
            // Also when the run was cancelled: what it began must not go on without it.
            await Task { await applier.letGo(ofHook: step, uid: uid, deleting: isOver, options: options) }.value
        }
    }
}

extension JSONValue {
    /// Keeps a hook's object until its outcome was seen.
    fileprivate mutating func addHookFinalizer() {
        var finalizers = self[path: "metadata", "finalizers"]?.arrayValue ?? []
        if !finalizers.contains(.string(Hook.finalizer)) { finalizers.append(.string(Hook.finalizer)) }
        self[path: "metadata", "finalizers"] = .array(finalizers)
    }
}
