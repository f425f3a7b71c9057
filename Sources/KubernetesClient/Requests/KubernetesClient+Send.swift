import HTTPTransport
import ResourceModel

/// A request before credentials are added.
struct Outgoing: Sendable {
    var request: APIError.Request
    var query: String = ""
    var headers: HTTPHeaders = [:]
    var body: [UInt8]?
    /// Whether sending it twice does what sending it once does.
    var isIdempotent: Bool
    var deadline: Duration?
}

extension KubernetesClient {
    /// Sends, retries where that is safe, and returns the successful answer (status 2xx).
    func send(_ outgoing: Outgoing) async throws -> HTTPResponse {
        var attempt = 1
        var refreshed = false
        var isBroken = false
        var outOfReachSince: ContinuousClock.Instant?
        var refusedSince: ContinuousClock.Instant?
        while true {
            let delay: Duration
            do {
                let response = try await sendOnce(outgoing, onNewConnection: isBroken)
                counter.noteAnswer()
                if (200..<300).contains(response.status) { return response }
                if response.status == 401, !refreshed, await credentials.refresh() {
                    refreshed = true
                    continue
                }
                let error = APIError(
                    status: response.status, body: response.body, retryAfter: retryAfter(response.headers), request: outgoing.request)
                let isPatient: Bool
                if response.status == 429, error.retryAfter != nil {
                    // One that has too much to do refuses many at once, some of them again and again.
                    let since = refusedSince ?? ContinuousClock.now
                    refusedSince = since
                    isPatient = ContinuousClock.now - since < retryPolicy.patience
                } else {
                    isPatient = false
                }
                guard isPatient || attempt < retryPolicy.attempts, mayRetry(outgoing, response) else { throw error }
                delay = retryPolicy.delay(after: attempt, retryAfter: error.retryAfter)
                logger?.debug("\(outgoing.request): \(response.status), again in \(delay)")
            } catch let error as HTTPError {
                if error.code == .cancelled { throw CancellationError() }
                isBroken = error.code == .interrupted
                if error.code == .connect, counter.hasAnswered {
                    let since = outOfReachSince ?? ContinuousClock.now
                    outOfReachSince = since
                    guard ContinuousClock.now - since < retryPolicy.patience else { throw error }
                    delay = min(retryPolicy.delay(after: attempt, retryAfter: nil), .seconds(1))
                } else {
                    guard attempt < retryPolicy.attempts, mayRetry(outgoing, error, attempt: attempt) else { throw error }
                    delay = retryPolicy.delay(after: attempt, retryAfter: nil)
                }
                logger?.debug("\(error), again in \(delay)")
            }
            attempt += 1
            try await Task.sleep(for: delay)
        }
    }

    /// One attempt, with credentials; any status is an answer.
    func sendOnce(_ outgoing: Outgoing, onNewConnection: Bool = false) async throws -> HTTPResponse {
        let material = try await credentials.current()
        counter.count(outgoing.request.verb)
        var request = httpRequest(outgoing, material)
        request.wantsNewConnection = onNewConnection
        return try await transports.client(for: material).send(request)
    }

    func httpRequest(_ outgoing: Outgoing, _ material: CredentialMaterial) -> HTTPRequest {
        var headers = outgoing.headers
        if headers["Accept"] == nil { headers["Accept"] = "application/json" }
        if headers["Authorization"] == nil, let value = material.authorization { headers["Authorization"] = value.exposed }
        for field in access.impersonation.fields { headers.append(name: field.name, value: field.value) }
        let query = outgoing.query.isEmpty ? "" : "?\(outgoing.query)"
        return HTTPRequest(
            method: outgoing.request.method, url: access.address + outgoing.request.path + query, headers: headers,
            body: outgoing.body, deadline: outgoing.deadline ?? requestDeadline)
    }

    /// A server that says when to come back has not done anything yet; without that word only idempotent requests are repeated.
    private func mayRetry(_ outgoing: Outgoing, _ response: HTTPResponse) -> Bool {
        let isTransient = response.status == 429 || response.status >= 500
        if isTransient, response.headers["Retry-After"] != nil { return true }
        return outgoing.isIdempotent && [429, 502, 503, 504].contains(response.status)
    }

    private func mayRetry(_ outgoing: Outgoing, _ error: HTTPError, attempt: Int) -> Bool {
        switch error.code {
        case .connect: attempt < 3
        case .interrupted: outgoing.isIdempotent
        default: false
        }
    }

    func retryAfter(_ headers: HTTPHeaders) -> Duration? {
        headers["Retry-After"].flatMap { Int($0) }.map { .seconds(max(0, $0)) }
    }

    /// Parses an answer's body.
    func json(_ response: HTTPResponse, for request: APIError.Request) throws -> JSONValue {
        do {
            return try JSONValue(parsing: response.body)
        } catch {
            throw MalformedAnswer(request: request, message: "\(error)")
        }
    }

    /// The texts of `Warning: 299 - "text"` headers (RFC 7234, 5.5).
    func warnings(_ headers: HTTPHeaders) -> [String] {
        headers.values("Warning").map { value in
            guard let open = value.firstIndex(of: "\""), let close = value.lastIndex(of: "\""), open < close else { return value }
            var text = ""
            var escaped = false
            for character in value[value.index(after: open)..<close] {
                if character == "\\" && !escaped {
                    escaped = true
                } else {
                    text.append(character)
                    escaped = false
                }
            }
            return text
        }
    }

    /// Sends one request as it is given, without retries: for tests that look at the exact answer.
    ///
    /// - Parameter query: already encoded, without the question mark.
    package func raw(
        method: String, path: String, query: String = "", contentType: String? = nil, body: [UInt8]? = nil, headers: HTTPHeaders = [:]
    ) async throws -> (status: Int, headers: HTTPHeaders, body: [UInt8]) {
        var fields = headers
        if let contentType { fields["Content-Type"] = contentType }
        let response = try await sendOnce(
            Outgoing(
                request: .init(verb: "raw", method: method, path: path), query: query, headers: fields, body: body, isIdempotent: false))
        return (response.status, response.headers, response.body)
    }

    /// Like `raw`, for an answer that does not end by itself.
    package func rawStream(
        method: String = "GET", path: String, query: String = "", headers: HTTPHeaders = [:], deadline: Duration? = nil
    ) async throws -> HTTPStream {
        let outgoing = Outgoing(
            request: .init(verb: "raw", method: method, path: path), query: query, headers: headers, isIdempotent: false)
        let material = try await credentials.current()
        counter.count("raw")
        var request = httpRequest(outgoing, material)
        request.deadline = deadline
        return try await transports.client(for: material).stream(request)
    }
}
