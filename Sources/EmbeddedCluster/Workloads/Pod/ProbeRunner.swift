import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// Carries out one probe. Success is `nil`, else why it failed, worded as `kubectl describe` shows it.
struct ProbeRunner: Sendable {
    var podIP: String

    func result(_ action: ProbeSpecification.Action, timeout: Duration, exec: @Sendable @escaping ([String]) async -> String?) async
        -> String?
    {
        let (results, continuation) = AsyncStream.makeStream(of: String?.self)
        let work = Task { continuation.yield(await attempt(action, exec)) }
        let clock = Task {
            do { try await Task.sleep(for: timeout) } catch { return }
            continuation.yield("context deadline exceeded (timeout \(timeout))")
        }
        defer {
            work.cancel()
            clock.cancel()
        }
        for await result in results { return result }
        return "cancelled"
    }

    private func attempt(_ action: ProbeSpecification.Action, _ exec: ([String]) async -> String?) async -> String? {
        switch action {
        case .unsupported(let why): return why
        case .exec(let command): return await exec(command)
        case .tcp(let host, let port):
            do {
                let channel = try await bootstrap.connect(host: host ?? podIP, port: port).get()
                channel.close(promise: nil)
                return nil
            } catch {
                return "dial tcp \(host ?? podIP):\(port): \(Self.reason(error))"
            }
        case .http(let scheme, let host, let port, let path, let headers):
            let url = "\(scheme.lowercased())://\(host ?? podIP):\(port)\(path)"
            do {
                let status = try await get(scheme: scheme, host: host ?? podIP, port: port, path: path, headers: headers)
                return (200..<400).contains(status) ? nil : "HTTP probe failed with statuscode: \(status)"
            } catch {
                return "Get \"\(url)\": \(Self.reason(error))"
            }
        }
    }

    private var bootstrap: ClientBootstrap { ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connectTimeout(.seconds(30)) }

    private static func reason(_ error: any Error) -> String {
        if let failure = error as? NIOConnectionError, let first = failure.connectionErrors.first { return reason(first.error) }
        if let failure = error as? IOError { return String(cString: strerror(failure.errnoCode)) }
        return "\(error)"
    }

    private struct Ended: Error, CustomStringConvertible {
        var description: String { "the connection ended before an answer" }
    }

    /// The status code of a GET. The answer's body is not read.
    private func get(scheme: String, host: String, port: Int, path: String, headers: [String]) async throws -> Int {
        let isTLS = scheme.uppercased() == "HTTPS"
        let channel = try await bootstrap.connect(host: host, port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                if isTLS {
                    var configuration = TLSConfiguration.makeClientConfiguration()
                    configuration.certificateVerification = .none  // as the kubelet: probes don't verify
                    let handler = try NIOSSLClientHandler(context: NIOSSLContext(configuration: configuration), serverHostname: nil)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
                return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
        var lines = ["GET \(path) HTTP/1.1"]
        if !headers.contains(where: { $0.lowercased().hasPrefix("host:") }) { lines.append("Host: \(host):\(port)") }
        lines += ["User-Agent: kube-probe/1.36", "Accept: */*", "Connection: close"] + headers
        let request = lines.joined(separator: "\r\n") + "\r\n\r\n"
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: request))
            var head = ""
            for try await buffer in inbound {
                head += String(buffer: buffer)
                guard head.contains("\r\n") else { continue }
                let parts = head.split(separator: " ", maxSplits: 2)
                guard parts.count >= 2, parts[0].hasPrefix("HTTP/"), let status = Int(parts[1].prefix(3)) else { throw Ended() }
                return status
            }
            throw Ended()
        }
    }
}
