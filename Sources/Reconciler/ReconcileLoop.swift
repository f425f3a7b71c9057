import Applier
import Desired
import Logging
import ResourceModel
import ServiceLifecycle

/// `reconciler run`: polls the branch, syncs the applications whose policy is automated, and heals drift that its watches see.
///
/// Level-triggered: a trigger is an application's name and nothing else; what is to be done is found out anew each time. A failed
/// run is tried again with growing pauses, for ever.
package struct ReconcileLoop: Service {
    let page: ReconcileOnce
    private let interval: Duration
    let logger: Logger
    let onEvent: @Sendable (SyncEvent) -> Void

    /// - Parameter interval: between two looks at the branch.
    package init(page: ReconcileOnce, interval: Duration, logger: Logger, onEvent: @escaping @Sendable (SyncEvent) -> Void) {
        self.page = page
        self.interval = interval
        self.logger = logger
        self.onEvent = onEvent
    }

    /// How long a sync that is under way may go on after the word to stop.
    private static let patience = Duration.seconds(3)

    /// Runs until a graceful shutdown or a cancellation. A sync that is under way is finished first, or stopped between two writes
    /// when it takes longer than `patience`.
    package func run() async throws {
        let (triggers, trigger) = AsyncStream.makeStream(of: Trigger.self, bufferingPolicy: .bufferingNewest(1024))
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await poll(trigger) }
                group.addTask { await work(triggers, trigger) }
                try await group.next()
                trigger.finish()
                group.addTask { try await Task.sleep(for: Self.patience) }
                try await group.next()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            trigger.finish()
        }
    }

    /// Why somebody should look: the branch may have moved, or an application's objects may have changed.
    enum Trigger: Sendable {
        case poll
        case drift(application: String)
        case retry(application: String)
    }

    private func poll(_ trigger: AsyncStream<Trigger>.Continuation) async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                trigger.yield(.poll)
                do { try await Task.sleep(for: interval) } catch { return }
            }
        }
    }

    private func work(_ triggers: AsyncStream<Trigger>, _ trigger: AsyncStream<Trigger>.Continuation) async {
        var state = LoopState()
        await withTaskGroup(of: Void.self) { watches in
            for await next in triggers {
                switch next {
                case .poll: await lookAtBranch(&state, trigger, &watches)
                case .drift(let name): await sync(name, reason: "drift", &state, trigger)
                case .retry(let name) where state.isRemoved(name): await delete(name, &state, trigger)
                case .retry(let name): await sync(name, reason: "retry", &state, trigger)
                }
            }
            watches.cancelAll()
        }
    }

    struct LoopState {
        var catalog: ApplicationCatalog?
        var commit: String?
        /// What each application was last synced to: its desired digest.
        var synced: [String: String] = [:]
        var failures: [String: Int] = [:]
        var watched: [String: WatchEnd] = [:]
        /// Every application that this process saw declared.
        var known: Set<String> = []
        /// The commit for which it was found out which applications it removed.
        var removalsSeenAt: String?

        func isRemoved(_ name: String) -> Bool {
            guard let catalog, catalog.isComplete else { return false }
            return !catalog.applications.contains { $0.name == name }
        }

        /// The application was deleted: one of its name that comes later is another one.
        mutating func forget(_ name: String) {
            synced[name] = nil
            failures[name] = nil
            known.remove(name)
            watched.removeValue(forKey: name)?.end()
        }

        /// Takes a new revision's applications. One whose finalizers changed is synced again: its inventory keeps what they ask for.
        mutating func take(_ catalog: ApplicationCatalog, at commit: String) {
            for application in catalog.applications {
                let former = self.catalog?.applications.first { $0.name == application.name }
                if let former, former.finalizers != application.finalizers { synced[application.name] = nil }
            }
            self.catalog = catalog
            self.commit = commit
            failures = [:]  // a new revision is tried at once
        }
    }

    private func lookAtBranch(
        _ state: inout LoopState, _ trigger: AsyncStream<Trigger>.Continuation, _ watches: inout TaskGroup<Void>
    ) async {
        do {
            let revision = try await page.builder.fetchConfiguration()
            if revision.commit != state.commit {
                let catalog = try await page.builder.applications(at: revision)
                for problem in catalog.problems { logger.error("\(problem)") }
                state.take(catalog, at: revision.commit)
                logger.info("new revision \(revision.shortCommit): \(revision.subject)")
            }
        } catch {
            logger.error("the branch could not be read; the applications stay as they are: \(error)")
            return
        }
        await deleteRemoved(&state, trigger)
        for application in state.catalog?.applications ?? [] where application.syncPolicy.isAutomated && !application.skipsReconcile {
            // A failed one waits for its own retry, which is under way.
            if state.failures[application.name] != nil { continue }
            await sync(application.name, reason: "push", &state, trigger)
            if application.syncPolicy.automated?.selfHeal == true, state.synced[application.name] != nil, state.watched[application.name] == nil {
                let end = WatchEnd()
                state.watched[application.name] = end
                watches.addTask { await watch(application, trigger, until: end) }
            }
        }
    }

    private func sync(
        _ name: String, reason: String, _ state: inout LoopState, _ trigger: AsyncStream<Trigger>.Continuation
    ) async {
        guard !Task.isShuttingDownGracefully, let application = state.catalog?.applications.first(where: { $0.name == name }), !application.skipsReconcile
        else { return }
        do {
            if reason == "push" {
                let revision = try await page.builder.fetch(application)
                let digest = try await page.builder.desiredState(of: application, at: revision).digest
                if state.synced[name] == digest { return }
            }
            if let held = try await heldDigest(of: application) {
                state.synced[name] = held
                state.failures[name] = nil
                return
            }
            guard let project = state.catalog?.project(named: application.project) else {
                throw Problem(
                    code: "project.not-found", message: "Application \(name): there is no project `\(application.project)`",
                    location: application.location)
            }
            var request = SyncRequest(trigger: reason)
            request.respectsHold = true
            let isQuiet = reason == "drift"
            if isQuiet {
                // A change by somebody else is no drift unless it touches what is ours: look before anything is recorded.
                let look = try await page.run(application, project: project, request: SyncRequest(extent: .compare))
                guard look.hasDifferences else { return }
                logger.info("\(name): drift in \(look.changes.filter { $0.action != .unchanged }.map(\.id.description).joined(separator: ", "))")
            }
            let outcome = try await page.sync(application, project: project, request: request, onEvent: onEvent)
            let isHeld = outcome.report == nil
            if isHeld || outcome.report?.conclusion == .succeeded {
                // The rendered digest before namespaces were resolved is what the next look compares with.
                state.synced[name] = try await page.builder.desiredState(of: application, at: outcome.desired.revision).digest
                state.failures[name] = nil
                return
            }
            logger.error("\(name): \(outcome.report?.message ?? "")")
        } catch {
            logger.error("\(name): \(error)")
        }
        retryLater(name, &state, trigger)
    }

    /// - Returns: the digest of what Git declares, when somebody brought the application back without Git and nothing was declared since.
    private func heldDigest(of application: Application) async throws -> String? {
        guard let hold = try await page.applier.hold(of: ApplySet(application: application.name)) else { return nil }
        let revision = try await page.builder.fetch(application)
        let digest = try await page.builder.desiredState(of: application, at: revision).digest
        guard hold.covers(commit: revision.commit, digest: digest) else { return nil }
        logger.info("\(application.name): held at what attempt \(hold.attempt) applied, until a commit changes what is declared")
        return digest
    }

    /// As the application's `retry` says; without one 2 s, 4 s, … at most 5 min, for ever. A new commit is tried at once.
    func retryLater(_ name: String, _ state: inout LoopState, _ trigger: AsyncStream<Trigger>.Continuation) {
        let count = state.failures[name, default: 0] + 1
        state.failures[name] = count
        let policy = state.catalog?.applications.first { $0.name == name }?.syncPolicy.retry
        guard let pause = policy.map({ RetrySchedule($0).pause(before: count) }) ?? .seconds(min(300, 1 << min(count, 8))) else {
            logger.error("\(name): gave up after \(count - 1) retries, until a new commit")
            return
        }
        Task {
            try await Task.sleep(for: pause)
            trigger.yield(.retry(application: name))
        }
    }

    /// Turns changes of the application's objects into triggers, several quick ones into one.
    private func watch(_ application: Application, _ trigger: AsyncStream<Trigger>.Continuation, until end: WatchEnd) async {
        while !Task.isCancelled, !end.isOver {
            var pause = Duration.seconds(5)
            do {
                for try await _ in page.applier.ownedObjectChanges(of: application.name) {
                    trigger.yield(.drift(application: application.name))
                }
                pause = .milliseconds(500)  // its kinds changed: look at the new ones
            } catch is CancellationError {
                return
            } catch {
                logger.warning("\(application.name): watching its objects failed, again in 5 s: \(error)")
            }
            do { try await Task.sleep(for: pause) } catch { return }
        }
    }
}
