import Hummingbird
import KubernetesClient
import Logging
import NIOCore
import ServiceLifecycle

/// A server on a real socket whose answers the test writes: for what no API server does on demand.
func withScript(
    _ script: @escaping @Sendable (_ number: Int, _ uri: String) -> Answer,
    _ body: @escaping @Sendable (KubernetesClient) async throws -> Void
) async throws {
    let counter = Counter()
    let (ports, announce) = AsyncStream.makeStream(of: Int.self)
    var logger = Logger(label: "script")
    logger.logLevel = .critical
    let responder = CallbackResponder { (request: Request, _: BasicRequestContext) -> Response in
        let answer = script(await counter.next(), request.uri.description)
        var headers: HTTPFields = [.contentType: "application/json"]
        if let seconds = answer.retryAfter { headers[.retryAfter] = seconds }
        return Response(
            status: .init(code: answer.status), headers: headers,
            body: .init { writer in
                try await writer.write(ByteBuffer(string: answer.body))
                if answer.breaksOff { throw CancellationError() }
                try await writer.finish(nil)
            })
    }
    let app = Application(
        responder: responder, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { announce.yield($0.localAddress?.port ?? 0) }, logger: logger)
    let group = ServiceGroup(configuration: .init(services: [.init(service: app)], logger: logger))
    // Neither cancelled (NIO traps when that meets a connection which is just being accepted) nor waited for.
    Task { try await group.run() }
    guard let port = await ports.first(where: { _ in true }) else { throw CancellationError() }
    let client = KubernetesClient(
        access: ClusterAccess(server: "http://127.0.0.1:\(port)"), retryPolicy: RetryPolicy(attempts: 3, firstDelay: .milliseconds(1)))
    var failure: (any Error)?
    do { try await body(client) } catch { failure = error }
    client.shutDown()
    await group.triggerGracefulShutdown()
    if let failure { throw failure }
}

struct Answer: Sendable {
    var status = 200
    var body = "{}"
    var retryAfter: String?
    var breaksOff = false

    static func status(_ code: Int, _ reason: String, retryAfter: String? = nil) -> Answer {
        Answer(
            status: code, body: #"{"kind":"Status","status":"Failure","code":\#(code),"reason":"\#(reason)","message":"scripted"}"#,
            retryAfter: retryAfter)
    }

    static func list(_ names: [String], version: Int = 5, next: String? = nil) -> Answer {
        let items = names.map { #"{"metadata":{"name":"\#($0)","resourceVersion":"1"}}"# }.joined(separator: ",")
        let token = next.map { #","continue":"\#($0)""# } ?? ""
        return Answer(body: #"{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"\#(version)"\#(token)},"items":[\#(items)]}"#)
    }

    static func event(_ type: String, _ name: String, _ version: Int) -> String {
        #"{"type":"\#(type)","object":{"kind":"ConfigMap","metadata":{"name":"\#(name)","resourceVersion":"\#(version)"}}}"# + "\n"
    }
}

private actor Counter {
    private var value = 0
    func next() -> Int {
        defer { value += 1 }
        return value
    }
}
