import Applier
import Desired
import ResourceModel
import Synchronization

/// Applications that the branch declared and declares no more.
extension ReconcileLoop {
    /// How many applications may be deleted for one commit that leaves fewer than it removes.
    private static let budget = 10

    /// Deletes those that had a resources-finalizer, as Argo CD does for the applications of an application; the others' objects are left
    /// alone, which is logged once.
    ///
    /// Only of applications that were read from this very repository, branch and path, and only when everything there could be read: a
    /// file that can't be read removes nothing. A commit that leaves no application at all, or removes many at once, deletes nothing.
    func deleteRemoved(_ state: inout LoopState, _ trigger: AsyncStream<Trigger>.Continuation) async {
        guard let catalog = state.catalog, state.removalsSeenAt != state.commit else { return }
        let declared = Set(catalog.applications.map(\.name))
        let removed: [String: DeletionNote?]
        do {
            removed = try await page.applier.inventories().filter { !declared.contains($0.key) }
        } catch {
            logger.error("the inventories could not be read, so it is not known which applications were removed: \(error)")
            return
        }
        state.removalsSeenAt = state.commit
        let ours = removed.filter { name, note in note?.declaredIn == page.builder.place || state.known.contains(name) }
        state.known.formUnion(declared)
        guard !ours.isEmpty else { return }
        guard catalog.isComplete else {
            logger.error("not every file could be read, so no application counts as removed: \(ours.keys.sorted().joined(separator: ", "))")
            return
        }
        let leaving = ours.filter { $0.value?.declaredIn == page.builder.place && $0.value?.cascade != nil }.keys.sorted()
        for name in ours.keys.sorted() where !leaving.contains(name) {
            logger.warning("\(name) is no longer declared and had no resources-finalizer: its objects are left alone (reconciler delete --app \(name) ends it)")
        }
        if !leaving.isEmpty, declared.isEmpty || (leaving.count > Self.budget && leaving.count > declared.count) {
            logger.error(
                "a commit removed \(leaving.count) of \(leaving.count + declared.count) applications, nothing is deleted: \(leaving.joined(separator: ", ")) (to permit it: reconciler delete --app NAME)")
            return
        }
        for name in leaving { await delete(name, &state, trigger) }
    }

    /// Deletes one that is no longer declared; what fails is tried again later.
    func delete(_ name: String, _ state: inout LoopState, _ trigger: AsyncStream<Trigger>.Continuation) async {
        guard !Task.isShuttingDownGracefully else { return }
        do {
            let deletion = try await page.deletion(DeletionRequest(name: name, trigger: "push"))
            // The note may be another one by now.
            guard deletion.isKnown, deletion.cascade != .orphan else { return }
            logger.info("\(name) is no longer declared: it is deleted, cascade \(deletion.cascade.rawValue)")
            let report = try await page.delete(deletion, onEvent: onEvent)
            if report.conclusion == .succeeded {
                state.forget(name)
                return
            }
            logger.error("\(name): \(report.message)")
            // What asks for a confirmation asks once for each commit.
            if report.conclusion == .refused { return }
        } catch {
            logger.error("\(name): \(error)")
        }
        retryLater(name, &state, trigger)
    }
}

/// Tells a watch of an application's objects that the application is gone.
final class WatchEnd: Sendable {
    private let state = Mutex(false)

    var isOver: Bool { state.withLock { $0 } }
    func end() { state.withLock { $0 = true } }
}
