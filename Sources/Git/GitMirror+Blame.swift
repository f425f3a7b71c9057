import CLibGit2
import ResourceModel

extension GitMirror {
    /// The commit that last changed a line of a file, as the file is at `commit`; no work tree is needed.
    /// - Parameter line: from 1.
    /// - Returns: nil if the file has no such line, or is not there.
    package func blame(_ path: String, line: Int, at commit: String) async throws -> Revision? {
        try await reading.run { [self] _ in
            try translating("find who changed \(path):\(line)") {
                let repository = try openedMirror()
                // libgit2 does not say that a line is beyond the last one.
                guard line > 0, line <= (try lines(of: path, at: commit, in: repository)) else { return nil }
                var options = git_blame_options()
                try check(git_blame_options_init(&options, UInt32(GIT_BLAME_OPTIONS_VERSION)))
                options.newest_commit = try git_oid(parsing: commit)
                options.min_line = line
                options.max_line = line
                var blame: OpaquePointer?
                let status = git_blame_file(&blame, repository.handle, path, &options)
                if status == GIT_ENOTFOUND.rawValue { return nil }
                try check(status)
                defer { git_blame_free(blame) }
                guard let hunk = git_blame_get_hunk_byline(blame, line)?.pointee else { return nil }
                return try revision(ref: hunk.final_commit_id.text, commit: hunk.final_commit_id, in: repository)
            }
        }
    }

    /// How many lines a file has; 0 when it is not there.
    private func lines(of path: String, at commit: String, in repository: Repository) throws -> Int {
        guard var oid = try repository.tree(of: git_oid(parsing: commit)) else { return 0 }
        var tree: OpaquePointer?
        try check(git_tree_lookup(&tree, repository.handle, &oid))
        defer { git_tree_free(tree) }
        var entry: OpaquePointer?
        let status = git_tree_entry_bypath(&entry, tree, path)
        if status == GIT_ENOTFOUND.rawValue { return 0 }
        try check(status)
        defer { git_tree_entry_free(entry) }
        guard git_tree_entry_type(entry) == GIT_OBJECT_BLOB else { return 0 }
        var blob: OpaquePointer?
        try check(git_blob_lookup(&blob, repository.handle, git_tree_entry_id(entry)))
        defer { git_blob_free(blob) }
        let bytes = UnsafeRawBufferPointer(start: git_blob_rawcontent(blob), count: Int(git_blob_rawsize(blob)))
        return bytes.count { $0 == UInt8(ascii: "\n") } + (bytes.last == UInt8(ascii: "\n") || bytes.isEmpty ? 0 : 1)
    }
}
