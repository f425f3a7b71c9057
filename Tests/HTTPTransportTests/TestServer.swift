import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
import HummingbirdTLS
import Logging
import NIOCore
import NIOSSL
import ServiceLifecycle
import X509

/// A real server on loopback, which lives as long as `body`.
enum TestServer {
    enum Transport {
        case plain
        case unixSocket(String)
        case http1TLS(TestAuthority, requiresClientCertificate: Bool)
        case http2(TestAuthority, requiresClientCertificate: Bool)
    }

    /// `body` gets the server's base URL.
    static func with<Result: Sendable>(
        _ transport: Transport, names: [GeneralName] = [TestAuthority.address([127, 0, 0, 1])],
        lines: AsyncStream<String>? = nil,
        body: @escaping @Sendable (String) async throws -> Result
    ) async throws -> Result {
        let router = Router()
        let gate = Gate()
        addRoutes(router, gate)
        if let lines { addLines(router, lines) }
        let (ports, announce) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "test-server")
        logger.logLevel = .critical
        let app = Application(
            router: router, server: try builder(transport, names), configuration: .init(address: address(transport)),
            onServerRunning: { channel in announce.yield(channel.localAddress?.port ?? 0) }, logger: logger)
        // Not by cancelling: NIO traps when that meets a connection which is just being accepted.
        let group = ServiceGroup(configuration: .init(services: [.init(service: app)], logger: logger))
        // Nor waited for: a connection that the client has just let go of would hold the test up.
        Task { try await group.run() }
        guard let port = await ports.first(where: { _ in true }) else { throw CancellationError() }
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body("\(scheme(transport))://127.0.0.1:\(port)"))
        } catch {
            result = .failure(error)
        }
        gate.open()
        await group.triggerGracefulShutdown()
        return try result.get()
    }

    private static func address(_ transport: Transport) -> BindAddress {
        if case .unixSocket(let path) = transport { return .unixDomainSocket(path: path) }
        return .hostname("127.0.0.1", port: 0)
    }

    private static func scheme(_ transport: Transport) -> String {
        switch transport {
        case .plain, .unixSocket: "http"
        case .http1TLS, .http2: "https"
        }
    }

    private static func builder(_ transport: Transport, _ names: [GeneralName]) throws -> HTTPServerBuilder {
        switch transport {
        case .plain, .unixSocket: return .http1()
        case .http1TLS(let authority, let required): return try .tls(.http1(), tlsConfiguration: tls(authority, names, required))
        case .http2(let authority, let required): return try .http2Upgrade(tlsConfiguration: tls(authority, names, required))
        }
    }

    private static func tls(_ authority: TestAuthority, _ names: [GeneralName], _ requiresClientCertificate: Bool) throws
        -> NIOSSL.TLSConfiguration
    {
        let identity = try authority.identity(names, commonName: "test server")
        var configuration = NIOSSL.TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(try NIOSSLCertificate(bytes: Array(identity.certificate.utf8), format: .pem))],
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(identity.key.utf8), format: .pem)))
        if requiresClientCertificate {
            configuration.trustRoots = .certificates([try NIOSSLCertificate(bytes: Array(authority.pem.utf8), format: .pem)])
            configuration.certificateVerification = .noHostnameVerification
        }
        return configuration
    }

    /// A route that sends the lines as they come.
    private static func addLines(_ router: Router<BasicRequestContext>, _ lines: AsyncStream<String>) {
        router.get("/lines") { _, _ -> Response in
            Response(
                status: .ok,
                body: .init { writer in
                    for await text in lines { try await writer.write(ByteBuffer(string: text)) }
                    try await writer.finish(nil)
                })
        }
    }

    @Sendable private static func echo(_ request: Request, _ context: BasicRequestContext) async throws -> String {
        let body = try await request.body.collect(upTo: 1 << 24)
        var lines = [request.method.rawValue, request.head.authority ?? "-"]
        lines.append("User-Agent: \(request.headers[.userAgent] ?? "-")")
        lines.append("Content-Type: \(request.headers[.contentType] ?? "-")")
        lines.append("Authorization: \(request.headers[.authorization] ?? "-")")
        lines.append("Expect: \(request.headers[.expect] ?? "-")")
        lines.append("Accept-Encoding: \(request.headers[.acceptEncoding] ?? "-")")
        lines.append(String(buffer: body))
        return lines.joined(separator: "\n")
    }

    private static func addRoutes(_ router: Router<BasicRequestContext>, _ gate: Gate) {
        router.get("/hello") { _, _ in "hello" }
        // Method, fields that matter and body, as the server saw them.
        router.get("/echo", use: echo)
        router.post("/echo", use: echo)
        router.put("/echo", use: echo)
        router.patch("/echo", use: echo)
        router.delete("/echo", use: echo)
        router.get("/size/:bytes") { _, context in
            String(repeating: "x", count: try context.parameters.require("bytes", as: Int.self))
        }
        router.get("/status/:code") { _, context -> Response in
            Response(
                status: .init(code: try context.parameters.require("code", as: Int.self)), body: .init(byteBuffer: ByteBuffer(string: "no")))
        }
        router.get("/gzip") { _, _ -> Response in
            // gzip of 1000 times "x" and "end"
            let bytes: [UInt8] = [
                0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0xa8, 0x18, 0x05, 0xa3, 0x60, 0x14, 0x0c, 0x77, 0x90, 0x9a,
                0x97, 0x02, 0x00, 0x99, 0x82, 0x70, 0xb6, 0xeb, 0x03, 0x00, 0x00,
            ]
            return Response(status: .ok, headers: [.contentEncoding: "gzip"], body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
        }
        router.get("/never") { _, _ -> String in
            await gate.wait()
            return ""
        }
        // Answers of this length that all end at once, when seven of a name are asked for.
        let meeting = Meeting()
        router.get("/together/:name/:bytes") { _, context -> Response in
            let (name, bytes) = (try context.parameters.require("name"), try context.parameters.require("bytes", as: Int.self))
            return Response(
                status: .ok,
                body: .init { writer in
                    await meeting.join(name, of: 7)
                    if bytes > 0 { try await writer.write(ByteBuffer(string: String(repeating: "x", count: bytes))) }
                    try await writer.finish(nil)
                })
        }
        router.get("/broken") { _, _ -> Response in
            Response(
                status: .ok,
                body: .init { writer in
                    try await writer.write(ByteBuffer(string: "half a li"))
                    throw CancellationError()
                })
        }
    }
}

/// Holds callers back until so many of a name are there.
private actor Meeting {
    private var waiting: [String: [CheckedContinuation<Void, Never>]] = [:]

    func join(_ name: String, of count: Int) async {
        await withCheckedContinuation { continuation in
            waiting[name, default: []].append(continuation)
            guard waiting[name]?.count == count else { return }
            for each in waiting.removeValue(forKey: name) ?? [] { each.resume() }
        }
    }
}

/// Holds answers back until the test is over.
private actor Gate {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func wait() async {
        if isOpen { return }
        await withCheckedContinuation { waiting.append($0) }
    }

    nonisolated func open() { Task { await release() } }

    private func release() {
        isOpen = true
        for continuation in waiting { continuation.resume() }
        waiting = []
    }
}
