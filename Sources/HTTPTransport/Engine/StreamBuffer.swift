/// What lies between the engine's thread, which appends, and a stream's reader, which takes.
final class StreamBuffer: @unchecked Sendable {  // every stored `var` is guarded by `lock`
    /// Above this the transfer is paused until the reader has taken what is there.
    static let highWater = 1 << 20

    private let lock = Lock()
    private let engine: CurlEngine
    private let id: UInt64
    private var headResult: Result<HTTPHead, HTTPError>?
    private var headWaiter: CheckedContinuation<Result<HTTPHead, HTTPError>, Never>?
    private var bytes: [UInt8] = []
    private var end: Result<Void, HTTPError>?
    private var reader: CheckedContinuation<Result<[UInt8]?, HTTPError>, Never>?
    private var isPaused = false

    init(engine: CurlEngine, id: UInt64) {
        self.engine = engine
        self.id = id
    }

    // MARK: the engine's side

    func deliver(head: HTTPHead) {
        let waiter = lock.withLock { () -> CheckedContinuation<Result<HTTPHead, HTTPError>, Never>? in
            if headResult == nil { headResult = .success(head) }
            defer { headWaiter = nil }
            return headWaiter
        }
        waiter?.resume(returning: .success(head))
    }

    /// Takes the bytes, or refuses them (all) so that the transfer pauses.
    func append(_ chunk: UnsafeRawBufferPointer) -> Bool {
        var ready: (CheckedContinuation<Result<[UInt8]?, HTTPError>, Never>, [UInt8])?
        let taken = lock.withLock { () -> Bool in
            if end != nil { return true }
            if bytes.count > Self.highWater {
                isPaused = true
                return false
            }
            if let waiting = reader {
                reader = nil
                ready = (waiting, Array(chunk))
            } else {
                bytes.append(contentsOf: chunk)
            }
            return true
        }
        if let (waiting, data) = ready { waiting.resume(returning: .success(data)) }
        return taken
    }

    func finish(_ result: Result<Void, HTTPError>) {
        let (head, waiting) = lock.withLock {
            () -> (CheckedContinuation<Result<HTTPHead, HTTPError>, Never>?, CheckedContinuation<Result<[UInt8]?, HTTPError>, Never>?) in
            if end == nil { end = result }
            if headResult == nil, case .failure(let error) = result { headResult = .failure(error) }
            defer {
                headWaiter = nil
                reader = nil
            }
            return (headWaiter, reader)
        }
        if let head {
            switch result {
            case .failure(let error): head.resume(returning: .failure(error))
            case .success: head.resume(returning: .failure(HTTPError(code: .interrupted, message: "the answer has no head")))
            }
        }
        waiting?.resume(returning: result.map { nil })
    }

    // MARK: the reader's side

    func head() async throws(HTTPError) -> HTTPHead {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Result<HTTPHead, HTTPError>, Never>) in
                let known = lock.withLock { () -> Result<HTTPHead, HTTPError>? in
                    if headResult == nil { headWaiter = continuation }
                    return headResult
                }
                if let known { continuation.resume(returning: known) }
                if Task.isCancelled { engine.cancel(id) }
            }
        } onCancel: {
            engine.cancel(id)
        }
        return try result.get()
    }

    func next() async throws(HTTPError) -> [UInt8]? {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Result<[UInt8]?, HTTPError>, Never>) in
                var resume = false
                let known = lock.withLock { () -> Result<[UInt8]?, HTTPError>? in
                    resume = isPaused
                    isPaused = false
                    if !bytes.isEmpty {
                        defer { bytes = [] }
                        return .success(bytes)
                    }
                    if let end { return end.map { nil } }
                    reader = continuation
                    return nil
                }
                if resume { engine.resume(id) }
                if let known { continuation.resume(returning: known) }
                if Task.isCancelled { engine.cancel(id) }
            }
        } onCancel: {
            engine.cancel(id)
        }
        return try result.get()
    }

    func abandon() { engine.cancel(id) }
}
