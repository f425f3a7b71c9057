import CLibGit2
import ResourceModel

/// One thing that a commit's directory holds.
package struct GitEntry: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case file, executable, directory, submodule
        /// `target` is the link's text, not followed.
        case symlink(target: String)
    }

    /// From the repository's root, without a leading slash.
    package var path: String
    package var kind: Kind
    /// 40 hexadecimal digits; for a submodule the commit of the other repository.
    package var objectID: String

    package init(path: String, kind: Kind, objectID: String) {
        self.path = path
        self.kind = kind
        self.objectID = objectID
    }
}

/// A commit's files, read without a checkout. Each directory is parsed once and remembered. Safe to use from many tasks;
/// a snapshot reads one thing at a time.
package final class GitSnapshot: Sendable {
    package let revision: Revision

    struct Item: Sendable {
        var name: String
        var mode: UInt32
        var oid: git_oid
        var isDirectory: Bool { mode == GIT_FILEMODE_TREE.rawValue }
    }
    struct Listing: Sendable {
        var items: [Item]
        var byName: [String: Int]
    }

    private let repository: Locked<Repository>
    private let files: MirrorFiles
    private let queue = BlockingQueue(label: "git.snapshot")
    private let listings = Locked<[String: Listing]>([:])
    private let root: git_oid

    init(revision: Revision, repository: Repository, files: MirrorFiles) throws {
        self.revision = revision
        self.files = files
        var oid = try git_oid(parsing: revision.commit)
        var commit: OpaquePointer?
        try check(git_commit_lookup(&commit, repository.handle, &oid))
        root = git_commit_tree_id(commit).pointee
        git_commit_free(commit)
        self.repository = Locked(repository)
    }

    /// The id of the directory or file at `path`; `""` is the root. Equal ids mean equal contents.
    /// - Returns: nil if the commit has nothing there. An unreadable mirror throws.
    package func objectID(at path: String) async throws -> String? {
        try await objectIDs(at: [path])[0]
    }

    /// `objectID(at:)` for many paths at once, in their order.
    package func objectIDs(at paths: [String]) async throws -> [String?] {
        try await read { snapshot in try paths.map { try snapshot.find($0)?.oid.text } }
    }

    /// What lies in the directory at `path`, sorted by path.
    /// - Parameter recursive: whether directories' contents follow; submodules and links are not entered.
    /// - Throws: `GitError.Code.noSuchPath` if there is no such directory.
    package func entries(at path: String, recursive: Bool) async throws -> [GitEntry] {
        try await read { snapshot in
            guard let item = try snapshot.find(path), item.isDirectory else { throw snapshot.missing(path, "directory") }
            var entries: [GitEntry] = []
            try snapshot.collect(item.oid, GitSnapshot.normalized(path).joined(separator: "/"), recursive, &entries)
            return entries.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        }
    }

    /// A file's bytes; of a symbolic link the target's path.
    /// - Throws: `GitError.Code.noSuchPath` if there is no such file.
    package func contents(at path: String) async throws -> [UInt8] {
        try await read { snapshot in
            guard let item = try snapshot.find(path), !item.isDirectory, item.mode != GIT_FILEMODE_COMMIT.rawValue else {
                throw snapshot.missing(path, "file")
            }
            return try snapshot.blob(item.oid)
        }
    }

    /// Many files' bytes, in the entries' order.
    package func contents(of entries: [GitEntry]) async throws -> [[UInt8]] {
        try await read { snapshot in
            try entries.map { entry in
                if entry.kind == .directory || entry.kind == .submodule { throw snapshot.missing(entry.path, "file") }
                return try snapshot.blob(git_oid(parsing: entry.objectID))
            }
        }
    }

    // MARK: Reading, on the queue

    func read<Value: Sendable>(_ body: @escaping @Sendable (GitSnapshot) throws -> Value) async throws -> Value {
        try await queue.run { [self] _ in
            do {
                return try body(self)
            } catch let failure as LibGit2Failure {
                // A commit that was fetched whole has all its objects: what can't be read is damage.
                files.markDamaged()
                throw GitError(
                    code: .damaged,
                    message: "the mirror \(files.directory) of \(revision.repository) is damaged at commit \(revision.shortCommit): "
                        + "fetch again, which rebuilds it", repository: revision.repository, cause: failure.message)
            }
        }
    }

    static func normalized(_ path: String) -> [Substring] { path.split(separator: "/").filter { $0 != "." } }

    func missing(_ path: String, _ kind: String) -> GitError {
        GitError(
            code: .noSuchPath, message: "\(revision.repository) has no \(kind) \(path) at \(revision.ref) (\(revision.shortCommit))",
            repository: revision.repository)
    }

    private func find(_ path: String) throws -> Item? {
        var item = Item(name: "", mode: GIT_FILEMODE_TREE.rawValue, oid: root)
        for part in GitSnapshot.normalized(path) {
            guard item.isDirectory else { return nil }
            let oid = item.oid
            let name = String(part)
            guard let found = try withListing(oid, { listing in listing.byName[name].map { listing.items[$0] } }) else { return nil }
            item = found
        }
        return item
    }

    private func withListing<Value>(_ oid: git_oid, _ body: (Listing) throws -> Value) throws -> Value {
        let key = oid.text
        if let known = listings.withLock({ $0[key] }) { return try body(known) }
        let listing = try parse(oid)
        listings.withLock { $0[key] = listing }
        return try body(listing)
    }

    private func parse(_ oid: git_oid) throws -> Listing {
        try repository.withLock { repository in
            var oid = oid
            var tree: OpaquePointer?
            try check(git_tree_lookup(&tree, repository.handle, &oid))
            defer { git_tree_free(tree) }
            var items: [Item] = []
            let count = git_tree_entrycount(tree)
            items.reserveCapacity(count)
            for index in 0..<count {
                guard let entry = git_tree_entry_byindex(tree, index) else { continue }
                items.append(
                    Item(
                        name: String(cString: git_tree_entry_name(entry)), mode: git_tree_entry_filemode(entry).rawValue,
                        oid: git_tree_entry_id(entry).pointee))
            }
            let byName = Dictionary(items.indices.map { (items[$0].name, $0) }, uniquingKeysWith: { first, _ in first })
            return Listing(items: items, byName: byName)
        }
    }

    private func collect(_ oid: git_oid, _ directory: String, _ recursive: Bool, _ entries: inout [GitEntry]) throws {
        for item in try withListing(oid, { $0.items }) {
            let path = directory.isEmpty ? item.name : "\(directory)/\(item.name)"
            let kind: GitEntry.Kind =
                switch item.mode {
                case GIT_FILEMODE_TREE.rawValue: .directory
                case GIT_FILEMODE_BLOB_EXECUTABLE.rawValue: .executable
                case GIT_FILEMODE_LINK.rawValue: .symlink(target: String(decoding: try blob(item.oid), as: UTF8.self))
                case GIT_FILEMODE_COMMIT.rawValue: .submodule
                default: .file
                }
            entries.append(GitEntry(path: path, kind: kind, objectID: item.oid.text))
            if recursive && kind == .directory { try collect(item.oid, path, true, &entries) }
        }
    }

    private func blob(_ oid: git_oid) throws -> [UInt8] {
        try repository.withLock { repository in
            try repository.withObjects { objects in
                var oid = oid
                var object: OpaquePointer?
                try check(git_odb_read(&object, objects, &oid))
                defer { git_odb_object_free(object) }
                guard let bytes = git_odb_object_data(object) else { return [] }
                return Array(UnsafeRawBufferPointer(start: bytes, count: git_odb_object_size(object)))
            }
        }
    }
}
