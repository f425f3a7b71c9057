import Applier
import Desired
import ResourceModel

/// Attempts that belong together: a failed one is tried again, and in the end taken back.
extension ReconcileOnce {
    /// Runs the page; while it fails, again as the schedule says; and when it failed for good, brings the earlier state back where that
    /// was asked for. Each attempt has a record of its own.
    ///
    /// What Git declares wrongly is not tried again unless the branch is asked anew, and a refusal never is.
    /// - Parameter retry: `nil` for one attempt. A bound plan has one: what it was bound to is not there any more.
    /// - Throws: what the last attempt threw.
    package func sync(
        _ application: Application, project: AppProject, request: SyncRequest, retry: RetrySchedule? = nil,
        onEvent: @escaping @Sendable (SyncEvent) -> Void = { _ in }
    ) async throws -> Reconciliation {
        var (application, project, request) = (application, project, request)
        let schedule = request.plan == nil && request.extent == .execute ? retry : nil
        var count = 0
        while true {
            count += 1
            let reason: String
            do {
                let result = try await run(application, project: project, request: request, onEvent: onEvent)
                guard result.report?.conclusion == .failed, schedule?.pause(before: count) != nil else {
                    return try await takenBack(result, application, project, request, onEvent)
                }
                if schedule?.refresh == false { request.fetched = result.desired.revision }
                reason = result.report?.message ?? ""
            } catch where schedule?.pause(before: count) != nil && isWorthARetry(error, refresh: schedule?.refresh ?? false) {
                reason = "\(error)"
            }
            let pause = schedule?.pause(before: count) ?? .zero
            let limit = schedule.flatMap { $0.limit < 0 ? nil : $0.limit }
            onEvent(.retrying(application: application.name, retry: count, of: limit, pause: pause, because: reason))
            try await Task.sleep(for: pause)
            guard schedule?.refresh == true else { continue }
            request.fetched = nil
            (application, project) = try await newest(application, project)
        }
    }

    /// The application and its project as the branch declares them now; as they were where it does not.
    private func newest(_ application: Application, _ project: AppProject) async throws -> (Application, AppProject) {
        guard application.origin != nil else { return (application, project) }
        do {
            let catalog = try await builder.applications(at: try await builder.fetchConfiguration())
            let declared = try catalog.application(named: application.name)
            return (declared, catalog.project(named: declared.project) ?? project)
        } catch let error as any ClassifiedError where error.failureKind == .unreachable {
            return (application, project)
        }
    }

    private func isWorthARetry(_ error: any Error, refresh: Bool) -> Bool {
        if error is CancellationError || Task.isCancelled { return false }
        if error is Problem || error is Problems { return refresh }
        switch (error as? any ClassifiedError)?.failureKind {
        case .refused, .usage: return false
        case .failed, .unreachable, nil: return true
        }
    }

    // MARK: Taking a failed sync back

    private func takenBack(
        _ result: Reconciliation, _ application: Application, _ project: AppProject, _ request: SyncRequest,
        _ onEvent: @escaping @Sendable (SyncEvent) -> Void
    ) async throws -> Reconciliation {
        let isAtomic = request.atomic ?? application.syncPolicy.syncOptions.atomic ?? false
        guard isAtomic, request.pinned == nil, let report = result.report, isToBeTakenBack(report, request) else { return result }
        var result = result
        do {
            result.restoration = try await restore(result, report, application, project, request, onEvent)
        } catch {
            result.restoration = .impossible("\(error)")
        }
        return result
    }

    /// Something was written, and it did not come out as asked: the writes failed, or what was waited for is not healthy.
    private func isToBeTakenBack(_ report: SyncReport, _ request: SyncRequest) -> Bool {
        let wrote = report.steps.contains { [.created, .configured, .recreated, .pruned].contains($0.actuation) }
        let isUnhealthy = request.waitForHealth != nil && report.conclusion == .succeeded && !report.health.status.isAtRest
        return wrote && (report.conclusion == .failed || isUnhealthy)
    }

    /// Applies what the last good attempt had applied; without one, deletes what the failed one made.
    private func restore(
        _ result: Reconciliation, _ report: SyncReport, _ application: Application, _ project: AppProject, _ request: SyncRequest,
        _ onEvent: @escaping @Sendable (SyncEvent) -> Void
    ) async throws -> Reconciliation.Restoration {
        let good = try await history.attempts(of: application.name, limit: 200).first {
            $0.report.conclusion == .succeeded && $0.report.selection == nil && $0.manifests != nil && $0.report.startedAt != report.startedAt
                && $0.report.health.status != .degraded
        }
        var back = SyncRequest(
            prune: true, allowEmpty: true, pruneBudget: .max, hooks: .never, waitForHealth: request.waitForHealth,
            trigger: "atomic after \(request.trigger)")
        var former = DesiredState(application: application.name, revision: report.revision, manifests: [], digest: "")
        if let good, let manifests = try await history.manifests(of: good.id) {
            former = DesiredState(
                application: application.name, revision: good.report.revision, manifests: manifests, digest: Self.digest(of: good))
            guard former.digest != result.desired.digest else {
                return .impossible("attempt \(good.id), the last good one, had applied the same manifests")
            }
        } else {
            let made = report.steps.filter { $0.actuation == .created }.map(\.id)
            guard !made.isEmpty else { return .impossible("no earlier attempt succeeded, and nothing was made that could be deleted") }
            back.selection = ResourceSelection(resources: try made.map { try ResourcePattern(exactly: $0) })
        }
        let attempt = good?.id ?? 0
        onEvent(.restoring(application: application.name, attempt: attempt))
        back.pinned = former
        let hold = Hold(
            commit: report.revision.commit, digest: result.desired.digest, attempt: attempt, reason: "a sync of \(report.revision.shortCommit) failed",
            since: Int64(now()))
        let restored =
            if application.syncPolicy.isAutomated {
                // What failed is not to be tried again until Git declares something else.
                try await run(
                    Pin(attempt: attempt, desired: former, hold: hold), application, project: project, request: back, onEvent: onEvent)
            } else {
                try await run(application, project: project, request: back, onEvent: onEvent)
            }
        guard let report = restored.report else { return .impossible("the application is held") }
        return .done(report, attempt: attempt)
    }
}
