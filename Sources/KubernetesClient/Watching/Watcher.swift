import HTTPTransport
import ResourceModel

/// One watch over as many connections as it takes. Pulled by its consumer, so a slow one slows the server.
actor Watcher {
    private let client: KubernetesClient
    private let resource: APIResource
    private let namespace: String?
    private let options: WatchOptions
    private let request: APIError.Request
    private var resourceVersion: String?
    private var lines: HTTPLines.Iterator?
    private var stream: HTTPStream?
    private var hasEnded = false
    private var failures = 0
    /// Throws after that many failures in a row; `nil` tries for ever.
    private let patience: Int?

    init(client: KubernetesClient, resource: APIResource, namespace: String?, options: WatchOptions, patience: Int? = nil) {
        self.client = client
        self.resource = resource
        self.namespace = namespace
        self.options = options
        self.patience = patience
        resourceVersion = options.resourceVersion
        request = APIError.Request(verb: "watch", method: "GET", path: resource.path(namespace: namespace))
    }

    /// The next event; `nil` after `expired`.
    func next() async throws -> WatchEvent? {
        while !hasEnded {
            try Task.checkCancellation()
            do {
                if lines == nil { try await connect() }
                var iterator = lines
                let line = try await iterator?.next()
                lines = iterator
                guard let line else {  // the server's own timeout: go on from where we are
                    disconnect()
                    continue
                }
                if line.isEmpty { continue }
                if let event = try accept(line) {
                    failures = 0
                    return event
                }
            } catch {
                if let error = error as? HTTPError, error.code == .cancelled { throw CancellationError() }
                disconnect()
                if let error = error as? APIError {
                    if error.isExpired {
                        hasEnded = true
                        return .expired
                    }
                    if [400, 401, 403, 404, 405, 422].contains(error.code) { throw error }
                } else if !(error is HTTPError) && !(error is MalformedAnswer) {
                    throw error
                }
                failures += 1
                if let patience, failures > patience { throw error }
                client.logger?.debug("\(error); watching again")
                try await Task.sleep(
                    for: RetryPolicy(attempts: .max, longestDelay: .seconds(30))
                        .delay(after: failures, retryAfter: (error as? APIError)?.retryAfter))
            }
        }
        return nil
    }

    private func connect() async throws {
        let seconds = max(1, Int(options.timeout.components.seconds))
        let query = queryString([
            ("watch", "true"), ("allowWatchBookmarks", "true"), ("labelSelector", options.labelSelector),
            ("fieldSelector", options.fieldSelector), ("resourceVersion", resourceVersion), ("timeoutSeconds", "\(seconds)"),
        ])
        let outgoing = Outgoing(request: request, query: query, isIdempotent: true)
        for attempt in 1...2 {
            let material = try await client.credentials.current()
            client.counter.count("watch")
            var message = client.httpRequest(outgoing, material)
            // The server ends the watch in time; when it does not, the connection is dead.
            message.deadline = options.timeout + .seconds(30)
            let stream = try await client.transports.client(for: material).stream(message)
            if stream.status == 200 {
                self.stream = stream
                lines = stream.lines.makeAsyncIterator()
                return
            }
            let body = try await stream.rest()
            if stream.status == 401, attempt == 1, await client.credentials.refresh() { continue }
            throw APIError(status: stream.status, body: body, retryAfter: client.retryAfter(stream.headers), request: request)
        }
    }

    private func disconnect() {
        stream?.cancel()
        stream = nil
        lines = nil
    }

    /// Reads one line; `nil` for types that are not known.
    private func accept(_ line: [UInt8]) throws -> WatchEvent? {
        let value: JSONValue
        do { value = try JSONValue(parsing: line) } catch { throw MalformedAnswer(request: request, message: "\(error)") }
        guard let type = value["type"]?.stringValue, let object = value["object"] else {
            throw MalformedAnswer(request: request, message: "not a watch event")
        }
        if type == "ERROR" { throw APIError(status: object, request: request) }
        guard let version = object[path: "metadata", "resourceVersion"]?.stringValue else {
            throw MalformedAnswer(request: request, message: "an event without resourceVersion")
        }
        resourceVersion = version
        switch type {
        case "ADDED": return .added(object)
        case "MODIFIED": return .modified(object)
        case "DELETED": return .deleted(object)
        case "BOOKMARK": return .bookmark(resourceVersion: version)
        default: return nil
        }
    }
}
