import Applier
import Desired
import ResourceModel
import Store

/// The manifests of an attempt, and what they are held against.
package struct Pin: Sendable {
    package var attempt: Int64
    package var desired: DesiredState
    package var hold: Hold
}

extension ReconcileOnce {
    /// Finds the manifests to bring an application back to, without Git.
    /// - Parameters:
    ///   - revision: what Git declares, as far as it is known.
    ///   - to: a number of the history, or the beginning of a commit's id; nil for the newest good attempt that applied something else
    ///     than Git declares.
    /// - Throws: a `Problem` when there is no such attempt, or nothing was kept with it.
    package func pin(_ application: Application, at revision: Revision, to: String?, reason: String?) async throws -> Pin {
        let name = application.name
        var digest: String?
        // What does not render is held by its commit.
        do { digest = try await builder.desiredState(of: application, at: revision).digest } catch is Problem {} catch is Problems {}
        let candidates = try await history.attempts(of: name, limit: 1_000).filter {
            $0.report.conclusion == .succeeded && $0.manifests != nil
        }
        let found =
            if let to {
                candidates.first { $0.id == Int64(to) } ?? (to.utf8.count >= 7 ? candidates.first { $0.report.revision.commit.hasPrefix(to.lowercased()) } : nil)
            } else {
                candidates.first { Self.digest(of: $0) != digest && $0.report.revision.commit != revision.commit && $0.report.health.status != .degraded }
            }
        guard let found, let manifests = try await history.manifests(of: found.id) else {
            throw Problem(
                code: "rollback.no-manifests",
                message: to.map { "the history keeps no manifests of an attempt \($0) of Application \(name)" }
                    ?? "the history keeps no manifests of Application \(name) that differ from what Git declares",
                hint: "only attempts that succeeded have some: `reconciler history --app \(name)` lists them")
        }
        let desired = DesiredState(application: name, revision: found.report.revision, manifests: manifests, digest: Self.digest(of: found))
        return Pin(
            attempt: found.id, desired: desired,
            hold: Hold(commit: revision.commit, digest: digest, attempt: found.id, reason: reason, since: Int64(now())))
    }

    /// Holds the application, then applies the manifests. The hold comes first: nobody heals away what is being written.
    package func run(
        _ pin: Pin, _ application: Application, project: AppProject, request: SyncRequest, onEvent: @escaping @Sendable (SyncEvent) -> Void
    ) async throws -> Reconciliation {
        var request = request
        request.pinned = pin.desired
        guard request.extent == .execute else { return try await run(application, project: project, request: request, onEvent: onEvent) }
        let applySet = ApplySet(application: application.name)
        let former = try await applier.hold(of: applySet)
        try await applier.record(pin.hold, applySet: applySet)
        let result = try await run(application, project: project, request: request, onEvent: onEvent)
        // Nothing was written, so nothing is to be held.
        if result.report?.conclusion == .refused { try await applier.record(former, applySet: applySet) }
        return result
    }

    /// The digest that the attempt's manifests were kept under.
    static func digest(of attempt: RecordedAttempt) -> String { String((attempt.manifests ?? "").prefix { $0 != "/" }) }
}
