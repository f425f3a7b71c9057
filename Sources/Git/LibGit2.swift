import CLibGit2

/// What can be made ready before the first use.
package enum GitLibrary {
    /// Takes several milliseconds once, on the calling thread; a first use would take them too.
    package static func prepare() { _ = LibGit2.ready }
}

/// The library's process-wide state: initialised once, never shut down.
enum LibGit2 {
    /// Touch it before any other call into libgit2. The first touch takes several milliseconds: libgit2 reads the system's
    /// certificates whether they will be needed or not.
    static let ready: Bool = {
        guard git_libgit2_init() > 0 else { return false }
        // What a user's ~/.gitconfig says (url.insteadOf, a broken line) must not change what is fetched.
        for level in [GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_PROGRAMDATA] {
            _ = rc_git_option_level_string(Int32(GIT_OPT_SET_SEARCH_PATH.rawValue), level.rawValue, "")
        }
        // git refuses repositories of other users because their configuration can start programs; libgit2 starts none.
        _ = rc_git_option_int(Int32(GIT_OPT_SET_OWNER_VALIDATION.rawValue), 0)
        _ = rc_git_option_int(Int32(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION.rawValue), 1)
        _ = rc_git_option_string(Int32(GIT_OPT_SET_USER_AGENT.rawValue), "reconciler")
        SocketStream.register()
        return true
    }()
}

/// The one owner of a `git_repository`. Not for use by two threads at once.
final class Repository {
    let handle: OpaquePointer

    /// Opens a bare repository.
    init(opening path: String) throws(LibGit2Failure) {
        _ = LibGit2.ready
        var handle: OpaquePointer?
        try check(git_repository_open_bare(&handle, path))
        self.handle = handle!
    }

    /// Opens a repository of any kind, as Git finds one at `path` itself: bare, a work tree or a linked one.
    init(anywhere path: String) throws(LibGit2Failure) {
        _ = LibGit2.ready
        var handle: OpaquePointer?
        try check(git_repository_open(&handle, path))
        self.handle = handle!
    }

    /// Makes an empty bare repository in a directory that is not there yet, with the files that Git asks for and no others
    /// (gitrepository-layout(5)): libgit2 probes the file system for a work tree's sake, and writes the configuration five times.
    /// - Throws: `LibGit2Failure` if it can't be opened, `GitError` if it can't be written.
    convenience init(creating path: String) throws {
        for directory in ["objects/pack", "refs/heads"] { try MirrorFiles.makeParents(of: "\(path)/\(directory)/") }
        try MirrorFiles.write(Array("ref: refs/heads/main\n".utf8), to: path + "/HEAD")
        try MirrorFiles.write(Array("[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n".utf8), to: path + "/config")
        try self.init(opening: path)
    }

    deinit { git_repository_free(handle) }

    /// The root directory of a commit; nil if there is no such commit.
    func tree(of commit: git_oid) throws(LibGit2Failure) -> git_oid? {
        var oid = commit
        var commit: OpaquePointer?
        let status = git_commit_lookup(&commit, handle, &oid)
        if status == GIT_ENOTFOUND.rawValue { return nil }
        try check(status)
        defer { git_commit_free(commit) }
        return git_commit_tree_id(commit).pointee
    }

    /// The paths that differ between two trees, sorted.
    func changedPaths(from old: git_oid, to new: git_oid) throws(LibGit2Failure) -> [String] {
        var (old, new) = (old, new)
        var trees: (old: OpaquePointer?, new: OpaquePointer?)
        try check(git_tree_lookup(&trees.old, handle, &old))
        defer { git_tree_free(trees.old) }
        try check(git_tree_lookup(&trees.new, handle, &new))
        defer { git_tree_free(trees.new) }
        var options = git_diff_options()
        try check(git_diff_options_init(&options, UInt32(GIT_DIFF_OPTIONS_VERSION)))
        options.flags = GIT_DIFF_INCLUDE_TYPECHANGE.rawValue | GIT_DIFF_SKIP_BINARY_CHECK.rawValue
        var diff: OpaquePointer?
        try check(git_diff_tree_to_tree(&diff, handle, trees.old, trees.new, &options))
        defer { git_diff_free(diff) }
        var paths: Set<String> = []
        for index in 0..<git_diff_num_deltas(diff) {
            guard let delta = git_diff_get_delta(diff, index)?.pointee else { continue }
            for path in [delta.old_file.path, delta.new_file.path] { if let path { paths.insert(String(cString: path)) } }
        }
        return paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Where its objects lie; linked work trees share them.
    var objects: String { String(cString: git_repository_commondir(handle)) + "objects" }
    var packs: String { objects + "/pack" }
    var hasPacks: Bool { MirrorFiles.names(in: packs).contains { $0.hasSuffix(".idx") } }

    /// The object database; valid during `body`.
    func withObjects<Result>(_ body: (OpaquePointer) throws -> Result) throws -> Result {
        var objects: OpaquePointer?
        try check(git_repository_odb(&objects, handle))
        defer { git_odb_free(objects) }
        return try body(objects!)
    }
}

extension git_oid {
    /// Its 20 bytes.
    func bytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result { withUnsafeBytes(of: id, body) }

    /// - Parameter text: 40 hexadecimal digits.
    init(parsing text: String) throws(LibGit2Failure) {
        self.init()
        try check(git_oid_fromstr(&self, text))
    }

    /// 40 hexadecimal digits.
    var text: String {
        withUnsafePointer(to: self) { oid in
            String(unsafeUninitializedCapacity: 40) { buffer in
                buffer.withMemoryRebound(to: CChar.self) { _ = git_oid_fmt($0.baseAddress, oid) }
                return 40
            }
        }
    }
}

extension String {
    /// 40 hexadecimal digits.
    var isFullObjectID: Bool { utf8.count == 40 && isHexadecimal }
    /// 7 to 39 hexadecimal digits.
    var isShortObjectID: Bool { (7..<40).contains(utf8.count) && isHexadecimal }
    private var isHexadecimal: Bool {
        utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) || (65...70).contains($0) }
    }
}
