import Foundation
import GRDB
import Processes
import ResourceModel
import Synchronization

/// What a sync is about to write, and what it has written, while it goes on: what is left of a process that was killed.
///
/// The intent is on disk before the first write; outcomes follow in groups, so that a thousand of them cost a few commits. The
/// cluster stays the judge of what is there: the journal is for people, and for the history.
package final class Journal: Sendable {
    let id: Int64
    private let store: HistoryStore
    private let state = Mutex(State())

    private struct State: Sendable {
        var waiting: [(step: StepResult, at: Double)] = []
        var flush: Task<Void, any Error>?
    }

    fileprivate init(id: Int64, store: HistoryStore) {
        self.id = id
        self.store = store
    }

    /// How long outcomes are collected before they are written.
    private static let pause = Duration.milliseconds(25)

    /// Notes an outcome; returns at once.
    /// - Parameter now: seconds since 1970-01-01 UTC.
    package func note(_ step: StepResult, at now: Double) {
        state.withLock { state in
            state.waiting.append((step, now))
            guard state.flush == nil else { return }
            state.flush = Task {
                try await Task.sleep(for: Self.pause)
                try await write()
            }
        }
    }

    private func write() async throws {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            state.flush = nil
            return state.waiting
        }
        let rows = waiting.map { (text: String(decoding: $0.step.stored.serialized(), as: UTF8.self), at: $0.at) }
        try await store.database.write { [id] db in
            let insert = try db.cachedStatement(sql: "INSERT INTO journal_step (journal, step, at) VALUES (?, ?, ?)")
            for row in rows { try insert.execute(arguments: [id, row.text, row.at]) }
        }
    }

    /// Ends the collecting; what was collected need not be written any more, since the attempt itself is recorded.
    func stop() async {
        let flush = state.withLock { $0.flush }
        flush?.cancel()
        _ = await flush?.result
    }
}

extension HistoryStore {
    /// Opens a sync's journal: on disk when this returns.
    /// - Parameter intent: the attempt as far as it is known, with every step that is planned as `notReached`.
    package func begin(_ intent: SyncReport) async throws -> Journal {
        let row = try await AttemptRow(intent, manifests: nil)
        let owner = try JSONEncoder().encode(ProcessMark.current())
        let id = try await database.write { db in
            try db.execute(
                sql: "INSERT INTO journal (application, report, steps, owner) VALUES (?, ?, ?, ?)",
                arguments: [row.application, row.report, row.steps, String(decoding: owner, as: UTF8.self)])
            return db.lastInsertedRowID
        }
        return Journal(id: id, store: self)
    }

    /// Records what became of syncs whose process is gone, and closes their journals.
    /// - Parameter application: only this one's; `nil` for all.
    /// - Returns: the attempts that were recorded now.
    @discardableResult
    package func recordInterrupted(of application: String?) async throws -> [SyncReport] {
        let open = try await database.read { db in
            try Row.fetchAll(db, sql: "SELECT id, report, steps, owner FROM journal WHERE application = coalesce(?, application)", arguments: [application]).map {
                (id: $0["id"] as Int64, report: $0["report"] as String, steps: $0["steps"] as String, owner: $0["owner"] as String)
            }
        }
        var recorded: [SyncReport] = []
        for entry in open {
            let owner = try JSONDecoder().decode(ProcessMark.self, from: Data(entry.owner.utf8))
            guard !owner.isAlive else { continue }
            var report = try JSONDecoder().decode(SyncReport.self, from: Data(entry.report.utf8))
            report.steps = try (JSONValue(parsing: entry.steps).arrayValue ?? []).map { try StepResult(stored: $0) }
            let done = try await database.read { db in
                try Row.fetchAll(db, sql: "SELECT step, at FROM journal_step WHERE journal = ? ORDER BY rowid", arguments: [entry.id]).map {
                    (step: $0["step"] as String, at: $0["at"] as Double)
                }
            }
            for (text, at) in done {
                let step = try StepResult(stored: try JSONValue(parsing: text))
                report.finishedAt = max(report.finishedAt, at)
                if let index = report.steps.firstIndex(where: { $0.id == step.id && $0.phase == step.phase && $0.actuation == .notReached }) {
                    report.steps[index] = step
                }
            }
            report.conclusion = .interrupted
            report.message = "the process (\(owner)) ended in the middle: \(done.count) of \(report.steps.count) writes are known to be done"
            try await record(report, closing: entry.id)
            recorded.append(report)
        }
        return recorded
    }
}

/// A process on a machine, told apart from a later one with the same number, and from one before a reboot.
struct ProcessMark: Codable, Sendable, Equatable, CustomStringConvertible {
    var boot: String
    var host: String
    var pid: Int32
    /// Clock ticks after boot, field 22 of `/proc/PID/stat`.
    var startTicks: UInt64

    static func current() -> ProcessMark { ProcessMark(of: getpid()) ?? ProcessMark(boot: "", host: "", pid: getpid(), startTicks: 0) }

    private init(boot: String, host: String, pid: Int32, startTicks: UInt64) {
        self.boot = boot
        self.host = host
        self.pid = pid
        self.startTicks = startTicks
    }

    /// `nil` when there is no such process, or only what is left of it.
    private init?(of pid: Int32) {
        guard let process = ProcessIdentity(pid: pid) else { return nil }
        self.init(
            boot: Self.text("/proc/sys/kernel/random/boot_id") ?? "", host: Self.text("/proc/sys/kernel/hostname") ?? "", pid: pid,
            startTicks: process.startTicks)
    }

    /// Another machine's process (a state directory on a shared disk) counts as alive: nobody can tell from here.
    var isAlive: Bool {
        guard let now = ProcessMark(of: pid) else { return boot != (Self.text("/proc/sys/kernel/random/boot_id") ?? "") && host != Self.text("/proc/sys/kernel/hostname") }
        return now == self || (boot != now.boot && host != now.host)
    }

    var description: String { "pid \(pid) on \(host)" }

    private static func text(_ path: String) -> String? {
        guard let text = SmallFile.text(path) else { return nil }
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }
}
