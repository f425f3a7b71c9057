import HTTPTransport
import Logging
import ResourceModel

/// A client of one Kubernetes API server.
///
/// Every call throws `APIError` for what the server refused, `HTTPError` when it could not be reached, `CancellationError`
/// when the task was cancelled. Requests that may safely be repeated are, within `RetryPolicy`.
package final class KubernetesClient: Sendable {
    package let access: ClusterAccess
    package let retryPolicy: RetryPolicy
    let credentials: CredentialSource
    let transports: TransportPool
    let discovery: DiscoveryCache
    let counter = RequestCounter()
    let logger: Logger?
    /// From a request's start to its whole answer, for each attempt.
    let requestDeadline: Duration

    /// - Parameter userAgent: its part before the slash is the field manager where a request names none.
    package init(
        access: ClusterAccess, retryPolicy: RetryPolicy = RetryPolicy(), requestDeadline: Duration = .seconds(60),
        userAgent: String = HTTPClientConfiguration.defaultUserAgent, logger: Logger? = nil
    ) {
        self.access = access
        self.retryPolicy = retryPolicy
        self.requestDeadline = requestDeadline
        self.logger = logger
        transports = TransportPool(access: access, userAgent: userAgent)
        credentials = CredentialSource(access: access)
        discovery = DiscoveryCache()
    }

    /// The server's URL.
    package var server: String { access.server }

    /// Requests sent so far by verb, attempts counted one by one: `get`, `list`, `watch`, `create`, `update`, `patch`, `apply`,
    /// `delete`, `deletecollection`, `discover`, `raw`.
    package var requestCount: [String: Int] { counter.counts }

    /// Ends all connections; every later call fails.
    package func shutDown() { transports.shutDown() }
}

/// Counts requests by verb, and knows whether any was answered.
final class RequestCounter: @unchecked Sendable {  // `values` is guarded by `lock`
    private let lock = Lock()
    private var values: [String: Int] = [:]
    private var answered = false

    /// Notes that the server was reached.
    func noteAnswer() { lock.withLock { answered = true } }
    var hasAnswered: Bool { lock.withLock { answered } }

    func count(_ verb: String) { lock.withLock { values[verb, default: 0] += 1 } }
    var counts: [String: Int] { lock.withLock { values } }
}
