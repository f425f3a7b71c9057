import Git
import ResourceModel
import TestSupport
import Testing

/// Runs `body` and returns how long it took.
func timed(_ body: () async -> Void) async -> Duration {
    await ContinuousClock().measure { await body() }
}

@Suite(.serialized) struct RemoteTests {
    @Test func fetchesFromGitDaemon() async throws {
        try await withScratchRepository { repo in
            try await repo.withGitDaemon { url in
                let first = try await repo.commit(["a": "1"])
                let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: url))
                #expect(try await mirror.fetch(ref: "main", deadline: soon).commit == first)
                let second = try await repo.commit(["a": "2"])
                let revision = try await mirror.fetch(ref: "main", deadline: soon)
                #expect(revision.commit == second)
                #expect(try await mirror.snapshot(of: revision).contents(at: "a") == Array("2".utf8))
                let missing = GitMirror(directory: repo.root + "/other", remote: GitRemote(url: url + ".none"))
                let error = await #expect(throws: GitError.self) { try await missing.fetch(ref: "main", deadline: soon) }
                #expect(error?.failureKind == .unreachable)
            }
        }
    }

    @Test func saysThatAnEmptyRemoteIsEmptyOverEveryTransport() async throws {
        try await withScratchRepository { repo in
            try await repo.withGitDaemon { daemon in
                try await repo.withHTTPBackend { place in
                    for (index, url) in [daemon, "http://\(place)"].enumerated() {
                        let mirror = GitMirror(directory: "\(repo.mirror)\(index)", remote: GitRemote(url: url))
                        let error = await #expect(throws: GitError.self) { try await mirror.fetch(ref: "main", deadline: soon) }
                        #expect(error?.code == .unknownRef, "\(url): \(String(describing: error))")
                    }
                }
            }
        }
    }

    @Test(arguments: ["http", "https", "git", "ssh"]) func keepsItsDeadlineWhenTheServerIsSilent(scheme: String) async throws {
        try await withScratchRepository { repo in
            try await repo.withSilentServer { port in
                let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: "\(scheme)://127.0.0.1:\(port)/r.git"))
                let took = await timed {
                    let error = await #expect(throws: GitError.self) { try await mirror.fetch(ref: "main", deadline: .milliseconds(400)) }
                    #expect(error?.code == .deadline)
                    #expect(error?.failureKind == .unreachable)
                    #expect(error?.message.contains("\(scheme)://127.0.0.1:\(port)/r.git") == true)
                }
                #expect(took >= .milliseconds(400) && took < .milliseconds(2_400))
                // The mirror is free again at once, not only when the server gives up.
                let again = await timed {
                    await #expect(throws: GitError.self) { try await mirror.remoteRefs(deadline: .milliseconds(100)) }
                }
                #expect(again < .milliseconds(2_000))
            }
        }
    }

    @Test(arguments: ["http", "https", "git", "ssh"]) func stopsWhenItIsCancelled(scheme: String) async throws {
        try await withScratchRepository { repo in
            try await repo.withSilentServer { port in
                let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: "\(scheme)://127.0.0.1:\(port)/r.git"))
                let task = Task { try await mirror.fetch(ref: "main", deadline: .seconds(60)) }
                try await Task.sleep(for: .milliseconds(50))  // Into the conversation; it must end wherever it is.
                let took = await timed {
                    task.cancel()
                    await #expect(throws: CancellationError.self) { try await task.value }
                }
                #expect(took < .seconds(2))  // Of the 60 s that it might take; other tests keep the machine busy.
            }
        }
    }

    @Test func keepsItsDeadlineInTheMiddleOfADownload() async throws {
        try await withScratchRepository { repo in
            try await repo.commit(["a": "1"])
            try await repo.withHTTPBackend(["hang": "yes"]) { place in
                let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: "http://\(place)"))
                let error = await #expect(throws: GitError.self) { try await mirror.fetch(ref: "main", deadline: .milliseconds(2_500)) }
                #expect(error?.code == .deadline)
                #expect(error?.message.contains("downloading") == true, "\(String(describing: error))")
            }
            let file = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            #expect(try await file.fetch(ref: "main", deadline: soon).subject == "Change")
        }
    }

    @Test(arguments: ["http", "https", "git", "ssh"]) func saysWhatCanNotBeReached(scheme: String) async throws {
        try await withScratchRepository { repo in
            let port = try await repo.withSilentServer { $0 }  // Nobody listens there any more.
            let url = "\(scheme)://127.0.0.1:\(port)/r.git"
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: url))
            let error = await #expect(throws: GitError.self) { try await mirror.fetch(ref: "main", deadline: soon) }
            #expect(error?.code == .unreachable, "\(String(describing: error))")
            #expect(error?.message.contains(url) == true)
            #expect(error?.cause?.contains("onnection refused") == true, "\(String(describing: error?.cause))")
        }
    }

    @Test func saysWhichHostHasNoAddress() async throws {
        try await withScratchRepository { repo in
            for scheme in ["http", "ssh"] {
                let mirror = GitMirror(directory: repo.mirror + scheme, remote: GitRemote(url: "\(scheme)://nowhere.invalid/r.git"))
                let error = await #expect(throws: GitError.self) { try await mirror.fetch(ref: "main", deadline: soon) }
                #expect(error?.failureKind == .unreachable)
                #expect(error?.cause?.contains("nowhere.invalid") == true, "\(String(describing: error))")
            }
        }
    }

    @Test(arguments: ["ftp://host/r.git", "https:///r.git", "ssh://-oProxyCommand=touch%20x/r.git", "ssh://-x@host/r.git"])
    func refusesURLsThatItCanNotFetchFrom(url: String) async throws {
        try await withScratchRepository { repo in
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: url))
            let error = await #expect(throws: GitError.self) { try await mirror.fetch(ref: "main", deadline: soon) }
            #expect(error?.code == .invalidURL)
        }
    }

    @Test func keepsCredentialsOutOfWhatIsShown() {
        for url in ["https://ada:hunter2@example.com/r.git", "https://hunter2@example.com/r.git"] {
            let remote = GitRemote(url: url)
            #expect(remote.url == "https://example.com/r.git")
            #expect(!"\(remote)".contains("hunter2"))
        }
        #expect(GitRemote(url: "ssh://git:hunter2@example.com/r.git").url == "ssh://git@example.com/r.git")
        #expect(
            GitMirror.directoryName(for: "https://ada:hunter2@example.com/r.git") == GitMirror.directoryName(for: "https://example.com/r.git"))
        #expect(GitMirror.directoryName(for: "https://example.com/r.git") != GitMirror.directoryName(for: "https://example.org/r.git"))
    }
}
