import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

/// A server on a real socket that gives every request the same answer.
func withAnswer(
    status: Int, body: String, headers: HTTPFields = [:], _ run: @escaping @Sendable (_ port: Int) async throws -> Void
) async throws {
    try await serving { _ in (status, body) } headers: { headers } _: { try await run($0) }
}

/// A server on a real socket that answers with JSON by path.
func withAnswers(
    _ answer: @escaping @Sendable (_ uri: String) -> (Int, String), _ run: @escaping @Sendable (_ port: Int) async throws -> Void
) async throws {
    try await serving(answer) {
        [.contentType: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"]
    } _: { try await run($0) }
}

private func serving(
    _ answer: @escaping @Sendable (String) -> (Int, String), headers: @escaping @Sendable () -> HTTPFields,
    _ run: @escaping @Sendable (Int) async throws -> Void
) async throws {
    let (ports, announce) = AsyncStream.makeStream(of: Int.self)
    var logger = Logger(label: "answers")
    logger.logLevel = .critical
    let responder = CallbackResponder { (request: Request, _: BasicRequestContext) -> Response in
        let (status, body) = answer(request.uri.path)
        return Response(status: .init(code: status), headers: headers(), body: .init(byteBuffer: ByteBuffer(string: body)))
    }
    let app = Application(
        responder: responder, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { announce.yield($0.localAddress?.port ?? 0) }, logger: logger)
    let group = ServiceGroup(configuration: .init(services: [.init(service: app)], logger: logger))
    // Neither cancelled nor waited for: see withScript of KubernetesClientTests.
    Task { try await group.run() }
    guard let port = await ports.first(where: { _ in true }) else { throw CancellationError() }
    var failure: (any Error)?
    do { try await run(port) } catch { failure = error }
    await group.triggerGracefulShutdown()
    if let failure { throw failure }
}
