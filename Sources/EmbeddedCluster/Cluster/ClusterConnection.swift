import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP2
import NIOHTTPTypes
import NIOHTTPTypesHTTP2
import NIOSSL
import NIOTLS
import Synchronization

/// A TLS connection that speaks HTTP/2 or HTTP/1.1.
///
/// Hummingbird's own HTTP/2 channel can't be configured, and NIO's defaults close a connection after 200 "glitches": libcurl's window
/// updates for streams that are answered already count as such, so a client that sends a thousand requests would be cut off.
struct ClusterConnection: ServerChildChannel {
    typealias Stream = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
    typealias Multiplexer = NIOHTTP2Handler.AsyncStreamMultiplexer<OpenedStream>

    struct Value: ServerChildChannelValue {
        let negotiated: EventLoopFuture<NIONegotiatedHTTPVersion<Stream, Multiplexer>>
        let channel: any Channel
    }

    private let tls: NIOSSLContext
    private let http1: HTTP1Channel
    private let responder: HTTPChannelHandler.Responder

    static func builder(_ configuration: TLSConfiguration) throws -> HTTPServerBuilder {
        let tls = try NIOSSLContext(configuration: configuration)
        return HTTPServerBuilder { responder in
            ClusterConnection(tls: tls, http1: HTTP1Channel(responder: responder), responder: responder)
        }
    }

    private static let configuration: NIOHTTP2Handler.Configuration = {
        var configuration = NIOHTTP2Handler.Configuration()
        configuration.connection.maximumConnectionGlitches = .max
        configuration.connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: 250),
            HTTP2Setting(parameter: .maxHeaderListSize, value: 64 * 1024),
            HTTP2Setting(parameter: .initialWindowSize, value: 1 << 20),
        ]
        configuration.connection.targetWindowSize = 4 << 20
        configuration.connection.controlFrameRateLimit.maximumCount = 100_000
        configuration.stream.targetWindowSize = 1 << 20
        configuration.stream.streamErrorRateLimit.maximumCount = .max
        configuration.stream.streamResetFrameRateLimit.maximumCount = 10_000
        return configuration
    }()

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
            let negotiation = NIOTypedApplicationProtocolNegotiationHandler<NIONegotiatedHTTPVersion<Stream, Multiplexer>> { result in
                guard case .negotiated("h2") = result else {
                    return http1.setup(channel: channel, logger: logger).map { .http1_1($0) }
                }
                return channel.eventLoop.makeCompletedFuture {
                    let multiplexer = try channel.pipeline.syncOperations.configureAsyncHTTP2Pipeline(
                        mode: .server, configuration: Self.configuration
                    ) { stream in
                        stream.eventLoop.makeCompletedFuture {
                            try stream.pipeline.syncOperations.addHandler(HTTP2FramePayloadToHTTPServerCodec())
                            return OpenedStream(try Stream(wrappingChannelSynchronously: stream))
                        }
                    }
                    return .http2(multiplexer)
                }
            }
            try channel.pipeline.syncOperations.addHandler(negotiation)
            return Value(negotiated: negotiation.protocolNegotiationResult, channel: channel)
        }
    }

    func handle(value: Value, logger: Logger) async {
        do {
            switch try await value.negotiated.get() {
            case .http1_1(let connection): await http1.handle(value: connection, logger: logger)
            case .http2(let multiplexer):
                try await withThrowingDiscardingTaskGroup { group in
                    for try await opened in multiplexer.inbound {
                        let stream = opened.take()
                        group.addTask { await answer(stream, logger: logger) }
                    }
                }
            }
        } catch {
            logger.debug("connection ended", metadata: ["error": "\(error)"])
        }
    }

    private static let maximumBody = 8 * 1024 * 1024

    private func answer(_ stream: Stream, logger: Logger) async {
        do {
            try await stream.executeThenClose { inbound, outbound in
                var head: HTTPRequest?
                var body = ByteBuffer()
                for try await part in inbound {
                    switch part {
                    case .head(let part): head = part
                    case .body(let part):
                        guard body.readableBytes + part.readableBytes <= Self.maximumBody else { return }
                        if body.readableBytes == 0 { body = part } else { body.writeImmutableBuffer(part) }
                        continue
                    case .end: break
                    }
                    if case .end = part { break }
                }
                guard let head else { return }
                let request = Request(head: head, body: HummingbirdCore.RequestBody(buffer: body))
                try await responder(request, ResponseWriter(outbound: outbound), stream.channel)
            }
        } catch {
            logger.debug("stream ended", metadata: ["error": "\(error)"])
        }
    }
}

/// A stream that a client opened, until somebody answers it. One that nobody takes any more, since the server is stopping, is closed:
/// NIO ends the whole process when a channel's writer goes without having been finished.
final class OpenedStream: Sendable {
    private let stream: ClusterConnection.Stream
    private let isTaken = Mutex(false)

    init(_ stream: ClusterConnection.Stream) { self.stream = stream }

    /// The stream; whoever takes it ends it.
    func take() -> ClusterConnection.Stream {
        isTaken.withLock { $0 = true }
        return stream
    }

    deinit {
        guard !isTaken.withLock({ $0 }) else { return }
        // What closing meets concerns nobody: the client sees its stream end.
        Task { [stream] in try? await stream.executeThenClose { _, _ in } }
    }
}
