import CLinux
import Glibc
import Synchronization

/// Turns what a container writes (`N.out`, appended to by the process itself, so that it outlives us) into its log (`N.log`), one line an
/// entry, each with the time at which it was seen: `2026-01-02T03:04:05.123456789Z text`.
///
/// One thread follows all files by inotify. What is copied is given back to the file system (punched out of `N.out`), and how far the copy
/// has come stands in `N.offset`, so that it goes on where it stopped after a restart. A log that grows beyond the limit is moved to
/// `N.log.1`, so at most two limits are kept.
final class LogFollower: Sendable {
    private final class Source {
        let raw: Int32
        let offsetFile: Int32
        let path: String
        var log: Int32
        var size: Int64
        var offset: Int64
        var punched: Int64 = 0
        var startsLine = true

        init?(base: String) {
            path = base + ".log"
            raw = linux_open(base + ".out", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            offsetFile = linux_open(base + ".offset", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            log = linux_open(base + ".log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
            size = Int64(lseek(log, 0, SEEK_END))
            offset = 0
            var stored: Int64 = 0
            if pread(offsetFile, &stored, 8, 0) == 8 { offset = stored }
            if raw < 0 || offsetFile < 0 || log < 0 {
                shut()
                return nil
            }
        }

        func shut() {
            for file in [raw, offsetFile, log] where file >= 0 { close(file) }
        }
    }

    private struct State {
        var sources: [String: Source] = [:]
        var names: [Int32: String] = [:]
        var watches: [String: Int32] = [:]
    }

    private let inotify: Int32
    private let limit: Int64
    private let state: Mutex<State>

    /// - Parameter limit: bytes of a log before it is rotated.
    init(limit: Int64 = 10 << 20) {
        self.limit = limit
        state = Mutex(State())
        inotify = inotify_init1(Int32(0o2000000))  // IN_CLOEXEC
        let descriptor = inotify
        _ = DedicatedThread.start { [weak self] in
            var buffer = [UInt8](repeating: 0, count: 64 * 1024)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0, let self else { break }
                var changed: Set<Int32> = []
                var position = 0
                while position + 16 <= count {
                    let (watch, length) = buffer.withUnsafeBytes { bytes in
                        (bytes.loadUnaligned(fromByteOffset: position, as: Int32.self),
                         bytes.loadUnaligned(fromByteOffset: position + 12, as: UInt32.self))
                    }
                    changed.insert(watch)
                    position += 16 + Int(length)
                }
                for watch in changed {
                    self.state.withLock { state in
                        guard let name = state.names[watch], let source = state.sources[name] else { return }
                        self.copy(source)
                    }
                }
            }
            close(descriptor)
        }
    }

    /// Follows `base.out` from where the copy stopped last.
    func follow(_ base: String) {
        state.withLock { state in
            guard state.sources[base] == nil, let source = Source(base: base) else { return }
            state.sources[base] = source
            let watch = inotify_add_watch(inotify, base + ".out", 0x2)  // IN_MODIFY
            if watch >= 0 {
                state.names[watch] = base
                state.watches[base] = watch
            }
            copy(source)
        }
    }

    /// Copies the rest and stops following.
    func finish(_ base: String) {
        state.withLock { state in
            guard let source = state.sources.removeValue(forKey: base) else { return }
            if let watch = state.watches.removeValue(forKey: base) {
                state.names[watch] = nil
                inotify_rm_watch(inotify, watch)
            }
            copy(source)
            if !source.startsLine { append([UInt8(ascii: "\n")], to: source) }
            source.shut()
        }
    }

    private func copy(_ source: Source) {
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = pread(source.raw, &chunk, chunk.count, off_t(source.offset))
            if count <= 0 { break }
            append(Self.stamped(chunk[..<count], startsLine: &source.startsLine), to: source)
            source.offset += Int64(count)
            var offset = source.offset
            pwrite(source.offsetFile, &offset, 8, 0)
        }
        let whole = source.offset / 4096 * 4096
        if whole - source.punched >= 256 * 1024 {
            linux_punch_hole(source.raw, source.punched, whole - source.punched)
            source.punched = whole
        }
    }

    private func append(_ bytes: [UInt8], to source: Source) {
        var start = 0
        while start < bytes.count {
            let count = bytes[start...].withUnsafeBytes { write(source.log, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }  // a full disk loses lines, never the pod
            start += count
        }
        source.size += Int64(bytes.count)
        if source.size > limit, source.startsLine {
            rename(source.path, source.path + ".1")
            let fresh = linux_open(source.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
            if fresh >= 0 {
                close(source.log)
                source.log = fresh
                source.size = 0
            }
        }
    }

    private static func stamped(_ bytes: ArraySlice<UInt8>, startsLine: inout Bool) -> [UInt8] {
        let time = Array((preciseTime() + " ").utf8)
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + 64)
        for byte in bytes {
            if startsLine { output.append(contentsOf: time) }
            output.append(byte)
            startsLine = byte == UInt8(ascii: "\n")
        }
        return output
    }

    private static func preciseTime() -> String {
        var value = timespec()
        clock_gettime(CLOCK_REALTIME, &value)
        let fraction = String(value.tv_nsec)
        return Timestamp.string(Int64(value.tv_sec)).dropLast() + "." + String(repeating: "0", count: 9 - fraction.count) + fraction + "Z"
    }
}
