import Foundation
import Hummingbird
import Logging

/// The demo's workload: says which version it is, so that a rollout can be seen over HTTP.
///
/// Environment: `APP_VERSION`, `APP_COLOR`, `PORT` (8080), `HOST` (else `POD_IP`, else 0.0.0.0), `ERROR_RATE` (percent of
/// requests to `/` that are answered with 500).
@main
struct DemoWeb {
    static func main() async throws {
        let environment = ProcessInfo.processInfo.environment
        let version = environment["APP_VERSION"] ?? "dev"
        let color = environment["APP_COLOR"] ?? "blue"
        let pod = environment["POD_NAME"] ?? environment["HOSTNAME"] ?? ""
        let host = environment["HOST"] ?? environment["POD_IP"] ?? "0.0.0.0"
        guard let port = Int(environment["PORT"] ?? "8080"), (0...65535).contains(port) else {
            FileHandle.standardError.write(Data("demo-web: PORT is not a port: \(environment["PORT"] ?? "")\n".utf8))
            exit(64)
        }
        let errorRate = Int(environment["ERROR_RATE"] ?? "0") ?? 0
        let counter = RequestCounter()

        let router = Router()
        router.get("/") { _, _ -> Response in
            let fails = Int.random(in: 0..<100) < errorRate
            await counter.count(status: fails ? 500 : 200)
            let body = fails ? #"{"error":"injected"}"# : #"{"version":"\#(version)","color":"\#(color)","pod":"\#(pod)","address":"\#(host)"}"#
            return Response(
                status: fails ? .internalServerError : .ok, headers: [.contentType: "application/json"],
                body: .init(byteBuffer: ByteBuffer(string: body + "\n")))
        }
        router.get("/healthz") { _, _ in "ok\n" }
        router.get("/metrics") { _, _ in await counter.metrics(version: version, color: color) }

        let app = Application(
            router: router, configuration: .init(address: .hostname(host, port: port), serverName: "demo-web"),
            logger: Logger(label: "demo-web"))
        try await app.runService()
    }
}

/// Requests to `/` by status.
actor RequestCounter {
    private var counts: [Int: Int] = [200: 0, 500: 0]

    func count(status: Int) { counts[status, default: 0] += 1 }

    /// Prometheus' text format.
    func metrics(version: String, color: String) -> String {
        var lines = ["# TYPE demo_web_requests_total counter"]
        lines += counts.sorted { $0.key < $1.key }.map { #"demo_web_requests_total{version="\#(version)",status="\#($0.key)"} \#($0.value)"# }
        lines += ["# TYPE demo_web_build_info gauge", #"demo_web_build_info{version="\#(version)",color="\#(color)"} 1"#]
        return lines.joined(separator: "\n") + "\n"
    }
}
