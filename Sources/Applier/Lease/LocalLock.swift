import Foundation
import Glibc
import ResourceModel
import Synchronization

/// A lock file: processes on one machine wait for each other without asking the cluster. The kernel opens it when the process ends,
/// however it ends.
final class LocalLock: Sendable {
    /// The open file, or -1 once it is closed.
    private let file: Mutex<Int32>
    /// Whether another process had it first.
    let hadToWait: Bool

    private init(file: Int32, hadToWait: Bool) {
        self.file = Mutex(file)
        self.hadToWait = hadToWait
    }

    deinit { open() }

    /// - Parameter note: what others read while they wait.
    /// - Returns: `nil` when the time was over first; then `holder(of:)` says who has it.
    /// - Throws: a `Problem` when the file cannot be made.
    static func lock(_ path: String, note: String, wait: Duration) async throws -> LocalLock? {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(path) }
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
            write(note, to: descriptor)
            return LocalLock(file: descriptor, hadToWait: false)
        }
        guard errno == EWOULDBLOCK else {
            defer { close(descriptor) }
            throw failure(path)
        }
        guard await isLocked(descriptor, within: wait) else { return nil }
        write(note, to: descriptor)
        return LocalLock(file: descriptor, hadToWait: true)
    }

    /// Who has the lock, in its own words.
    static func holder(of path: String) -> String {
        guard let file = fopen(path, "re") else { return "" }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 512)
        let count = fread(&buffer, 1, buffer.count, file)
        return String(decoding: buffer.prefix(count), as: UTF8.self)
    }

    func open() {
        let descriptor = file.withLock { file in
            defer { file = -1 }
            return file
        }
        if descriptor >= 0 { close(descriptor) }
    }

    private enum Outcome: Sendable { case waiting, locked, abandoned }

    /// flock(2) has no deadline, so a thread of its own waits; it closes the file when nobody wants the lock any more.
    private static func isLocked(_ descriptor: Int32, within limit: Duration) async -> Bool {
        final class Shared: Sendable { let outcome = Mutex(Outcome.waiting) }
        let shared = Shared()
        let (signals, signal) = AsyncStream.makeStream(of: Void.self)
        let thread = Thread {
            var status: Int32
            repeat { status = flock(descriptor, LOCK_EX) } while status != 0 && errno == EINTR
            let isWanted = shared.outcome.withLock { outcome in
                if outcome == .waiting, status == 0 { outcome = .locked }
                return outcome == .locked
            }
            if !isWanted { close(descriptor) }
            signal.finish()
        }
        thread.start()
        let timer = Task {
            try? await Task.sleep(for: limit)  // cancelled: nobody waits any more
            signal.finish()
        }
        for await _ in signals {}
        timer.cancel()
        return shared.outcome.withLock { outcome in
            if outcome == .waiting { outcome = .abandoned }
            return outcome == .locked
        }
    }

    private static func write(_ note: String, to descriptor: Int32) {
        // A remark for whoever waits: the lock holds without it.
        guard ftruncate(descriptor, 0) == 0 else { return }
        let bytes = Array(note.utf8)
        _ = pwrite(descriptor, bytes, bytes.count, 0)
    }

    private static func failure(_ path: String) -> Problem {
        Problem(
            code: "lease.lock-file", message: "the lock file \(path) cannot be used: \(String(cString: strerror(errno)))",
            hint: "choose another state directory with --state-dir or $RECONCILER_STATE_DIR")
    }
}
