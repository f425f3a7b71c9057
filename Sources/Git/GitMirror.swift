import CLibGit2
import ResourceModel
import Synchronization

/// A bare copy of a remote repository, as far as it was fetched. One directory, usable by several processes at once.
package final class GitMirror: Sendable {
    package let directory: String
    package let remote: GitRemote
    let files: MirrorFiles
    private let packLimit: Int
    /// What the remote advertised to the last fetch of this process.
    let advertised = Mutex<[RemoteRef]>([])
    let network = BlockingQueue(label: "git.network")
    let reading = BlockingQueue(label: "git.reading")

    /// Touches nothing; `fetch` makes the directory.
    /// - Parameter packLimit: with more packs than this, the small ones are put together after a fetch.
    package init(directory: String, remote: GitRemote, packLimit: Int = 32) {
        var directory = directory
        while directory.count > 1, directory.hasSuffix("/") { directory.removeLast() }
        self.directory = directory
        self.remote = remote
        self.packLimit = packLimit
        files = MirrorFiles(directory: directory, url: remote.url)
    }

    /// Fetches one reference and returns the commit that it stands for now. A commit id that is stored already needs no network.
    /// - Parameter ref: a branch, a tag, a full or short commit id, `HEAD`, a full reference name, or a version range on tags.
    /// - Throws: `GitError` (never an older commit when the fetch failed), `CancellationError`.
    package func fetch(ref: String, deadline: Duration) async throws -> Revision {
        try await network.run(
            deadline: deadline, expired: expired("fetching \(shown(ref))", deadline),
            afterwards: { [files, packLimit] in files.consolidate(limit: packLimit) }
        ) { [self] operation in
            try translating("fetch \(shown(ref))") { try fetchNow(ref, operation) }
        }
    }

    /// The commit of a reference as this process' last fetch saw it, whatever that was a fetch of: a remote tells all its references each
    /// time, so that it need not be asked again for one of them.
    /// - Returns: `nil` when this process fetched nothing yet, the remote has no such reference, or its commit cannot be read here: a fetch
    ///   says what is wrong, or mends it.
    package func revisionSeen(of ref: String) async throws -> Revision? {
        guard case .advertised(let found) = RefResolution.target(of: ref, among: advertised.withLock { $0 }) else { return nil }
        return try await reading.run { [self] operation in
            try translating("resolve \(shown(ref))") {
                try files.locked(operation) {
                    guard case .sound(let repository) = files.open() else { return nil }
                    do { return try stored(found, for: ref, in: repository) } catch is LibGit2Failure { return nil }
                }
            }
        }
    }

    /// The commit that the last `fetch` of this very `ref` found, or the commit of that id; without any network.
    package func resolve(_ ref: String) async throws -> Revision {
        try await reading.run { [self] _ in
            try translating("resolve \(shown(ref))") {
                let repository = try openedMirror()
                if ref.isFullObjectID { return try revision(ref: ref, commit: git_oid(parsing: ref.lowercased()), in: repository) }
                var oid = git_oid()
                if git_reference_name_to_id(&oid, repository.handle, GitMirror.localName(of: ref)) == 0 {
                    return try revision(ref: ref, commit: oid, in: repository)
                }
                if ref.isShortObjectID, let found = try lookup(ref.lowercased(), in: repository) {
                    return try revision(ref: ref, commit: found, in: repository)
                }
                throw GitError(
                    code: .notFetched, message: "\(shown(ref)) of \(remote.url) has not been fetched yet: fetch it first",
                    repository: remote.url)
            }
        }
    }

    /// A view of one commit's files; its own handle, so several snapshots can be read side by side.
    package func snapshot(of revision: Revision) async throws -> GitSnapshot {
        try await reading.run { [self] _ in
            try translating("open commit \(revision.shortCommit)") {
                try GitSnapshot(revision: revision, repository: openedMirror(), files: files)
            }
        }
    }

    /// The paths of files (and links and submodules) that differ between two commits which were fetched, sorted. A renamed
    /// file counts with both its names.
    /// - Throws: `GitError.Code.notFetched` if the mirror lacks one of the commits: what changed is unknown then.
    package func changedPaths(from old: String, to new: String) async throws -> [String] {
        try await reading.run { [self] _ in
            try translating("compare \(old.prefix(7)) with \(new.prefix(7))") {
                let repository = try openedMirror()
                return try repository.changedPaths(from: tree(of: old, in: repository), to: tree(of: new, in: repository))
            }
        }
    }

    private func tree(of commit: String, in repository: Repository) throws -> git_oid {
        guard let tree = try repository.tree(of: git_oid(parsing: commit)) else {
            throw GitError(
                code: .notFetched, message: "the mirror of \(remote.url) has no commit \(commit): fetch it first", repository: remote.url)
        }
        return tree
    }

    /// What the remote advertises, without fetching anything.
    package func remoteRefs(deadline: Duration = .seconds(30)) async throws -> [RemoteRef] {
        try await network.run(deadline: deadline, expired: expired("listing the references", deadline)) { [self] operation in
            try translating("list the references") {
                try TLSTrust.using(remote, operation) {
                    try Connection(to: remote, for: nil, operation: operation).references()
                }
            }
        }
    }

    /// The commit that `ref` stands for at the remote now, without fetching: what polling asks.
    /// - Throws: `GitError` also for a commit id that no branch or tag points to, unless it is full.
    package func remoteCommit(of ref: String, deadline: Duration = .seconds(30)) async throws -> String {
        let refs = try await remoteRefs(deadline: deadline)
        switch RefResolution.target(of: ref, among: refs) {
        case .advertised(let found): return found.commit
        case .commit(let id) where id.isFullObjectID: return id
        case .ambiguous(let ids): throw ambiguous(ref, ids)
        case .commit, .unknown: throw unknown(ref, among: refs)
        }
    }

    /// A directory name for the mirror of `url`: readable, safe in a path, and its own for each URL.
    package static func directoryName(for url: String) -> String {
        let shown = GitRemote(url: url).url
        let parts = shown.utf8.split { [UInt8(ascii: "/"), UInt8(ascii: ":"), UInt8(ascii: "@"), UInt8(ascii: "\\")].contains($0) }
        let readable = parts.suffix(2).joined(separator: [UInt8(ascii: "-")]).map { byte -> UInt8 in
            switch byte {
            case 48...57, 65...90, 97...122, UInt8(ascii: "_"): byte
            default: UInt8(ascii: "-")
            }
        }
        return "\(String(decoding: readable.suffix(48), as: UTF8.self))-\(JSONValue.string(shown).digest.suffix(16))"
    }

    // MARK: Errors

    func shown(_ ref: String) -> String { ref.isEmpty ? "HEAD" : "\"\(ref)\"" }

    func expired(_ doing: String, _ deadline: Duration) -> @Sendable (Operation) -> any Error {
        let url = remote.url
        return { operation in
            GitError(
                code: .deadline,
                message: "\(doing) of \(url) did not finish within \(deadline) (it was \(operation.phase)): check that the server answers, "
                    + "or allow more time", repository: url)
        }
    }

    func unknown(_ ref: String, among refs: [RemoteRef]) -> GitError {
        let names = RefResolution.suggestions(for: ref, among: refs)
        let hint = names.isEmpty ? "the repository has no branches or tags" : "there are \(names.joined(separator: ", "))"
        return GitError(code: .unknownRef, message: "\(remote.url) has no branch, tag or commit \(shown(ref)): \(hint)", repository: remote.url)
    }

    func ambiguous(_ ref: String, _ ids: [String]) -> GitError {
        GitError(
            code: .ambiguousRef, message: "\(shown(ref)) fits several objects of \(remote.url) \(ids.joined(separator: ", ")): give more digits",
            repository: remote.url)
    }

    /// Runs `body` and gives libgit2's failures a place and a class.
    func translating<Value>(_ doing: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let failure as LibGit2Failure {
            throw classified(failure, doing)
        } catch var error as GitError {
            if error.repository.isEmpty { error.repository = remote.url }
            throw error
        }
    }

    private func classified(_ failure: LibGit2Failure, _ doing: String) -> GitError {
        let (code, advice) = kind(of: failure)
        return GitError(code: code, message: "can't \(doing) of \(remote.url): \(advice)", repository: remote.url, cause: failure.message)
    }

    private func kind(of failure: LibGit2Failure) -> (GitError.Code, String) {
        switch (failure.code, git_error_t(rawValue: failure.category)) {
        case (GIT_EAUTH.rawValue, _): return (.authentication, "check the credentials configured for it")
        case (GIT_ECERTIFICATE.rawValue, _), (_, GIT_ERROR_SSL):
            return (.untrustedHost, "check the server's certificate and the configured caFile")
        case (GIT_ENOTFOUND.rawValue, GIT_ERROR_REPOSITORY), (GIT_ENOTFOUND.rawValue, GIT_ERROR_OS):
            return (.noSuchRepository, "there is no repository, check the URL")
        case (_, GIT_ERROR_OS): return (.fileSystem, "check the disk and the permissions of \(directory)")
        case (_, GIT_ERROR_HTTP):
            switch failure.httpStatus {
            case 401?, 403?: return (.authentication, "the server refuses access, check the credentials configured for it and what they permit")
            case 404?, 410?: return (.noSuchRepository, "there is no such repository for these credentials, check the URL and the credentials")
            case let status?: return (.unreachable, "the server answers with HTTP status \(status), try later or ask its owner")
            case nil: return (.unreachable, "check the URL")
            }
        case (_, GIT_ERROR_NET), (_, GIT_ERROR_SSH): return (.unreachable, "check the URL, the network and the server")
        default:
            if failure.concernsStorage { return (.damaged, "the next fetch rebuilds the mirror \(directory)") }
            return (.failed, "see the cause")
        }
    }
}
