import Foundation
import GRDB
import ResourceModel
import Synchronization

/// The SQLite file behind `ObjectStore`: the objects, the recent changes and the revision. Writes are queued and committed in groups.
final class StoreDatabase: Sendable {
    struct Contents {
        var objects: [StoredObject]
        var events: [StoreEvent]
        var revision: Int64
        /// The revision up to which changes are forgotten; `nil` in a new database.
        var compacted: Int64?
    }

    private struct State {
        var pending: [StoreEvent] = []
        var compaction: Int64?
        var waiters: [(revision: Int64, continuation: CheckedContinuation<Void, any Error>)] = []
        var committed: Int64 = 0
        var isWriting = false
    }

    private let queue: DatabaseQueue
    private let state = Mutex(State())

    init(path: String) throws {
        var configuration = Configuration()
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")
        }
        queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.write { database in
            try database.execute(
                sql: """
                    CREATE TABLE IF NOT EXISTS object (
                      resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, revision INTEGER NOT NULL, body BLOB NOT NULL,
                      PRIMARY KEY (resource, namespace, name)) WITHOUT ROWID;
                    CREATE TABLE IF NOT EXISTS event (
                      revision INTEGER PRIMARY KEY, kind TEXT NOT NULL, resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
                      body BLOB NOT NULL);
                    CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
                    """)
        }
    }

    /// What the file holds.
    func load() throws -> Contents {
        try queue.write { database in
            var contents = Contents(objects: [], events: [], revision: 0, compacted: nil)
            for row in try Row.fetchAll(database, sql: "SELECT resource, namespace, name, revision, body FROM object") {
                contents.objects.append(try Self.object(row))
            }
            var last: [ObjectKey: StoredObject] = [:]
            for row in try Row.fetchAll(
                database, sql: "SELECT resource, namespace, name, revision, body, kind FROM event ORDER BY revision")
            {
                let object = try Self.object(row)
                let kind = StoreEvent.Kind(rawValue: row["kind"]) ?? .modified
                contents.events.append(StoreEvent(kind: kind, object: object, previous: last[object.key]))
                last[object.key] = kind == .deleted ? nil : object
            }
            let counters = try Row.fetchAll(database, sql: "SELECT name, value FROM counter")
            for row in counters where row["name"] == "revision" { contents.revision = row["value"] }
            for row in counters where row["name"] == "compacted" { contents.compacted = row["value"] }
            if contents.compacted == nil {
                try Self.set("compacted", contents.revision + 1000, in: database)
            }
            return contents
        }
    }

    private static func object(_ row: Row) throws -> StoredObject {
        let data: Data = row["body"]
        let key = ObjectKey(resource: row["resource"], namespace: row["namespace"], name: row["name"])
        return StoredObject(key: key, revision: row["revision"], body: try JSONValue(parsing: Array(data)))
    }

    private static func set(_ name: String, _ value: Int64, in database: Database) throws {
        try database.cachedStatement(
            sql: "INSERT INTO counter (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        ).execute(arguments: [name, value])
    }

    /// Queues a change for the next commit.
    func enqueue(_ event: StoreEvent) {
        let start = state.withLock { state in
            state.pending.append(event)
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if start { startWriting() }
    }

    /// Forgets the changes up to that revision with the next commit.
    func compact(through revision: Int64) { state.withLock { $0.compaction = revision } }

    /// Returns when the change at that revision is committed.
    func committed(_ revision: Int64) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let (isDone, start) = state.withLock { state in
                if state.committed >= revision { return (true, false) }
                state.waiters.append((revision, continuation))
                defer { state.isWriting = true }
                return (false, !state.isWriting)
            }
            if isDone { continuation.resume() }
            if start { startWriting() }
        }
    }

    /// Commits what is queued and closes the file.
    func close() async throws {
        let last = state.withLock { $0.pending.last?.revision }
        if let last { try await committed(last) }
        try queue.close()
    }

    private func startWriting() {
        queue.asyncWriteWithoutTransaction { [self] database in
            while true {
                let (batch, compaction) = state.withLock { state in
                    defer { state.compaction = nil }
                    return (state.pending, state.compaction)
                }
                let result = Result { try Self.commit(batch, compaction: compaction, in: database) }
                let (finished, goOn) = state.withLock { state in
                    if case .success = result {
                        state.pending.removeFirst(batch.count)
                        state.committed = batch.last?.revision ?? state.committed
                    }
                    var failed = false
                    if case .failure = result { failed = true }
                    // After a failure the changes stay queued: the next write tries them again, and nobody is told they are safe.
                    let (isFailed, committed) = (failed, state.committed)
                    let isDone = { (revision: Int64) in isFailed || revision <= committed }
                    let finished = state.waiters.filter { isDone($0.revision) }
                    state.waiters.removeAll { isDone($0.revision) }
                    let goOn = !failed && !state.pending.isEmpty
                    state.isWriting = goOn
                    return (finished, goOn)
                }
                for waiter in finished { waiter.continuation.resume(with: result) }
                if !goOn { return }
            }
        }
    }

    private static func commit(_ batch: [StoreEvent], compaction: Int64?, in database: Database) throws {
        guard let last = batch.last else { return }
        try database.inTransaction {
            let put = try database.cachedStatement(
                sql: """
                    INSERT INTO object (resource, namespace, name, revision, body) VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT (resource, namespace, name) DO UPDATE SET revision = excluded.revision, body = excluded.body
                    """)
            let drop = try database.cachedStatement(sql: "DELETE FROM object WHERE resource = ? AND namespace = ? AND name = ?")
            let log = try database.cachedStatement(
                sql: "INSERT INTO event (revision, kind, resource, namespace, name, body) VALUES (?, ?, ?, ?, ?, ?)")
            for event in batch {
                let key = event.object.key
                let body = Data(event.object.bytes)
                if event.kind == .deleted {
                    try drop.execute(arguments: [key.resource, key.namespace, key.name])
                } else {
                    try put.execute(arguments: [key.resource, key.namespace, key.name, event.revision, body])
                }
                try log.execute(arguments: [event.revision, event.kind.rawValue, key.resource, key.namespace, key.name, body])
            }
            try set("revision", last.revision, in: database)
            if let compaction {
                try database.execute(sql: "DELETE FROM event WHERE revision <= ?", arguments: [compaction])
                try set("compacted", compaction, in: database)
            }
            return .commit
        }
    }
}
