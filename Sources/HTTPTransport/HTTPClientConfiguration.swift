import ResourceModel

/// A PEM text: in memory, or in a file that is read at each new connection (so that a rotated certificate is taken up).
package enum PEMSource: Sendable, Hashable {
    case bytes([UInt8])
    case file(String)
}

/// How servers are trusted and how this client identifies itself to them.
package struct TLSConfiguration: Sendable {
    /// Certificates to trust instead of the system's; `nil` trusts the system's.
    package var certificateAuthority: PEMSource?
    /// The client's certificate chain and its key.
    package var clientCertificate: PEMSource?
    package var clientKey: Redacted<PEMSource>?
    /// Accepts any certificate. Only for a user who asked for it.
    package var insecureSkipVerify: Bool
    /// The name to ask for and to verify instead of the URL's host.
    package var serverName: String?

    package init(
        certificateAuthority: PEMSource? = nil, clientCertificate: PEMSource? = nil, clientKey: Redacted<PEMSource>? = nil,
        insecureSkipVerify: Bool = false, serverName: String? = nil
    ) {
        self.certificateAuthority = certificateAuthority
        self.clientCertificate = clientCertificate
        self.clientKey = clientKey
        self.insecureSkipVerify = insecureSkipVerify
        self.serverName = serverName
    }
}

/// Which proxy requests go through.
package enum ProxyConfiguration: Sendable {
    /// `HTTPS_PROXY`, `http_proxy`, `ALL_PROXY` and `NO_PROXY`; loopback addresses are always reached directly.
    case environment
    case none
    /// `http://`, `https://`, `socks5://` or `socks5h://`, with credentials if need be.
    case url(Redacted<String>)
}

/// How many transfers run at once on how many connections.
package struct HTTPLimits: Sendable {
    /// Further ones wait in order.
    package var inFlight: Int
    /// HTTP/2 connections for each host. A server that speaks HTTP/1.1 only gets as many connections as there are transfers.
    package var connections: Int
    package var streamsPerConnection: Int

    package init(inFlight: Int, connections: Int, streamsPerConnection: Int) {
        self.inFlight = inFlight
        self.connections = connections
        self.streamsPerConnection = streamsPerConnection
    }

    /// More connections bring no throughput from an API server.
    package static let requests = HTTPLimits(inFlight: 64, connections: 1, streamsPerConnection: 100)
    /// A server allows 100 streams on a connection; a connection full of watches blocks everything else on it.
    package static let watches = HTTPLimits(inFlight: 360, connections: 4, streamsPerConnection: 90)
}

/// What all requests of one `HTTPClient` share.
package struct HTTPClientConfiguration: Sendable {
    package var tls: TLSConfiguration
    package var proxy: ProxyConfiguration
    /// Connects to this socket whatever the URL's host.
    package var unixSocketPath: String?
    package var userAgent: String
    /// For resolving, connecting and the TLS handshake.
    package var connectDeadline: Duration
    /// Larger answers fail with `too-large`; streams have no limit.
    package var maximumBodyBytes: Int
    package var requestLimits: HTTPLimits
    package var streamLimits: HTTPLimits
    /// Asks for compressed answers. Those that come are unpacked in any case.
    package var acceptsCompression = true

    package init(
        tls: TLSConfiguration = TLSConfiguration(), proxy: ProxyConfiguration = .environment, unixSocketPath: String? = nil,
        userAgent: String = HTTPClientConfiguration.defaultUserAgent, connectDeadline: Duration = .seconds(10),
        maximumBodyBytes: Int = 1 << 30, requestLimits: HTTPLimits = .requests, streamLimits: HTTPLimits = .watches
    ) {
        self.tls = tls
        self.proxy = proxy
        self.unixSocketPath = unixSocketPath
        self.userAgent = userAgent
        self.connectDeadline = connectDeadline
        self.maximumBodyBytes = maximumBodyBytes
        self.requestLimits = requestLimits
        self.streamLimits = streamLimits
    }

    /// libcurl's own user agent makes an API server pretty-print its answers.
    package static let defaultUserAgent = "reconciler/0.1.0"
}
