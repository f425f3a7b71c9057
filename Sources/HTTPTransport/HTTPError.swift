import ResourceModel

/// Why there is no answer, or no more of it. It never holds a header, a body or a URL's credentials.
package struct HTTPError: ClassifiedError, Sendable, Hashable, CustomStringConvertible {
    /// An open set: compare with the constants.
    package struct Code: RawRepresentable, Sendable, Hashable {
        package var rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        /// The request itself cannot be sent: a bad URL, an unreadable certificate.
        package static let invalidRequest = Code(rawValue: "invalid-request")
        /// A host name (the server's or the proxy's) has no address.
        package static let resolve = Code(rawValue: "resolve")
        /// No connection: refused, unreachable, or not accepted in time.
        package static let connect = Code(rawValue: "connect")
        /// The TLS handshake failed: certificate, name, protocol.
        package static let tls = Code(rawValue: "tls")
        /// The proxy refused or broke.
        package static let proxy = Code(rawValue: "proxy")
        /// The connection broke after the request may have reached the server.
        package static let interrupted = Code(rawValue: "interrupted")
        /// The request's own deadline passed.
        package static let deadline = Code(rawValue: "deadline")
        /// The calling task was cancelled.
        package static let cancelled = Code(rawValue: "cancelled")
        /// The answer is larger than the client's limit.
        package static let tooLarge = Code(rawValue: "too-large")
        /// The client was shut down.
        package static let shutDown = Code(rawValue: "shut-down")
    }

    package var code: Code
    /// What failed and why, in a sentence.
    package var message: String
    package var method: String
    /// Without credentials and query.
    package var url: String
    /// The transport's own words.
    package var cause: String?
    /// The next thing to try.
    package var hint: String?

    package init(
        code: Code, message: String, method: String = "", url: String = "", cause: String? = nil, hint: String? = nil
    ) {
        self.code = code
        self.message = message
        self.method = method
        self.url = url
        self.cause = cause
        self.hint = hint
    }

    /// Whether the server certainly did not see the request, so that even a write may be sent again.
    package var wasNotSent: Bool { [.resolve, .connect, .tls, .proxy, .invalidRequest].contains(code) }

    package var failureKind: FailureKind {
        switch code {
        case .resolve, .connect, .tls, .proxy, .interrupted, .deadline: .unreachable
        case .invalidRequest: .usage
        default: .failed
        }
    }

    package var description: String {
        var text = url.isEmpty ? message : "\(method) \(url): \(message)"
        if let cause { text += ": \(cause)" }
        if let hint { text += " (\(hint))" }
        return text
    }
}
