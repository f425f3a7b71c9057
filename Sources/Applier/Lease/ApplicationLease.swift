import KubernetesClient
import Logging
import ResourceModel
import Synchronization

/// How one writer for each application is made sure of.
package struct LeaseOptions: Sendable {
    /// Where the lock files are; `nil` does without.
    package var locks: String?
    /// How long to wait for another writer.
    package var wait: Duration
    /// How long a holder that is not heard of keeps its lease; whole seconds. It is renewed three times as often.
    package var duration: Duration
    package var identity: HolderIdentity

    package init(
        locks: String? = nil, wait: Duration = .seconds(60), duration: Duration = .seconds(15), identity: HolderIdentity = .current
    ) {
        self.locks = locks
        self.wait = wait
        self.duration = duration
        self.identity = identity
    }
}

/// The right to write to one application: a `coordination.k8s.io/v1` Lease in the cluster, and a lock file on this machine.
///
/// `spec.leaseTransitions` is the fencing token: every holder has a higher one than all before it. Whoever gives the lease back sets
/// the next holder's token already, so that one request takes a free lease (a JSON patch that tests for no holder), and one gives
/// it back. Whether a holder is still there is judged by this observer's own clock, from when it last saw the lease change, never by
/// the times written in it; a holder of this very machine whose process has ended is replaced at once.
package final class ApplicationLease: Sendable {
    package let application: String
    /// The fencing token.
    package let token: Int64
    /// Whether another holder was there first: then what was observed before is out of date.
    package let hadToWait: Bool
    private let place: LeasePlace
    private let lock: LocalLock?
    private let state: Mutex<State>

    private struct State {
        var resourceVersion: String
        /// When the last request that the server granted was begun.
        var heardAt: ContinuousClock.Instant
        var lost: LeaseLost?
        var isReleased = false
        var renewal: Task<Void, Never>?
        var onLoss: (@Sendable () -> Void)?
    }

    private init(_ grant: LeaseGrant, place: LeasePlace, lock: LocalLock?, hadToWait: Bool) {
        application = place.application
        token = grant.token
        self.hadToWait = hadToWait
        self.place = place
        self.lock = lock
        state = Mutex(State(resourceVersion: grant.resourceVersion, heardAt: grant.askedAt))
    }

    /// Takes the lease, waiting for another holder if there is one.
    /// - Parameter isFirst: nothing was ever synced, so there is probably no lease yet; only spares a request.
    /// - Throws: `LeaseHeld` when the wait was too long; whatever kept the cluster from answering.
    static func acquired(
        application: String, isFirst: Bool, options: LeaseOptions, client: KubernetesClient, logger: Logger
    ) async throws -> ApplicationLease {
        let deadline = ContinuousClock.now + options.wait
        var lock: LocalLock?
        if let directory = options.locks {
            let path = directory + "/" + fileName(application)
            let note = "\(options.identity.summary)\n\(Timestamp.now())"
            lock = try await LocalLock.lock(path, note: note, wait: options.wait)
            if lock == nil {
                let words = LocalLock.holder(of: path).split(separator: "\n")
                throw LeaseHeld(
                    application: application, holder: words.first.map(String.init) ?? "another process on this machine",
                    since: words.count > 1 ? String(words[1]) : "", waited: options.wait)
            }
        }
        let place = LeasePlace(
            application: application, options: options, client: client,
            resource: try await client.resource(for: GroupKind(group: "coordination.k8s.io", kind: "Lease"), preferring: "v1"))
        var hadToWait = lock?.hadToWait ?? false
        var grant = try await place.taken(isFirst: isFirst)
        if grant == nil {
            hadToWait = true
            grant = try await place.awaited(until: deadline)
        }
        guard let grant else { throw CancellationError() }
        let lease = ApplicationLease(grant, place: place, lock: lock, hadToWait: hadToWait)
        lease.startRenewing(logger)
        return lease
    }

    /// Runs the writes, and gives the lease back after them. When it is lost meanwhile, the writes are cancelled between two requests.
    /// - Throws: `LeaseLost` then; whatever `body` throws.
    package func whileHeld<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
        let result = try await holding(body)
        try await giveBack()
        return result
    }

    /// `whileHeld`, but the lease is still to be given back when the writes are done; it is given back when they throw.
    package func holding<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
        let writes = Task { try await body() }
        let lost = state.withLock { state in
            state.onLoss = { writes.cancel() }
            return state.lost
        }
        if lost != nil { writes.cancel() }
        let outcome = await withTaskCancellationHandler { await writes.result } onCancel: { writes.cancel() }
        do {
            let result = try outcome.get()
            if let lost = state.withLock({ $0.lost }) { throw lost }
            return result
        } catch {
            try await giveBack()
            throw error
        }
    }

    /// Gives the lease back.
    /// - Throws: `LeaseLost` when somebody else had it by then: what was written last may not have been seen by them.
    package func giveBack() async throws {
        await release()
        if let lost = state.withLock({ $0.lost }) { throw lost }
    }

    /// Gives the lease back; once is enough.
    package func release() async {
        let (isHeld, renewal) = state.withLock { state in
            defer { state.isReleased = true }
            return (!state.isReleased && state.lost == nil, state.renewal)
        }
        renewal?.cancel()
        await renewal?.value
        if isHeld {
            let version = state.withLock { $0.resourceVersion }
            // Also when the run was cancelled: others need not wait then.
            let outcome = await Task { try await place.giveBack(token: token, resourceVersion: version) }.result
            // What else goes wrong only makes others wait until the lease runs out.
            if case .failure(let error as LeaseTaken) = outcome { lose(error.reason) }
        }
        lock?.open()
    }

    /// Gives the lease back by deleting its object: the application is gone. Whoever waits makes a new one.
    package func remove() async throws {
        let (isHeld, renewal) = state.withLock { state in
            defer { state.isReleased = true }
            return (!state.isReleased && state.lost == nil, state.renewal)
        }
        renewal?.cancel()
        await renewal?.value
        guard isHeld else { return }
        let version = state.withLock { $0.resourceVersion }
        try await place.remove(resourceVersion: version)
    }

    // MARK: Renewal

    private func startRenewing(_ logger: Logger) {
        let renewal = Task { [self] in
            while true {
                do { try await Task.sleep(for: place.options.duration / 3) } catch { return }
                await renew(logger)
                if state.withLock({ $0.lost != nil || $0.isReleased }) { return }
            }
        }
        state.withLock { $0.renewal = renewal }
    }

    private func renew(_ logger: Logger) async {
        let asked = ContinuousClock.now
        let (version, heardAt) = state.withLock { ($0.resourceVersion, $0.heardAt) }
        do {
            let newer = try await withDeadline(max(.milliseconds(1), heardAt + place.options.duration - asked)) { [self] in
                try await place.renewed(token: token, resourceVersion: version)
            }
            state.withLock { state in
                state.resourceVersion = newer
                state.heardAt = asked
            }
        } catch let error as LeaseTaken {
            lose(error.reason)
        } catch {
            if Task.isCancelled { return }
            logger.warning("\(application): the lease could not be renewed: \(error)")
            // Somebody else may have it from now on.
            if ContinuousClock.now >= heardAt + place.options.duration { lose("it could not be renewed in time: \(error)") }
        }
    }

    private func lose(_ reason: String) {
        let onLoss = state.withLock { state in
            if state.lost == nil { state.lost = LeaseLost(application: application, reason: reason, token: token) }
            return state.onLoss
        }
        onLoss?()
    }

    private static func fileName(_ application: String) -> String {
        let isPlain = !application.isEmpty && application.count < 200 && application.utf8.allSatisfy { byte in
            (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte) || byte == 45 || byte == 46 || byte == 95
        }
        return (isPlain ? application : JSONValue.string(application).digest) + ".lock"
    }
}

extension Applier {
    /// Takes the right to write to an application: see `ApplicationLease`.
    package func lease(on application: String, isFirst: Bool, options: LeaseOptions) async throws -> ApplicationLease {
        try await ApplicationLease.acquired(application: application, isFirst: isFirst, options: options, client: client, logger: logger)
    }
}

/// Runs an operation and cancels it when the time is over: then it throws what it throws when it is cancelled.
private func withDeadline<Result: Sendable>(_ limit: Duration, _ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
    let work = Task { try await body() }
    let timer = Task {
        try await Task.sleep(for: limit)
        work.cancel()
    }
    defer { timer.cancel() }
    return try await withTaskCancellationHandler { try await work.value } onCancel: { work.cancel() }
}
