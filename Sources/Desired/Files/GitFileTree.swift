import Git
import ResourceModel
import Synchronization

/// One commit of a Git mirror as a `FileTree`; nothing is checked out.
package final class GitFileTree: FileTree {
    package let snapshot: GitSnapshot
    /// Directories that were listed before: a commit does not change.
    private let listings: Mutex<[String: [FileTreeEntry]]> = Mutex([:])

    package init(_ snapshot: GitSnapshot) { self.snapshot = snapshot }

    package var title: String {
        let revision = snapshot.revision
        return "commit \(revision.shortCommit) of \(revision.repository)"
    }

    package func entry(at path: String) async throws -> FileTreeEntry? {
        if path.isEmpty { return FileTreeEntry(path: "", kind: .directory, objectID: try await snapshot.objectID(at: "")) }
        let parent = RepositoryPath.parent(of: path)
        if let listed = listings.withLock({ $0[parent] }) { return listed.first { $0.path == path } }
        guard try await snapshot.objectID(at: path) != nil else { return nil }
        return try await entries(in: parent, recursive: false).first { $0.path == path }
    }

    package func entries(in directory: String, recursive: Bool) async throws -> [FileTreeEntry] {
        if !recursive, let listed = listings.withLock({ $0[directory] }) { return listed }
        let entries = try await snapshot.entries(at: directory, recursive: recursive).map(Self.entry).sorted { $0.path < $1.path }
        if !recursive { listings.withLock { $0[directory] = entries } }
        return entries
    }

    package func contents(of files: [FileTreeEntry]) async throws -> [[UInt8]] {
        try await snapshot.contents(of: files.map(Self.gitEntry))
    }

    package func digest(at path: String) async throws -> String? { try await snapshot.objectID(at: path) }

    private static func entry(_ entry: GitEntry) -> FileTreeEntry {
        let kind: FileTreeEntry.Kind
        switch entry.kind {
        case .file: kind = .file
        case .executable: kind = .executable
        case .symlink(let target): kind = .symlink(target: target)
        case .directory: kind = .directory
        case .submodule: kind = .submodule
        }
        return FileTreeEntry(path: entry.path, kind: kind, objectID: entry.objectID)
    }

    private static func gitEntry(_ entry: FileTreeEntry) -> GitEntry {
        GitEntry(path: entry.path, kind: entry.kind == .executable ? .executable : .file, objectID: entry.objectID ?? "")
    }
}
