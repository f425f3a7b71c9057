import CLibGit2
import ResourceModel

/// A commit with all that it says.
package struct LoggedCommit: Sendable, Hashable {
    package var revision: Revision
    /// Subject, body and trailers.
    package var message: String

    /// The values of `KEY: VALUE` lines of the message's last paragraph, in order. git-interpret-trailers(1).
    package func trailers(_ key: String) -> [String] {
        let lines = message.split(separator: "\n", omittingEmptySubsequences: false).map { $0.last == "\r" ? $0.dropLast() : $0 }
        let kept = lines.reversed().drop { $0.allSatisfy(\.isWhitespace) }.prefix { !$0.allSatisfy(\.isWhitespace) }
        return kept.reversed().compactMap { line in
            guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == key.lowercased() else { return nil }
            return String(line[line.index(after: colon)...].drop { $0 == " " })
        }
    }
}

/// How one file differs between two commits.
package struct FilePatch: Sendable, Hashable {
    package var path: String
    package var added: Int
    package var removed: Int
    /// The unified diff, with its `diff --git` line.
    package var text: String
}

extension GitMirror {
    /// The commits that `new` has and `old` has not, newest first.
    /// - Parameters:
    ///   - old: 40 digits; nil for the whole history.
    ///   - paths: only commits that change one of them; empty for all. A merge counts if it differs there from all its parents.
    ///   - limit: the most to return.
    package func log(from old: String?, to new: String, touching paths: [String] = [], limit: Int) async throws -> [LoggedCommit] {
        try await reading.run { [self] operation in
            try translating("read the history") {
                let repository = try openedMirror()
                var walk: OpaquePointer?
                try check(git_revwalk_new(&walk, repository.handle))
                defer { git_revwalk_free(walk) }
                try check(git_revwalk_sorting(walk, GIT_SORT_TOPOLOGICAL.rawValue | GIT_SORT_TIME.rawValue))
                var (first, last) = (try git_oid(parsing: new), try old.map { text throws(LibGit2Failure) in try git_oid(parsing: text) })
                try check(git_revwalk_push(walk, &first))
                if last != nil { try check(git_revwalk_hide(walk, &last!)) }
                var commits: [LoggedCommit] = []
                var oid = git_oid()
                while commits.count < limit {
                    if operation.stopped != nil { throw CancellationError() }
                    let status = git_revwalk_next(&oid, walk)
                    if status == GIT_ITEROVER.rawValue { break }
                    try check(status)
                    if let commit = try logged(oid, paths, repository) { commits.append(commit) }
                }
                return commits
            }
        }
    }

    /// Whether `old` is `new` or one of its ancestors; `nil` when the mirror does not hold `old` any more.
    package func contains(_ old: String, in new: String) async throws -> Bool? {
        if old == new { return true }
        return try await reading.run { [self] _ in
            try translating("read the history") {
                let repository = try openedMirror()
                guard let former = try lookup(old, in: repository) else { return nil }
                var (first, last) = (try git_oid(parsing: new), former)
                let status = git_graph_descendant_of(repository.handle, &first, &last)
                if status < 0 { try check(status) }
                return status == 1
            }
        }
    }

    /// How files differ between two commits, sorted by path; binary files without their contents.
    package func patches(from old: String, to new: String) async throws -> [FilePatch] {
        try await reading.run { [self] _ in
            try translating("compare \(old.prefix(7)) with \(new.prefix(7))") {
                let repository = try openedMirror()
                func tree(_ commit: String) throws -> OpaquePointer? {
                    guard var oid = try repository.tree(of: git_oid(parsing: commit)) else {
                        throw GitError(
                            code: .notFetched, message: "the mirror of \(remote.url) has no commit \(commit): fetch it first", repository: remote.url)
                    }
                    var tree: OpaquePointer?
                    try check(git_tree_lookup(&tree, repository.handle, &oid))
                    return tree
                }
                let before = try tree(old)
                defer { git_tree_free(before) }
                let after = try tree(new)
                defer { git_tree_free(after) }
                var options = git_diff_options()
                try check(git_diff_options_init(&options, UInt32(GIT_DIFF_OPTIONS_VERSION)))
                var diff: OpaquePointer?
                try check(git_diff_tree_to_tree(&diff, repository.handle, before, after, &options))
                defer { git_diff_free(diff) }
                return try (0..<git_diff_num_deltas(diff)).map { try patch($0, of: diff) }
            }
        }
    }

    private func patch(_ index: Int, of diff: OpaquePointer?) throws -> FilePatch {
        var patch: OpaquePointer?
        try check(git_patch_from_diff(&patch, diff, index))
        defer { git_patch_free(patch) }
        let delta = git_diff_get_delta(diff, index)?.pointee
        let path = (delta?.new_file.path ?? delta?.old_file.path).map { String(cString: $0) } ?? ""
        var (added, removed) = (0, 0)
        try check(git_patch_line_stats(nil, &added, &removed, patch))
        var buffer = git_buf()
        defer { git_buf_dispose(&buffer) }
        try check(git_patch_to_buf(&buffer, patch))
        let text = String(decoding: UnsafeRawBufferPointer(start: buffer.ptr, count: buffer.size), as: UTF8.self)
        return FilePatch(path: path, added: added, removed: removed, text: text)
    }

    /// - Returns: nil if the commit touches none of `paths`.
    private func logged(_ oid: git_oid, _ paths: [String], _ repository: Repository) throws -> LoggedCommit? {
        var (oid, commit): (git_oid, OpaquePointer?) = (oid, nil)
        try check(git_commit_lookup(&commit, repository.handle, &oid))
        defer { git_commit_free(commit) }
        if !paths.isEmpty {
            let edit = TreeEdit(in: repository)
            let parts = paths.map(GitSnapshot.normalized)
            let tree = git_commit_tree_id(commit).pointee
            let mine = try parts.map { try edit.entry(at: $0, in: tree) }
            let parents = git_commit_parentcount(commit)
            for index in 0..<parents {
                guard let id = git_commit_parent_id(commit, index)?.pointee, let parent = try repository.tree(of: id) else { continue }
                if try parts.map({ try edit.entry(at: $0, in: parent) }) == mine { return nil }
            }
            if parents == 0, mine.allSatisfy({ $0 == nil }) { return nil }
        }
        return LoggedCommit(
            revision: try revision(ref: oid.text, commit: oid, in: repository),
            message: git_commit_message(commit).map { String(cString: $0) } ?? "")
    }
}
