import Foundation
import GRDB
import ResourceModel

/// One field that was found to be not as Git declares it, because somebody else changed it.
package struct DriftEvent: Sendable, Hashable {
    package var application: String
    package var object: ResourceID
    /// As in a `FieldChange`; empty where the whole object was deleted.
    package var path: String
    /// `nil` where there was nothing, and always for a Secret's data.
    package var declared: JSONValue?
    package var found: JSONValue?
    package var isSecret: Bool
    /// The live field's manager; `nil` where the field or the object was removed: then the server does not say who did it.
    package var owner: String?
    /// When the owner wrote its fields, RFC 3339 as the server gives it.
    package var ownerWroteAt: String?
    /// Seconds since 1970-01-01 UTC.
    package var seenAt: Double
    /// Tells this drift from the next one of the same field, where field, value and the owner's time do not.
    package var occasion: String

    package init(
        application: String, object: ResourceID, field: FieldChange, owner: String?, ownerWroteAt: String?, seenAt: Double, occasion: String
    ) {
        self.application = application
        self.object = object
        path = field.path
        declared = field.isSecret ? nil : field.after.map(Self.shortened)
        found = field.isSecret ? nil : field.before.map(Self.shortened)
        isSecret = field.isSecret
        self.owner = owner
        self.ownerWroteAt = ownerWroteAt
        self.seenAt = seenAt
        self.occasion = occasion
    }

    /// A field may be a whole file: its beginning tells enough, and the digest tells it from others.
    private static func shortened(_ value: JSONValue) -> JSONValue {
        let text = value.jsonString
        return text.utf8.count <= 4096 ? value : .string("\(text.prefix(1024))… (\(text.utf8.count) bytes, SHA-256 \(value.digest))")
    }

    private var content: JSONValue {
        var value: JSONValue = [
            "object": [.string(object.group), .string(object.kind), object.namespace.map { .string($0) } ?? .null, .string(object.name)],
            "path": .string(path), "occasion": .string(occasion),
        ]
        value["declared"] = declared
        value["found"] = found
        if isSecret { value["secret"] = true }
        value["owner"] = owner.map { .string($0) }
        value["ownerWroteAt"] = ownerWroteAt.map { .string($0) }
        return value
    }

    /// Equal for one drift that is seen again: also when Git meanwhile declares another value.
    var fingerprint: String {
        var value = content
        value["declared"] = nil
        value["application"] = .string(application)
        return value.digest
    }

    fileprivate var text: String { content.jsonString }

    fileprivate init(application: String, seenAt: Double, text: String) throws {
        let value = try JSONValue(parsing: text)
        guard let object = value["object"]?.arrayValue, object.count == 4, let group = object[0].stringValue,
            let kind = object[1].stringValue, let name = object[3].stringValue, let path = value["path"]?.stringValue
        else { throw Problem(code: "history.damaged", message: "a drift event in the history cannot be read: \(text)") }
        self.application = application
        self.object = ResourceID(group: group, kind: kind, namespace: object[2].stringValue, name: name)
        self.path = path
        declared = value["declared"]
        found = value["found"]
        isSecret = value["secret"]?.boolValue ?? false
        owner = value["owner"]?.stringValue
        ownerWroteAt = value["ownerWroteAt"]?.stringValue
        self.seenAt = seenAt
        occasion = value["occasion"]?.stringValue ?? ""
    }
}

/// A drift event as the history has it.
package struct RecordedDrift: Sendable {
    package var id: Int64
    package var event: DriftEvent
    /// The attempt that made the object as declared again; `nil` when it was only reported so far.
    package var healedBy: Int64?
    /// Seconds since 1970-01-01 UTC.
    package var healedAt: Double?
}

/// A drift event's columns.
struct DriftRow: Sendable {
    var id: Int64
    var application: String
    var seenAt: Double
    var event: String
    var fingerprint: String
    var healedBy: Int64?
    var healedAt: Double?

    init(_ row: Row) {
        id = row["id"]
        application = row["application"]
        seenAt = row["seen_at"]
        event = row["event"]
        fingerprint = row["fingerprint"]
        healedBy = row["healed_by"]
        healedAt = row["healed_at"]
    }

    var digest: Data { Self.digest(application, seenAt, event, fingerprint) }

    static func digest(_ application: String, _ seenAt: Double, _ event: String, _ fingerprint: String) -> Data {
        HistoryChain.digest([.text(application), .time(seenAt), .text(event), .text(fingerprint)])
    }
}

extension HistoryStore {
    /// Records what was found; a drift that is known already is left as it is.
    package func record(_ events: [DriftEvent]) async throws {
        guard let last = events.last else { return }
        try await database.writeWithoutTransaction { [retention] db in
            try db.inTransaction(.immediate) {
                for event in events {
                    let (text, fingerprint) = (event.text, event.fingerprint)
                    try db.execute(
                        sql: "INSERT OR IGNORE INTO drift (application, seen_at, event, fingerprint) VALUES (?, ?, ?, ?)",
                        arguments: [event.application, event.seenAt, text, fingerprint])
                    guard db.changesCount > 0 else { continue }
                    let digest = DriftRow.digest(event.application, event.seenAt, text, fingerprint)
                    try HistoryChain.append(.drift, db.lastInsertedRowID, digest: digest, db)
                }
                try retention.apply(to: last.application, at: last.seenAt, db)
                return .commit
            }
        }
    }

    /// Notes by which attempt recorded drifts were made good, and when that was, in seconds since 1970-01-01 UTC.
    package func note(_ events: [DriftEvent], healedBy attempt: Int64, at time: Double) async throws {
        guard !events.isEmpty else { return }
        let fingerprints = events.map(\.fingerprint)
        try await database.write { db in
            for fingerprint in fingerprints {
                try db.execute(
                    sql: "UPDATE drift SET healed_by = ?, healed_at = ? WHERE fingerprint = ? AND healed_by IS NULL",
                    arguments: [attempt, time, fingerprint])
            }
        }
    }

    /// The latest drift events, newest first.
    /// - Parameter application: `nil` for all.
    package func drift(of application: String?, limit: Int) async throws -> [RecordedDrift] {
        let rows = try await database.read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM drift WHERE application = ? OR ? IS NULL ORDER BY id DESC LIMIT ?",
                arguments: [application, application, limit]
            ).map(DriftRow.init)
        }
        return try rows.map { row in
            RecordedDrift(
                id: row.id, event: try DriftEvent(application: row.application, seenAt: row.seenAt, text: row.event),
                healedBy: row.healedBy, healedAt: row.healedAt)
        }
    }
}
