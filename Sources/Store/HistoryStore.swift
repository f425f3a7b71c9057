import Foundation
import GRDB
import ResourceModel

/// The history of sync attempts, in SQLite (`reconciler.db` in the state directory). Never the only copy of ownership: without
/// it the next sync prunes exactly the same.
package final class HistoryStore: Sendable {
    private let database: DatabasePool

    /// Opens the file, or makes it; several processes may have it open.
    /// - Throws: a `Problem` when it is no database, another process keeps it locked for 10 s, or the disk refuses.
    package init(path: String) throws {
        do {
            database = try Self.open(path)
        } catch {
            throw Problem(
                code: "history.open", message: "the history in \(path) cannot be opened: \(error)",
                hint: "move the file away to begin a new one (it holds only the history; what may be pruned is known to the cluster), or choose another state directory with --state-dir"
            )
        }
    }

    private static func open(_ path: String) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = NORMAL") }
        let database = try DatabasePool(path: path, configuration: configuration)
        try migrator.migrate(database)
        return database
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("history") { db in
            try db.execute(
                sql: """
                    CREATE TABLE attempt (
                        id INTEGER PRIMARY KEY AUTOINCREMENT, application TEXT NOT NULL, commit_id TEXT NOT NULL,
                        started_at REAL NOT NULL, finished_at REAL NOT NULL, conclusion TEXT NOT NULL, report TEXT NOT NULL
                    );
                    CREATE INDEX attempt_by_application ON attempt (application, id);
                    """)
        }
        migrator.registerMigration("steps") { db in
            // Steps in a column of their own: the thousand of a large sync are neither made nor read with the rest.
            try db.execute(sql: "ALTER TABLE attempt ADD COLUMN steps TEXT NOT NULL DEFAULT '[]'")
        }
        return migrator
    }

    /// Records one attempt, whole or not at all.
    /// - Returns: its id, counting up over all applications.
    @discardableResult
    package func record(_ report: SyncReport) async throws -> Int64 {
        let steps = await report.steps.concurrentMap { $0.stored.serialized() }
        var head = report
        head.steps = []
        let text = String(decoding: try JSONEncoder().encode(head), as: UTF8.self)
        let stepsText = "[" + String(decoding: Array(steps.joined(separator: [UInt8(ascii: ",")])), as: UTF8.self) + "]"
        return try await database.write { db in
            try db.execute(
                sql: """
                    INSERT INTO attempt (application, commit_id, started_at, finished_at, conclusion, report, steps)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    report.application, report.revision.commit, report.startedAt, report.finishedAt, report.conclusion.rawValue, text,
                    stepsText,
                ])
            return db.lastInsertedRowID
        }
    }

    /// The latest attempts, newest first.
    /// - Parameter application: `nil` for all.
    package func attempts(of application: String?, limit: Int) async throws -> [(id: Int64, report: SyncReport)] {
        let rows = try await database.read { db in
            try Row.fetchAll(
                db, sql: "SELECT id, report, steps FROM attempt WHERE application = ? OR ? IS NULL ORDER BY id DESC LIMIT ?",
                arguments: [application, application, limit]
            ).map { row -> (id: Int64, report: String, steps: String) in (row["id"], row["report"], row["steps"]) }
        }
        return try rows.map { row in
            var report = try JSONDecoder().decode(SyncReport.self, from: Data(row.report.utf8))
            report.steps += try (JSONValue(parsing: row.steps).arrayValue ?? []).map { try StepResult(stored: $0) }
            return (row.id, report)
        }
    }
}
