import HTTPTransport
import ResourceModel

/// The HTTP client for the current client certificate: a credential plugin may hand out a new one.
final class TransportPool: @unchecked Sendable {  // `current` and `isShutDown` are guarded by `lock`
    private let access: ClusterAccess
    private let userAgent: String
    private let lock = Lock()
    private var current: (certificate: [UInt8]?, client: HTTPClient)
    private var isShutDown = false

    init(access: ClusterAccess, userAgent: String) {
        self.access = access
        self.userAgent = userAgent
        current = (nil, Self.client(access, userAgent, CredentialMaterial()))
    }

    func client(for material: CredentialMaterial) -> HTTPClient {
        lock.withLock {
            if material.certificate != current.certificate, !isShutDown {
                // The old one ends with its last transfer.
                current = (material.certificate, Self.client(access, userAgent, material))
            }
            return current.client
        }
    }

    func shutDown() {
        lock.withLock {
            isShutDown = true
            current.client.shutDown()
        }
    }

    private static func client(_ access: ClusterAccess, _ userAgent: String, _ material: CredentialMaterial) -> HTTPClient {
        var tls = access.tls
        if let certificate = material.certificate, let key = material.key {
            tls.clientCertificate = .bytes(certificate)
            tls.clientKey = Redacted(.bytes(key.exposed))
        }
        var configuration = HTTPClientConfiguration(
            tls: tls, proxy: access.proxy, unixSocketPath: access.unixSocketPath, userAgent: userAgent)
        configuration.acceptsCompression = access.acceptsCompression && !access.isLocal
        // Each takes a connection there, and a server has a thousand for everybody; more in flight bring nothing.
        if access.unixSocketPath != nil { configuration.requestLimits.inFlight = 48 }
        return HTTPClient(configuration: configuration)
    }
}
