import Git
import ResourceModel
import TestSupport
import Testing

@Suite(.serialized) struct HTTPRemoteTests {
    /// `ada:s3cret`.
    private let basic = "Basic YWRhOnMzY3JldA=="
    private let credentials = GitCredentials.basic(username: "ada", password: Redacted("s3cret"))

    private func fetch(_ repo: ScratchRepository, _ remote: GitRemote) async throws -> Revision {
        try await GitMirror(directory: repo.mirror, remote: remote).fetch(ref: "main", deadline: soon)
    }

    @Test func fetchesOverHTTPIncrementally() async throws {
        try await withScratchRepository { repo in
            try await repo.withHTTPBackend { (place: String) async throws in
                let remote = GitRemote(url: "http://\(place)")
                // More than one packet, and more wants than one chunk.
                let files = Dictionary(uniqueKeysWithValues: (0..<50).map { ("d\($0)/f", String(repeating: "\($0)-", count: 2_000)) })
                let first = try await repo.commit(files)
                #expect(try await fetch(repo, remote).commit == first)
                let second = try await repo.commit(["d7/f": "new"])
                let revision = try await fetch(repo, remote)
                #expect(revision.commit == second)
                let snapshot = try await GitMirror(directory: repo.mirror, remote: remote).snapshot(of: revision)
                #expect(try await snapshot.contents(at: "d7/f") == Array("new".utf8))
                #expect(try await snapshot.contents(at: "d8/f") == Array((files["d8/f"] ?? "").utf8))
                #expect(try await fetch(repo, remote).commit == second)
            }
        }
    }

    @Test func sendsBasicCredentials() async throws {
        try await withScratchRepository { repo in
            let commit = try await repo.commit(["a": "1"])
            try await repo.withHTTPBackend(["authorization": basic]) { (place: String) async throws in
                #expect(try await fetch(repo, GitRemote(url: "http://\(place)", credentials: credentials)).commit == commit)
                // As a URL has them.
                #expect(try await fetch(repo, GitRemote(url: "http://ada:s3cret@\(place)")).commit == commit)
            }
        }
    }

    @Test func sendsATokenAsPasswordOrAsBearer() async throws {
        try await withScratchRepository { repo in
            let commit = try await repo.commit(["a": "1"])
            let token = GitCredentials.token(Redacted("t0ken"))
            // x-access-token:t0ken
            try await repo.withHTTPBackend(["authorization": "Basic eC1hY2Nlc3MtdG9rZW46dDBrZW4="]) { (place: String) async throws in
                #expect(try await fetch(repo, GitRemote(url: "http://\(place)", credentials: token)).commit == commit)
            }
            try await repo.run(["rm", "-rf", repo.mirror])
            try await repo.withHTTPBackend(["authorization": "Bearer t0ken", "challenge": "Bearer"]) { (place: String) async throws in
                #expect(try await fetch(repo, GitRemote(url: "http://\(place)", credentials: token)).commit == commit)
                try await repo.run(["rm", "-rf", repo.mirror])
                let error = await #expect(throws: GitError.self) {
                    try await fetch(repo, GitRemote(url: "http://\(place)", credentials: .token(Redacted("0ther"))))
                }
                #expect(error?.code == .authentication)
            }
        }
    }

    @Test(arguments: ["Basic", "Bearer"]) func saysWhatIsWrongWithCredentials(challenge: String) async throws {
        try await withScratchRepository { repo in
            try await repo.commit(["a": "1"])
            try await repo.withHTTPBackend(["authorization": "\(challenge) right", "challenge": challenge]) { (place: String) async throws in
                for credentials in [nil, .basic(username: "ada", password: Redacted("wr0ng")), .token(Redacted("wr0ng"))] as [GitCredentials?] {
                    let error = await #expect(throws: GitError.self) {
                        try await fetch(repo, GitRemote(url: "http://\(place)", credentials: credentials))
                    }
                    #expect(error?.code == .authentication, "\(String(describing: error))")
                    #expect(error?.failureKind == .unreachable)
                    #expect(error?.message.contains("http://\(place)") == true)
                    #expect(error?.description.contains("wr0ng") == false)
                }
            }
        }
    }

    @Test(arguments: [(404, GitError.Code.noSuchRepository), (403, .authentication), (503, .unreachable), (500, .unreachable)])
    func tellsStatusesApart(status: Int, code: GitError.Code) async throws {
        try await withScratchRepository { repo in
            try await repo.withHTTPBackend(["status": "\(status)"]) { (place: String) async throws in
                let error = await #expect(throws: GitError.self) { try await fetch(repo, GitRemote(url: "http://\(place)")) }
                #expect(error?.code == code, "\(String(describing: error))")
                #expect(error?.failureKind == .unreachable)
            }
        }
    }

    @Test(arguments: ["Basic", "Bearer"]) func takesCredentialsToNoOtherHost(challenge: String) async throws {
        try await withScratchRepository { repo in
            try await repo.commit(["a": "1"])
            try await repo.withHTTPBackend(["authorization": "nothing", "challenge": challenge]) { (thief: String) async throws in
                let target = "http://\(thief.prefix { $0 != "/" })"
                try await repo.withHTTPBackend(["redirect": target]) { (place: String) async throws in
                    for credentials in [credentials, .token(Redacted("t0ken"))] {
                        let error = await #expect(throws: GitError.self) {
                            try await fetch(repo, GitRemote(url: "http://\(place)", credentials: credentials))
                        }
                        #expect(error?.failureKind == .unreachable, "\(String(describing: error))")
                    }
                    // The first server may see them, the second must not.
                    let port = thief.drop { $0 != ":" }.dropFirst().prefix { $0.isNumber }
                    let log = try await repo.run(["cat", repo.serverLog])
                    #expect(log.contains("401") && !port.isEmpty)
                    let leaks = log.split(separator: "\n").filter { $0.contains("401") && !$0.contains("authorization=None") }
                    #expect(leaks.isEmpty)
                }
            }
        }
    }

    @Test func trustsOnlyTheConfiguredAuthority() async throws {
        try await withScratchRepository { repo in
            let commit = try await repo.commit(["a": "1"])
            let ours = try await repo.makeCertificates()
            let theirs = try await repo.makeCertificates()
            let options = ["certificate": ours.certificate, "key": ours.key, "authorization": basic]
            try await repo.withHTTPBackend(options) { (place: String) async throws in
                let url = "https://\(place)"
                let good = GitRemote(url: url, credentials: credentials, caFile: ours.authority)
                #expect(try await fetch(repo, good).commit == commit)
                for authority in [theirs.authority, nil] {
                    let error = await #expect(throws: GitError.self) {
                        try await fetch(repo, GitRemote(url: url, credentials: credentials, caFile: authority))
                    }
                    #expect(error?.code == .untrustedHost, "\(String(describing: error))")
                    #expect(error?.failureKind == .unreachable)
                    #expect(error?.message.contains("caFile") == true)
                }
                #expect(try await fetch(repo, good).commit == commit)
                // Side by side: one's authority is not the other's.
                async let right = fetch(repo, good)
                let other = GitRemote(url: url, credentials: credentials, caFile: theirs.authority)
                let wrong = GitMirror(directory: repo.mirror + "-2", remote: other)
                await #expect(throws: GitError.self) { try await wrong.fetch(ref: "main", deadline: soon) }
                #expect(try await right.commit == commit)
                let missing = await #expect(throws: GitError.self) { try await fetch(repo, GitRemote(url: url, caFile: "/none.pem")) }
                #expect(missing?.message.contains("/none.pem") == true)
            }
        }
    }

    @Test func refusesACertificateForAnotherHost() async throws {
        try await withScratchRepository { repo in
            try await repo.commit(["a": "1"])
            let other = try await repo.makeCertificates(for: "other.example")
            try await repo.withHTTPBackend(["certificate": other.certificate, "key": other.key]) { (place: String) async throws in
                let error = await #expect(throws: GitError.self) {
                    try await fetch(repo, GitRemote(url: "https://\(place)", caFile: other.authority))
                }
                #expect(error?.code == .untrustedHost)
            }
        }
    }
}
