import ResourceModel
import Synchronization

/// One thing that a render looked at in a tree, and what it saw there.
package struct RenderInput: Sendable, Hashable {
    package enum Aspect: String, Sendable, Hashable {
        /// Everything at and below the path: `seen` is its digest (in Git, the object id).
        case content
        /// Only what kind of thing is at the path.
        case kind
    }

    package var path: String
    package var aspect: Aspect
    /// Empty when nothing was there.
    package var seen: String

    package init(path: String, aspect: Aspect, seen: String) {
        self.path = path
        self.aspect = aspect
        self.seen = seen
    }
}

/// A `FileTree` that remembers what was read through it: the inputs of a render.
final class RecordingFileTree: FileTree {
    private let base: any FileTree
    private let looked: Mutex<(contents: Set<String>, kinds: Set<String>)> = Mutex(([], []))

    init(_ base: any FileTree) { self.base = base }

    var title: String { base.title }

    func entry(at path: String) async throws -> FileTreeEntry? {
        looked.withLock { _ = $0.kinds.insert(path) }
        return try await base.entry(at: path)
    }

    func entries(in directory: String, recursive: Bool) async throws -> [FileTreeEntry] {
        // A listing that is not recursive counts as everything below too: more than was read, never less.
        looked.withLock { _ = $0.contents.insert(directory) }
        return try await base.entries(in: directory, recursive: recursive)
    }

    func contents(of files: [FileTreeEntry]) async throws -> [[UInt8]] {
        looked.withLock { $0.contents.formUnion(files.map(\.path)) }
        return try await base.contents(of: files)
    }

    func digest(at path: String) async throws -> String? {
        looked.withLock { _ = $0.contents.insert(path) }
        return try await base.digest(at: path)
    }

    /// What was looked at, as few entries as say it all, sorted.
    func inputs() async throws -> [RenderInput] {
        let (contents, kinds) = looked.withLock { ($0.contents, $0.kinds) }
        let covered = { (path: String) in
            var above = path
            while !above.isEmpty {
                above = RepositoryPath.parent(of: above)
                if contents.contains(above) { return true }
            }
            return false
        }
        var inputs: [RenderInput] = []
        for path in contents where !covered(path) {
            inputs.append(try await Self.look(at: path, .content, in: base))
        }
        for path in kinds where !contents.contains(path) && !covered(path) {
            inputs.append(try await Self.look(at: path, .kind, in: base))
        }
        return inputs.sorted { ($0.path, $0.aspect.rawValue) < ($1.path, $1.aspect.rawValue) }
    }

    /// Looks at one thing again, in another tree.
    static func look(at path: String, _ aspect: RenderInput.Aspect, in tree: any FileTree) async throws -> RenderInput {
        switch aspect {
        case .content:
            return RenderInput(path: path, aspect: aspect, seen: try await tree.digest(at: path) ?? "")
        case .kind:
            let seen: String
            switch try await tree.entry(at: path)?.kind {
            case nil: seen = ""
            case .file, .executable: seen = "file"
            case .directory: seen = "directory"
            case .submodule: seen = "submodule"
            case .symlink(let target): seen = "symlink \(target)"
            }
            return RenderInput(path: path, aspect: aspect, seen: seen)
        }
    }
}
