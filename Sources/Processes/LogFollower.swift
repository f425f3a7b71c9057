import CLinux
import Glibc
import Synchronization

/// Turns what a process writes (`BASE.out`, appended to by the process itself, so that it outlives us) into its log (`BASE.log`), one
/// line an entry, each with the time at which it was seen: `2026-01-02T03:04:05.123456789Z text`.
///
/// One thread follows all files by inotify, each for a bounded piece at a time. What is copied is given back to the file system
/// (punched out of `BASE.out`), and how far the copy has come stands in `BASE.offset`, so that it goes on where it stopped after a
/// restart. A log that grows beyond the limit is moved to `BASE.log.1`, so at most two limits are kept; a line without end is broken
/// there. What is written faster than it can be copied is left out once half a limit of it waits, and a line of the log says how much.
/// Of several followers of one file, in whichever processes, the first copies.
package final class LogFollower: Sendable {
    private let inotify: Int32
    private let limit: Int64
    private let state = Mutex(State())

    private struct State {
        var sources: [String: FollowedLog] = [:]
        var names: [Int32: String] = [:]
        var watches: [String: Int32] = [:]
    }

    /// - Parameter limit: bytes of a log before it is rotated.
    package init(limit: Int64 = 10 << 20) {
        self.limit = limit
        inotify = inotify_init1(Int32(0o2000000))  // IN_CLOEXEC
        let descriptor = inotify
        _ = DedicatedThread.start { [weak self] in
            var buffer = [UInt8](repeating: 0, count: 64 * 1024)
            var waiting: Set<Int32> = []
            while true {
                var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                let ready = poll(&entry, 1, waiting.isEmpty ? -1 : 0)
                if ready > 0 {
                    let count = read(descriptor, &buffer, buffer.count)
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { break }
                    waiting.formUnion(Self.watches(in: buffer, count))
                }
                guard let self else { break }
                for watch in waiting where !self.copiesMore(watch) { waiting.remove(watch) }
            }
            close(descriptor)
        }
    }

    /// The watches that a piece of inotify's stream names; see inotify(7).
    private static func watches(in buffer: [UInt8], _ count: Int) -> Set<Int32> {
        var result: Set<Int32> = []
        var position = 0
        while position + 16 <= count {
            let (watch, length) = buffer.withUnsafeBytes { bytes in
                (bytes.loadUnaligned(fromByteOffset: position, as: Int32.self),
                 bytes.loadUnaligned(fromByteOffset: position + 12, as: UInt32.self))
            }
            result.insert(watch)
            position += 16 + Int(length)
        }
        return result
    }

    private func copiesMore(_ watch: Int32) -> Bool {
        state.withLock { state in
            guard let name = state.names[watch], let source = state.sources[name] else { return false }
            return source.copyPiece()
        }
    }

    /// Follows `base.out` from where the copy stopped last.
    package func follow(_ base: String) {
        state.withLock { state in
            guard state.sources[base] == nil, let source = FollowedLog(base: base, limit: limit) else { return }
            state.sources[base] = source
            let watch = inotify_add_watch(inotify, base + ".out", 0x2)  // IN_MODIFY
            if watch >= 0 {
                state.names[watch] = base
                state.watches[base] = watch
            }
            source.copyAll()
        }
    }

    /// Copies what there is, unless somebody follows the file: for one whose follower may have died.
    /// - Parameter isOver: nothing more comes.
    package static func catchUp(_ base: String, limit: Int64, isOver: Bool) {
        guard SmallFile.exists(base + ".out"), let source = FollowedLog(base: base, limit: limit) else { return }
        source.copyAll()
        if isOver { source.endLine() }
        source.shut()
    }

    /// Copies the rest and stops following.
    package func finish(_ base: String) {
        state.withLock { state in
            guard let source = state.sources.removeValue(forKey: base) else { return }
            if let watch = state.watches.removeValue(forKey: base) {
                state.names[watch] = nil
                inotify_rm_watch(inotify, watch)
            }
            source.copyAll()
            source.endLine()
            source.shut()
        }
    }
}
