import CLibGit2
import Glibc
import ResourceModel

/// A bare mirror of one repository. One reference at a time is fetched; a mirror that cannot be trusted is built anew.
package final class GitMirror: Sendable {
    package let remote: GitRemote
    private let files: MirrorFiles
    private let queue: BlockingQueue

    /// Touches nothing yet.
    package init(directory: String, remote: GitRemote) {
        self.remote = remote
        files = MirrorFiles(directory: directory, url: remote.url)
        queue = BlockingQueue(label: "git.mirror")
    }

    /// A directory name for a URL: readable, and different for different URLs.
    package static func directoryName(for url: String) -> String {
        let name = url.split(separator: "/").last.map(String.init) ?? "repository"
        let readable = String(name.unicodeScalars.prefix(40).map { $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil || $0 == "-" || $0 == ".") ? Character($0) : "_" })
        return "\(readable)-\(JSONValue.string(url).digest.prefix(16)).git"
    }

    /// Fetches one reference and says which commit it is now.
    /// - Parameter ref: a branch, a tag, a full or short commit id, `HEAD`, a full reference name, or a version range (matches tags).
    /// - Throws: `GitError`; an older commit is never returned for a fetch that failed. `CancellationError`.
    package func fetch(ref: String, deadline: Duration) async throws -> Revision {
        let url = remote.url
        return try await queue.run(
            deadline: deadline,
            expired: {
                GitError(
                    code: .deadline, message: "\(url) did not answer within \(deadline): check the network and the host, or give it more time",
                    repository: url)
            }
        ) { operation in
            try self.files.locked(operation) {
                do {
                    return try self.fetchLocked(ref, operation)
                } catch let failure as LibGit2Failure {
                    if operation.stopped != nil { throw CancellationError() }
                    throw self.error(for: failure, ref: ref)
                }
            }
        }
    }

    /// The commit of a reference as it was last fetched; no network.
    package func resolve(_ ref: String) async throws -> Revision {
        try await queue.run { _ in
            let repository = try self.opened()
            do {
                let refs = try self.storedRefs(repository)
                return try self.revision(ref, commit: try self.commit(for: ref, among: refs, in: repository), in: repository)
            } catch let failure as LibGit2Failure {
                throw self.error(for: failure, ref: ref)
            }
        }
    }

    /// The files of a commit that was fetched.
    package func snapshot(of revision: Revision) async throws -> GitSnapshot {
        try await queue.run { _ in
            GitSnapshot(revision: revision, repository: try self.opened(), files: self.files)
        }
    }

    private func opened() throws -> Repository {
        switch files.open() {
        case .sound(let repository): return repository
        case .absent:
            throw GitError(code: .notFetched, message: "\(remote.url) has not been fetched yet", repository: remote.url)
        case .damaged(let reason):
            throw GitError(code: .damaged, message: "the mirror of \(remote.url) cannot be trusted (\(reason)): fetch again, which rebuilds it", repository: remote.url)
        }
    }

    // MARK: Fetching

    private func fetchLocked(_ ref: String, _ operation: Operation) throws -> Revision {
        if case .sound(let repository) = files.open() {
            do {
                let revision = try download(ref, into: repository, operation)
                try files.recordState(in: files.directory)
                return revision
            } catch let failure as LibGit2Failure where failure.concernsStorage {
                files.markDamaged()  // built anew below: damage is never trusted
            }
        }
        MirrorFiles.removeTree(files.incoming)
        try MirrorFiles.makeParents(of: files.incoming)
        let repository = try Repository(creating: files.incoming)
        let revision = try download(ref, into: repository, operation)
        try files.recordState(in: files.incoming)
        try files.install()
        return revision
    }

    private func download(_ ref: String, into repository: Repository, _ operation: Operation) throws -> Revision {
        var handle: OpaquePointer?
        try check(git_remote_create_anonymous(&handle, repository.handle, remote.url))
        guard let handle else { throw LibGit2Failure(code: -1, category: 0, message: "no remote") }
        defer { git_remote_free(handle) }
        let session = RemoteSession(remote: remote, operation: operation)
        let payload = Unmanaged.passUnretained(session).toOpaque()
        defer { withExtendedLifetime(session) {} }
        if let authority = remote.caFile {
            try check(rc_git_option_two_strings(Int32(GIT_OPT_SET_SSL_CERT_LOCATIONS.rawValue), authority, nil))
        }

        var callbacks = git_remote_callbacks()
        try check(git_remote_init_callbacks(&callbacks, UInt32(GIT_REMOTE_CALLBACKS_VERSION)))
        RemoteSession.install(in: &callbacks, payload: payload)
        try check(git_remote_connect(handle, GIT_DIRECTION_FETCH, &callbacks, nil, nil))
        let refs = try advertised(handle)
        var wanted: [RemoteRef]
        switch RefResolution.target(of: ref, among: refs) {
        case .advertised(let found): wanted = [found]
        case .commit(let id):
            if let commit = try? peeledCommit(id, in: repository) { return try revision(ref, commit: commit, in: repository) }
            wanted = refs.filter { $0.name.hasPrefix("refs/heads/") || $0.name.hasPrefix("refs/tags/") }
        case .unknown(let names):
            throw GitError(
                code: .unknownRef,
                message: "\(remote.url) has no branch, tag or commit `\(ref)`" + (names.isEmpty ? ": it is empty" : "; there are, among others: \(names.joined(separator: ", "))"),
                repository: remote.url)
        case .ambiguous(let commits):
            throw GitError(
                code: .ambiguousRef, message: "`\(ref)` may be \(commits.joined(separator: " or ")) in \(remote.url): write more digits",
                repository: remote.url)
        }
        try fetch(wanted, handle, repository, payload)
        let commit = try commit(for: ref, among: wanted, in: repository)
        return try revision(ref, commit: commit, in: repository)
    }

    private func fetch(_ wanted: [RemoteRef], _ handle: OpaquePointer, _ repository: Repository, _ payload: UnsafeMutableRawPointer) throws {
        let missing = wanted.filter { item in
            guard var oid = try? git_oid(parsing: item.objectID) else { return true }  // not an id: the fetch says so
            var object: OpaquePointer?
            defer { git_object_free(object) }
            return git_object_lookup(&object, repository.handle, &oid, GIT_OBJECT_ANY) != 0
        }
        if !missing.isEmpty {
            var options = git_fetch_options()
            try check(git_fetch_options_init(&options, UInt32(GIT_FETCH_OPTIONS_VERSION)))
            options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE
            options.update_fetchhead = 0
            RemoteSession.install(in: &options.callbacks, payload: payload)
            let specs = missing.map { "+\($0.name):\(Self.storedName($0.name))" }
            var pointers: [UnsafeMutablePointer<CChar>?] = specs.map { strdup($0) }
            defer { pointers.forEach { free($0) } }
            let count = pointers.count
            let code = pointers.withUnsafeMutableBufferPointer { buffer in
                var array = git_strarray(strings: buffer.baseAddress, count: count)
                return git_remote_fetch(handle, &array, &options, nil)
            }
            try check(code)
        }
        // What was there already still has to be named as it is named now.
        for item in wanted {
            var oid = try git_oid(parsing: item.objectID)
            var reference: OpaquePointer?
            defer { git_reference_free(reference) }
            try check(git_reference_create(&reference, repository.handle, Self.storedName(item.name), &oid, 1, nil))
        }
    }

    private static func storedName(_ name: String) -> String { "refs/mirror/\(name)" }

    private func advertised(_ handle: OpaquePointer) throws -> [RemoteRef] {
        var heads: UnsafeMutablePointer<UnsafePointer<git_remote_head>?>?
        var count = 0
        try check(git_remote_ls(&heads, &count, handle))
        var refs: [RemoteRef] = []
        for index in 0..<count {
            guard let head = heads?[index]?.pointee else { continue }
            let name = String(cString: head.name)
            if name.hasSuffix("^{}") {
                if let last = refs.lastIndex(where: { $0.name == String(name.dropLast(3)) }) { refs[last].peeledID = head.oid.text }
            } else {
                refs.append(RemoteRef(name: name, objectID: head.oid.text))
            }
        }
        return refs
    }

    private func storedRefs(_ repository: Repository) throws -> [RemoteRef] {
        var iterator: OpaquePointer?
        try check(git_reference_iterator_glob_new(&iterator, repository.handle, "refs/mirror/*"))
        defer { git_reference_iterator_free(iterator) }
        var refs: [RemoteRef] = []
        var reference: OpaquePointer?
        while true {
            let code = git_reference_next(&reference, iterator)
            if code == GIT_ITEROVER.rawValue { return refs }
            try check(code)
            defer { git_reference_free(reference) }
            guard let target = git_reference_target(reference) else { continue }
            let name = String(String(cString: git_reference_name(reference)).dropFirst("refs/mirror/".count))
            refs.append(RemoteRef(name: name, objectID: target.pointee.text, peeledID: try? peeledCommit(target.pointee.text, in: repository)))
        }
    }

    private func commit(for ref: String, among refs: [RemoteRef], in repository: Repository) throws -> String {
        switch RefResolution.target(of: ref, among: refs) {
        case .advertised(let found): return try peeledCommit(found.objectID, in: repository)
        case .commit(let id): return try peeledCommit(id, in: repository)
        case .unknown(let names):
            throw GitError(
                code: .unknownRef, message: "`\(ref)` was not fetched from \(remote.url); there are: \(names.joined(separator: ", "))",
                repository: remote.url)
        case .ambiguous(let commits):
            throw GitError(
                code: .ambiguousRef, message: "`\(ref)` may be \(commits.joined(separator: " or ")): write more digits", repository: remote.url)
        }
    }

    /// - Parameter id: a full or short id of a commit or an annotated tag.
    private func peeledCommit(_ id: String, in repository: Repository) throws -> String {
        var object: OpaquePointer?
        try check(git_revparse_single(&object, repository.handle, "\(id)^{commit}"))
        defer { git_object_free(object) }
        return git_object_id(object).pointee.text
    }

    private func revision(_ ref: String, commit id: String, in repository: Repository) throws -> Revision {
        var oid = try git_oid(parsing: id)
        var commit: OpaquePointer?
        try check(git_commit_lookup(&commit, repository.handle, &oid))
        defer { git_commit_free(commit) }
        let author = git_commit_author(commit)
        return Revision(
            repository: remote.url, ref: ref, commit: id, author: author.map { String(cString: $0.pointee.name) } ?? "",
            subject: git_commit_summary(commit).map { String(cString: $0) } ?? "", committedAt: git_commit_time(commit))
    }

    private func error(for failure: LibGit2Failure, ref: String) -> GitError {
        let url = remote.url
        let text = failure.message
        func make(_ code: GitError.Code, _ message: String) -> GitError {
            GitError(code: code, message: message, repository: url, cause: text)
        }
        let lower = text.lowercased()
        switch git_error_t(rawValue: failure.category) {
        case _ where failure.code == GIT_EAUTH.rawValue || lower.contains("401") || lower.contains("403"):
            return make(.authentication, "\(url) refuses the credentials: check the token, password or key, and its permission to read")
        case _ where failure.code == GIT_ECERTIFICATE.rawValue:
            return make(.untrustedHost, "\(url) is not trusted: give its certificate authority (caFile), or add its key to known_hosts")
        case GIT_ERROR_SSH where lower.contains("auth"):
            return make(.authentication, "\(url) refuses the key: check the key and its permission to read")
        case GIT_ERROR_HTTP where lower.contains("404"), GIT_ERROR_OS where failure.code == GIT_ENOTFOUND.rawValue,
            GIT_ERROR_REPOSITORY where failure.code == GIT_ENOTFOUND.rawValue:
            return make(.noSuchRepository, "there is no repository at \(url): check the URL")
        case GIT_ERROR_NET, GIT_ERROR_HTTP, GIT_ERROR_SSL, GIT_ERROR_SSH, GIT_ERROR_OS:
            return make(.unreachable, "\(url) cannot be reached: check the URL and the network")
        default:
            return make(.failed, "fetching `\(ref)` from \(url) failed")
        }
    }
}
