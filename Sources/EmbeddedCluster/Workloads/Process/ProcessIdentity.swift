import CLinux
import Glibc

/// A process, told apart from a later one with the same number by its start time.
struct ProcessIdentity: Sendable, Hashable, Codable {
    var pid: Int32
    /// Clock ticks after boot, field 22 of `/proc/PID/stat`.
    var startTicks: UInt64

    /// `nil` when there is no such process (a zombie counts as none).
    init?(pid: Int32) {
        guard let fields = Self.statFields(pid), fields.count > 19, fields[0] != "Z", let ticks = UInt64(fields[19]) else { return nil }
        self.pid = pid
        startTicks = ticks
    }

    var isAlive: Bool { ProcessIdentity(pid: pid) == self }

    /// The fields of `/proc/PID/stat` from the third (the state) on; the second may contain anything.
    private static func statFields(_ pid: Int32) -> [Substring]? {
        guard let text = SmallFile.text("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else { return nil }
        return text[text.index(after: end)...].split(separator: " ")
    }

    /// Signals the process's whole session: its group, and members of the session that made groups of their own.
    func signalSession(_ signal: Int32) {
        guard isAlive || Self.hasGroup(pid) else { return }
        kill(-pid, signal)
        for member in Self.members(ofSession: pid) where member != pid { kill(member, signal) }
    }

    private static func hasGroup(_ pid: Int32) -> Bool { kill(-pid, 0) == 0 }

    /// The processes of a session, in any group.
    static func members(ofSession session: Int32) -> [Int32] {
        allProcesses().filter { pid in
            guard let fields = statFields(pid), fields.count > 3, fields[0] != "Z" else { return false }
            return Int32(fields[3]) == session
        }
    }

    static func allProcesses() -> [Int32] { SmallFile.names(in: "/proc").compactMap { Int32($0) } }

    /// The processes whose environment holds `NAME=value`: also finds those that left their session.
    static func processes(withEnvironment entry: String) -> [Int32] {
        let needle = Array(entry.utf8)
        return allProcesses().filter { pid in
            guard let bytes = SmallFile.bytes("/proc/\(pid)/environ") else { return false }
            return bytes.split(separator: 0).contains { $0.elementsEqual(needle) }
        }
    }
}
