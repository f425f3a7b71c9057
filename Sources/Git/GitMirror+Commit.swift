import CLibGit2
import ResourceModel

/// Who made a commit.
package struct GitPerson: Sendable, Hashable, CustomStringConvertible {
    package var name: String
    package var email: String

    package init(name: String, email: String) {
        self.name = name
        self.email = email
    }

    package var description: String { "\(name) <\(email)>" }
}

/// A commit to be made: a parent's files, with some paths taken from another commit.
package struct CommitDraft: Sendable {
    /// 40 digits.
    package var parent: String
    /// Files and directories, from the repository's root; what `source` lacks is removed.
    package var paths: [String]
    /// 40 digits of the commit that has `paths` as they shall be.
    package var source: String
    package var message: String
    package var author: GitPerson
    package var committer: GitPerson
    /// Seconds since 1970-01-01 UTC.
    package var time: Int64
    package var signer: CommitSigner?

    package init(
        parent: String, restoring paths: [String], from source: String, message: String, author: GitPerson, committer: GitPerson? = nil,
        time: Int64, signer: CommitSigner? = nil
    ) {
        self.parent = parent
        self.paths = paths
        self.source = source
        self.message = message
        self.author = author
        self.committer = committer ?? author
        self.time = time
        self.signer = signer
    }
}

extension GitMirror {
    /// Makes a commit in the mirror, without a checkout; no branch moves, here or at the remote.
    /// - Returns: nil if nothing would change.
    /// - Throws: `GitError`: `notFetched` if the mirror lacks one of the commits, `missingTool` or `signing` if it can't be signed.
    package func commit(_ draft: CommitDraft, deadline: Duration = .seconds(60)) async throws -> Revision? {
        try await network.run(deadline: deadline, expired: expired("making a commit for the mirror", deadline)) { [self] operation in
            try translating("make a commit for the mirror") {
                try files.locked(operation) {
                    let revision = try commitNow(draft, openedMirror(), operation)
                    if revision != nil { try files.recordState(in: directory) }
                    return revision
                }
            }
        }
    }

    /// New objects are made in memory and stored as one pack, as everything in a mirror is.
    private func commitNow(_ draft: CommitDraft, _ repository: Repository, _ operation: Operation) throws -> Revision? {
        try repository.withObjects { objects in
            var memory: UnsafeMutablePointer<git_odb_backend>?
            try check(git_mempack_new(&memory))
            try check(git_odb_add_backend(objects, memory, 1_000))
            var edit = TreeEdit(in: repository)
            let (old, source) = (try root(of: draft.parent, in: repository), try root(of: draft.source, in: repository))
            let tree = try edit.tree(old, restoring: draft.paths, from: source)
            if tree.text == old.text { return nil }
            operation.phase = "signing"
            let commit = try write(draft, tree, repository, operation)
            var seen: Set<String> = []
            let writer = try PackWriter()
            for var oid in edit.written + [commit] where seen.insert(oid.text).inserted {
                var object: OpaquePointer?
                try check(git_odb_read(&object, objects, &oid))
                defer { git_odb_object_free(object) }
                try writer.add(
                    oid, git_odb_object_type(object),
                    UnsafeRawBufferPointer(start: git_odb_object_data(object), count: git_odb_object_size(object)))
            }
            try writer.finish(in: repository.packs)
            return try revision(ref: commit.text, commit: commit, in: repository)
        }
    }

    private func root(of commit: String, in repository: Repository) throws -> git_oid {
        guard let tree = try repository.tree(of: git_oid(parsing: commit)) else {
            throw GitError(
                code: .notFetched, message: "the mirror of \(remote.url) has no commit \(commit): fetch it first", repository: remote.url)
        }
        return tree
    }

    private func write(_ draft: CommitDraft, _ tree: git_oid, _ repository: Repository, _ operation: Operation) throws -> git_oid {
        var (tree, parentID) = (tree, try git_oid(parsing: draft.parent))
        var (root, parent): (OpaquePointer?, OpaquePointer?) = (nil, nil)
        try check(git_tree_lookup(&root, repository.handle, &tree))
        defer { git_tree_free(root) }
        try check(git_commit_lookup(&parent, repository.handle, &parentID))
        defer { git_commit_free(parent) }
        let author = try Signature(draft.author, draft.time)
        let committer = try Signature(draft.committer, draft.time)
        var buffer = git_buf()
        defer { git_buf_dispose(&buffer) }
        var parents = [parent]
        try check(
            git_commit_create_buffer(
                &buffer, repository.handle, author.handle, committer.handle, nil, draft.message, root, 1, &parents))
        let content = String(cString: buffer.ptr)
        let signature = try draft.signer?.signature(of: content, operation)
        var oid = git_oid()
        if let signature {
            try check(git_commit_create_with_signature(&oid, repository.handle, content, signature, "gpgsig"))
        } else {
            try check(git_commit_create_with_signature(&oid, repository.handle, content, nil, nil))
        }
        return oid
    }
}

/// The one owner of a `git_signature`.
private final class Signature {
    let handle: UnsafeMutablePointer<git_signature>

    init(_ person: GitPerson, _ time: Int64) throws {
        var handle: UnsafeMutablePointer<git_signature>?
        guard git_signature_new(&handle, person.name, person.email, time, 0) == 0, let handle else {
            throw GitError(
                code: .failed, message: "`\(person)` can't be the author of a commit: a name and an e-mail address without < and > are needed",
                repository: "", cause: LibGit2Failure.last(-1).message)
        }
        self.handle = handle
    }

    deinit { git_signature_free(handle) }
}
