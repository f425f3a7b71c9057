import CLibCurl
import Glibc

/// One libcurl multi handle on a thread of its own. The thread starts with the first transfer.
///
/// Everything but the mailbox belongs to that thread (`EngineLoop`); callers put commands in and wake it.
final class CurlEngine: Sendable {
    private let mailbox: Mailbox

    init(name: String, limits: HTTPLimits) { mailbox = Mailbox(name: name, limits: limits) }

    /// Streams keep their engine: it ends when the client and its last stream are let go of.
    deinit { mailbox.put(.shutDown) }

    /// The transfer's sink hears exactly once how it ended.
    func start(_ transfer: Transfer) { mailbox.put(.start(transfer)) }

    /// Ends the transfer with `cancelled`; an unknown id (ended already) is ignored.
    func cancel(_ id: UInt64) { mailbox.put(.cancel(id)) }

    /// Continues a paused transfer.
    func resume(_ id: UInt64) { mailbox.put(.resume(id)) }

    func shutDown() { mailbox.put(.shutDown) }
}

/// The commands that wait for the engine's thread.
final class Mailbox: @unchecked Sendable {  // every stored `var` is guarded by `lock`
    enum Command {
        case start(Transfer)
        case cancel(UInt64)
        case resume(UInt64)
        case shutDown
    }

    let name: String
    let limits: HTTPLimits
    private let lock = Lock()
    private var commands: [Command] = []
    private var isRunning = false
    private var isShutDown = false
    /// Only `curl_multi_wakeup` is called on it off the engine's thread, which libcurl allows; `nil` once the thread has ended.
    private var multi: UnsafeMutableRawPointer?

    init(name: String, limits: HTTPLimits) {
        self.name = name
        self.limits = limits
    }

    func put(_ command: Command) {
        var refused: Transfer?
        lock.withLock {
            if isShutDown {
                if case .start(let transfer) = command { refused = transfer }
                return
            }
            switch command {
            case .start: break
            case .shutDown: isShutDown = true
            default: if !isRunning { return }
            }
            if !isRunning {
                guard !isShutDown else { return }
                isRunning = true
                startThread()
            }
            // Whoever put the first of those that wait has woken the thread, and it takes them all.
            let isFirst = commands.isEmpty
            commands.append(command)
            if isFirst, let multi { reconciler_curl_multi_wakeup(multi) }
        }
        refused?.finish(
            HTTPError(
                code: .shutDown, message: "the HTTP client was shut down", method: refused?.request.method ?? "",
                url: URLParts.display(refused?.request.url ?? "")))
    }

    func take() -> [Command] {
        lock.withLock {
            defer { commands.removeAll(keepingCapacity: true) }
            return commands
        }
    }

    /// Called by the engine's thread, with its handle at its start and with `nil` before it frees the handle.
    func publish(_ handle: UnsafeMutableRawPointer?) { lock.withLock { multi = handle } }

    private func startThread() {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self).toOpaque()
        let result = pthread_create(&thread, nil, { context in
            let mailbox = Unmanaged<Mailbox>.fromOpaque(context!).takeRetainedValue()
            EngineLoop(mailbox: mailbox).run()
            return nil
        }, context)
        precondition(result == 0, "no thread for HTTP transfers: error \(result)")
        pthread_detach(thread)
    }
}
