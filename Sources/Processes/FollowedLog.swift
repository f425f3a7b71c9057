import CLinux
import Glibc

/// One file that `LogFollower` copies; guarded by its lock.
final class FollowedLog {
    private let raw: Int32
    private let offsetFile: Int32
    private let path: String
    private let limit: Int64
    private var log: Int32
    private var size: Int64 = 0
    private var offset: Int64 = 0
    private var punched: Int64 = 0
    private var startsLine = true
    private var isHolder = false

    /// `nil` when a file cannot be opened.
    init?(base: String, limit: Int64) {
        path = base + ".log"
        self.limit = limit
        raw = linux_open(base + ".out", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        offsetFile = linux_open(base + ".offset", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        log = linux_open(base + ".log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        if raw < 0 || offsetFile < 0 || log < 0 {
            shut()
            return nil
        }
    }

    func shut() {
        for file in [raw, offsetFile, log] where file >= 0 { close(file) }
    }

    /// Copies at most 1 MiB.
    /// - Returns: whether more waits.
    func copyPiece() -> Bool {
        guard holds() else { return false }
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        for _ in 0..<16 {
            skipBacklog()
            let count = pread(raw, &chunk, chunk.count, off_t(offset))
            if count <= 0 {
                punch(atLeast: 256 * 1024)
                return false
            }
            append(stamped(chunk[..<count]))
            advance(to: offset + Int64(count))
            punch(atLeast: 256 * 1024)
        }
        return true
    }

    /// Copies what is there now; a writer that goes on without pause does not hold it up.
    func copyAll() {
        guard holds() else { return }
        let end = fileSize()
        while offset < end, copyPiece() {}
    }

    func endLine() {
        if isHolder, !startsLine { append([UInt8(ascii: "\n")]) }
    }

    /// Takes the lock that tells who copies, and then what the one before left.
    private func holds() -> Bool {
        if isHolder { return true }
        guard flock(offsetFile, LOCK_EX | LOCK_NB) == 0 else { return false }
        isHolder = true
        var stored: Int64 = 0
        if pread(offsetFile, &stored, 8, 0) == 8 { offset = stored }
        let fresh = linux_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        if fresh >= 0 {
            close(log)
            log = fresh
        }
        size = Int64(lseek(log, 0, SEEK_END))
        return true
    }

    private func fileSize() -> Int64 {
        var info = stat()
        return fstat(raw, &info) == 0 ? Int64(info.st_size) : offset
    }

    private func advance(to end: Int64) {
        offset = end
        var stored = end
        pwrite(offsetFile, &stored, 8, 0)
    }

    private func skipBacklog() {
        let end = fileSize()
        guard end - offset > max(limit / 2, 1 << 20) else { return }
        let skipped = end - offset
        advance(to: end)
        punch(atLeast: 0)
        if !startsLine { append([UInt8(ascii: "\n")]) }
        startsLine = true
        append(stamped(Array("[\(skipped) bytes are left out here: they came faster than a log is written]\n".utf8)[...]))
    }

    private func punch(atLeast length: Int64) {
        let whole = offset / 4096 * 4096
        guard whole - punched > length else { return }
        linux_punch_hole(raw, punched, whole - punched)
        punched = whole
    }

    private func append(_ bytes: [UInt8]) {
        var start = 0
        while start < bytes.count {
            let count = bytes[start...].withUnsafeBytes { write(log, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }  // a full disk loses lines, never the process
            start += count
        }
        size += Int64(bytes.count)
        if size > limit { rotate() }
    }

    private func rotate() {
        if !startsLine {
            var end = UInt8(ascii: "\n")
            write(log, &end, 1)
            startsLine = true
        }
        rename(path, path + ".1")
        let fresh = linux_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard fresh >= 0 else { return }
        close(log)
        log = fresh
        size = 0
    }

    /// Puts the time before each line that begins in the bytes.
    private func stamped(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        let time = Array((Self.preciseTime() + " ").utf8)
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + bytes.count / 2 + 64)
        var rest = bytes
        while !rest.isEmpty {
            if startsLine { output.append(contentsOf: time) }
            // `memchr`, since a flood is read here too.
            let length = rest.withUnsafeBytes { part -> Int? in
                guard let start = part.baseAddress, let end = memchr(start, 10, part.count) else { return nil }
                return UnsafeRawPointer(end) - start + 1
            }
            startsLine = length != nil
            let line = rest.prefix(length ?? rest.count)
            output.append(contentsOf: line)
            rest = rest.dropFirst(line.count)
        }
        return output
    }

    private static func preciseTime() -> String {
        var value = timespec()
        clock_gettime(CLOCK_REALTIME, &value)
        let fraction = String(value.tv_nsec)
        return UTCTime.string(Int64(value.tv_sec)).dropLast() + "." + String(repeating: "0", count: 9 - fraction.count) + fraction + "Z"
    }
}
