import Foundation
import HTTPTransport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct StreamTests {
    /// A route whose lines the test sends while the client reads.
    static func withLines(
        _ transport: TestServer.Transport = .plain,
        _ body: @escaping @Sendable (String, AsyncStream<String>.Continuation) async throws -> Void
    ) async throws {
        let (lines, feed) = AsyncStream.makeStream(of: String.self)
        try await TestServer.with(transport, lines: lines) { url in
            try await body("\(url)/lines", feed)
            feed.finish()
        }
    }

    @Test func linesArriveAsTheyAreSentAcrossChunks() async throws {
        try await Self.withLines { url, feed in
            let stream = try await HTTPClient().stream(.init(url: url))
            #expect(stream.status == 200)
            var lines = stream.lines.makeAsyncIterator()
            var received: [String?] = []
            func read(_ line: [UInt8]?) { received.append(line.map { String(decoding: $0, as: UTF8.self) }) }
            feed.yield("one\ntw")
            read(try await lines.next())
            feed.yield("o\n\nlast")
            read(try await lines.next())
            read(try await lines.next())
            feed.finish()
            read(try await lines.next())
            read(try await lines.next())
            #expect(received == ["one", "two", "", "last", nil])
        }
    }

    @Test func aSlowReaderLosesNothingAndHoldsNobodyElseUp() async throws {
        let authority = try TestAuthority()
        try await Self.withLines(.http2(authority, requiresClientCertificate: false)) { url, feed in
            let client = HTTPClient(configuration: trusting(authority))
            let stream = try await client.stream(.init(url: url))
            let line = String(repeating: "x", count: 3999) + "\n"
            for _ in 0..<2000 { feed.yield(line) }  // 8 MB: above every buffer on the way
            feed.finish()
            for _ in 0..<20 {
                let answer10 = try await client.send(.init(url: url.replacingOccurrences(of: "/lines", with: "/hello")))
                #expect(answer10.text == "hello")
            }
            var count = 0
            for try await line in stream.lines {
                #expect(line.count == 3999)
                count += 1
            }
            #expect(count == 2000)
        }
    }

    @Test func aStreamThatBreaksOffThrowsAfterWhatArrived() async throws {
        try await TestServer.with(.plain) { url in
            let stream = try await HTTPClient().stream(.init(url: "\(url)/broken"))
            var received: [UInt8] = []
            do throws(HTTPError) {
                while let chunk = try await stream.next() { received += chunk }
                Issue.record("the body ended as if it were whole")
            } catch {
                #expect(error.code == .interrupted)
            }
            #expect(String(decoding: received, as: UTF8.self) == "half a li")
        }
    }

    @Test func cancellingTheReaderEndsTheWait() async throws {
        try await Self.withLines { url, feed in
            let stream = try await HTTPClient().stream(.init(url: url))
            let reader = Task { try await stream.next() }
            reader.cancel()
            let error = await #expect(throws: HTTPError.self) { try await reader.value }
            #expect(error?.code == .cancelled)
        }
    }

    @Test func silenceBeyondTheIdleDeadlineIsAnError() async throws {
        try await Self.withLines { url, feed in
            let stream = try await HTTPClient().stream(.init(url: url, idleDeadline: .milliseconds(150)))
            feed.yield("x\n")
            let error = await #expect(throws: HTTPError.self) {
                var chunk = try await stream.next()
                while chunk != nil { chunk = try await stream.next() }
            }
            #expect(error?.code == .deadline)
        }
    }

    @Test func requestsAreNotHeldUpByManyStreams() async throws {
        let authority = try TestAuthority()
        try await Self.withLines(.http2(authority, requiresClientCertificate: false)) { url, feed in
            let base = url.replacingOccurrences(of: "/lines", with: "")
            let client = HTTPClient(configuration: trusting(authority))
            let waiting = (0..<250).map { _ in Task { try await client.stream(.init(url: "\(base)/never")) } }
            for _ in 0..<20 {
                let answer11 = try await client.send(.init(url: "\(base)/hello", deadline: .seconds(5)))
                #expect(answer11.text == "hello")
            }
            for task in waiting { task.cancel() }
            for task in waiting { _ = await task.result }
        }
    }
}

func withFiles(_ contents: [String], _ body: ([String]) async throws -> Void) async throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("http-transport-\(UUID())")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }  // leaving it behind fails no test
    var paths: [String] = []
    for (index, text) in contents.enumerated() {
        let file = directory.appendingPathComponent("\(index).pem")
        try text.write(to: file, atomically: true, encoding: .utf8)
        paths.append(file.path)
    }
    try await body(paths)
}
