import Glibc
import HTTPTransport
import ResourceModel
import Testing

@Suite(.timeLimit(.minutes(1)))
struct HTTPClientTests {
    @Test func sendsMethodFieldsAndBodyAsGiven() async throws {
        try await TestServer.with(.plain) { url in
            let client = HTTPClient()
            for method in ["POST", "PUT", "PATCH", "DELETE"] {
                let answer = try await client.send(
                    .init(method: method, url: "\(url)/echo", headers: ["Content-Type": "application/json"], body: Array("{}".utf8)))
                let lines = answer.text.split(separator: "\n", omittingEmptySubsequences: false)
                #expect(lines[0] == method)
                #expect(lines[2] == "User-Agent: \(HTTPClientConfiguration.defaultUserAgent)")
                #expect(lines[3] == "Content-Type: application/json")
                #expect(lines[5] == "Expect: -")
                #expect(lines[6].contains("gzip"))
                #expect(lines[7] == "{}")
            }
            let bare = try await client.send(.init(method: "DELETE", url: "\(url)/echo"))
            #expect(bare.text.hasPrefix("DELETE\n"))
            let untyped = try await client.send(.init(method: "POST", url: "\(url)/echo", body: [65]))
            #expect(untyped.text.contains("Content-Type: -"))
        }
    }

    @Test func asksForPlainAnswersWhereTheyAreCheaperAndUnpacksAllTheSame() async throws {
        try await TestServer.with(.plain) { url in
            var configuration = HTTPClientConfiguration()
            configuration.acceptsCompression = false
            let client = HTTPClient(configuration: configuration)
            let lines = try await client.send(.init(method: "POST", url: "\(url)/echo", body: [65])).text.split(separator: "\n")
            #expect(lines.contains { $0.contains("identity") } && !lines.contains { $0.contains("gzip") }, "\(lines)")
            #expect(try await client.send(.init(url: "\(url)/gzip")).text.hasSuffix("end"))
        }
    }

    @Test func everyStatusIsAnAnswer() async throws {
        try await TestServer.with(.plain) { url in
            let client = HTTPClient()
            for status in [204, 301, 404, 409, 503] {
                let answer1 = try await client.send(.init(url: "\(url)/status/\(status)"))
                #expect(answer1.status == status)
            }
        }
    }

    @Test func decompressesAnswers() async throws {
        try await TestServer.with(.plain) { url in
            let answer = try await HTTPClient().send(.init(url: "\(url)/gzip"))
            #expect(answer.body.count == 1003)
            #expect(answer.text.hasSuffix("end"))
        }
    }

    @Test func largeBodiesArriveWhole() async throws {
        let authority = try TestAuthority()
        try await TestServer.with(.http2(authority, requiresClientCertificate: false)) { url in
            let client = HTTPClient(configuration: trusting(authority))
            let answer = try await client.send(.init(url: "\(url)/size/5000000"))
            #expect(answer.body.count == 5_000_000)
            let sent = [UInt8](repeating: 65, count: 3_000_000)
            let echo = try await client.send(.init(method: "POST", url: "\(url)/echo", body: sent))
            #expect(echo.body.count > 3_000_000)
        }
    }

    @Test func manyRequestsAtOnceAllGetTheirOwnAnswer() async throws {
        let authority = try TestAuthority()
        for transport in [TestServer.Transport.plain, .http2(authority, requiresClientCertificate: false)] {
            try await TestServer.with(transport) { url in
                let client = HTTPClient(configuration: trusting(authority))
                try await withThrowingTaskGroup(of: (Int, Int).self) { group in
                    // NIO closes an HTTP/2 connection after 200 window updates for finished streams.
                    for size in 0..<150 {
                        group.addTask { (size, try await client.send(.init(url: "\(url)/size/\(size)")).body.count) }
                    }
                    for try await (size, count) in group { #expect(size == count) }
                }
            }
        }
    }

    /// libcurl 7.88 forgets to wake a transfer whose answer came while another one of the connection was looked at, if a third one began
    /// after that: the answer lay there until some deadline woke its transfer.
    @Test func anAnswerThatCameBesideAnotherIsNotLeftLying() async throws {
        let authority = try TestAuthority()
        try await TestServer.with(.http2(authority, requiresClientCertificate: false)) { url in
            for _ in 0..<12 {
                let client = HTTPClient(configuration: trusting(authority))
                var groups: [[HTTPStream]] = []
                for name in 0..<8 {
                    groups.append([])
                    for index in 0..<6 { groups[name].append(try await client.stream(.init(url: "\(url)/together/\(name)/\(index % 2)"))) }
                }
                for (name, streams) in groups.enumerated() {
                    let start = ContinuousClock.now
                    let trigger = Task { try await client.send(.init(url: "\(url)/together/\(name)/0", deadline: .seconds(5))) }
                    usleep(.random(in: 0..<1000))
                    let third = Task { try await client.send(.init(url: "\(url)/never")) }
                    for (stream, expected) in zip(streams, [[], ["x"], [], ["x"], [], ["x"]]) {
                        var lines: [String] = []
                        for try await line in stream.lines { lines.append(String(decoding: line, as: UTF8.self)) }
                        #expect(lines == expected)
                    }
                    _ = try await trigger.value
                    #expect(start.duration(to: .now) < .seconds(4), "the deadline woke it")
                    third.cancel()
                    _ = await third.result
                }
            }
        }
    }

    @Test func deadlineGivesAnErrorOfItsOwn() async throws {
        try await TestServer.with(.plain) { url in
            let start = ContinuousClock.now
            let error = await #expect(throws: HTTPError.self) {
                try await HTTPClient().send(.init(url: "\(url)/never?token=secret", deadline: .milliseconds(100)))
            }
            #expect(error?.code == .deadline)
            #expect(error?.failureKind == .unreachable)
            #expect(error?.description.contains("secret") == false)
            #expect(ContinuousClock.now - start < .seconds(5))
        }
    }

    @Test func waitingForASlotCountsTowardsTheDeadline() async throws {
        try await StreamTests.withLines { url, feed in
            var configuration = HTTPClientConfiguration()
            configuration.streamLimits.inFlight = 1
            let client = HTTPClient(configuration: configuration)
            feed.yield("first")
            let first = try await client.stream(.init(url: url))
            let error = await #expect(throws: HTTPError.self) {
                try await client.stream(.init(url: url, deadline: .milliseconds(200)))
            }
            #expect(error?.code == .deadline)
            first.cancel()
            let second = try await client.stream(.init(url: url.replacing("/lines", with: "/hello"), deadline: .seconds(10)))
            let body = try await second.rest()
            #expect(String(decoding: body, as: UTF8.self) == "hello")
        }
    }

    @Test func cancellingARandomHalfResumesEachExactlyOnceAndKeepsTheConnection() async throws {
        let authority = try TestAuthority()
        try await TestServer.with(.http2(authority, requiresClientCertificate: false)) { url in
            let client = HTTPClient(configuration: trusting(authority))
            let tasks = (0..<100).map { index in
                Task { try await client.send(.init(url: "\(url)/\(index.isMultiple(of: 2) ? "never" : "hello")")) }
            }
            for (index, task) in tasks.enumerated() where index.isMultiple(of: 2) { task.cancel() }
            for (index, task) in tasks.enumerated() {
                switch await task.result {
                case .success(let answer):
                    #expect(!index.isMultiple(of: 2))
                    #expect(answer.text == "hello")
                case .failure(let error):
                    #expect(index.isMultiple(of: 2))
                    #expect((error as? HTTPError)?.code == .cancelled)
                }
            }
        }
    }

    @Test func refusedConnectionsAreUnreachable() async throws {
        let error = await #expect(throws: HTTPError.self) {
            try await HTTPClient().send(.init(url: "http://user:hunter2@127.0.0.1:1/x?y=z"))
        }
        #expect(error?.code == .connect)
        #expect(error?.failureKind == .unreachable)
        #expect(error?.url == "http://127.0.0.1:1/x")
        #expect(error?.description.contains("hunter2") == false)
        #expect(error?.hint != nil)
    }

    @Test func badURLsAreRefused() async throws {
        for url in ["", "hello", "ftp://127.0.0.1/x", "http://", "http://127.0.0.1:99999/"] {
            let error = await #expect(throws: HTTPError.self) { try await HTTPClient().send(.init(url: url)) }
            #expect(error?.code == .invalidRequest, "\(url)")
        }
    }

    @Test func answersAboveTheLimitAreRefused() async throws {
        try await TestServer.with(.plain) { url in
            let client = HTTPClient(configuration: HTTPClientConfiguration(maximumBodyBytes: 1000))
            let error = await #expect(throws: HTTPError.self) { try await client.send(.init(url: "\(url)/size/2000")) }
            #expect(error?.code == .tooLarge)
            let answer3 = try await client.send(.init(url: "\(url)/size/1000"))
            #expect(answer3.body.count == 1000)
        }
    }

    @Test func aBodyThatBreaksOffIsAnError() async throws {
        try await TestServer.with(.plain) { url in
            let error = await #expect(throws: HTTPError.self) { try await HTTPClient().send(.init(url: "\(url)/broken")) }
            #expect(error?.code == .interrupted)
        }
    }

    @Test func goesThroughTheGivenProxy() async throws {
        try await TestServer.with(.plain) { url in
            let client = HTTPClient(configuration: HTTPClientConfiguration(proxy: .url(Redacted(url))))
            let answer = try await client.send(.init(url: "http://api.example.test/echo"))
            #expect(answer.text.split(separator: "\n")[1] == "api.example.test")
        }
    }

    @Test func connectsToAUnixSocket() async throws {
        let path = "/tmp/http-transport-\(UInt64.random(in: 0...UInt64.max)).sock"
        try await TestServer.with(.unixSocket(path)) { _ in
            let client = HTTPClient(configuration: HTTPClientConfiguration(unixSocketPath: path))
            let answer4 = try await client.send(.init(url: "http://localhost/hello"))
            #expect(answer4.text == "hello")
        }
    }

    @Test func failsAfterShutDown() async throws {
        try await TestServer.with(.plain) { url in
            let client = HTTPClient()
            let answer5 = try await client.send(.init(url: "\(url)/hello"))
            #expect(answer5.status == 200)
            let running = Task { try await client.send(.init(url: "\(url)/never")) }
            client.shutDown()
            let error = await #expect(throws: HTTPError.self) { try await running.value }
            #expect(error?.code == .shutDown)
        }
    }
}

func trusting(_ authority: TestAuthority) -> HTTPClientConfiguration {
    HTTPClientConfiguration(tls: TLSConfiguration(certificateAuthority: .bytes(Array(authority.pem.utf8))))
}

