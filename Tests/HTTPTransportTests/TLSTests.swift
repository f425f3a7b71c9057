import HTTPTransport
import ResourceModel
import Testing
import X509

@Suite(.timeLimit(.minutes(1)))
struct TLSTests {
    @Test func trustsOnlyTheGivenAuthority() async throws {
        let authority = try TestAuthority()
        let other = try TestAuthority()
        try await TestServer.with(.http2(authority, requiresClientCertificate: false)) { url in
            let answer6 = try await HTTPClient(configuration: trusting(authority)).send(.init(url: "\(url)/hello"))
            #expect(answer6.text == "hello")
            for configuration in [trusting(other), HTTPClientConfiguration()] {
                let error = await #expect(throws: HTTPError.self) {
                    try await HTTPClient(configuration: configuration).send(.init(url: "\(url)/hello"))
                }
                #expect(error?.code == .tls)
                #expect(error?.failureKind == .unreachable)
            }
        }
    }

    @Test func skipsVerificationOnlyWhenAsked() async throws {
        let authority = try TestAuthority()
        try await TestServer.with(.http2(authority, requiresClientCertificate: false)) { url in
            let client = HTTPClient(configuration: HTTPClientConfiguration(tls: TLSConfiguration(insecureSkipVerify: true)))
            let answer7 = try await client.send(.init(url: "\(url)/hello"))
            #expect(answer7.text == "hello")
        }
    }

    @Test func verifiesTheGivenServerName() async throws {
        let authority = try TestAuthority()
        try await TestServer.with(.http2(authority, requiresClientCertificate: false), names: [.dnsName("api.internal")]) { url in
            var configuration = trusting(authority)
            let error = await #expect(throws: HTTPError.self) {
                try await HTTPClient(configuration: configuration).send(.init(url: "\(url)/hello"))
            }
            #expect(error?.code == .tls)
            configuration.tls.serverName = "api.internal"
            let answer = try await HTTPClient(configuration: configuration).send(.init(url: "\(url)/echo"))
            // The Host field stays what the URL says.
            #expect(answer.text.split(separator: "\n")[1] == url.dropFirst("https://".count))
        }
    }

    @Test func identifiesItselfWithACertificateFromMemoryOrFiles() async throws {
        let authority = try TestAuthority()
        let identity = try authority.identity([], commonName: "tester")
        try await TestServer.with(.http2(authority, requiresClientCertificate: true)) { url in
            let error = await #expect(throws: HTTPError.self) {
                try await HTTPClient(configuration: trusting(authority)).send(.init(url: "\(url)/hello"))
            }
            #expect(error != nil)
            var configuration = trusting(authority)
            configuration.tls.clientCertificate = .bytes(Array(identity.certificate.utf8))
            configuration.tls.clientKey = Redacted(.bytes(Array(identity.key.utf8)))
            let answer8 = try await HTTPClient(configuration: configuration).send(.init(url: "\(url)/hello"))
            #expect(answer8.text == "hello")
            try await withFiles([identity.certificate, identity.key, authority.pem]) { paths in
                let configuration = HTTPClientConfiguration(
                    tls: TLSConfiguration(
                        certificateAuthority: .file(paths[2]), clientCertificate: .file(paths[0]), clientKey: Redacted(.file(paths[1]))))
                let answer9 = try await HTTPClient(configuration: configuration).send(.init(url: "\(url)/hello"))
                #expect(answer9.text == "hello")
            }
        }
    }

    @Test func aBadClientCertificateIsNamed() async throws {
        let authority = try TestAuthority()
        try await TestServer.with(.http2(authority, requiresClientCertificate: true)) { url in
            var configuration = trusting(authority)
            configuration.tls.clientCertificate = .bytes(Array("nonsense".utf8))
            configuration.tls.clientKey = Redacted(.bytes(Array("nonsense".utf8)))
            let error = await #expect(throws: HTTPError.self) {
                try await HTTPClient(configuration: configuration).send(.init(url: "\(url)/hello"))
            }
            #expect(error?.code == .tls)
            #expect(error?.message.contains("client certificate") == true)
        }
    }
}
