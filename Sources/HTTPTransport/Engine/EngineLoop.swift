import CLibCurl
import Glibc

/// The engine's thread: takes commands, drives libcurl, hands results out, watches deadlines.
final class EngineLoop {
    private struct Running {
        let transfer: Transfer
        let handle: UnsafeMutableRawPointer
    }

    static let initializeLibrary: Void = reconciler_curl_global_init()

    private let mailbox: Mailbox
    private let multi: UnsafeMutableRawPointer
    private var waiting: [Transfer] = []
    private var running: [UInt64: Running] = [:]
    private var idleHandles: [UnsafeMutableRawPointer] = []
    private var isShutDown = false
    private var speaksHTTP2: Bool?
    /// No transfer is given up before.
    private var earliestExpiry: ContinuousClock.Instant?
    /// Set once a transfer came whose deadline moves with what it receives.
    private var deadlinesMove = false

    /// From this many running transfers on, what happens is gathered for a moment: libcurl looks at every transfer each time that it is
    /// driven, and a server that has this much to do does not wait for us.
    private static let crowd = 16
    private static let moment: UInt32 = 400  // microseconds

    /// Milliseconds until transfers are looked at again though nothing happened: one at first, then twice as many each time.
    ///
    /// libcurl 7.88 drops the timer that should wake a transfer whose answer came while another one of its connection was looked at, when
    /// a third one begins after that in the same `curl_multi_perform`. Such a transfer goes on at the next look.
    private var patience: Int32 = 1

    init(mailbox: Mailbox) {
        _ = Self.initializeLibrary
        self.mailbox = mailbox
        multi = reconciler_curl_multi_init()
        reconciler_curl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX))
        reconciler_curl_multi_set_long(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, mailbox.limits.streamsPerConnection)
        reconciler_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, mailbox.limits.inFlight)
    }

    func run() {
        mailbox.publish(multi)
        while true {
            let commands = mailbox.take()
            for command in commands { obey(command) }
            if isShutDown { break }
            startWaiting()
            var active: Int32 = 0
            reconciler_curl_multi_perform(multi, &active)
            let finished = collectFinished()
            expire()
            if finished && !waiting.isEmpty { continue }
            var ready: Int32 = 0
            if finished || !commands.isEmpty { patience = 1 }
            reconciler_curl_multi_poll(multi, pollTimeout(), &ready)
            patience = ready > 0 ? 1 : min(2 * patience, 60_000)
            if running.count >= Self.crowd { usleep(Self.moment) }
        }
        for transfer in waiting { transfer.finish(failure(of: transfer, .shutDown, "the HTTP client was shut down")) }
        for id in Array(running.keys) { end(id, .shutDown, "the HTTP client was shut down") }
        mailbox.publish(nil)
        for handle in idleHandles { reconciler_curl_easy_cleanup(handle) }
        reconciler_curl_multi_cleanup(multi)
    }

    private func obey(_ command: Mailbox.Command) {
        switch command {
        case .start(let transfer):
            waiting.append(transfer)
            if transfer.request.idleDeadline != nil { deadlinesMove = true }
            if let expiry = transfer.expiry { earliestExpiry = earliestExpiry.map { min($0, expiry) } ?? expiry }
        case .resume(let id): if let entry = running[id] { reconciler_curl_easy_pause(entry.handle, CURLPAUSE_CONT) }
        case .cancel(let id):
            if running[id] != nil {
                end(id, .cancelled, "cancelled")
            } else if let index = waiting.firstIndex(where: { $0.id == id }) {
                let transfer = waiting.remove(at: index)
                transfer.finish(failure(of: transfer, .cancelled, "cancelled"))
            }
        case .shutDown: isShutDown = true
        }
    }

    private func startWaiting() {
        guard !waiting.isEmpty else { return }
        let count = min(waiting.count, max(0, mailbox.limits.inFlight - running.count))
        for transfer in waiting.prefix(count) { start(transfer) }
        waiting.removeFirst(count)
    }

    private func start(_ transfer: Transfer) {
        if speaksHTTP2 == nil { limitConnections(http2: !transfer.request.url.lowercased().hasPrefix("http://")) }
        let handle: UnsafeMutableRawPointer
        if let idle = idleHandles.popLast() {
            handle = idle
        } else if let fresh = reconciler_curl_easy_init() {
            handle = fresh
        } else {
            transfer.finish(failure(of: transfer, .invalidRequest, "no memory for a transfer"))
            return
        }
        do throws(HTTPError) {
            try transfer.configure(handle)
            let result = reconciler_curl_multi_add_handle(multi, handle)
            guard result == CURLM_OK else {
                throw HTTPError(
                    code: .invalidRequest, message: "cannot start the transfer", cause: String(cString: reconciler_curl_multi_strerror(result)))
            }
            running[transfer.id] = Running(transfer: transfer, handle: handle)
        } catch {
            recycle(handle)
            var named = error
            named.method = transfer.request.method
            named.url = URLParts.display(transfer.request.url)
            transfer.finish(named)
        }
    }

    /// One connection carries many HTTP/2 streams, but only one HTTP/1.1 request at a time.
    private func limitConnections(http2: Bool) {
        reconciler_curl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, http2 ? mailbox.limits.connections : mailbox.limits.inFlight)
    }

    private func collectFinished() -> Bool {
        var finished = false
        var remaining: Int32 = 0
        while let message = reconciler_curl_multi_info_read(multi, &remaining) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else { continue }
            // The message is gone once its handle is removed.
            let result = reconciler_curl_message_result(message)
            guard let context = reconciler_curl_get_private(handle) else { continue }
            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            if result == CURLE_OK, speaksHTTP2 == nil {
                let version = reconciler_curl_get_long(handle, CURLINFO_HTTP_VERSION)
                speaksHTTP2 = version >= Int(CURL_HTTP_VERSION_2_0)
                limitConnections(http2: speaksHTTP2 == true)
            }
            running[transfer.id] = nil
            reconciler_curl_multi_remove_handle(multi, handle)
            transfer.finish(result == CURLE_OK ? nil : failure(of: transfer, result))
            recycle(handle)
            finished = true
        }
        return finished
    }

    private func expire() {
        guard deadlinesMove || earliestExpiry.map({ $0 <= .now }) == true else { return }
        let now = ContinuousClock.now
        for (id, entry) in running {
            if let expiry = entry.transfer.expiry, expiry <= now { end(id, .deadline, "no answer within the deadline") }
        }
        waiting.removeAll { transfer in
            guard let expiry = transfer.expiry, expiry <= now else { return false }
            transfer.finish(failure(of: transfer, .deadline, "no free slot within the deadline"))
            return true
        }
        earliestExpiry = (running.values.map(\.transfer) + waiting).compactMap(\.expiry).min()
    }

    /// Milliseconds.
    private func pollTimeout() -> Int32 {
        if running.isEmpty && waiting.isEmpty { return 60_000 }
        guard let earliestExpiry else { return patience }
        return Int32(clamping: max(0, min(Int(patience), (earliestExpiry - .now).milliseconds + 1)))
    }

    private func end(_ id: UInt64, _ code: HTTPError.Code, _ message: String) {
        guard let entry = running.removeValue(forKey: id) else { return }
        reconciler_curl_multi_remove_handle(multi, entry.handle)
        entry.transfer.finish(failure(of: entry.transfer, code, message))
        recycle(entry.handle)
    }

    private func recycle(_ handle: UnsafeMutableRawPointer) {
        guard idleHandles.count < mailbox.limits.inFlight else { return reconciler_curl_easy_cleanup(handle) }
        reconciler_curl_easy_reset(handle)
        idleHandles.append(handle)
    }
}
