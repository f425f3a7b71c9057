import CLibGit2
import ResourceModel

/// One entry of a commit's tree.
package struct GitEntry: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case file
        case executable
        /// What the link says, unresolved.
        case symlink(target: String)
        case directory
        case submodule
    }

    /// From the repository's root.
    package var path: String
    package var kind: Kind
    /// 40 hexadecimal digits.
    package var objectID: String

    package init(path: String, kind: Kind, objectID: String) {
        self.path = path
        self.kind = kind
        self.objectID = objectID
    }
}

/// A commit's files, read from the mirror without a checkout.
package final class GitSnapshot: Sendable {
    package let revision: Revision
    private let reader: Locked<TreeReader>
    private let files: MirrorFiles
    private let queue = BlockingQueue(label: "git.snapshot")

    init(revision: Revision, repository: Repository, files: MirrorFiles) {
        self.revision = revision
        self.files = files
        reader = Locked(TreeReader(repository: repository, commit: revision.commit))
    }

    /// The id of the tree or blob at a path; `""` is the root; `nil` when the commit has no such path.
    package func objectID(at path: String) async throws -> String? {
        try await read { try $0.entry(at: path)?.objectID }
    }

    /// What a path is; `nil` when the commit has no such path.
    package func entry(at path: String) async throws -> GitEntry? {
        try await read { try $0.entry(at: path) }
    }

    /// The entries of a directory, sorted by path; directories themselves are listed too.
    /// - Throws: `GitError` with `noSuchPath` when there is no such directory.
    package func entries(at path: String, recursive: Bool) async throws -> [GitEntry] {
        try await read { reader in
            guard let entry = try reader.entry(at: path), entry.kind == .directory else { throw self.missing(path) }
            return try reader.entries(ofTree: entry.objectID, at: entry.path, recursive: recursive)
        }
    }

    package func contents(at path: String) async throws -> [UInt8] {
        try await read { reader in
            guard let entry = try reader.entry(at: path), entry.kind != .directory else { throw self.missing(path) }
            return try reader.blob(entry.objectID)
        }
    }

    /// The contents of many files, in their order.
    package func contents(of entries: [GitEntry]) async throws -> [[UInt8]] {
        try await read { reader in try entries.map { try reader.blob($0.objectID) } }
    }

    private func missing(_ path: String) -> GitError {
        GitError(
            code: .noSuchPath, message: "there is no `\(path)` in \(revision.repository) at \(revision.shortCommit)", repository: revision.repository)
    }

    private func read<Value: Sendable>(_ body: @escaping @Sendable (inout TreeReader) throws -> Value) async throws -> Value {
        try await queue.run { _ in
            do {
                return try self.reader.withLock { try body(&$0) }
            } catch let failure as LibGit2Failure {
                self.files.markDamaged()
                throw GitError(
                    code: .damaged, message: "the mirror of \(self.revision.repository) is damaged: the next fetch rebuilds it",
                    repository: self.revision.repository, cause: failure.message)
            }
        }
    }
}

/// Reads trees; each is parsed once.
private struct TreeReader {
    private let repository: Repository
    private let commit: String
    private var root: String?
    private var trees: [String: [GitEntry]] = [:]
    private var byName: [String: [String: GitEntry]] = [:]

    init(repository: Repository, commit: String) {
        self.repository = repository
        self.commit = commit
    }

    private mutating func rootTree() throws -> String {
        if let root { return root }
        var oid = try git_oid(parsing: commit)
        var handle: OpaquePointer?
        try check(git_commit_lookup(&handle, repository.handle, &oid))
        defer { git_commit_free(handle) }
        let id = git_commit_tree_id(handle).pointee.text
        root = id
        return id
    }

    mutating func entry(at path: String) throws -> GitEntry? {
        var current = GitEntry(path: "", kind: .directory, objectID: try rootTree())
        for name in path.split(separator: "/") where name != "." {
            guard current.kind == .directory else { return nil }
            guard var next = try children(of: current.objectID)[String(name)] else { return nil }
            next.path = current.path.isEmpty ? String(name) : "\(current.path)/\(name)"
            current = next
        }
        return current
    }

    private mutating func children(of tree: String) throws -> [String: GitEntry] {
        if let known = byName[tree] { return known }
        let index = Dictionary(try parsed(tree).map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        byName[tree] = index
        return index
    }

    /// The tree's own entries; their paths are only names.
    private mutating func parsed(_ tree: String) throws -> [GitEntry] {
        if let known = trees[tree] { return known }
        var oid = try git_oid(parsing: tree)
        var handle: OpaquePointer?
        try check(git_tree_lookup(&handle, repository.handle, &oid))
        defer { git_tree_free(handle) }
        var entries: [GitEntry] = []
        for index in 0..<git_tree_entrycount(handle) {
            guard let entry = git_tree_entry_byindex(handle, index) else { continue }
            let id = git_tree_entry_id(entry).pointee.text
            let kind: GitEntry.Kind
            switch git_tree_entry_filemode(entry) {
            case GIT_FILEMODE_TREE: kind = .directory
            case GIT_FILEMODE_COMMIT: kind = .submodule
            case GIT_FILEMODE_LINK: kind = .symlink(target: String(decoding: try blob(id), as: UTF8.self))
            case GIT_FILEMODE_BLOB_EXECUTABLE: kind = .executable
            default: kind = .file
            }
            entries.append(GitEntry(path: String(cString: git_tree_entry_name(entry)), kind: kind, objectID: id))
        }
        trees[tree] = entries
        return entries
    }

    mutating func entries(ofTree tree: String, at path: String, recursive: Bool) throws -> [GitEntry] {
        var result: [GitEntry] = []
        for entry in try parsed(tree) {
            var entry = entry
            if !path.isEmpty { entry.path = "\(path)/\(entry.path)" }
            result.append(entry)
            if recursive, entry.kind == .directory {
                result += try entries(ofTree: entry.objectID, at: entry.path, recursive: true)
            }
        }
        return result.sorted { $0.path < $1.path }
    }

    func blob(_ id: String) throws -> [UInt8] {
        var oid = try git_oid(parsing: id)
        var handle: OpaquePointer?
        try check(git_blob_lookup(&handle, repository.handle, &oid))
        defer { git_blob_free(handle) }
        guard let start = git_blob_rawcontent(handle) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: Int(git_blob_rawsize(handle))))
    }
}
