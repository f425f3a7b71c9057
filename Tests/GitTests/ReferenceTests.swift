import Git
import ResourceModel
import TestSupport
import Testing

let soon = Duration.seconds(20)

@Suite(.serialized) struct ReferenceTests {
    @Test func followsABranchOverFileURLs() async throws {
        try await withScratchRepository { repo in
            let first = try await repo.commit(["apps/a/x.yaml": "one"], message: "First")
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            let revision = try await mirror.fetch(ref: "main", deadline: soon)
            #expect(revision.commit == first)
            #expect(revision.subject == "First")
            #expect(revision.author == "Ada <ada@example.com>")
            #expect(revision.repository == repo.url)
            let second = try await repo.commit(["apps/a/x.yaml": "two"])
            #expect(try await mirror.remoteCommit(of: "main") == second)
            #expect(try await mirror.resolve("main").commit == first)
            #expect(try await mirror.fetch(ref: "HEAD", deadline: soon).commit == second)
            #expect(try await mirror.resolve("main").commit == first)
            #expect(try await mirror.fetch(ref: "refs/heads/main", deadline: soon).commit == second)
        }
    }

    @Test func aRemoteThatWasAskedOnceTellsItsOtherReferencesToo() async throws {
        try await withScratchRepository { repo in
            let first = try await repo.commit(["a": "1"])
            try await repo.tag("v1.0.0", message: "annotated")
            let second = try await repo.commit(["a": "2"])
            try await repo.git("push", "-q", "origin", "HEAD:refs/heads/same", "\(first):refs/heads/older")
            try await repo.git("checkout", "-q", "--orphan", "apart")
            let apart = try await repo.commit(["b": "3"])
            try await repo.git("push", "-q", "origin", "HEAD:refs/heads/apart")
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            #expect(try await mirror.revisionSeen(of: "main") == nil, "nothing was fetched yet")
            _ = try await mirror.fetch(ref: "same", deadline: soon)
            // The remote is gone: nobody is asked from here on.
            try await repo.run(["mv", repo.bare, repo.bare + "-away"])
            let seen = try await mirror.revisionSeen(of: "HEAD")
            #expect(seen?.ref == "HEAD" && [second, apart].contains(seen?.commit))
            #expect(try await mirror.revisionSeen(of: "same")?.commit == second)
            #expect(try await mirror.revisionSeen(of: "older")?.commit == first)
            #expect(try await mirror.revisionSeen(of: "v1.0.0")?.commit == first)
            #expect(try await mirror.revisionSeen(of: "^1.0")?.commit == first)
            #expect(try await mirror.resolve("older").commit == first, "it is noted as if it had been fetched")
            #expect(try await mirror.revisionSeen(of: "apart") == nil, "its commit is not here")
            #expect(try await mirror.revisionSeen(of: "nowhere") == nil)
            // A mirror that is gone, or broken, is the next fetch's to make anew.
            try await repo.run(["sh", "-c", "echo broken > \"$1\"/HEAD", "sh", repo.mirror])
            #expect(try await mirror.revisionSeen(of: "same") == nil)
            try await repo.run(["rm", "-rf", repo.mirror])
            #expect(try await mirror.revisionSeen(of: "same") == nil)
            // Another process has not asked.
            #expect(try await GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url)).revisionSeen(of: "same") == nil)
        }
    }

    @Test func findsCommitsByFullAndShortID() async throws {
        try await withScratchRepository { repo in
            let first = try await repo.commit(["a": "1"])
            let second = try await repo.commit(["a": "2"])
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            #expect(try await mirror.fetch(ref: String(first.prefix(8)), deadline: soon).commit == first)
            #expect(try await mirror.fetch(ref: first.uppercased(), deadline: soon).commit == first)
            #expect(try await mirror.resolve(String(second.prefix(7))).commit == second)
            let unknown = await #expect(throws: GitError.self) {
                try await mirror.fetch(ref: String(repeating: "0123456789", count: 4), deadline: soon)
            }
            #expect(unknown?.code == .unknownRef)
            // What is stored already needs nobody.
            try await repo.run(["rm", "-rf", repo.bare])
            #expect(try await mirror.fetch(ref: first, deadline: soon).commit == first)
        }
    }

    @Test func matchesVersionRangesWithTagsOnly() async throws {
        try await withScratchRepository { repo in
            var commits: [String: String] = [:]
            for tag in ["v1.2.0", "v1.3.5", "v2.0.0", "v2.1.0-rc.1"] {
                commits[tag] = try await repo.commit(["version": tag])
                try await repo.tag(tag, message: tag == "v1.3.5" ? "annotated" : nil)
            }
            try await repo.git("push", "-q", "origin", "HEAD:refs/heads/v1.9.0")
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.bare))
            for (range, tag) in [
                (">=1.2.0 <2.0.0", "v1.3.5"), ("^1.2", "v1.3.5"), ("~1.2", "v1.2.0"), ("1.x", "v1.3.5"), ("v1.*", "v1.3.5"),
                ("*", "v2.0.0"), (">=2.1.0-0", "v2.1.0-rc.1"), ("v1.2.0", "v1.2.0"), ("1.0 - 1.3", "v1.3.5"),
            ] {
                #expect(try await mirror.fetch(ref: range, deadline: soon).commit == commits[tag], "\(range)")
                #expect(try await mirror.resolve(range).commit == commits[tag], "\(range)")
            }
            let error = await #expect(throws: GitError.self) { try await mirror.fetch(ref: ">=3", deadline: soon) }
            #expect(error?.code == .unknownRef)
            #expect(error?.message.contains("v2.0.0") == true)
        }
    }

    @Test func peelsAnnotatedTagsToCommits() async throws {
        try await withScratchRepository { repo in
            let commit = try await repo.commit(["a": "1"])
            try await repo.tag("release", message: "A release")
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            let tagObject = try await repo.git("rev-parse", "release")
            #expect(tagObject != commit)
            for ref in ["release", "refs/tags/release", tagObject] {
                #expect(try await mirror.fetch(ref: ref, deadline: soon).commit == commit, "\(ref)")
                #expect(try await mirror.remoteCommit(of: ref) == commit, "\(ref)")
            }
        }
    }

    @Test func prefersABranchToATagOfTheSameName() async throws {
        try await withScratchRepository { repo in
            try await repo.commit(["a": "1"])
            try await repo.tag("twin")
            let second = try await repo.commit(["a": "2"])
            try await repo.git("push", "-q", "origin", "HEAD:refs/heads/twin")
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            #expect(try await mirror.fetch(ref: "twin", deadline: soon).commit == second)
        }
    }

    @Test func followsForcePushesAndRewrittenTags() async throws {
        try await withScratchRepository { repo in
            let base = try await repo.commit(["a": "1"])
            let old = try await repo.commit(["a": "2"])
            try await repo.tag("live", message: "first")
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            #expect(try await mirror.fetch(ref: "main", deadline: soon).commit == old)
            #expect(try await mirror.fetch(ref: "live", deadline: soon).commit == old)
            try await repo.git("reset", "-q", "--hard", base)
            try repo.write(["a": "3"])
            try await repo.git("commit", "-qam", "Rewritten")
            try await repo.git("push", "-qf", "origin", "HEAD")
            try await repo.tag("live", message: "second")
            let new = try await repo.git("rev-parse", "HEAD")
            let revision = try await mirror.fetch(ref: "main", deadline: soon)
            #expect(revision.commit == new)
            #expect(try await mirror.snapshot(of: revision).contents(at: "a") == Array("3".utf8))
            #expect(try await mirror.fetch(ref: "live", deadline: soon).commit == new)
            // What was live before can still be compared with.
            #expect(try await mirror.changedPaths(from: old, to: new) == ["a"])
        }
    }

    @Test func namesWhatThereIsWhenARefIsUnknown() async throws {
        try await withScratchRepository { repo in
            try await repo.commit(["a": "1"])
            try await repo.git("push", "-q", "origin", "HEAD:refs/heads/production", "HEAD:refs/heads/staging")
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            let error = await #expect(throws: GitError.self) { try await mirror.fetch(ref: "prodution", deadline: soon) }
            #expect(error?.code == .unknownRef)
            #expect(error?.failureKind == .failed)
            #expect(error?.message.contains("no branch, tag or commit \"prodution\": there are production,") == true)
        }
    }

    @Test func saysThatAnEmptyRepositoryIsEmpty() async throws {
        try await withScratchRepository { repo in
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            for ref in ["main", "HEAD", "*"] {
                let error = await #expect(throws: GitError.self) { try await mirror.fetch(ref: ref, deadline: soon) }
                #expect(error?.code == .unknownRef, "\(ref)")
                #expect(error?.message.contains("has no branches or tags") == true)
            }
            let commit = try await repo.commit(["a": "1"])
            #expect(try await mirror.fetch(ref: "main", deadline: soon).commit == commit)
        }
    }

    @Test func fetchesACommitThatNoBranchHoldsAnyMore() async throws {
        try await withScratchRepository { repo in
            try await repo.commit(["a": "1"])
            let lost = try await repo.commit(["a": "2"])
            try await repo.git("reset", "-q", "--hard", "HEAD^")
            try await repo.git("push", "-qf", "origin", "HEAD")
            try await repo.run(["git", "config", "uploadpack.allowAnySHA1InWant", "true"], in: repo.bare)
            try await repo.withGitDaemon { url in
                let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: url))
                let revision = try await mirror.fetch(ref: lost, deadline: soon)
                #expect(revision.commit == lost)
            }
        }
    }
}
