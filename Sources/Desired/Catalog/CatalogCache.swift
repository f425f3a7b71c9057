import Synchronization

/// What the files of earlier commits held, by Git object id: a new commit reads only the files that it changed.
package final class CatalogCache: Sendable {
    private struct Key: Hashable, Sendable {
        var objectID: String
        /// Part of the key because problems and applications name it.
        var path: String
    }

    private struct State: Sendable {
        var files: [Key: CatalogFile] = [:]
        var used: Set<Key> = []
    }

    private let state = Mutex(State())

    package init() {}

    /// `nil` for a file that was not read before, and always for files on disk, which have no object id.
    func file(_ entry: FileTreeEntry) -> CatalogFile? {
        guard let objectID = entry.objectID else { return nil }
        let key = Key(objectID: objectID, path: entry.path)
        return state.withLock { state in
            guard let file = state.files[key] else { return nil }
            state.used.insert(key)
            return file
        }
    }

    func store(_ file: CatalogFile, for entry: FileTreeEntry) {
        guard let objectID = entry.objectID else { return }
        let key = Key(objectID: objectID, path: entry.path)
        state.withLock { state in
            state.files[key] = file
            state.used.insert(key)
        }
    }

    /// Drops what was not asked for since the last call: the files of the newest commit stay.
    func forgetUnused() {
        state.withLock { state in
            let used = state.used
            state.files = state.files.filter { used.contains($0.key) }
            state.used = []
        }
    }
}
