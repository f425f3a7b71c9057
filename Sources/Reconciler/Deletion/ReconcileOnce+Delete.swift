import Applier
import Desired
import Logging
import ResourceModel
import Store

/// An application's deletion in the manner of the page: what is there → what becomes of it → plan → execute → conclude. `looked` ends
/// after plan; `delete` carries out exactly that plan, or nothing.
extension ReconcileOnce {
    /// Everything up to the plan. Reads only.
    /// - Throws: whatever could not be read: nothing is deleted then.
    package func deletion(_ request: DeletionRequest, startedAt: Double? = nil) async throws -> Deletion {
        let applySet = ApplySet(application: request.name)
        let owned = try await applier.ownedState(of: applySet)
        let revision = try await revision(of: request)
        let nothing = DesiredState(application: request.name, revision: revision, manifests: [], digest: "")
        let live = try await applier.liveState(of: nothing, applySet: applySet, owned: owned)
        let (cascade, reason) = cascade(request, owned.deletion)
        let options = request.application?.syncPolicy.syncOptions ?? SyncOptions()
        let isApproved = request.application?.approvesDeletion(at: revision) ?? false
        let policy = DeletionPolicy(cascade: cascade, isConfirmed: request.isConfirmed || isApproved, syncOptions: options)

        let changes = try await applier.deletionChanges(live, application: request.name, policy: policy)
        var found = DeletionHooks()
        if cascade != .orphan, request.runsHooks, !owned.isEmpty { found = try await hooks(of: request, at: revision, note: owned.deletion) }
        let hooks = hookSteps(
            found.manifests, application: request.name, applySet: applySet, revision: revision, startedAt: startedAt ?? now()
        ) { $0.deletions.map(\.phase) }
        let plan = deletionPlan(
            changes, hooks: hooks, application: request.name, revision: revision, inventory: live.inventory, policy: policy,
            refusals: found.refusals + refusals(request))
        var isKnown = !owned.isEmpty
        if !isKnown { isKnown = try await applier.hasLease(request.name) }
        return Deletion(
            request: request, plan: plan, cascade: cascade, reason: reason, notes: found.notes, isKnown: isKnown, inventory: live.inventory,
            hooks: preDeleteDigest(of: hooks), options: options)
    }

    /// Carries out the plan that was looked at, under the application's lease. What is left of a deletion that failed or was killed is in
    /// the inventory still: the next one goes on with it.
    /// - Throws: `StalePlan` when something moved meanwhile; whatever kept a step from being done. The history has the attempt.
    package func delete(_ looked: Deletion, onEvent: @escaping @Sendable (SyncEvent) -> Void = { _ in }) async throws -> SyncReport {
        let name = looked.request.name
        let logger = Logger(label: "reconciler")
        let startedAt = now()
        for report in try await history.recordInterrupted(of: name) { logger.warning("\(name): \(report.message); what is missing is done now") }
        let log = StepLog(now: now)
        do {
            return try await carryOut(looked, startedAt, log) { event in
                log.note(event)
                onEvent(event)
            }
        } catch {
            let isRefused = (error as? any ClassifiedError)?.failureKind == .refused
            var report = report(looked, startedAt, log.steps)
            report.conclusion = error is CancellationError || Task.isCancelled ? .canceled : isRefused ? .refused : .failed
            report.message = report.conclusion == .canceled ? "stopped before its end" : "\(error)"
            report.fencingToken = (error as? LeaseLost)?.token
            do { try await record(report, nil, log) } catch let second {
                logger.error("\(name): the failed deletion could not be recorded: \(second)")
            }
            throw error
        }
    }

    private func carryOut(
        _ looked: Deletion, _ startedAt: Double, _ log: StepLog, _ onEvent: @escaping @Sendable (SyncEvent) -> Void
    ) async throws -> SyncReport {
        let plan = looked.plan
        onEvent(.planned(plan))
        var steps: [StepResult] = []
        var token: Int64?
        if plan.refusals.isEmpty {
            let lease = try await applier.lease(on: plan.application, isFirst: false, options: leasing)
            token = lease.token
            // Also when nobody else wrote: a person may have looked at the plan for long.
            try await unchanged(looked, lease)
            log.open(try await begin(plan, trigger: looked.request.trigger, startedAt))
            steps = try await lease.whileHeld {
                let applySet = ApplySet(application: plan.application)
                let results = try await applier.executeDeletion(
                    plan, hooks: looked.hooks, applySet: applySet, inventory: looked.inventory, options: looked.execution, onEvent: onEvent)
                guard results.allSatisfy({ !$0.isFailure && $0.actuation != .notReached }), !Task.isCancelled else { return results }
                try await applier.removeInventory(of: applySet)
                try await lease.remove()
                return results
            }
        }
        var report = report(looked, startedAt, steps)
        report.fencingToken = token
        conclude(&report, plan)
        try await record(report, nil, log)
        onEvent(.finished(report))
        return report
    }

    /// - Throws: `StalePlan`, after the lease was given back.
    private func unchanged(_ looked: Deletion, _ lease: ApplicationLease) async throws {
        do {
            let again = try await deletion(looked.request)
            let moved = looked.binding.differences(to: again.plan)
            if !moved.isEmpty { throw StalePlan(bound: looked.binding, moved: moved, retry: "look again: reconciler delete --app \(looked.request.name)") }
        } catch {
            await lease.release()
            throw error
        }
    }

    private func report(_ looked: Deletion, _ startedAt: Double, _ steps: [StepResult]) -> SyncReport {
        SyncReport(
            application: looked.request.name, revision: looked.plan.revision, planID: looked.plan.id, trigger: looked.request.trigger,
            startedAt: startedAt, finishedAt: now(), conclusion: .failed, message: "", sync: .unknown, health: HealthAssessment(.missing),
            steps: steps)
    }

    private func conclude(_ report: inout SyncReport, _ plan: Plan) {
        let failed = report.steps.filter(\.isFailure).count
        let unreached = report.steps.filter { $0.actuation == .notReached }.count
        report.refusals = plan.refusals
        if !plan.refusals.isEmpty {
            report.conclusion = .refused
            report.message = plan.refusals.map(\.description).joined(separator: "; ")
        } else if failed > 0 || unreached > 0 {
            report.conclusion = failed == 0 && Task.isCancelled ? .canceled : .failed
            report.message = failed > 0 ? "deletion: \(failed) of \(report.steps.count) steps failed" : "deletion: \(unreached) of \(report.steps.count) steps were not reached"
            report.message += "; the next deletion goes on from there"
        } else {
            report.conclusion = .succeeded
            let deleted = report.steps.filter { $0.actuation == .pruned }.count
            let released = report.steps.filter { $0.actuation == .released }.count
            report.message = "deleted \(deleted) \(deleted == 1 ? "object" : "objects"), left \(released) in place"
        }
    }

    // MARK: What is known of the application

    private func revision(of request: DeletionRequest) async throws -> Revision {
        if let application = request.application {
            do { return try await builder.fetch(application) } catch let error as any ClassifiedError where error.failureKind == .failed {
                return builder.unfetchedRevision(of: application)  // a source that is gone must not keep its objects
            }
        }
        let last = try await history.attempts(of: request.name, limit: 50).first { !$0.report.revision.commit.isEmpty }
        return last?.report.revision ?? Revision(repository: "", ref: "", commit: "", author: "", subject: "", committedAt: 0)
    }

    private func cascade(_ request: DeletionRequest, _ note: DeletionNote?) -> (Cascade, reason: String) {
        if let cascade = request.cascade { return (cascade, "as asked for") }
        if let application = request.application {
            return Cascade(finalizers: application.finalizers).map { ($0, "by the Application's finalizer") }
                ?? (.orphan, "the Application has no resources-finalizer.argocd.argoproj.io; --cascade foreground deletes its objects")
        }
        return note?.cascade.map { ($0, "by the finalizer that the Application had") }
            ?? (.orphan, "no finalizer of the Application is known; --cascade foreground deletes its objects")
    }

    private func refusals(_ request: DeletionRequest) -> [Refusal] {
        guard let declaration = request.declaration, !request.allowsDeclared else { return [] }
        return [
            Refusal(
                code: "still-declared", message: "Application \(request.name) \(declaration): the next sync makes its objects anew",
                permit: "--yes; or remove it from the branch first")
        ]
    }
}

extension Deletion {
    fileprivate var execution: ExecutionOptions { ExecutionOptions(syncOptions: options, cascade: cascade) }
}
