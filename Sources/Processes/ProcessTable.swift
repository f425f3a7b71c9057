import Glibc

/// The machine's processes at one moment, with what tells whose they are.
package struct ProcessTable: Sendable {
    package struct Entry: Sendable {
        package var process: ProcessIdentity
        package var group: Int32
        package var session: Int32
        /// The value of the environment variable that was asked for.
        package var mark: String?
    }

    package private(set) var entries: [Entry] = []

    /// Reads `/proc`. Zombies are left out, and marks of processes that we may not look into.
    /// - Parameter variable: the environment variable whose value is an entry's mark.
    package init(markedBy variable: String) {
        let prefix = Array((variable + "=").utf8)
        for pid in ProcessIdentity.allProcesses() {
            guard let line = SmallFile.text("/proc/\(pid)/stat"), let end = line.lastIndex(of: ")") else { continue }
            let fields = line[line.index(after: end)...].split(separator: " ")
            guard fields.count > 19, fields[0] != "Z", fields[0] != "X", let group = Int32(fields[2]), let session = Int32(fields[3]),
                let ticks = UInt64(fields[19])
            else { continue }
            var entry = Entry(process: ProcessIdentity(pid: pid, startTicks: ticks), group: group, session: session)
            // Kernel threads have session 0 and no environment.
            if session != 0, let bytes = SmallFile.bytes("/proc/\(pid)/environ") {
                entry.mark = bytes.split(separator: 0).first { $0.starts(with: prefix) }
                    .map { String(decoding: $0.dropFirst(prefix.count), as: UTF8.self) }
            }
            entries.append(entry)
        }
    }

    /// Processes and threads of the machine, read cheaply; `nil` when the system does not say (proc_loadavg(5)).
    package static func roughCount() -> Int? {
        guard let fields = SmallFile.text("/proc/loadavg")?.split(separator: " "), fields.count > 3 else { return nil }
        return fields[3].split(separator: "/").last.flatMap { Int($0) }
    }
}

/// Shares readings of the process table: whoever asks while one is made gets the next, all the same one.
package actor ProcessTables {
    private let variable: String
    private var next: Task<ProcessTable, Never>?
    private var current: Task<ProcessTable, Never>?

    package init(markedBy variable: String) { self.variable = variable }

    /// A reading that began after the call.
    package func table() async -> ProcessTable {
        if let next { return await next.value }
        let before = current
        let variable = self.variable
        let task = Task.detached { [weak self] in
            if let before { _ = await before.value }
            await self?.begins()
            return ProcessTable(markedBy: variable)
        }
        next = task
        return await task.value
    }

    private func begins() {
        current = next
        next = nil
    }
}
