import CLibGit2
import Glibc
import ResourceModel

/// The fetch itself: blocking, on the mirror's network queue, under the mirror's lock.
extension GitMirror {
    func fetchNow(_ ref: String, _ operation: Operation) throws -> Revision {
        try files.locked(operation) {
            guard case .sound(let repository) = files.open() else { return try rebuild(ref, operation) }
            if ref.isFullObjectID, let stored = try? revision(ref: ref, commit: git_oid(parsing: ref.lowercased()), in: repository) {
                return stored  // A failure only means that it has to be fetched.
            }
            do {
                let revision = try fetch(ref, into: repository, operation)
                try files.recordState(in: directory)
                return revision
            } catch let failure as LibGit2Failure where failure.concernsStorage && operation.stopped == nil {
                return try rebuild(ref, operation)
            }
        }
    }

    /// Makes the mirror anew beside the old one, which stays until the new one is complete.
    private func rebuild(_ ref: String, _ operation: Operation) throws -> Revision {
        if operation.stopped != nil { throw CancellationError() }
        MirrorFiles.removeTree(files.incoming)
        defer { MirrorFiles.removeTree(files.incoming) }
        try MirrorFiles.makeParents(of: files.incoming)
        let revision: Revision
        do {
            let repository = try Repository(creating: files.incoming)
            revision = try fetch(ref, into: repository, operation)
        } catch let failure as LibGit2Failure where failure.concernsStorage && operation.stopped == nil {
            throw GitError(
                code: .failed,
                message: "what \(remote.url) sent can't be stored: check the repository there (git fsck) and the disk of \(directory)",
                repository: remote.url, cause: failure.message)
        }
        try MirrorFiles.renamePacks(in: files.incoming)
        try files.recordState(in: files.incoming)
        try files.install()
        return revision
    }

    private func fetch(_ ref: String, into repository: Repository, _ operation: Operation) throws -> Revision {
        try TLSTrust.using(remote, operation) {
            let connection = try Connection(to: remote, for: repository, operation: operation)
            let refs = try connection.references()
            advertised.withLock { $0 = refs }
            var commit = git_oid()
            switch RefResolution.target(of: ref, among: refs) {
            case .advertised(let found):
                commit = try git_oid(parsing: found.commit)
                if !holds(commit, repository) { try connection.download([found]) }
                if found.peeledID == nil { commit = try peeled(git_oid(parsing: found.objectID), in: repository) }
            case .commit(let id):
                if id.isFullObjectID, try lookup(id, in: repository) == nil { _ = try connection.download(commit: id) }
                // Otherwise everything that is advertised is sure to hold what can be had.
                let named = refs.filter { $0.name.hasPrefix("refs/heads/") || $0.name.hasPrefix("refs/tags/") }
                if !named.isEmpty, try lookup(id, in: repository) == nil { try connection.download(named) }
                guard let found = try lookup(id, in: repository) else { throw unknown(ref, among: refs) }
                commit = found
            case .ambiguous(let ids): throw ambiguous(ref, ids)
            case .unknown: throw unknown(ref, among: refs)
            }
            let result = try revision(ref: ref, commit: commit, in: repository)
            if !ref.isFullObjectID {
                try note(commit, as: GitMirror.localName(of: ref), in: repository)
            }
            return result
        }
    }

    /// The commit of an advertised reference, noted for `ref`, if nothing has to be fetched for it.
    func stored(_ found: RemoteRef, for ref: String, in repository: Repository) throws -> Revision? {
        var commit = try git_oid(parsing: found.commit)
        guard holds(commit, repository) else { return nil }
        if found.peeledID == nil { commit = try peeled(git_oid(parsing: found.objectID), in: repository) }
        let result = try revision(ref: ref, commit: commit, in: repository)
        if !ref.isFullObjectID { try note(commit, as: GitMirror.localName(of: ref), in: repository) }
        return result
    }

    /// Remembers what a reference was found to be. A lock file that lies there was left by a process that ended in the middle: whoever
    /// writes references of a mirror holds the mirror's own lock, as we do.
    private func note(_ commit: git_oid, as name: String, in repository: Repository) throws {
        var commit = commit
        var reference: OpaquePointer?
        defer { git_reference_free(reference) }
        var status = git_reference_create(&reference, repository.handle, name, &commit, 1, nil)
        if status == GIT_ELOCKED.rawValue, let directory = git_repository_path(repository.handle).map({ String(cString: $0) }) {
            unlink("\(directory)\(name).lock")
            status = git_reference_create(&reference, repository.handle, name, &commit, 1, nil)
        }
        try check(status)
    }

    /// The commit and its root directory are there.
    private func holds(_ oid: git_oid, _ repository: Repository) -> Bool {
        (try? revision(ref: "", commit: oid, in: repository)) != nil  // Any failure means: download it.
    }

    private func peeled(_ oid: git_oid, in repository: Repository) throws -> git_oid {
        var oid = oid
        var object: OpaquePointer?
        try check(git_object_lookup(&object, repository.handle, &oid, GIT_OBJECT_ANY))
        defer { git_object_free(object) }
        var commit: OpaquePointer?
        try check(git_object_peel(&commit, object, GIT_OBJECT_COMMIT))
        defer { git_object_free(commit) }
        return git_object_id(commit).pointee
    }

    /// - Returns: nil if no commit, and no tag of one, has an id that begins so.
    func lookup(_ id: String, in repository: Repository) throws -> git_oid? {
        var prefix = git_oid()
        try check(git_oid_fromstrn(&prefix, id, id.utf8.count))
        var object: OpaquePointer?
        let status = git_object_lookup_prefix(&object, repository.handle, &prefix, id.utf8.count, GIT_OBJECT_ANY)
        if status == GIT_ENOTFOUND.rawValue { return nil }
        if status == GIT_EAMBIGUOUS.rawValue { throw ambiguous(id, []) }
        try check(status)
        defer { git_object_free(object) }
        switch git_object_type(object) {
        case GIT_OBJECT_COMMIT, GIT_OBJECT_TAG: return try peeled(git_object_id(object).pointee, in: repository)
        default: return nil
        }
    }

    /// Reads the commit, and makes sure that its root directory can be read.
    func revision(ref: String, commit oid: git_oid, in repository: Repository) throws -> Revision {
        var oid = oid
        var commit: OpaquePointer?
        try check(git_commit_lookup(&commit, repository.handle, &oid))
        defer { git_commit_free(commit) }
        var tree: OpaquePointer?
        try check(git_commit_tree(&tree, commit))
        git_tree_free(tree)
        let author = git_commit_author(commit)?.pointee
        let name = author?.name.map { String(cString: $0) } ?? ""
        let email = author?.email.map { String(cString: $0) } ?? ""
        return Revision(
            repository: remote.url, ref: ref.isEmpty ? "HEAD" : ref, commit: oid.text, author: "\(name) <\(email)>",
            subject: git_commit_summary(commit).map { String(cString: $0) } ?? "", committedAt: git_commit_time(commit))
    }

    /// - Throws: `GitError` if there is no mirror that can be trusted.
    func openedMirror() throws -> Repository {
        switch files.open() {
        case .sound(let repository): return repository
        case .absent:
            throw GitError(code: .notFetched, message: "\(remote.url) has not been fetched yet: fetch it first", repository: remote.url)
        case .damaged(let reason):
            throw GitError(
                code: .damaged, message: "the mirror \(directory) of \(remote.url) can't be used (\(reason)): the next fetch rebuilds it",
                repository: remote.url)
        }
    }

    /// Where the commit found for `ref` is kept: one flat reference for each text that was asked for.
    static func localName(of ref: String) -> String {
        var name = ""
        for byte in (ref.isEmpty ? "HEAD" : ref).utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"): name.unicodeScalars.append(Unicode.Scalar(byte))
            default: name += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        // File names end at 255 bytes.
        return "refs/asked/\(name.utf8.count > 200 ? JSONValue.string(ref).digest : name)"
    }
}
