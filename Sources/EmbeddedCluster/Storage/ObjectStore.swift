import DequeModule
import Logging
import ResourceModel
import Synchronization

/// Every object of the cluster, with one revision counter over all of them (as etcd has), and the recent changes for watches.
///
/// Reads and writes happen in memory; each write is then committed to SQLite in groups, and a request is answered only after its
/// commit (`durable(_:)`). After a restart the counter skips ahead, so that a revision that was seen but not committed is never reused.
final class ObjectStore: Sendable {
    /// How many changes are kept for watches, and for how long; older resource versions get 410.
    struct Retention: Sendable {
        var count = 20_000
        var seconds: Int64 = 600
    }

    private struct Table {
        var objects: [ObjectPlace: StoredObject] = [:]
        var places: [ObjectPlace] = []
    }

    private struct State {
        var revision: Int64
        var compacted: Int64
        var tables: [String: Table] = [:]
        var events: Deque<(event: StoreEvent, time: Int64)> = []
        var watchers: [String: [Int: StoreWatcher]] = [:]
        var watcherCount = 0
    }

    private let state: Mutex<State>
    private let database: StoreDatabase
    private let retention: Retention

    /// Opens the database and loads what it holds.
    init(path: String, retention: Retention = Retention()) throws {
        self.retention = retention
        database = try StoreDatabase(path: path)
        let loaded = try database.load()
        var state = State(revision: loaded.revision + 1000, compacted: loaded.compacted ?? loaded.revision + 1000)
        for object in loaded.objects { Self.insert(object, into: &state.tables[object.key.resource, default: Table()]) }
        for table in state.tables.keys { state.tables[table]?.places.sort() }
        let now = Timestamp.seconds()
        state.events = Deque(loaded.events.map { ($0, now) })
        self.state = Mutex(state)
    }

    /// Waits for all writes and closes the database.
    func close() async throws { try await database.close() }

    // MARK: Reading

    /// The revision of the last write.
    var revision: Int64 { state.withLock { $0.revision } }

    func object(_ key: ObjectKey) -> StoredObject? { state.withLock { $0.tables[key.resource]?.objects[key.place] } }

    /// The objects of a resource in order, with the revision at which this was so.
    ///
    /// - Parameter namespace: `nil` for all namespaces.
    func objects(of resource: String, namespace: String?) -> (items: [StoredObject], revision: Int64) {
        state.withLock { state in
            guard let table = state.tables[resource] else { return ([], state.revision) }
            guard let namespace else { return (table.places.compactMap { table.objects[$0] }, state.revision) }
            var index = Self.lowerBound(of: ObjectPlace(namespace: namespace, name: ""), in: table.places)
            var items: [StoredObject] = []
            while index < table.places.count, table.places[index].namespace == namespace {
                if let object = table.objects[table.places[index]] { items.append(object) }
                index += 1
            }
            return (items, state.revision)
        }
    }

    /// The resources that hold at least one object.
    var resources: [String] { state.withLock { state in state.tables.filter { !$0.value.objects.isEmpty }.map(\.key) } }

    // MARK: Writing

    /// Writes a new state if the object is still in the state `expected` (`nil`: it must not exist).
    @discardableResult
    func write(_ key: ObjectKey, over expected: StoredObject?, _ body: JSONValue) throws(StoreConflict) -> StoredObject {
        let result: Result<StoredObject, StoreConflict> = state.withLock { state in
            let current = state.tables[key.resource]?.objects[key.place]
            guard current?.revision == expected?.revision else { return .failure(.changed(current)) }
            state.revision += 1
            let object = StoredObject(key: key, revision: state.revision, body: body)
            Self.place(object, in: &state.tables[key.resource, default: Table()])
            record(StoreEvent(kind: current == nil ? .added : .modified, object: object, previous: current), in: &state)
            return .success(object)
        }
        return try result.get()
    }

    /// Removes the object if it is still in the state `expected`.
    ///
    /// - Parameter last: the state that watchers and the answer show.
    @discardableResult
    func remove(_ key: ObjectKey, over expected: StoredObject, last: JSONValue) throws(StoreConflict) -> StoredObject {
        let result: Result<StoredObject, StoreConflict> = state.withLock { state in
            let current = state.tables[key.resource]?.objects[key.place]
            guard let current, current.revision == expected.revision else { return .failure(.changed(current)) }
            state.revision += 1
            let object = StoredObject(key: key, revision: state.revision, body: last)
            state.tables[key.resource]?.objects[key.place] = nil
            if let index = state.tables[key.resource].map({ Self.lowerBound(of: key.place, in: $0.places) }) {
                state.tables[key.resource]?.places.remove(at: index)
            }
            record(StoreEvent(kind: .deleted, object: object, previous: current), in: &state)
            return .success(object)
        }
        return try result.get()
    }

    /// Returns when the write at that revision, and all before it, are committed.
    func durable(_ revision: Int64) async throws { try await database.committed(revision) }

    // MARK: Watching

    /// Changes of a resource after `revision`.
    ///
    /// - Parameter onOverflow: the stream just ends when the reader falls too far behind; it then lists again.
    /// - Returns: `nil` when changes after `revision` are no longer all known (410).
    func watch(_ resource: String, since revision: Int64) -> AsyncStream<StoreEvent>? {
        let (stream, continuation) = AsyncStream.makeStream(of: StoreEvent.self, bufferingPolicy: .bufferingOldest(50_000))
        let id: Int? = state.withLock { state in
            guard revision >= state.compacted else { return nil }
            if let last = state.events.last, last.event.revision > revision {
                let start = Self.firstIndex(after: revision, in: state.events)
                for index in start..<state.events.count where state.events[index].event.object.key.resource == resource {
                    continuation.yield(state.events[index].event)
                }
            }
            return Self.register(StoreWatcher(continuation: continuation), for: resource, in: &state)
        }
        guard let id else { return nil }
        forgetOnTermination(continuation, resource, id)
        return stream
    }

    /// The present objects and every change from then on, without a gap between.
    func listAndWatch(_ resource: String) -> (items: [StoredObject], revision: Int64, changes: AsyncStream<StoreEvent>) {
        let (stream, continuation) = AsyncStream.makeStream(of: StoreEvent.self, bufferingPolicy: .bufferingOldest(50_000))
        let (items, revision, id) = state.withLock { state in
            let table = state.tables[resource] ?? Table()
            let items = table.places.compactMap { table.objects[$0] }
            return (items, state.revision, Self.register(StoreWatcher(continuation: continuation), for: resource, in: &state))
        }
        forgetOnTermination(continuation, resource, id)
        return (items, revision, stream)
    }

    /// Every change of every resource from now on (`resource` "*").
    func watchAll() -> AsyncStream<StoreEvent> { listAndWatch("*").changes }

    /// The oldest revision that a watch can start from.
    var compactedRevision: Int64 { state.withLock { $0.compacted } }

    /// Forgets the changes up to the present revision, as etcd's compaction does.
    func compact() {
        state.withLock { state in
            state.events.removeAll()
            state.compacted = state.revision
            database.compact(through: state.compacted)
        }
    }

    /// Ends all watches: the server stops.
    func endWatches() {
        let watchers = state.withLock { state in
            defer { state.watchers = [:] }
            return state.watchers.values.flatMap(\.values)
        }
        for watcher in watchers { watcher.continuation.finish() }
    }

    /// Not in the handler itself: a stream ends inside the lock when its reader is too slow, and under the lock of its reader's task when
    /// that is cancelled, while a change inside the lock may be waking the same task.
    private func forgetOnTermination(_ continuation: AsyncStream<StoreEvent>.Continuation, _ resource: String, _ id: Int) {
        continuation.onTermination = { [weak self] _ in
            Task { self?.state.withLock { $0.watchers[resource]?[id] = nil } }
        }
    }

    // MARK: Inside the lock

    private static func register(_ watcher: StoreWatcher, for resource: String, in state: inout State) -> Int {
        state.watcherCount += 1
        state.watchers[resource, default: [:]][state.watcherCount] = watcher
        return state.watcherCount
    }

    private func record(_ event: StoreEvent, in state: inout State) {
        let now = Timestamp.seconds()
        state.events.append((event, now))
        var dropped = false
        while state.events.count > retention.count || (state.events.first.map { now - $0.time > retention.seconds } ?? false) {
            guard let first = state.events.popFirst() else { break }
            state.compacted = first.event.revision
            dropped = true
        }
        if dropped { database.compact(through: state.compacted) }
        database.enqueue(event)
        for key in [event.object.key.resource, "*"] {
            for watcher in (state.watchers[key] ?? [:]).values { watcher.send(event) }
        }
    }

    private static func insert(_ object: StoredObject, into table: inout Table) {
        table.objects[object.key.place] = object
        table.places.append(object.key.place)
    }

    private static func place(_ object: StoredObject, in table: inout Table) {
        let place = object.key.place
        if table.objects.updateValue(object, forKey: place) == nil {
            table.places.insert(place, at: lowerBound(of: place, in: table.places))
        }
    }

    private static func lowerBound(of place: ObjectPlace, in places: [ObjectPlace]) -> Int {
        var low = 0
        var high = places.count
        while low < high {
            let middle = (low + high) / 2
            if places[middle] < place { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func firstIndex(after revision: Int64, in events: Deque<(event: StoreEvent, time: Int64)>) -> Int {
        var low = 0
        var high = events.count
        while low < high {
            let middle = (low + high) / 2
            if events[middle].event.revision <= revision { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Where a watch's changes go. A reader that is too far behind is cut off, and never left with a gap.
struct StoreWatcher: Sendable {
    let continuation: AsyncStream<StoreEvent>.Continuation

    func send(_ event: StoreEvent) {
        if case .dropped = continuation.yield(event) { continuation.finish() }
    }
}
