import Logging

/// Names of objects to look at: each once however often it was added, never two looks at one object at a time, failures again after a
/// growing wait.
actor WorkQueue<Key: Hashable & Sendable> {
    private var waiting: [Key] = []
    private var queued: Set<Key> = []
    private var running: Set<Key> = []
    private var again: Set<Key> = []
    private var failures: [Key: Int] = [:]
    private var timers: [Key: (id: Int, deadline: ContinuousClock.Instant, task: Task<Void, Never>)] = [:]
    private var timerCount = 0
    private var idle: [CheckedContinuation<Key?, Never>] = []
    private var isClosed = false

    /// Asks for a look at the object.
    func add(_ key: Key) {
        if isClosed { return }
        if running.contains(key) {
            again.insert(key)
            return
        }
        guard queued.insert(key).inserted else { return }
        if idle.isEmpty {
            waiting.append(key)
        } else {
            take(key)
            idle.removeFirst().resume(returning: key)
        }
    }

    /// Asks for a look after that time; the earliest of several counts.
    func add(_ key: Key, after delay: Duration) {
        if isClosed { return }
        if delay <= .zero { return add(key) }
        let deadline = ContinuousClock.now + delay
        if let present = timers[key], present.deadline <= deadline { return }
        timers[key]?.task.cancel()
        timerCount += 1
        let id = timerCount
        timers[key] = (
            id, deadline,
            Task {
                do { try await Task.sleep(until: deadline) } catch { return }
                fire(key, id)
            }
        )
    }

    private func fire(_ key: Key, _ id: Int) {
        guard timers[key]?.id == id else { return }
        timers[key] = nil
        add(key)
    }

    private func take(_ key: Key) {
        queued.remove(key)
        running.insert(key)
    }

    private func next() async -> Key? {
        if isClosed { return nil }
        if !waiting.isEmpty {
            let key = waiting.removeFirst()
            take(key)
            return key
        }
        return await withCheckedContinuation { idle.append($0) }
    }

    private func finish(_ key: Key, failed: Bool) {
        running.remove(key)
        if failed {
            let count = failures[key, default: 0]
            failures[key] = count + 1
            add(key, after: min(.milliseconds(20) * (1 << min(count, 12)), .seconds(60)))
        } else {
            failures[key] = nil
        }
        if again.remove(key) != nil { add(key) }
    }

    /// Ends `run`.
    func close() {
        isClosed = true
        for timer in timers.values { timer.task.cancel() }
        timers = [:]
        for continuation in idle { continuation.resume(returning: nil) }
        idle = []
    }

    /// Looks at objects as they come, several at a time, until the queue is closed.
    nonisolated func run(
        width: Int, logger: Logger, _ look: @escaping @Sendable (Key) async throws -> Void
    ) async {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<width {
                group.addTask {
                    while let key = await self.next() {
                        do {
                            try await look(key)
                            await self.finish(key, failed: false)
                        } catch {
                            let isConflict = (error as? APIStatus)?.code == 409
                            if !isConflict, !(error is CancellationError) {
                                logger.debug("will be tried again", metadata: ["object": "\(key)", "error": "\(error)"])
                            }
                            await self.finish(key, failed: true)
                        }
                    }
                }
            }
        }
    }
}
