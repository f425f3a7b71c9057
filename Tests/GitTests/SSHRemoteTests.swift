import Git
import ResourceModel
import TestSupport
import Testing

@Suite(.serialized, .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")")) struct SSHRemoteTests {
    private func fetch(_ repo: ScratchRepository, _ server: SSHServer, _ credentials: GitCredentials?, url: String? = nil) async throws -> Revision {
        let remote = GitRemote(url: url ?? server.url, credentials: credentials, knownHostsFile: server.knownHosts)
        return try await GitMirror(directory: repo.mirror, remote: remote).fetch(ref: "main", deadline: soon)
    }

    @Test func fetchesWithAKeyAndWithAnAgent() async throws {
        try await withScratchRepository { repo in
            try await repo.withSSHServer { server in
                let first = try await repo.commit(["a": "1"])
                #expect(try await fetch(repo, server, .sshKey(path: server.key)).commit == first)
                let second = try await repo.commit(["a": "2"])
                try await repo.withAgent(holding: server.key) { socket in
                    let revision = try await fetch(repo, server, .sshAgent(socket: socket))
                    #expect(revision.commit == second)
                    let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: server.url))
                    #expect(try await mirror.snapshot(of: revision).contents(at: "a") == Array("2".utf8))
                }
            }
        }
    }

    @Test func refusesAHostKeyThatItDoesNotKnow() async throws {
        try await withScratchRepository { repo in
            try await repo.commit(["a": "1"])
            try await repo.withSSHServer { server in
                try await repo.run(["sh", "-c", ": > \(server.knownHosts)"])
                let error = await #expect(throws: GitError.self) { try await fetch(repo, server, .sshKey(path: server.key)) }
                #expect(error?.code == .untrustedHost, "\(String(describing: error))")
                #expect(error?.message.contains("ssh-keyscan -p \(server.port) 127.0.0.1 >> \(server.knownHosts)") == true)
                #expect(try await repo.run(["cat", server.knownHosts]) == "")  // Nor learnt.
            }
        }
    }

    @Test func refusesAHostKeyThatChanged() async throws {
        try await withScratchRepository { repo in
            try await repo.commit(["a": "1"])
            try await repo.withSSHServer { server in
                let other = try await repo.run(["cat", server.strangersKey + ".pub"])
                try await repo.run(["sh", "-c", "echo '[127.0.0.1]:\(server.port) \(other)' > \(server.knownHosts)"])
                let error = await #expect(throws: GitError.self) { try await fetch(repo, server, .sshKey(path: server.key)) }
                #expect(error?.code == .untrustedHost)
                #expect(error?.message.contains("is not the one in \(server.knownHosts)") == true, "\(String(describing: error))")
            }
        }
    }

    @Test func saysWhichKeyIsRefused() async throws {
        try await withScratchRepository { repo in
            try await repo.commit(["a": "1"])
            try await repo.withSSHServer { server in
                let error = await #expect(throws: GitError.self) { try await fetch(repo, server, .sshKey(path: server.strangersKey)) }
                #expect(error?.code == .authentication, "\(String(describing: error))")
                #expect(error?.message.contains(server.strangersKey) == true)
                let missing = await #expect(throws: GitError.self) { try await fetch(repo, server, .sshKey(path: "/none/id")) }
                #expect(missing?.code == .authentication)
                #expect(missing?.message.contains("/none/id") == true)
            }
        }
    }

    @Test func saysThatThereIsNoSuchRepository() async throws {
        try await withScratchRepository { repo in
            try await repo.withSSHServer { server in
                let error = await #expect(throws: GitError.self) {
                    try await fetch(repo, server, .sshKey(path: server.key), url: server.url + "/it's none")
                }
                #expect(error?.code == .noSuchRepository, "\(String(describing: error))")
                #expect(error?.failureKind == .unreachable)
            }
        }
    }

    @Test func takesPathsWithSpacesAndQuotesLiterally() async throws {
        try await withScratchRepository { repo in
            let commit = try await repo.commit(["a": "1"])
            try await repo.withSSHServer { server in
                try await repo.run(["cp", "-r", repo.bare, repo.root + "/it's a $(touch x) repository.git"])
                try await repo.run(["cp", server.knownHosts, repo.root + "/known 100% hosts"])
                try await repo.run(["cp", "-p", server.key, repo.root + "/a key"])
                let url = server.url.replacing("remote.git", with: "it's a $(touch x) repository.git")
                let remote = GitRemote(url: url, credentials: .sshKey(path: repo.root + "/a key"), knownHostsFile: repo.root + "/known 100% hosts")
                #expect(try await GitMirror(directory: repo.mirror, remote: remote).fetch(ref: "main", deadline: soon).commit == commit)
            }
        }
    }
}
