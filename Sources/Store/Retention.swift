import Foundation
import GRDB

/// How much of the history is kept. The newest successful attempt of an application always is.
package struct Retention: Sendable, Hashable {
    /// Of each application; and as many drift events.
    package var attempts: Int
    /// Seconds since an attempt ended, or a drift was seen.
    package var age: Double

    package init(attempts: Int = 1000, age: Double = 400 * 86_400) {
        self.attempts = max(1, attempts)
        self.age = age
    }

    /// Drops what is too much or too old. Done in batches of a tenth of what is kept, so that it costs next to nothing each time: up
    /// to a tenth more may be there.
    /// - Parameter now: seconds since 1970-01-01 UTC.
    func apply(to application: String, at now: Double, _ db: Database) throws {
        var attempts = try surplus("attempt", of: application, db)
        var events = try surplus("drift", of: application, db)
        if try isTimeToLook(now, db) {
            attempts += try Int64.fetchAll(
                db, sql: """
                    SELECT id FROM attempt WHERE finished_at < ? AND id <> coalesce((
                        SELECT max(id) FROM attempt AS other WHERE other.application = attempt.application AND conclusion = 'Succeeded' AND partial = 0), 0)
                    """, arguments: [now - age])
            events += try Int64.fetchAll(db, sql: "SELECT id FROM drift WHERE seen_at < ?", arguments: [now - age])
        }
        guard !attempts.isEmpty || !events.isEmpty else { return }
        var positions: [Int64] = []
        for (kind, ids) in [("attempt", Set(attempts)), ("drift", Set(events))] {
            for id in ids {
                positions += try Int64.fetchAll(db, sql: "SELECT position FROM chain WHERE kind = ? AND subject = ?", arguments: [kind, id])
                try db.execute(sql: "DELETE FROM \(kind) WHERE id = ?", arguments: [id])
            }
        }
        try db.execute(
            sql: "DELETE FROM manifests WHERE id NOT IN (SELECT manifests FROM attempt WHERE manifests IS NOT NULL)")
        try HistoryChain.drop(positions, db)
    }

    private func surplus(_ table: String, of application: String, _ db: Database) throws -> [Int64] {
        let count = try Int.fetchOne(db, sql: "SELECT count(*) FROM \(table) WHERE application = ?", arguments: [application]) ?? 0
        guard count > attempts + attempts / 10 else { return [] }
        let success =
            table == "attempt"
            ? try Int64.fetchOne(
                db, sql: "SELECT max(id) FROM attempt WHERE application = ? AND conclusion = 'Succeeded' AND partial = 0", arguments: [application]) : nil
        return try Int64.fetchAll(
            db, sql: "SELECT id FROM \(table) WHERE application = ? ORDER BY id DESC LIMIT -1 OFFSET ?", arguments: [application, attempts]
        ).filter { $0 != success }
    }

    /// A thousandth of the age has passed since the last look, or the clock was put back.
    private func isTimeToLook(_ now: Double, _ db: Database) throws -> Bool {
        let last = try Double.fetchOne(db, sql: "SELECT looked_at FROM housekeeping") ?? -.infinity
        guard now - last >= age / 1000 || now < last else { return false }
        try db.execute(
            sql: "INSERT INTO housekeeping (id, looked_at) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET looked_at = excluded.looked_at",
            arguments: [now])
        return true
    }
}
