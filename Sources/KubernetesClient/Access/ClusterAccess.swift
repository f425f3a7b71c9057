import HTTPTransport
import ResourceModel

/// Where a cluster is and who we are to it.
package struct ClusterAccess: Sendable {
    /// The server's URL, without a slash at its end.
    package let server: String
    /// What paths are appended to: `server`, or without TLS where a Unix socket takes its place.
    private(set) var address: String
    package var tls: TLSConfiguration
    package var proxy: ProxyConfiguration
    package private(set) var unixSocketPath: String?
    package var credentials: Credentials
    /// `Impersonate-User` and its companions.
    package var impersonation: HTTPHeaders
    /// The context's namespace.
    package var namespace: String?
    /// Where this comes from, for messages: `context "prod" of /home/me/.kube/config`.
    package var origin: String

    /// Asks for compressed answers; `disable-compression` of a kubeconfig's cluster turns it off. Of a server on this machine none are
    /// asked for: there packing and unpacking cost more than they save.
    package var acceptsCompression = true

    /// Whether the server is on this machine.
    var isLocal: Bool {
        let host = server.split(separator: "://", maxSplits: 1).last ?? ""
        return unixSocketPath != nil || ["localhost", "127.", "[::1]"].contains { host.hasPrefix($0) }
    }

    package init(
        server: String, tls: TLSConfiguration = TLSConfiguration(), proxy: ProxyConfiguration = .environment,
        credentials: Credentials = .none, impersonation: HTTPHeaders = [:], namespace: String? = nil,
        origin: String = ""
    ) {
        var server = server
        while server.hasSuffix("/") { server.removeLast() }
        let hasTLS = tls.certificateAuthority != nil || tls.clientCertificate != nil || tls.insecureSkipVerify
        self.server = server.contains("://") ? server : (hasTLS ? "https://" : "http://") + server
        address = self.server
        self.tls = tls
        self.proxy = proxy
        self.credentials = credentials
        self.impersonation = impersonation
        self.namespace = namespace
        self.origin = origin
    }

    /// Sends requests to a server's Unix socket from now on, in plain HTTP/1.1: only programs of this machine take part.
    package mutating func connect(throughSocket path: String) {
        unixSocketPath = path
        if server.hasPrefix("https://") { address = "http://" + server.dropFirst("https://".count) }
    }
}

/// How requests are authenticated, beside a client certificate in `TLSConfiguration`.
package enum Credentials: Sendable {
    case none
    case token(Redacted<String>)
    /// Read again every minute: service account tokens rotate.
    case tokenFile(String)
    case basic(user: String, password: Redacted<String>)
    case exec(ExecPlugin)
}

/// Why a cluster's access data cannot be used.
package struct AccessError: ClassifiedError, Sendable, Hashable, CustomStringConvertible {
    /// `no-config`, `unreadable`, `malformed`, `no-such-context`, `no-such-cluster`, `no-such-user`, `exec-failed`, … Open.
    package var code: String
    package var message: String
    /// The file it is about.
    package var path: String?
    package var hint: String?
    package var failureKind: FailureKind

    package init(code: String, message: String, path: String? = nil, hint: String? = nil, failureKind: FailureKind = .usage) {
        self.code = code
        self.message = message
        self.path = path
        self.hint = hint
        self.failureKind = failureKind
    }

    package var description: String {
        (path.map { "\($0): " } ?? "") + message + (hint.map { " (\($0))" } ?? "")
    }
}
