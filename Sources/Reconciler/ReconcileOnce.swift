import Applier
import Desired
import Logging
import ResourceModel
import Store
import Synchronization

/// One application, once: fetch → render → observe → compare → plan → execute → conclude. `diff` stops after compare, `plan`
/// after plan, `sync` runs it all: what was shown is what is done.
package struct ReconcileOnce: Sendable {
    package let builder: DesiredStateBuilder
    package let applier: Applier
    package let history: HistoryStore
    package let now: @Sendable () -> Double
    let leasing: LeaseOptions
    private let tasks: TaskHook?
    private let ahead = ObservationsAhead()
    private let logger = Logger(label: "reconciler")

    /// - Parameter now: seconds since 1970-01-01 UTC.
    package init(
        builder: DesiredStateBuilder, applier: Applier, history: HistoryStore, leasing: LeaseOptions = LeaseOptions(), tasks: TaskHook? = nil,
        now: @escaping @Sendable () -> Double
    ) {
        self.builder = builder
        self.applier = applier
        self.history = history
        self.leasing = leasing
        self.tasks = tasks
        self.now = now
    }

    /// - Throws: whatever kept a step from being done whole. A sync's failure is in the history then, with the writes that it did.
    package func run(
        _ application: Application, project: AppProject, request: SyncRequest,
        onEvent: @escaping @Sendable (SyncEvent) -> Void = { _ in }
    ) async throws -> Reconciliation {
        let startedAt = now()
        let application = request.revision.map { application.overriding(revision: $0) } ?? application
        guard request.extent == .execute else {
            let revision = try await self.revision(of: application, request)
            onEvent(.fetched(application: application.name, revision))
            return try await reconcile(application, project, at: revision, request, startedAt, StepLog(now: now), onEvent)
        }
        for report in try await history.recordInterrupted(of: application.name) {
            logger.warning("\(report.application) at \(report.revision.shortCommit): \(report.message); what is missing is done now")
        }
        let done = StepLog(now: now)
        var revision = builder.unfetchedRevision(of: application)
        do {
            revision = try await self.revision(of: application, request)
            onEvent(.fetched(application: application.name, revision))
            return try await reconcile(application, project, at: revision, request, startedAt, done) { event in
                done.note(event)
                onEvent(event)
            }
        } catch {
            await recordFailure(error, of: application, at: revision, done, trigger: request.trigger, startedAt: startedAt)
            throw error
        }
    }

    private func revision(of application: Application, _ request: SyncRequest) async throws -> Revision {
        if let known = request.pinned?.revision ?? request.fetched { known } else { try await builder.fetch(application) }
    }

    /// The page: every step from a revision to a report.
    private func reconcile(
        _ application: Application, _ project: AppProject, at revision: Revision, _ request: SyncRequest, _ startedAt: Double,
        _ log: StepLog, under held: ApplicationLease? = nil, _ onEvent: @escaping @Sendable (SyncEvent) -> Void
    ) async throws -> Reconciliation {
        let applySet = ApplySet(application: application.name)
        // What the application owns does not depend on what it declares: it is read while that is rendered.
        async let owned = observed(applySet)

        let known = request.asksForNothingElse ? try await builder.summary(of: application, at: revision) : nil
        var state = request.pinned
        if known == nil, state == nil { state = try await builder.desiredState(of: application, at: revision) }
        var seen = try await owned
        let summary = known ?? state.map(RenderSummary.init)
        var evidence = seen.hold == nil ? try await evidence(application, request, summary, owned: seen.digest) : nil
        if let settled = try await settled(application, request, summary, at: revision, seeing: &evidence, seen, startedAt, log, onEvent) { return settled }

        let rendered = if let state { state } else { try await builder.desiredState(of: application, at: revision) }
        let desired = try await applier.resolved(
            rendered, namespace: application.destination.namespace, options: application.syncPolicy.syncOptions)
        try permit(desired, application, project)
        onEvent(.rendered(application: application.name, manifests: desired.manifests.count))

        async let intents = intents(of: application, desired, applySet)
        let live = try await applier.liveState(of: desired, applySet: applySet, owned: seen)
        seen.forgetLists()
        let hooks = hookSteps(
            desired.manifests, application: application.name, applySet: applySet, revision: revision, startedAt: startedAt)
        let applies = appliesSent
        let changes = try await changes(of: application, from: live, to: await intents, hooks: hooks)
        let dryRuns = appliesSent - applies
        var result = Reconciliation(desired: desired, live: live, changes: changes, hold: seen.hold)
        let drift = await recordedDrift(in: result)
        result.changes = try await withNamespace(application, changes.map { $0.limited(to: request.selection) }, desired, live)
        if request.extent == .compare { return result }
        // Somebody may have held the application while this run waited for its turn.
        if request.respectsHold, seen.hold?.covers(commit: revision.commit, digest: desired.digest) == true { return result }

        let plan = plan(result.changes, hooks: hooks, desired: desired, inventory: live.inventory, policy: policy(of: application, request, at: revision))
        result.plan = plan
        onEvent(.planned(plan))
        if request.extent == .plan { return result }
        if let bound = request.plan, case let moved = bound.differences(to: plan), !moved.isEmpty { throw StalePlan(bound: bound, moved: moved) }

        let kept: Task<RenderedManifests, any Error>
        let rewritten = Task { await rewriting(of: application, before: revision, isAsked: request.pinned == nil && request.revision == nil) }
        let made = MadeAsDeclared()
        var steps: [StepResult] = []
        let lease: ApplicationLease?
        switch try await turn(for: plan, inventory: live.inventory, held: held) {
        case .notNeeded:
            lease = nil
            kept = keep(desired)
        case .afterAnother(let newer):
            return try await again(under: newer) {
                let newest = try await self.revision(of: application, request)
                return try await reconcile(application, project, at: newest, request, startedAt, log, under: newer, onEvent)
            }
        case .held(let granted):
            lease = granted
            log.open(try await begin(plan, trigger: request.trigger, startedAt))
            kept = keep(desired)
            steps = try await granted.holding {
                try await applier.execute(
                    plan, desired: desired, applySet: applySet, inventory: live.inventory, options: execution(of: application, noting: made),
                    onEvent: onEvent)
            }
        }
        // Others need not wait for what is only put together from here on. What runs for long begins only when it was still ours.
        async let givenBack: Void? = lease?.giveBack()
        if request.waitForHealth != nil || result.desired.manifests.contains(where: \.isOfTasks) { _ = try await givenBack }
        if plan.refusals.isEmpty, !steps.contains(where: \.isFailure) { try await tasks?(application, result.desired) }
        let health = try await health(of: result, steps: steps, request: request) {
            onEvent(.waiting(application: application.name, $0))
        }
        if let warning = await rewritten.value { result.desired.warnings.append(warning) }
        var report = conclude(result, plan: plan, steps: steps, health: health, trigger: request.trigger, startedAt: startedAt)
        report.fencingToken = lease?.token
        if !request.selection.isWhole {
            report.selection = request.selection.description
            report.message += " (only \(request.selection.description))"
        }
        let manifests = try await kept.value
        let finding = await finding(
            of: result, report, application, request, manifests: manifests, evidence: evidence, inventory: seen.parentVersion, made: made,
            dryRuns: dryRuns)
        _ = try await givenBack
        let attempt = try await record(report, manifests, log, finding)
        await noteHealed(drift, by: attempt, report)
        if request.pinned == nil, report.conclusion != .refused { try await noteDeletion(of: application, desired, seen: seen, wrote: !steps.isEmpty) }
        // What Git declares was asked for again, or is something else by now.
        if seen.hold != nil, request.pinned == nil, report.conclusion != .refused { try await applier.record(nil, applySet: applySet) }
        onEvent(.finished(report))
        result.report = report
        return result
    }

    /// Begins to put away what was declared, while the cluster is busy; it is kept also when the run is cancelled meanwhile.
    private func keep(_ desired: DesiredState) -> Task<RenderedManifests, any Error> {
        builder.cache.startStoring()
        return Task { try await history.rendered(desired) }
    }

    /// Starts to read what an application owns, for a run that follows at once: one whose name is known before its repository was
    /// asked. What goes wrong is thrown by the run.
    package func observeAhead(application name: String) {
        let applySet = ApplySet(application: name)
        let applier = applier
        let reading = Task {
            var state = try await applier.ownedState(of: applySet)
            state.rememberDigest()
            return state
        }
        ahead.put(reading, for: name)
    }

    private func observed(_ applySet: ApplySet) async throws -> OwnedState {
        guard let begun = ahead.take(applySet.application) else { return try await applier.ownedState(of: applySet) }
        return try await withTaskCancellationHandler { try await begun.value } onCancel: { begun.cancel() }
    }

    /// Records also when the run was cancelled: what was written is no less written.
    @discardableResult
    func record(_ report: SyncReport, _ manifests: RenderedManifests? = nil, _ log: StepLog, _ finding: Settled? = nil) async throws -> Int64 {
        try await Task { try await history.record(report, manifests: manifests, closing: log.journal, finding: finding) }.value
    }

    /// Puts on disk what is about to be done.
    func begin(_ plan: Plan, trigger: String, _ startedAt: Double) async throws -> Journal {
        let steps = plan.steps.map { StepResult(id: $0.change.id, phase: $0.phase, wave: $0.wave, actuation: .notReached) }
        return try await history.begin(
            SyncReport(
                application: plan.application, revision: plan.revision, planID: plan.id, trigger: trigger, startedAt: startedAt,
                finishedAt: startedAt, conclusion: .interrupted, message: "", sync: .unknown, health: HealthAssessment(.unknown), steps: steps))
    }

    private func recordFailure(
        _ error: any Error, of application: Application, at revision: Revision, _ log: StepLog, trigger: String, startedAt: Double
    ) async {
        let isCancelled = error is CancellationError || Task.isCancelled
        let isRefused = (error as? any ClassifiedError)?.failureKind == .refused
        let report = SyncReport(
            application: application.name, revision: revision, planID: "", trigger: trigger, startedAt: startedAt, finishedAt: now(),
            conclusion: isCancelled ? .canceled : isRefused ? .refused : .failed, message: isCancelled ? "stopped before its end" : "\(error)", sync: .unknown,
            health: HealthAssessment(.unknown), steps: log.steps, fencingToken: (error as? LeaseLost)?.token)
        do { try await record(report, nil, log) } catch let second {
            logger.error("\(application.name): the failed attempt could not be recorded: \(second)")
        }
    }

    private func permit(_ desired: DesiredState, _ application: Application, _ project: AppProject) throws {
        let problems =
            project.problems(with: application, repository: builder.configuration.repository) + project.problems(with: desired, destination: application.destination)
            + dependencyProblems(in: desired.manifests)
        let errors = problems.filter { $0.severity == .error }
        if !errors.isEmpty { throw Problems(errors) }
    }

    private func policy(of application: Application, _ request: SyncRequest, at revision: Revision) -> PlanPolicy {
        let automated = application.syncPolicy.automated
        var policy = PlanPolicy(
            prune: request.prune ?? automated?.prune ?? false, allowEmpty: request.allowEmpty || automated?.allowEmpty ?? false,
            adopt: request.adopt, isConfirmed: request.isConfirmed || application.approvesDeletion(at: revision), hooks: request.selection.isWhole ? request.hooks : .never,
            syncOptions: application.syncPolicy.syncOptions)
        if let budget = request.pruneBudget { policy.budgetCount = budget }
        if let budget = request.recreateBudget { policy.recreateCount = budget }
        return policy
    }

    private func execution(of application: Application, noting made: MadeAsDeclared) -> ExecutionOptions {
        var options = ExecutionOptions(syncOptions: application.syncPolicy.syncOptions)
        options.made = made
        return options
    }

    private func health(
        of run: Reconciliation, steps: [StepResult], request: SyncRequest,
        onChange: @escaping @Sendable ([ResourceID: HealthAssessment]) -> Void
    ) async throws -> HealthAssessment {
        var known = run.live.objects.mapValues { ResourceModelHealth.of($0) }
        // A step that failed, or was not reached, leaves what was there as it was.
        for step in steps where step.health != nil || !step.isFailure && step.actuation != .notReached { known[step.id] = step.health }
        // Their status was written after they were.
        let tasks = tasks == nil ? [] : run.desired.manifests.filter(\.isOfTasks).map(\.id)
        if !tasks.isEmpty { known.merge(try await applier.currentHealth(of: tasks, versions: run.desired.versions)) { _, new in new } }
        let ids = run.desired.manifests.filter { $0.hook == nil && countsForHealth($0.body) }.map(\.id)
        if let timeout = request.waitForHealth, run.plan?.refusals.isEmpty ?? true, !steps.contains(where: \.isFailure) {
            let waited = try await applier.waitForHealth(
                of: ids.filter { known[$0]?.status != .healthy }, versions: run.desired.versions, timeout: timeout, onChange: onChange)
            known.merge(waited) { _, new in new }
        }
        return aggregateHealth(ids.map { ($0, known[$0] ?? HealthAssessment(.missing)) })
    }

    func conclude(
        _ run: Reconciliation, plan: Plan, steps: [StepResult], health: HealthAssessment, trigger: String, startedAt: Double
    ) -> SyncReport {
        let failed = steps.filter(\.isFailure)
        let unreached = steps.filter { $0.actuation == .notReached }
        let conclusion: SyncReport.Conclusion
        let message: String
        if !plan.refusals.isEmpty {
            conclusion = .refused
            message = plan.refusals.map(\.description).joined(separator: "; ")
        } else if !failed.isEmpty {
            conclusion = .failed
            message = "\(failed.count) of \(steps.count) writes failed"
        } else if !unreached.isEmpty {
            conclusion = Task.isCancelled ? .canceled : .failed
            message = "\(unreached.count) of \(steps.count) writes were not reached"
        } else {
            conclusion = .succeeded
            message = steps.isEmpty ? "nothing to do" : "successfully synced"
        }
        let isSynced = conclusion == .succeeded && !plan.skipped.contains(where: \.isDifference)
        return SyncReport(
            application: plan.application, revision: plan.revision, planID: plan.id, trigger: trigger, startedAt: startedAt,
            finishedAt: now(), conclusion: conclusion, message: message, sync: isSynced ? .synced : .outOfSync, health: health,
            steps: steps, refusals: plan.refusals, warnings: run.desired.warnings)
    }
}

/// `health(of:)` of Applier, named so that the page's own `health` does not hide it.
private enum ResourceModelHealth {
    static func of(_ object: LiveObject) -> HealthAssessment { health(of: object.body) }
}

extension StepResult {
    package var isFailure: Bool { failure != nil }

    /// Why the step failed; `nil` when it did not.
    package var failure: String? { if case .failed(let message) = actuation { message } else { nil } }
}

/// The steps that a run reported so far, and its journal once it has one.
final class StepLog: Sendable {
    private let state = Mutex<(steps: [StepResult], journal: Journal?)>(([], nil))
    private let now: @Sendable () -> Double

    init(now: @escaping @Sendable () -> Double) { self.now = now }

    func open(_ journal: Journal) { state.withLock { $0.journal = journal } }

    func note(_ event: SyncEvent) {
        guard case .stepFinished(_, let step) = event else { return }
        let journal = state.withLock { state in
            state.steps.append(step)
            return state.journal
        }
        journal?.note(step, at: now())
    }

    var steps: [StepResult] { state.withLock { $0.steps } }
    var journal: Journal? { state.withLock { $0.journal } }
}

/// Observations that were begun before their runs; each is used once.
private final class ObservationsAhead: Sendable {
    private let tasks = Mutex<[String: Task<OwnedState, any Error>]>([:])

    func put(_ task: Task<OwnedState, any Error>, for application: String) {
        tasks.withLock { $0.updateValue(task, forKey: application) }?.cancel()
    }

    func take(_ application: String) -> Task<OwnedState, any Error>? { tasks.withLock { $0.removeValue(forKey: application) } }
}
