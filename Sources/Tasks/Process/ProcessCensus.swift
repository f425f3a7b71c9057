import Processes
import Synchronization

/// Counts attempts' processes now and then: at least every five seconds, and at once when the machine's number of processes grows.
final class ProcessCensus: Sendable {
    private struct Watched: Sendable {
        var session: Int32
        var mark: String
        var excess: @Sendable (Int) -> Void
    }

    private struct State {
        var next = 0
        var watched: [Int: Watched] = [:]
        var isCounting = false
    }

    private let tables: ProcessTables
    private let limit: Int
    private let state = Mutex(State())

    init(tables: ProcessTables, limit: Int) {
        self.tables = tables
        self.limit = limit
    }

    /// - Parameter excess: called, perhaps more than once, with the number of processes when it is above the limit.
    func watch(_ shell: ProcessIdentity, mark: String, excess: @escaping @Sendable (Int) -> Void) -> Int {
        let (id, starts) = state.withLock { state in
            state.next += 1
            state.watched[state.next] = Watched(session: shell.pid, mark: mark, excess: excess)
            defer { state.isCounting = true }
            return (state.next, !state.isCounting)
        }
        // One count for all runs; it belongs to none of them.
        if starts { Task.detached { [self] in await count() } }
        return id
    }

    func forget(_ id: Int) { state.withLock { _ = $0.watched.removeValue(forKey: id) } }

    private func count() async {
        var atLastCount = ProcessTable.roughCount() ?? 0
        var ticks = 0
        while true {
            try? await Task.sleep(for: .milliseconds(200))  // Not cancelled: nobody holds this task.
            let goesOn = state.withLock { state in
                state.isCounting = !state.watched.isEmpty
                return state.isCounting
            }
            guard goesOn else { return }
            ticks += 1
            let now = ProcessTable.roughCount() ?? .max
            atLastCount = min(atLastCount, now)
            guard ticks >= 25 || now - atLastCount > limit / 4 else { continue }
            ticks = 0
            let entries = await tables.table().entries
            atLastCount = now
            let bySession = Dictionary(grouping: entries, by: \.session).mapValues { Set($0.map(\.process)) }
            let byMark = Dictionary(grouping: entries.filter { $0.mark != nil }, by: { $0.mark ?? "" }).mapValues { Set($0.map(\.process)) }
            for watched in state.withLock({ Array($0.watched.values) }) {
                let count = (bySession[watched.session] ?? []).union(byMark[watched.mark] ?? []).count
                if count > limit { watched.excess(count) }
            }
        }
    }
}
