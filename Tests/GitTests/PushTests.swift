import Git
import ResourceModel
import TestSupport
import Testing

/// Ways to reach one repository for writing.
enum PushTransport: String, CaseIterable, Sendable {
    case file, git, http, https, ssh

    static var here: [PushTransport] { allCases.filter { $0 != .ssh || SSHServer.obstacle == nil } }
}

extension ScratchRepository {
    /// Runs `body` with the repository served for pushing.
    func withPushRemote(_ transport: PushTransport, _ body: (GitRemote) async throws -> Void) async throws {
        try await run(["git", "config", "http.receivepack", "true"], in: bare)
        switch transport {
        case .file: try await body(GitRemote(url: url))
        case .git: try await withGitDaemon(allowsPush: true) { try await body(GitRemote(url: $0)) }
        case .http: try await withHTTPBackend { (place: String) async throws in try await body(GitRemote(url: "http://\(place)")) }
        case .https:
            let tls = try await makeCertificates()
            try await withHTTPBackend(["certificate": tls.certificate, "key": tls.key]) { (place: String) async throws in
                try await body(GitRemote(url: "https://\(place)", caFile: tls.authority))
            }
        case .ssh:
            try await withSSHServer { server in
                try await body(GitRemote(url: server.url, credentials: .sshKey(path: server.key), knownHostsFile: server.knownHosts))
            }
        }
    }

    /// Two commits, the second of which breaks `app` and changes `other`.
    func withBadRelease() async throws -> (good: String, bad: String) {
        let good = try await commit(["app/deep/a": "1", "app/b": "1", "other/c": "1"], message: "Good")
        let bad = try await commit(["app/deep/a": "2", "app/new": "2", "other/c": "2"], removing: ["app/b"], message: "Bad")
        return (good, bad)
    }

    func remoteGit(_ arguments: String...) async throws -> String { try await run(["git"] + arguments, in: bare) }

    func hook(_ name: String, _ script: String) async throws {
        try await run(["sh", "-c", "mkdir -p hooks; printf '%s\\n' '#!/bin/sh' \"$1\" > hooks/\(name); chmod +x hooks/\(name)", "sh", script], in: bare)
    }
}

let reverter = GitPerson(name: "Rosa", email: "rosa@example.com")

extension CommitDraft {
    static func revert(of bad: String, to good: String, _ paths: [String] = ["app"], signer: CommitSigner? = nil) -> CommitDraft {
        CommitDraft(
            parent: bad, restoring: paths, from: good, message: "Revert app\n\nIt was bad.\n", author: reverter, time: 1_800_000_000, signer: signer)
    }
}

@Suite(.serialized) struct PushTests {
    @Test(arguments: PushTransport.here) func movesTheBranchOverEveryTransport(transport: PushTransport) async throws {
        try await withScratchRepository { repo in
            let (good, bad) = try await repo.withBadRelease()
            try await repo.withPushRemote(transport) { remote in
                let mirror = GitMirror(directory: repo.mirror, remote: remote)
                #expect(try await mirror.fetch(ref: "main", deadline: soon).commit == bad)
                let revision = try #require(try await mirror.commit(.revert(of: bad, to: good)))
                try await mirror.push(commit: revision.commit, to: "main", expecting: bad, deadline: soon)

                #expect(try await repo.remoteGit("rev-parse", "main") == revision.commit)
                #expect(try await repo.remoteGit("log", "--format=%s|%an <%ae>|%cn|%ct", "-1", "main") == "Revert app|Rosa <rosa@example.com>|Rosa|1800000000")
                #expect(try await repo.remoteGit("diff", "--name-status", bad, "main") == "A\tapp/b\nM\tapp/deep/a\nD\tapp/new")
                #expect(try await repo.remoteGit("diff", "--name-only", good, "main") == "other/c")
                #expect(try await repo.remoteGit("fsck", "--strict") == "")
                #expect(try await mirror.fetch(ref: "main", deadline: soon).commit == revision.commit)
            }
        }
    }

    @Test(arguments: PushTransport.here) func pushesNothingOntoABranchThatMoved(transport: PushTransport) async throws {
        try await withScratchRepository { repo in
            let (good, bad) = try await repo.withBadRelease()
            try await repo.withPushRemote(transport) { remote in
                let mirror = GitMirror(directory: repo.mirror, remote: remote)
                _ = try await mirror.fetch(ref: "main", deadline: soon)
                let revision = try #require(try await mirror.commit(.revert(of: bad, to: good)))
                let other = try await repo.commit(["other/c": "3"])
                let error = await #expect(throws: GitError.self) {
                    try await mirror.push(commit: revision.commit, to: "main", expecting: bad, deadline: soon)
                }
                #expect(error?.code == .moved, "\(String(describing: error))")
                #expect(error?.message.contains("from \(bad.prefix(7)) to \(other.prefix(7))") == true)
                #expect(try await repo.remoteGit("rev-parse", "main") == other)
            }
        }
    }

    /// The branch moves after the server has advertised it: only the server itself can notice.
    @Test(arguments: PushTransport.here) func theServerComparesWhenItMovesTheBranch(transport: PushTransport) async throws {
        try await withScratchRepository { repo in
            let (good, bad) = try await repo.withBadRelease()
            let other = try await repo.commit(["other/c": "3"])
            try await repo.run(["git", "update-ref", "refs/heads/main", bad], in: repo.bare)
            try await repo.hook("pre-receive", "unset GIT_QUARANTINE_PATH; git update-ref refs/heads/main \(other)")
            try await repo.withPushRemote(transport) { remote in
                let mirror = GitMirror(directory: repo.mirror, remote: remote)
                _ = try await mirror.fetch(ref: "main", deadline: soon)
                let revision = try #require(try await mirror.commit(.revert(of: bad, to: good)))
                let error = await #expect(throws: GitError.self) {
                    try await mirror.push(commit: revision.commit, to: "main", expecting: bad, deadline: soon)
                }
                #expect(error?.code == .moved, "\(String(describing: error))")
                #expect(try await repo.remoteGit("rev-parse", "main") == other)
            }
        }
    }

    @Test(arguments: PushTransport.here) func tellsWhatAHookSays(transport: PushTransport) async throws {
        try await withScratchRepository { repo in
            let (good, bad) = try await repo.withBadRelease()
            try await repo.hook("pre-receive", "echo 'main is protected: ask Grace' >&2; exit 1")
            try await repo.withPushRemote(transport) { remote in
                let mirror = GitMirror(directory: repo.mirror, remote: remote)
                _ = try await mirror.fetch(ref: "main", deadline: soon)
                let revision = try #require(try await mirror.commit(.revert(of: bad, to: good)))
                let error = await #expect(throws: GitError.self) {
                    try await mirror.push(commit: revision.commit, to: "main", expecting: bad, deadline: soon)
                }
                #expect(error?.code == .refused && error?.failureKind == .failed, "\(String(describing: error))")
                #expect(error?.cause?.contains("pre-receive hook declined") == true)
                #expect(error?.cause?.contains("main is protected: ask Grace") == true, "\(String(describing: error))")
                #expect(try await repo.remoteGit("rev-parse", "main") == bad)
            }
        }
    }

    @Test func tellsThatAServerOnlyServesReading() async throws {
        try await withScratchRepository { repo in
            let (good, bad) = try await repo.withBadRelease()
            try await repo.withGitDaemon { daemon in
                try await repo.withHTTPBackend { place in
                    for (index, url) in [daemon, "http://\(place)"].enumerated() {
                        let mirror = GitMirror(directory: "\(repo.mirror)\(index)", remote: GitRemote(url: url))
                        _ = try await mirror.fetch(ref: "main", deadline: soon)
                        let revision = try #require(try await mirror.commit(.revert(of: bad, to: good)))
                        let error = await #expect(throws: GitError.self) {
                            try await mirror.push(commit: revision.commit, to: "main", expecting: bad, deadline: soon)
                        }
                        #expect(error?.code == .refused || error?.code == .authentication, "\(url): \(String(describing: error))")
                        #expect(error?.message.contains(url) == true)
                    }
                }
            }
            #expect(try await repo.remoteGit("rev-parse", "main") == bad)
        }
    }

    @Test func tellsThatTheFilesMayNotBeWritten() async throws {
        try await withScratchRepository { repo in
            let (good, bad) = try await repo.withBadRelease()
            try await repo.run(["git", "config", "receive.denyNonFastForwards", "broken value"], in: repo.bare)
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            _ = try await mirror.fetch(ref: "main", deadline: soon)
            let revision = try #require(try await mirror.commit(.revert(of: bad, to: good)))
            let error = await #expect(throws: GitError.self) {
                try await mirror.push(commit: revision.commit, to: "main", expecting: bad, deadline: soon)
            }
            #expect(error?.code == .refused, "\(String(describing: error))")
            #expect(error?.cause?.contains("denynonfastforwards") == true, "\(String(describing: error))")
        }
    }

    @Test func aBranchThatIsCheckedOutIsLeftAlone() async throws {
        try await withScratchRepository { repo in
            let (good, bad) = try await repo.withBadRelease()
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: "file://" + repo.work))
            _ = try await mirror.fetch(ref: "main", deadline: soon)
            let revision = try #require(try await mirror.commit(.revert(of: bad, to: good)))
            let error = await #expect(throws: GitError.self) {
                try await mirror.push(commit: revision.commit, to: "main", expecting: bad, deadline: soon)
            }
            #expect(error?.code == .refused && error?.cause?.contains("checked out") == true, "\(String(describing: error))")
            #expect(try await repo.git("rev-parse", "HEAD") == bad)
        }
    }

    @Test func keepsItsDeadlineWhileAHookHangs() async throws {
        try await withScratchRepository { repo in
            let (good, bad) = try await repo.withBadRelease()
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            _ = try await mirror.fetch(ref: "main", deadline: soon)
            let revision = try #require(try await mirror.commit(.revert(of: bad, to: good)))
            try await repo.hook("pre-receive", "exec sleep 30")
            let took = await timed {
                let error = await #expect(throws: GitError.self) {
                    try await mirror.push(commit: revision.commit, to: "main", expecting: bad, deadline: .milliseconds(600))
                }
                #expect(error?.code == .deadline)
            }
            #expect(took < .seconds(5))
        }
    }

    @Test func knowsWhichBranchIsMeant() async throws {
        try await withScratchRepository { repo in
            let (good, bad) = try await repo.withBadRelease()
            try await repo.tag("v1.0.0")
            try await repo.withGitDaemon { daemon in
                for url in [repo.url, daemon] {
                    let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: url))
                    for ref in ["main", "HEAD", "", "refs/heads/main"] {
                        let branch = try await mirror.remoteBranch(of: ref)
                        #expect(branch?.name == "main" && branch?.commit == bad, "\(ref)")
                    }
                    for ref in ["v1.0.0", "^1.0", good, "nothing"] { #expect(try await mirror.remoteBranch(of: ref) == nil, "\(ref)") }
                }
            }
        }
    }
}
