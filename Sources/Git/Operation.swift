import CLibGit2
import Dispatch
import Glibc

/// A value behind a pthread mutex.
final class Locked<State>: @unchecked Sendable {  // Guard: `mutex` is held around every access to `state`.
    private var state: State
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    init(_ state: State) {
        self.state = state
        mutex = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    func withLock<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }
}

/// One blocking piece of work that can be stopped: by its deadline or by the caller's cancellation. libgit2 1.5 has no
/// timeouts, so everything that waits inside a transport waits here, on its own descriptor and on `wake` together.
final class Operation: Sendable {
    enum Stop: Sendable { case cancelled, deadline }

    /// Readable once the operation is stopped.
    let wake: Int32
    private let state = Locked<(stop: Stop?, onStop: (@Sendable (Stop) -> Void)?)>((nil, nil))

    /// Which `HOST:PORT` its sockets may go to and went to.
    let peers = Locked<(only: String?, seen: Set<String>)>((nil, []))
    private let current = Locked("waiting for an earlier fetch of the same mirror")

    init() { wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)) }
    deinit { close(wake) }

    var stopped: Stop? { state.withLock(\.stop) }

    /// What it is doing, for the message when its time is up.
    var phase: String {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }

    /// Stops the operation; only the first reason counts.
    func stop(_ reason: Stop) {
        let handler = state.withLock { state -> (@Sendable (Stop) -> Void)? in
            guard state.stop == nil else { return nil }
            state.stop = reason
            defer { state.onStop = nil }
            return state.onStop
        }
        eventfd_write(wake, 1)
        handler?(reason)
    }

    /// Calls `handler` when the operation is stopped, at once if it was already.
    func onStop(_ handler: @escaping @Sendable (Stop) -> Void) {
        let already = state.withLock { state -> Stop? in
            if state.stop == nil { state.onStop = handler }
            return state.stop
        }
        if let already { handler(already) }
    }

    /// Lets go of the handler: the work has ended.
    func finish() { state.withLock { $0.onStop = nil } }

    /// Waits until `descriptor` is ready for `events` (`POLLIN`, `POLLOUT`), or `milliseconds` have passed.
    /// - Returns: whether it is ready; false also when the operation was stopped.
    func wait(for descriptor: Int32, events: Int32, milliseconds: Int32 = -1) -> Bool {
        while true {
            var descriptors = [
                pollfd(fd: descriptor, events: Int16(events), revents: 0), pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&descriptors, 2, milliseconds)
            if count < 0 && errno == EINTR { continue }
            if count <= 0 || descriptors[1].revents != 0 { return false }
            if descriptors[0].revents != 0 { return true }
        }
    }

    // libgit2 creates streams deep inside a call: the operation that a thread works for is found through the thread.
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()

    /// The operation that the calling thread works for.
    static var current: Operation? {
        pthread_getspecific(key).map { Unmanaged<Operation>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Runs `body` on the calling thread as this operation's work.
    func run<Result>(_ body: () throws -> Result) rethrows -> Result {
        pthread_setspecific(Operation.key, Unmanaged.passUnretained(self).toOpaque())
        defer { pthread_setspecific(Operation.key, nil) }
        return try body()
    }
}

/// A serial queue for calls that block, off the cooperative pool.
struct BlockingQueue: Sendable {
    private let queue: DispatchQueue
    private static let timers = DispatchQueue(label: "git.deadlines")

    init(label: String) { queue = DispatchQueue(label: label) }

    /// Runs `body` on the queue. When the deadline passes or the task is cancelled the caller gets its error at once, and
    /// the work is told to stop; work that is stuck where nothing can wake it keeps the queue, never the caller.
    /// - Throws: `CancellationError`, `expired` past the deadline, or what `body` throws.
    func run<Value: Sendable>(
        deadline: Duration? = nil, expired: @escaping @Sendable (Operation) -> any Error = { _ in CancellationError() },
        afterwards: (@Sendable () -> Void)? = nil, _ body: @escaping @Sendable (Operation) throws -> Value
    ) async throws -> Value {
        try Task.checkCancellation()
        let operation = Operation()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
                let waiting = Locked<CheckedContinuation<Value, any Error>?>(continuation)
                let resume: @Sendable (Result<Value, any Error>) -> Void = { result in
                    let continuation = waiting.withLock { waiting in
                        defer { waiting = nil }
                        return waiting
                    }
                    continuation?.resume(with: result)
                }
                operation.onStop { resume(.failure($0 == .deadline ? expired(operation) : CancellationError())) }
                var timer: (any DispatchSourceTimer)?
                if let deadline {
                    let source = DispatchSource.makeTimerSource(queue: BlockingQueue.timers)
                    let (seconds, attoseconds) = deadline.components
                    source.schedule(deadline: .now() + .seconds(Int(clamping: seconds)) + .nanoseconds(Int(attoseconds / 1_000_000_000)))
                    source.setEventHandler { operation.stop(.deadline) }
                    source.resume()
                    timer = source
                }
                nonisolated(unsafe) let started = timer  // Only cancelled, once, by the work's end.
                queue.async {
                    do {
                        defer {
                            started?.cancel()
                            operation.finish()
                        }
                        guard operation.stopped == nil else { return }
                        // The work may see that it was stopped, and fail of it, before the handler above has told the caller why.
                        resume(
                            Result { try operation.run { try body(operation) } }.mapError { error in
                                switch operation.stopped {
                                case nil: error
                                case .deadline: expired(operation)
                                case .cancelled: CancellationError()
                                }
                            })
                    }
                    afterwards?()
                }
            }
        } onCancel: {
            operation.stop(.cancelled)
        }
    }
}
