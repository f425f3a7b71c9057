import CLibGit2
import Glibc
import ResourceModel

/// What a conversation with a remote is for.
enum GitService: Sendable {
    case fetch, push

    /// The program that serves it.
    var program: String {
        switch self {
        case .fetch: "git-upload-pack"
        case .push: "git-receive-pack"
        }
    }
}

/// What libgit2 asks for while it talks to a remote: credentials, trust, and whether to go on. Outlives the connection.
final class RemoteSession {
    let remote: GitRemote
    let url: GitURL
    let operation: Operation
    let service: GitService
    /// For a push: what the branch must still point to, and what came of it.
    var push = PushOutcome()
    /// What a callback or a transport found out; libgit2's codes carry less.
    var failure: GitError?
    /// The token is sent as `Authorization: Bearer` instead of as a password.
    private var sendsBearer = false
    private var attempts = 0

    /// - Throws: `GitError` when the URL or a file it depends on can be seen to be wrong without asking anyone.
    init(remote: GitRemote, service: GitService, operation: Operation) throws {
        self.service = service
        self.remote = remote
        self.url = GitURL(remote.url)
        self.operation = operation
        switch url.scheme {
        case "file": try requireDirectory()
        case "http", "https", "git", "ssh":
            guard !url.host.isEmpty, !url.host.hasPrefix("-"), url.user?.hasPrefix("-") != true else {
                throw error(.invalidURL, "\(remote.url) names no host: write https://HOST/PATH, ssh://USER@HOST/PATH or USER@HOST:PATH")
            }
        default:
            throw error(.invalidURL, "\(remote.url): can't \(service == .push ? "push" : "fetch") over \(url.scheme): known are https, http, ssh, git, file and plain paths")
        }
    }

    private func requireDirectory() throws {
        var information = stat()
        if stat(url.path, &information) != 0 {
            throw error(
                .noSuchRepository, "there is no repository at \(remote.url): check the path and whether its disk is mounted",
                String(cString: strerror(errno)))
        }
    }

    func error(_ code: GitError.Code, _ message: String, _ cause: String? = nil) -> GitError {
        GitError(code: code, message: message, repository: remote.url, cause: cause)
    }

    /// Runs a call into libgit2; its failure becomes what this session knows better.
    /// - Parameter isConnecting: nothing is stored yet, so what can't be read is the remote, not the mirror.
    func explaining<Value>(isConnecting: Bool = false, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let reported as LibGit2Failure {
            if let failure { throw failure }
            guard isConnecting, reported.concernsStorage else { throw reported }
            if reported.code == GIT_ENOTFOUND.rawValue || reported.category == GIT_ERROR_REPOSITORY.rawValue {
                throw error(.noSuchRepository, "there is no repository at \(remote.url): check the URL", reported.message)
            }
            throw error(.failed, "the repository at \(remote.url) can't be read: check it there (git fsck)", reported.message)
        }
    }

    /// There is a token, and the server itself, not one that it redirects to, did not want it as a password.
    var mayOfferBearer: Bool {
        guard case .token = remote.credentials else { return false }
        return url.isHTTP && !sendsBearer && attempts == 0 && operation.peers.withLock { $0.seen == [server] }
    }

    /// From now on the token goes along with every request, and no socket to anyone else is opened: libgit2 sends headers of ours
    /// wherever a redirect leads.
    func offerBearer() {
        sendsBearer = true
        let server = server
        operation.peers.withLock { $0.only = server }
    }

    private var server: String { "\(url.host):\(url.port ?? (url.scheme == "https" ? "443" : "80"))".lowercased() }

    /// The headers to add, and which redirects to follow.
    func withHeaders<Value>(_ body: (git_strarray, git_remote_redirect_t) throws -> Value) rethrows -> Value {
        guard sendsBearer, case .token(let token) = remote.credentials else { return try body(git_strarray(), GIT_REMOTE_REDIRECT_INITIAL) }
        return try withStrings(["Authorization: Bearer \(token.exposed)"]) { try body($0, GIT_REMOTE_REDIRECT_NONE) }
    }

    // MARK: Callbacks

    func install(in callbacks: inout git_remote_callbacks) {
        callbacks.payload = Unmanaged.passUnretained(self).toOpaque()
        callbacks.transfer_progress = { _, payload in RemoteSession.of(payload).operation.stopped == nil ? 0 : -1 }
        callbacks.sideband_progress = { text, count, payload in
            let session = RemoteSession.of(payload)
            if session.service == .push, let text {
                session.push.words += UnsafeRawBufferPointer(start: text, count: Int(count)).prefix(PushOutcome.limit)
            }
            return session.operation.stopped == nil ? 0 : -1
        }
        callbacks.certificate_check = { _, valid, _, payload in
            if valid != 0 { return 0 }
            let session = RemoteSession.of(payload)
            session.failure = session.untrustedCertificate()
            return GIT_ECERTIFICATE.rawValue
        }
        callbacks.credentials = { out, url, _, allowed, payload in
            RemoteSession.of(payload).credential(out, url.map { String(cString: $0) } ?? "", allowed)
        }
        if service == .push { installPush(in: &callbacks) }
        if url.isSSH || (service == .push && url.localPath != nil) {
            callbacks.transport = { out, owner, payload in ProcessTransport.make(out, owner, RemoteSession.of(payload)) }
        }
    }

    private func installPush(in callbacks: inout git_remote_callbacks) {
        callbacks.push_transfer_progress = { _, _, _, payload in RemoteSession.of(payload).operation.stopped == nil ? 0 : -1 }
        // The old id in the command that is sent is the one that was advertised, and the server refuses when it is that no more.
        callbacks.push_negotiation = { updates, count, payload in
            let session = RemoteSession.of(payload)
            guard count == 1, let update = updates?.pointee?.pointee, update.src.text == session.push.expected else {
                git_error_set_str(Int32(GIT_ERROR_REFERENCE.rawValue), "the branch has moved")
                return GIT_EMODIFIED.rawValue
            }
            session.push.isSending = true
            return 0
        }
        callbacks.push_update_reference = { _, status, payload in
            let session = RemoteSession.of(payload)
            if let status { session.push.refusal = String(cString: status) } else { session.push.isAccepted = true }
            return 0
        }
    }

    private static func of(_ payload: UnsafeMutableRawPointer?) -> RemoteSession {
        Unmanaged<RemoteSession>.fromOpaque(payload!).takeUnretainedValue()
    }

    private func untrustedCertificate() -> GitError {
        let trusted = remote.caFile ?? "the system's authorities"
        return error(
            .untrustedHost,
            "the certificate of \(url.host) is not signed by an authority in \(trusted), has expired or names another host: "
                + "if the server has an authority of its own, configure its certificate as caFile")
    }

    /// Offers the credentials once, and only to the host that they were given for: a redirect must not carry them away.
    private func credential(
        _ out: UnsafeMutablePointer<UnsafeMutablePointer<git_credential>?>?, _ place: String, _ allowed: UInt32
    ) -> Int32 {
        attempts += 1
        func refuse(_ text: String) -> Int32 {
            failure = error(.authentication, text)
            return GIT_EAUTH.rawValue
        }
        let asking = GitURL(place)
        guard asking.host == url.host, asking.port == url.port, asking.scheme == url.scheme else {
            return refuse("\(remote.url) redirects to \(asking.host), which its credentials are not for: configure that URL")
        }
        guard let credentials = remote.credentials else {
            return refuse("\(remote.url) wants a user name and password or a token, and none is configured for it")
        }
        guard attempts == 1 else {
            return refuse("\(remote.url) refuses the configured credentials: check them, whether they expired, and their permission to \(service == .push ? "write" : "read")")
        }
        guard allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT.rawValue != 0 else {
            return refuse("\(remote.url) wants credentials of another kind than a password or a token")
        }
        switch credentials {
        case .basic(let username, let password): return git_credential_userpass_plaintext_new(out, username, password.exposed)
        case .token(let token): return git_credential_userpass_plaintext_new(out, "x-access-token", token.exposed)
        case .sshKey, .sshAgent:
            return refuse("\(remote.url) wants a user name and password or a token, and an SSH key is configured: use an ssh:// URL")
        }
    }
}

/// What came of a push, as far as the remote told.
struct PushOutcome {
    /// The most that is kept of a server's words.
    static let limit = 16_384

    /// What the branch must point to, 40 hexadecimal digits.
    var expected = ""
    var isSending = false
    var isAccepted = false
    /// Why the server refused, in its own short form.
    var refusal: String?
    /// What hooks and the server said besides.
    var words: [UInt8] = []

    /// The refusal and the words as one line; nil without either.
    var explanation: String? {
        let lines = String(decoding: words.prefix(PushOutcome.limit), as: UTF8.self).split(whereSeparator: \.isNewline)
            .map { $0.drop { $0 == " " } }.filter { !$0.isEmpty }.map(String.init)
        let parts = (refusal.map { [$0] } ?? []) + lines
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }
}
