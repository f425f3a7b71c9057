import CLibGit2
import Glibc
import ResourceModel

/// One conversation with a remote, on one thread: connect, list, download or push. All calls block, until their operation is stopped.
final class Connection {
    private let session: RemoteSession
    private var handle: OpaquePointer
    private let repository: Repository?

    /// - Parameter repository: where downloads go; nil to list only.
    /// - Throws: `GitError` for a remote that can be seen to be wrong at once, `LibGit2Failure`.
    init(to remote: GitRemote, for repository: Repository?, service: GitService = .fetch, operation: Operation) throws {
        _ = LibGit2.ready
        session = try RemoteSession(remote: remote, service: service, operation: operation)
        self.repository = repository
        handle = try Connection.makeHandle(remote, repository)
    }

    deinit {
        git_remote_disconnect(handle)
        git_remote_free(handle)
    }

    private static func makeHandle(_ remote: GitRemote, _ repository: Repository?) throws(LibGit2Failure) -> OpaquePointer {
        var handle: OpaquePointer?
        if let repository {
            try check(git_remote_create_anonymous(&handle, repository.handle, remote.url))
        } else {
            try check(git_remote_create_detached(&handle, remote.url))
        }
        guard let handle else { throw LibGit2Failure(code: -1, category: 0, message: "no remote") }
        return handle
    }

    /// Ends the conversation; the next one begins at the remote's own URL, wherever this one was redirected to.
    private func startOver() throws {
        let fresh = try Connection.makeHandle(session.remote, repository)
        git_remote_disconnect(handle)
        git_remote_free(handle)
        handle = fresh
    }

    /// Connects and returns what the remote advertises.
    func references() throws -> [RemoteRef] {
        session.operation.phase = "connecting"
        do {
            try connect()
        } catch let failure as LibGit2Failure where failure.code == GIT_EAUTH.rawValue && session.mayOfferBearer {
            // The server takes no basic authentication, and there is a token: it may be meant as it is.
            session.offerBearer()
            try startOver()
            try connect()
        }
        session.operation.phase = "listing the references"
        var heads: UnsafeMutablePointer<UnsafePointer<git_remote_head>?>?
        var count = 0
        try session.explaining { _ = try check(git_remote_ls(&heads, &count, handle)) }
        var refs: [RemoteRef] = []
        for index in 0..<count {
            guard let head = heads?[index]?.pointee, let name = head.name else { continue }
            let text = String(cString: name)
            if text.hasSuffix("^{}") {
                if let last = refs.lastIndex(where: { $0.name == text.dropLast(3) }) { refs[last].peeledID = head.oid.text }
            } else {
                refs.append(RemoteRef(name: text, objectID: head.oid.text, target: head.symref_target.map { String(cString: $0) }))
            }
        }
        return refs
    }

    private func connect() throws {
        var options = git_remote_connect_options()
        try check(git_remote_connect_options_init(&options, UInt32(GIT_REMOTE_CONNECT_OPTIONS_VERSION)))
        session.install(in: &options.callbacks)
        try check(git_proxy_options_init(&options.proxy_opts, UInt32(GIT_PROXY_OPTIONS_VERSION)))
        options.proxy_opts.type = GIT_PROXY_AUTO
        try session.explaining(isConnecting: true) {
            try session.withHeaders { headers, redirects in
                options.custom_headers = headers
                options.follow_redirects = redirects
                _ = try check(git_remote_connect_ext(handle, session.service == .push ? GIT_DIRECTION_PUSH : GIT_DIRECTION_FETCH, &options))
            }
        }
    }

    /// Asks for one commit by its id, which many servers allow for any commit that they hold.
    /// - Returns: false if this one does not; the conversation has begun anew then.
    func download(commit id: String) throws -> Bool {
        do {
            try download([RemoteRef(name: id, objectID: id)])
            return true
        } catch is LibGit2Failure where session.operation.stopped == nil {
            try startOver()
            try connect()
            return false
        }
    }

    /// Sends a commit and asks to move one branch to it.
    /// - Parameters:
    ///   - reference: of this repository, to the commit.
    ///   - branch: the full reference name.
    ///   - old: what the branch must point to, there, when it is moved.
    /// - Returns: what the remote said to it.
    func push(_ reference: String, to branch: String, expecting old: git_oid) throws -> PushOutcome {
        session.operation.phase = "pushing"
        session.push = PushOutcome(expected: old.text)
        var options = git_push_options()
        try check(git_push_options_init(&options, UInt32(GIT_PUSH_OPTIONS_VERSION)))
        session.install(in: &options.callbacks)
        options.proxy_opts.type = GIT_PROXY_AUTO
        try session.explaining {
            try session.withHeaders { headers, redirects in
                options.custom_headers = headers
                options.follow_redirects = redirects
                try withStrings(["\(reference):\(branch)"]) { list in _ = try check(git_remote_upload(handle, &list, &options)) }
            }
        }
        return session.push
    }

    /// What the remote said so far to a push.
    var pushOutcome: PushOutcome { session.push }

    /// Downloads what the remote's references (or what is named by full object ids) need and the repository lacks.
    func download(_ wanted: [RemoteRef]) throws {
        session.operation.phase = "downloading"
        if let repository, let path = session.url.localPath {
            let copy = LocalCopy(from: path, to: repository, session: session)
            if try copy.run(wanted.map { try git_oid(parsing: $0.objectID) }) { return }
        }
        var options = git_fetch_options()
        try check(git_fetch_options_init(&options, UInt32(GIT_FETCH_OPTIONS_VERSION)))
        session.install(in: &options.callbacks)
        options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE
        options.update_fetchhead = 0
        options.proxy_opts.type = GIT_PROXY_AUTO
        try session.explaining {
            try session.withHeaders { headers, redirects in
                options.custom_headers = headers
                options.follow_redirects = redirects
                try withStrings(wanted.map(\.name)) { list in _ = try check(git_remote_download(handle, &list, &options)) }
            }
        }
    }
}

/// Runs `body` with `strings` as libgit2 takes lists of them.
func withStrings<Result>(_ strings: [String], _ body: (inout git_strarray) throws -> Result) rethrows -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
    defer { for pointer in pointers { free(pointer) } }
    return try pointers.withUnsafeMutableBufferPointer { buffer in
        var list = git_strarray(strings: buffer.baseAddress, count: buffer.count)
        return try body(&list)
    }
}
