import ResourceModel
import Synchronization

/// Renders that were made before, each with everything it looked at: it is used again exactly while all of that is unchanged, so
/// that a push to a large repository renders only the applications whose inputs it touched.
package final class RenderCache: Sendable {
    /// One render and what it depends on.
    struct Entry: Sendable {
        /// For each source, what was looked at in its tree.
        var inputs: [[RenderInput]]
        var content: Content
        var warnings: [Problem]
        var digest: String
        var lastUse: UInt64
    }

    enum Content: Sendable {
        case manifests([Manifest])
        /// On disk: many a run needs no more than their number.
        case stored(RenderFiles.Stored)

        var count: Int {
            switch self {
            case .manifests(let manifests): manifests.count
            case .stored(let stored): stored.count
            }
        }
    }

    /// What a render depends on beside files: the application's sources and destination, the tools' settings, and the commit only
    /// where the sources mention it.
    struct Key: Sendable, Hashable {
        var application: String
        var specification: String
        var capabilities: ClusterCapabilities
        var commit: String
    }

    private struct State: Sendable {
        var entries: [Key: Entry] = [:]
        var clock: UInt64 = 0
        var hits = 0
        var misses = 0
        /// Renders to be put on disk, and those on their way there.
        var unstored: [(entry: Entry, key: Key)] = []
        var storing: [Task<Void, Never>] = []
    }

    private let capacity: Int
    private let files: RenderFiles?
    private let state = Mutex(State())

    /// - Parameters:
    ///   - capacity: the most renders to keep in memory; the one that was not used for longest goes first.
    ///   - files: where renders are kept for the next process; `nil` keeps none.
    package init(capacity: Int = 4096, files: RenderFiles? = nil) {
        self.capacity = capacity
        self.files = files
    }

    /// How often a render could be used again, and how often not.
    package var statistics: (hits: Int, misses: Int) { state.withLock { ($0.hits, $0.misses) } }

    /// The render with its manifests, if everything that it looked at is the same in these trees.
    func render(for key: Key, in trees: [any FileTree]) async throws -> (entry: Entry, manifests: [Manifest])? {
        guard var entry = try await entry(for: key, in: trees) else { return nil }
        switch entry.content {
        case .manifests(let manifests): return (entry, manifests)
        case .stored(let stored):
            guard let manifests = await stored.manifests() else {
                state.withLock {
                    $0.entries[key] = nil
                    $0.hits -= 1
                    $0.misses += 1
                }
                return nil
            }
            entry.content = .manifests(manifests)
            keep(entry, for: key)
            return (entry, manifests)
        }
    }

    /// What is known of the render without its manifests, if everything that it looked at is the same in these trees.
    func entry(for key: Key, in trees: [any FileTree]) async throws -> Entry? {
        var known = state.withLock { $0.entries[key] }
        let isStored = known == nil
        if known == nil { known = await files?.load(key) }
        guard let entry = known, entry.inputs.count == trees.count else {
            state.withLock { $0.misses += 1 }
            return nil
        }
        for (inputs, tree) in zip(entry.inputs, trees) {
            for input in inputs where try await RecordingFileTree.look(at: input.path, input.aspect, in: tree) != input {
                state.withLock { $0.misses += 1 }
                return nil
            }
        }
        if isStored { keep(entry, for: key) }
        state.withLock {
            $0.hits += 1
            $0.clock += 1
            $0.entries[key]?.lastUse = $0.clock
        }
        return entry
    }

    func store(_ entry: Entry, for key: Key) {
        keep(entry, for: key)
        if files != nil { state.withLock { $0.unstored.append((entry, key)) } }
    }

    /// Begins to put the renders of this run on disk: called when there is something else to wait for.
    package func startStoring() {
        guard let files else { return }
        state.withLock { state in
            state.storing += state.unstored.map { item in Task { await files.store(item.entry, for: item.key) } }
            state.unstored = []
        }
    }

    /// Waits until the renders of this run are on disk.
    package func finishStoring() async {
        startStoring()
        let storing = state.withLock { state in
            defer { state.storing = [] }
            return state.storing
        }
        for task in storing { await task.value }
    }

    private func keep(_ entry: Entry, for key: Key) {
        state.withLock { state in
            state.clock += 1
            var entry = entry
            entry.lastUse = state.clock
            state.entries[key] = entry
            if state.entries.count > capacity, let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
                state.entries[oldest.key] = nil
            }
        }
    }
}
