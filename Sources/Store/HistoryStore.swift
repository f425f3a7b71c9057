import Foundation
import GRDB
import Glibc
import Logging
import ResourceModel

/// The history of sync attempts and of drift, in SQLite (`reconciler.db` in the state directory). Never the only copy of
/// ownership: without it the next sync prunes exactly the same.
///
/// Rows are chained by hashes (`HistoryChain`), old ones are dropped (`Retention`). Of each successful sync the manifests are kept
/// too, Secrets included, so the file is readable by its owner only.
package final class HistoryStore: Sendable {
    let database: any DatabaseWriter
    package let retention: Retention
    private let path: String

    /// Opens the file, or makes it; several processes may have it open.
    /// - Parameter readsBesideWrites: opens connections for reading when there is something to read, so that it need not wait for this
    ///   process' own writes; each takes a millisecond. Without it there is one connection for all.
    /// - Throws: a `Problem` when it is no database, another process keeps it locked for 10 s, or the disk refuses.
    package init(path: String, retention: Retention = Retention(), readsBesideWrites: Bool = true) throws {
        do {
            self.retention = retention
            self.path = path
            try Self.makePrivate(path)
            database = try Self.open(path, readsBesideWrites)
        } catch {
            throw Problem(
                code: "history.open", message: "the history in \(path) cannot be opened: \(error)",
                hint: "move the file away to begin a new one (it holds only the history; what may be pruned is known to the cluster), or choose another state directory with --state-dir"
            )
        }
    }

    /// Does what the first database of a process does beside opening its file, for a thread that has nothing else to do.
    package static func prepareLibrary() {
        // A database in memory; one that cannot be had is had by nobody later.
        _ = try? DatabaseQueue().read { try Int64.fetchOne($0, sql: "SELECT count(*) FROM sqlite_schema WHERE name = ?", arguments: [""]) }
    }

    /// SQLite gives the files beside the database (`-wal`, `-shm`) the database's own mode.
    private static func makePrivate(_ path: String) throws {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Problem(code: "file", message: String(cString: strerror(errno))) }
        close(descriptor)
        for suffix in ["", "-wal", "-shm"] where access(path + suffix, F_OK) == 0 {
            guard chmod(path + suffix, 0o600) == 0 || errno == ENOENT else {
                throw Problem(code: "file", message: "its mode cannot be set to 0600: \(String(cString: strerror(errno)))")
            }
        }
    }

    private static func open(_ path: String, _ readsBesideWrites: Bool) throws -> any DatabaseWriter {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = NORMAL") }
        configuration.journalMode = .wal
        let database: any DatabaseWriter =
            if readsBesideWrites { try DatabasePool(path: path, configuration: configuration) } else { try DatabaseQueue(path: path, configuration: configuration) }
        // Another process may do the same at the same moment: what it has done meanwhile is not done again. Each try gets past one step.
        for _ in migrator.migrations {
            do { return try migrated(database) } catch is DatabaseError { continue }
        }
        return try migrated(database)
    }

    /// Brings a write-ahead log that has grown into the database. The next process to open it would read all of the log first
    /// (sqlite.org/walformat.html, "Recovery"), since a process of ours ends without closing anything. While others read or write, some
    /// of the log stays.
    package func checkpoint() async {
        var facts = stat()
        guard stat(path + "-wal", &facts) == 0, facts.st_size > 2 << 20 else { return }
        do {
            try await database.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA busy_timeout = 0")
                try db.checkpoint(.truncate)
            }
        } catch {
            Logger(label: "store").debug("the log of \(path) stays: \(error)")
        }
    }

    private static func migrated(_ database: any DatabaseWriter) throws -> any DatabaseWriter {
        try migrator.migrate(database)
        return database
    }

    /// The latest attempts, newest first.
    /// - Parameter application: `nil` for all.
    package func attempts(of application: String?, limit: Int) async throws -> [RecordedAttempt] {
        try await attempts(
            where: application == nil ? "TRUE" : "application = ?", arguments: application.map { [$0] } ?? [], limit: limit)
    }

    /// One attempt; `nil` when none has that id, or it was dropped.
    package func attempt(_ id: Int64) async throws -> RecordedAttempt? {
        try await attempts(where: "attempt.id = ?", arguments: [id], limit: 1).first
    }

    /// The newest attempt of an application that succeeded; `nil` when there is none.
    package func lastSuccess(of application: String) async throws -> RecordedAttempt? {
        try await attempts(where: "application = ? AND conclusion = 'Succeeded' AND partial = 0", arguments: [application], limit: 1).first
    }

    /// The revision of the newest attempt of an application that succeeded; `nil` when there is none.
    package func lastRevision(of application: String) async throws -> Revision? {
        let report = try await database.read { db in
            try String.fetchOne(
                db, sql: "SELECT report FROM attempt WHERE application = ? AND conclusion = 'Succeeded' AND partial = 0 ORDER BY id DESC LIMIT 1",
                arguments: [application])
        }
        return try report.map { try JSONDecoder().decode(SyncReport.self, from: Data($0.utf8)).revision }
    }

    private func attempts(where condition: String, arguments: StatementArguments, limit: Int) async throws -> [RecordedAttempt] {
        let rows = try await database.read { db in
            try Row.fetchAll(
                db, sql: """
                    SELECT attempt.id, report, steps, manifests, count, last_finished_at FROM attempt
                    LEFT JOIN repeats ON repeats.attempt = attempt.id WHERE \(condition) ORDER BY attempt.id DESC LIMIT ?
                    """, arguments: arguments + [limit]
            ).map(StoredAttempt.init)
        }
        return try rows.map { row in
            var report = try JSONDecoder().decode(SyncReport.self, from: Data(row.report.utf8))
            report.steps += try (JSONValue(parsing: row.steps).arrayValue ?? []).map { try StepResult(stored: $0) }
            return RecordedAttempt(
                id: row.id, report: report, repeats: row.repeats, lastFinishedAt: row.lastFinishedAt ?? report.finishedAt,
                manifests: row.manifests)
        }
    }
}

/// An attempt as the history has it.
package struct RecordedAttempt: Sendable {
    /// Counts up over all applications.
    package var id: Int64
    package var report: SyncReport
    /// How often the very same came out again right after it; those have no rows of their own.
    package var repeats: Int
    /// When the last of these ended, in seconds since 1970-01-01 UTC.
    package var lastFinishedAt: Double
    /// Names the kept manifests; equal for equal renders. `nil` where none were kept.
    package var manifests: String?
}

/// The columns of an attempt that its value is made of.
private struct StoredAttempt: Sendable {
    var id: Int64
    var report: String
    var steps: String
    var manifests: String?
    var repeats: Int
    var lastFinishedAt: Double?

    init(_ row: Row) {
        id = row["id"]
        report = row["report"]
        steps = row["steps"]
        manifests = row["manifests"]
        repeats = row["count"] ?? 0
        lastFinishedAt = row["last_finished_at"]
    }
}
