import ResourceModel

/// An HTTP client over libcurl: HTTP/2 where the server speaks it, connections kept, answers decompressed.
///
/// Requests and streams run on engines (a thread and its connections) of their own, so that watches never stand in a request's
/// way. Nothing blocks the calling thread; cancelling the calling task ends the transfer. Redirects are answers, not followed.
package final class HTTPClient: Sendable {
    package let configuration: HTTPClientConfiguration
    private let requests: CurlEngine
    private let streams: CurlEngine

    package init(configuration: HTTPClientConfiguration = HTTPClientConfiguration()) {
        self.configuration = configuration
        requests = CurlEngine(name: "http-requests", limits: configuration.requestLimits)
        streams = CurlEngine(name: "http-streams", limits: configuration.streamLimits)
    }

    /// Makes libcurl and its TLS library ready, which takes a first request several milliseconds otherwise.
    package static func prepareLibrary() { _ = EngineLoop.initializeLibrary }

    /// Ends every running transfer with code `shut-down`, and the threads. Later calls fail the same way.
    package func shutDown() {
        requests.shutDown()
        streams.shutDown()
    }

    /// Sends a request and waits for the whole answer.
    ///
    /// - Throws: when there is no answer; a status of any kind is an answer.
    package func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        let transfer = Transfer(request: request, configuration: configuration)
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Result<HTTPResponse, HTTPError>, Never>) in
                transfer.sink = .whole(continuation)
                requests.start(transfer)
                // onCancel may have run before the start was queued, when there was nothing to cancel yet.
                if Task.isCancelled { requests.cancel(transfer.id) }
            }
        } onCancel: {
            requests.cancel(transfer.id)
        }
        return try result.get()
    }

    /// Sends a request and returns as soon as the answer's head is there; the body is read from the stream.
    package func stream(_ request: HTTPRequest) async throws(HTTPError) -> HTTPStream {
        let transfer = Transfer(request: request, configuration: configuration)
        let buffer = StreamBuffer(engine: streams, id: transfer.id)
        transfer.sink = .stream(buffer)
        streams.start(transfer)
        let head = try await buffer.head()
        return HTTPStream(head: head, buffer: buffer)
    }
}
