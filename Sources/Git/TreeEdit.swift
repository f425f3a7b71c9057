import CLibGit2

/// Makes a directory in which some paths are as in another one. Only directories on the way to those paths are written.
struct TreeEdit {
    private let repository: Repository
    /// The directories that were made.
    private(set) var written: [git_oid] = []

    init(in repository: Repository) { self.repository = repository }

    /// What a directory holds at a path.
    struct Entry: Equatable {
        var oid: git_oid
        var mode: git_filemode_t

        static func == (left: Entry, right: Entry) -> Bool { left.mode == right.mode && left.oid.text == right.oid.text }
    }

    /// - Returns: nil when nothing is there.
    func entry(at path: [Substring], in tree: git_oid) throws(LibGit2Failure) -> Entry? {
        if path.isEmpty { return Entry(oid: tree, mode: GIT_FILEMODE_TREE) }
        let handle = try lookup(tree)
        defer { git_tree_free(handle) }
        var found: OpaquePointer?
        let status = git_tree_entry_bypath(&found, handle, path.joined(separator: "/"))
        // A file where a directory would have to be is "nothing there" as well.
        if status == GIT_ENOTFOUND.rawValue { return nil }
        try check(status)
        defer { git_tree_entry_free(found) }
        return Entry(oid: git_tree_entry_id(found).pointee, mode: git_tree_entry_filemode(found))
    }

    /// The directory `tree` with `paths` as they are in `source`, whatever is there now, and nothing else changed.
    /// - Throws: `GitError` if a file of `tree` stands where a directory would have to be.
    mutating func tree(_ tree: git_oid, restoring paths: [String], from source: git_oid) throws -> git_oid {
        var result = tree
        for path in paths {
            let parts = GitSnapshot.normalized(path)
            let wanted = try entry(at: parts, in: source)
            if parts.isEmpty {
                result = source
            } else if try entry(at: parts, in: result) != wanted {
                result = try set(parts[...], to: wanted, in: result, at: "") ?? empty()
            }
        }
        return result
    }

    /// - Returns: nil for an empty directory, which Git does not store.
    private mutating func set(_ path: ArraySlice<Substring>, to wanted: Entry?, in tree: git_oid?, at place: String) throws -> git_oid? {
        guard let name = path.first.map(String.init) else { return tree }
        let here = place.isEmpty ? name : "\(place)/\(name)"
        let base = try tree.map { oid throws(LibGit2Failure) in try lookup(oid) }
        defer { git_tree_free(base) }
        let existing = base.flatMap { git_tree_entry_byname($0, name) }
        var entry = wanted
        if path.count > 1 {
            if let existing, git_tree_entry_type(existing) != GIT_OBJECT_TREE {
                if wanted == nil { return tree }
                throw GitError(
                    code: .failed, message: "\(here) is a file now, and \(here)/\(path.dropFirst().joined(separator: "/")) can't be restored "
                        + "without removing it", repository: "")
            }
            let below = try set(path.dropFirst(), to: wanted, in: existing.map { git_tree_entry_id($0).pointee }, at: here)
            entry = below.map { Entry(oid: $0, mode: GIT_FILEMODE_TREE) }
        }
        var builder: OpaquePointer?
        try check(git_treebuilder_new(&builder, repository.handle, base))
        defer { git_treebuilder_free(builder) }
        if var entry {
            try check(git_treebuilder_insert(nil, builder, name, &entry.oid, entry.mode))
        } else if existing != nil {
            try check(git_treebuilder_remove(builder, name))
        }
        return git_treebuilder_entrycount(builder) == 0 ? nil : try write(builder)
    }

    private mutating func empty() throws(LibGit2Failure) -> git_oid {
        var builder: OpaquePointer?
        try check(git_treebuilder_new(&builder, repository.handle, nil))
        defer { git_treebuilder_free(builder) }
        return try write(builder)
    }

    private mutating func write(_ builder: OpaquePointer?) throws(LibGit2Failure) -> git_oid {
        var oid = git_oid()
        try check(git_treebuilder_write(&oid, builder))
        written.append(oid)
        return oid
    }

    private func lookup(_ oid: git_oid) throws(LibGit2Failure) -> OpaquePointer {
        var (oid, handle): (git_oid, OpaquePointer?) = (oid, nil)
        try check(git_tree_lookup(&handle, repository.handle, &oid))
        return handle!
    }
}
