import Glibc
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP2
import NIOSSL
import ServiceLifecycle
import Synchronization

/// The API server on a loopback socket: TLS, HTTP/2 and HTTP/1.1; and on a Unix socket, where HTTP/1.1 without TLS is quickest. A thin
/// shell; everything is decided in `APIServer`.
final class ClusterListener: Sendable {
    let port: Int
    private let socket: String?
    private let task: Task<Void, any Error>
    private let group: ServiceGroup

    /// Starts to listen; returns when the port and the socket are bound.
    ///
    /// - Parameters:
    ///   - port: 0 for any that is free.
    ///   - socket: path of the Unix socket, where nothing is; `nil` for none.
    static func start(
        _ server: APIServer, credentials: Credentials, port: Int, socket: String?, logger: Logger
    ) async throws -> ClusterListener {
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(credentials.serverCertificate.utf8)).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(credentials.serverKey.utf8), format: .pem)))
        tls.minimumTLSVersion = .tlsv12
        tls.applicationProtocols = NIOHTTP2SupportedALPNProtocols
        let (bound, continuation) = AsyncStream.makeStream(of: Int?.self)
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let token = credentials.token
        let responder = CallbackResponder<ClusterRequestContext> { request, context in
            try await answer(request, context, server, token)
        }
        var services: [any Service] = [
            Application(
                responder: responder, server: try ClusterConnection.builder(tls),
                configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port)),
                onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) }, logger: quiet)
        ]
        if let socket {
            unlink(socket)  // of an attempt that found the port taken
            services.append(
                Application(
                    responder: responder,
                    configuration: ApplicationConfiguration(address: .unixDomainSocket(path: socket), backlog: 1024),
                    onServerRunning: { _ in
                        chmod(socket, 0o600)
                        continuation.yield(nil)
                    }, logger: quiet))
        }
        var configuration = ServiceGroupConfiguration(services: services, logger: quiet)
        configuration.maximumGracefulShutdownDuration = .seconds(2)
        // No limit on the cancellation that follows: at its end the whole process would be stopped.
        let group = ServiceGroup(configuration: configuration)
        let task = Task {
            defer { continuation.finish() }
            try await group.run()
        }
        var (port, count) = (0, 0)
        for await number in bound {
            if let number { port = number }
            count += 1
            if count == services.count { return ClusterListener(port: port, socket: socket, task: task, group: group) }
        }
        try await task.value
        throw ClusterError(code: "cluster.start", message: "the API server stopped before it listened")
    }

    private init(port: Int, socket: String?, task: Task<Void, any Error>, group: ServiceGroup) {
        self.port = port
        self.socket = socket
        self.task = task
        self.group = group
    }

    /// Closes the sockets; requests under way get two seconds.
    func stop() async {
        await group.triggerGracefulShutdown()
        _ = await task.result
        if let socket { unlink(socket) }
    }

    private static let maximumBody = 8 * 1024 * 1024

    private static func answer(_ request: Request, _ context: ClusterRequestContext, _ server: APIServer, _ token: String) async throws
        -> Response
    {
        let body = request.method == .get || request.method == .head ? ByteBuffer() : try await request.body.collect(upTo: maximumBody)
        var headers: [String: String] = [:]
        for field in request.headers {
            let name = field.name.canonicalName
            headers[name] = headers[name].map { $0 + "," + field.value } ?? field.value
        }
        let isAdmin = headers["authorization"].map { constantTimeEqual($0, "Bearer " + token) } ?? false
        let input = APIRequest(
            method: request.method.rawValue, target: request.uri.string, headers: headers, body: Array(body.readableBytesView),
            user: isAdmin ? .admin : nil)
        let output = await server.handleFromNetwork(input)
        var fields = HTTPFields()
        fields[.contentType] = output.contentType
        fields[.cacheControl] = "no-cache, private"
        for warning in output.warnings {
            let text = warning.filter { $0 != "\n" }.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            fields.append(HTTPField(name: .warning, value: "299 - \"\(text)\""))
        }
        for (name, value) in output.headers { if let name = HTTPField.Name(name) { fields[name] = value } }
        switch output.body {
        case .bytes(let bytes):
            return Response(
                status: .init(code: output.status), headers: fields,
                body: request.method == .head ? .init() : .init(byteBuffer: ByteBuffer(bytes: bytes)))
        case .stream(let produce):
            let channel = context.channel
            return Response(
                status: .init(code: output.status), headers: fields,
                body: .init { writer in
                    let target = StreamWriter(writer)
                    // A client that goes away ends what is written for it.
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { try await produce(target) }
                        let (closed, signal) = AsyncStream.makeStream(of: Void.self)
                        channel.closeFuture.whenComplete { _ in signal.finish() }
                        group.addTask { for await _ in closed {} }
                        try await group.next()
                        group.cancelAll()
                    }
                    try await writer.finish(nil)
                })
        }
    }

    private static func constantTimeEqual(_ left: String, _ right: String) -> Bool {
        let (a, b) = (Array(left.utf8), Array(right.utf8))
        guard a.count == b.count else { return false }
        return zip(a, b).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

/// A request's context that knows its channel, so that a stream ends with it.
struct ClusterRequestContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}

extension HTTPField.Name {
    fileprivate static let warning = HTTPField.Name("Warning")!
}

/// Passes a stream's pieces to Hummingbird. Used by one task at a time: the one that produces the stream.
private final class StreamWriter: APIResponseWriter, @unchecked Sendable {
    private var writer: any ResponseBodyWriter

    init(_ writer: any ResponseBodyWriter) { self.writer = writer }

    func write(_ bytes: [UInt8]) async throws { try await writer.write(ByteBuffer(bytes: bytes)) }
}
