import ResourceModel

/// How to prove who we are to a Git server.
package enum GitCredentials: Sendable, Hashable {
    /// HTTP basic authentication.
    case basic(username: String, password: Redacted<String>)
    /// An access token: sent as the password of a basic authentication, as the big hosts take it, or as a bearer token to a
    /// server that knows no basic authentication.
    case token(Redacted<String>)
    /// A private key file for SSH. A key with a passphrase belongs into an agent.
    case sshKey(path: String)
    /// The keys of the agent that `SSH_AUTH_SOCK` names, or of `socket`.
    case sshAgent(socket: String? = nil)
}

/// A repository to fetch from: URL, credentials and whom to trust.
package struct GitRemote: Sendable, Hashable {
    /// The URL without credentials: safe to show and to store.
    package let url: String
    package var credentials: GitCredentials?
    /// PEM file of the certificate authorities to trust for HTTPS instead of the system's.
    package var caFile: String?
    /// The known_hosts file to check SSH servers against instead of the user's own.
    package var knownHostsFile: String?

    /// - Parameter url: `https://`, `http://`, `ssh://`, `git://`, `file://`, `user@host:path` or a path.
    ///   A password in it is taken out and becomes `credentials` where none are given.
    package init(url: String, credentials: GitCredentials? = nil, caFile: String? = nil, knownHostsFile: String? = nil) {
        let parts = GitURL(url)
        self.url = parts.shown
        self.caFile = caFile
        self.knownHostsFile = knownHostsFile
        if let credentials {
            self.credentials = credentials
        } else if parts.isHTTP, let password = parts.password {
            self.credentials = .basic(username: parts.user ?? "", password: Redacted(password))
        } else if parts.isHTTP, let user = parts.user {
            self.credentials = .token(Redacted(user))
        }
    }
}

/// The parts of a Git URL that matter here.
struct GitURL: Sendable, Hashable {
    /// Lower case; `file` for a path and `ssh` for `user@host:path`.
    var scheme: String
    var user: String?
    var password: String?
    var host: String
    var port: String?
    /// For `ssh`, what the server is asked for; for `file`, the path.
    var path: String
    /// The URL without password, and for HTTP without user.
    var shown: String

    var isHTTP: Bool { scheme == "http" || scheme == "https" }
    var isSSH: Bool { scheme == "ssh" }
    /// Where a repository on this machine lies; nil for all others.
    var localPath: String? { scheme == "file" && (host.isEmpty || host == "localhost") ? path : nil }

    init(_ text: String) {
        user = nil
        password = nil
        port = nil
        guard let separator = text.firstRange(of: "://") else {
            // `host:path` is SSH unless a slash comes before the colon, as in git-clone(1).
            if let colon = text.firstIndex(of: ":"), !text[..<colon].contains("/"), !text[..<colon].isEmpty {
                scheme = "ssh"
                let authority = text[..<colon]
                path = String(text[text.index(after: colon)...])
                if let at = authority.lastIndex(of: "@") {
                    user = String(authority[..<at])
                    host = String(authority[authority.index(after: at)...])
                } else {
                    host = String(authority)
                }
            } else {
                scheme = "file"
                host = ""
                path = text
            }
            shown = text
            return
        }
        scheme = text[..<separator.lowerBound].lowercased()
        if scheme == "git+ssh" || scheme == "ssh+git" { scheme = "ssh" }
        let rest = text[separator.upperBound...]
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        var authority = rest[..<slash]
        path = String(rest[slash...])
        if let at = authority.lastIndex(of: "@") {
            let userInfo = authority[..<at]
            authority = authority[authority.index(after: at)...]
            let pieces = userInfo.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            user = pieces.first.map { GitURL.decoded($0) }
            if pieces.count == 2 { password = GitURL.decoded(pieces[1]) }
        }
        let place = String(authority)
        if authority.hasPrefix("["), let bracket = authority.firstIndex(of: "]") {
            host = String(authority[authority.index(after: authority.startIndex)..<bracket])
            let tail = authority[authority.index(after: bracket)...]
            if tail.hasPrefix(":") { port = String(tail.dropFirst()) }
        } else if let colon = authority.lastIndex(of: ":") {
            host = String(authority[..<colon])
            port = String(authority[authority.index(after: colon)...])
        } else {
            host = place
        }
        let login = scheme == "ssh" ? user.map { $0 + "@" } ?? "" : ""
        shown = "\(text[..<separator.lowerBound])://\(login)\(place)\(path)"
        if scheme == "file" { path = GitURL.decoded(path[...]) }
        // ssh://host/~user/repository asks the server for a home directory.
        if scheme == "ssh", path.hasPrefix("/~") { path.removeFirst() }
    }

    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
