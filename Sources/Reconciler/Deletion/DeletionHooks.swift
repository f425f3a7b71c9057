import Applier
import Desired
import ResourceModel
import Store

/// The hooks of an application's deletion, and what was found out on the way to them.
struct DeletionHooks {
    var manifests: [Manifest] = []
    var notes: [String] = []
    var refusals: [Refusal] = []
}

extension ReconcileOnce {
    /// Those that Git declares; of an application that is no longer declared, or does not render, those of the last sync whose manifests
    /// the history keeps.
    /// - Parameter note: says whether the application had any.
    func hooks(of request: DeletionRequest, at revision: Revision, note: DeletionNote?) async throws -> DeletionHooks {
        var found = DeletionHooks()
        if let application = request.application {
            do {
                var desired = try await builder.desiredState(of: application, at: revision)
                desired.manifests.removeAll { $0.hook?.deletions.isEmpty ?? true }
                found.manifests = try await applier.resolved(desired, namespace: application.destination.namespace).manifests
                return found
            } catch let error where error is Problem || error is Problems || (error as? any ClassifiedError)?.failureKind == .failed {
                found.notes.append("its hooks are those of the last sync: what Git declares can't be rendered: \(error)")
            }
        }
        if let kept = try await keptHooks(of: request.name) {
            found.manifests = kept
            return found
        }
        if note?.hasHooks ?? request.application.map({ Cascade.namesHooks($0.finalizers) }) ?? false {
            found.refusals.append(
                Refusal(
                    code: "hooks-unknown",
                    message: "Application \(request.name) has PreDelete or PostDelete hooks, and the history here keeps no manifests of it",
                    permit: "--no-hooks; or delete it where it was synced, or while Git declares it"))
        }
        return found
    }

    /// - Returns: `nil` when the history keeps no manifests of the application.
    private func keptHooks(of name: String) async throws -> [Manifest]? {
        for attempt in try await history.attempts(of: name, limit: 1_000) where attempt.manifests != nil {
            guard let manifests = try await history.manifests(of: attempt.id) else { continue }
            return manifests.filter { !($0.hook?.deletions.isEmpty ?? true) }
        }
        return nil
    }

    /// Keeps on the inventory what the deletion of an application is to do, for when it is no longer declared.
    /// - Parameter seen: what the inventory said before this run.
    func noteDeletion(of application: Application, _ desired: DesiredState, seen: OwnedState, wrote: Bool) async throws {
        let cascade = Cascade(finalizers: application.finalizers)
        let hasHooks = Cascade.namesHooks(application.finalizers) || desired.manifests.contains { !($0.hook?.deletions.isEmpty ?? true) }
        let note = cascade == nil && !hasHooks ? nil : DeletionNote(cascade: cascade, hasHooks: hasHooks, declaredIn: builder.place)
        guard note != seen.deletion, !seen.isEmpty || wrote else { return }
        try await applier.record(deletion: note, applySet: ApplySet(application: application.name))
    }
}
