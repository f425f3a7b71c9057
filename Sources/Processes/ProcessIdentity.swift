import CLinux
import Glibc

/// A process, told apart from a later one with the same number by its start time.
package struct ProcessIdentity: Sendable, Hashable, Codable {
    package var pid: Int32
    /// Clock ticks after boot, field 22 of `/proc/PID/stat`.
    package var startTicks: UInt64

    /// A process that was seen before.
    package init(pid: Int32, startTicks: UInt64) {
        self.pid = pid
        self.startTicks = startTicks
    }

    /// From a line of `/proc/PID/stat` that was kept (proc_pid_stat(5)).
    package init?(statLine line: String) {
        guard let end = line.lastIndex(of: ")"), let first = line.split(separator: " ").first, let pid = Int32(first) else { return nil }
        let fields = line[line.index(after: end)...].split(separator: " ")
        guard fields.count > 19, let ticks = UInt64(fields[19]) else { return nil }
        self.init(pid: pid, startTicks: ticks)
    }

    /// `nil` when there is no such process (a zombie counts as none).
    package init?(pid: Int32) {
        guard let fields = Self.statFields(pid), fields.count > 19, fields[0] != "Z", fields[0] != "X", let ticks = UInt64(fields[19]) else { return nil }
        self.pid = pid
        startTicks = ticks
    }

    /// A process that cannot be looked at, as without a file descriptor left, counts as alive.
    package var isAlive: Bool {
        let path = "/proc/\(pid)/stat"
        guard SmallFile.text(path) != nil else { return access(path, F_OK) == 0 }
        return ProcessIdentity(pid: pid).map { $0 == self } ?? (SmallFile.text(path) == nil && access(path, F_OK) == 0)
    }

    /// The fields of `/proc/PID/stat` from the third (the state) on; the second may contain anything.
    private static func statFields(_ pid: Int32) -> [Substring]? {
        guard let text = SmallFile.text("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else { return nil }
        return text[text.index(after: end)...].split(separator: " ")
    }

    /// Signals the process's whole session: its group, and members of the session that made groups of their own.
    package func signalSession(_ signal: Int32) {
        guard isAlive || Self.hasGroup(pid) else { return }
        kill(-pid, signal)
        for member in Self.members(ofSession: pid) where member != pid { kill(member, signal) }
    }

    private static func hasGroup(_ pid: Int32) -> Bool { kill(-pid, 0) == 0 }

    /// The processes of a session, in any group.
    package static func members(ofSession session: Int32) -> [Int32] {
        allProcesses().filter { pid in
            guard let fields = statFields(pid), fields.count > 3, fields[0] != "Z" else { return false }
            return Int32(fields[3]) == session
        }
    }

    package static func allProcesses() -> [Int32] { SmallFile.names(in: "/proc").compactMap { Int32($0) } }

    /// The processes whose environment holds `NAME=value`: also finds those that left their session.
    package static func processes(withEnvironment entry: String) -> [Int32] {
        let needle = Array(entry.utf8)
        return allProcesses().filter { pid in
            guard let bytes = SmallFile.bytes("/proc/\(pid)/environ") else { return false }
            return bytes.split(separator: 0).contains { $0.elementsEqual(needle) }
        }
    }
}
