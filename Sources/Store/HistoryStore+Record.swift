import Foundation
import GRDB
import ResourceModel

extension HistoryStore {
    /// Records one attempt, whole or not at all, and drops what is older than the retention says.
    ///
    /// An attempt that nobody asked for (`reconciler run` did), that wrote nothing and came out as the application's last one did,
    /// is counted there instead of being recorded again.
    /// - Parameters:
    ///   - manifests: what `rendered` gave for the sync's desired state; kept for a sync that succeeded.
    ///   - finding: what the next sync finds if it sees the same; remembered in place of the last one.
    /// - Returns: its id, counting up over all applications; the id of the one that it repeats, where it does.
    @discardableResult
    package func record(
        _ report: SyncReport, manifests: RenderedManifests? = nil, closing journal: Journal? = nil, finding: Settled? = nil
    ) async throws -> Int64 {
        await journal?.stop()
        return try await record(report, manifests: manifests, closing: journal?.id, finding: finding)
    }

    @discardableResult
    func record(
        _ report: SyncReport, manifests: RenderedManifests? = nil, closing journal: Int64?, finding: Settled? = nil
    ) async throws -> Int64 {
        let row = try await AttemptRow(report, manifests: report.conclusion == .succeeded && report.selection == nil ? manifests : nil)
        return try await database.writeWithoutTransaction { [retention] db in
            var id: Int64 = 0
            // Immediate: what is read of the chain must still be its end when the row is added.
            try db.inTransaction(.immediate) {
                id = try row.isRepeated(db) ?? row.insert(db)
                if let journal { try db.execute(sql: "DELETE FROM journal WHERE id = ?", arguments: [journal]) }
                try finding?.insert(for: report.application, db)
                try retention.apply(to: report.application, at: report.finishedAt, db)
                return .commit
            }
            return id
        }
    }
}

/// An attempt in the form in which it is stored.
struct AttemptRow: Sendable {
    var application: String
    var commit: String
    var startedAt: Double
    var finishedAt: Double
    var conclusion: String
    var report: String
    var steps: String
    var manifests: RenderedManifests?
    /// Equal for attempts of which one row is enough; `nil` for one that always has a row of its own.
    var fingerprint: String?
    /// A sync of chosen objects: nothing to go back to.
    var isPartial = false

    init(_ report: SyncReport, manifests: RenderedManifests?) async throws {
        let steps = await report.steps.concurrentMap { $0.stored.serialized() }
        var head = report
        head.steps = []
        application = report.application
        commit = report.revision.commit
        startedAt = report.startedAt
        finishedAt = report.finishedAt
        conclusion = report.conclusion.rawValue
        self.report = String(decoding: try JSONEncoder().encode(head), as: UTF8.self)
        self.steps = "[" + String(decoding: Self.joined(steps, by: UInt8(ascii: ",")), as: UTF8.self) + "]"
        self.manifests = manifests
        fingerprint = Self.fingerprint(of: report)
        isPartial = report.selection != nil
    }

    static func joined(_ parts: [[UInt8]], by separator: UInt8) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(parts.reduce(0) { $0 + $1.count + 1 })
        for part in parts {
            if !text.isEmpty { text.append(separator) }
            text += part
        }
        return text
    }

    init(_ row: Row) {
        application = row["application"]
        commit = row["commit_id"]
        startedAt = row["started_at"]
        finishedAt = row["finished_at"]
        conclusion = row["conclusion"]
        report = row["report"]
        steps = row["steps"]
    }

    /// Over everything that may not change later.
    func digest(manifests id: String?, _ content: Data?) -> Data {
        HistoryChain.digest([
            .text(application), .text(commit), .time(startedAt), .time(finishedAt), .text(conclusion), .text(report), .text(steps),
            id.map { .text($0) } ?? .none, content.map { .bytes($0) } ?? .none,
        ])
    }

    func insert(_ db: Database) throws -> Int64 {
        let content = try manifests?.insert(db)
        let manifestsID = content == nil ? nil : manifests?.id
        try db.execute(
            sql: """
                INSERT INTO attempt (application, commit_id, started_at, finished_at, conclusion, report, steps, manifests, fingerprint, partial)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [application, commit, startedAt, finishedAt, conclusion, report, steps, manifestsID, fingerprint, isPartial])
        let id = db.lastInsertedRowID
        try HistoryChain.append(.attempt, id, digest: digest(manifests: manifestsID, content), db)
        return id
    }

    /// Counts the attempt with the application's last one when that came out the same.
    /// - Returns: the id of that one; `nil` when this one needs a row of its own.
    func isRepeated(_ db: Database) throws -> Int64? {
        guard let fingerprint,
            let last = try Row.fetchOne(
                db, sql: "SELECT id, fingerprint FROM attempt WHERE application = ? ORDER BY id DESC LIMIT 1", arguments: [application]),
            last["fingerprint"] as String? == fingerprint
        else { return nil }
        let id: Int64 = last["id"]
        try db.execute(
            sql: """
                INSERT INTO repeats (attempt, count, last_finished_at) VALUES (?, 1, ?)
                ON CONFLICT (attempt) DO UPDATE SET count = count + 1, last_finished_at = excluded.last_finished_at
                """, arguments: [id, finishedAt])
        return id
    }

    /// The reasons of `reconciler run`: everything else was asked for by somebody.
    private static let automatic: Set<String> = ["push", "drift", "retry", "timer"]

    /// What came out, without what differs each time: times, durations, the lease's number, and which of the loop's reasons it was.
    private static func fingerprint(of report: SyncReport) -> String? {
        guard automatic.contains(report.trigger) else { return nil }
        var steps: [JSONValue] = []
        for step in report.steps {
            switch step.actuation {
            case .created, .configured, .recreated, .pruned, .released, .ran: return nil
            case .failed(let message): steps.append([.string(step.id.description), .string(message)])
            case .unchanged, .notReached, .skipped: steps.append([.string(step.id.description)])
            }
        }
        let value: JSONValue = [
            .string(report.revision.commit), .string(report.conclusion.rawValue), .string(report.message), .string(report.sync.rawValue),
            .string(report.health.status.rawValue), .string(report.health.message), .array(steps),
            .array(report.refusals.map { .string($0.description) }), .array(report.warnings.map { .string($0.description) }),
        ]
        return value.digest
    }
}
