import Git
import Glibc
import ResourceModel
import TestSupport
import Testing

@Suite(.serialized) struct DamageTests {
    @Test(arguments: [
        "chmod u+w objects/pack/*.pack && truncate -s -8 objects/pack/*.pack",
        "chmod u+w objects/pack/*.pack && truncate -s 0 objects/pack/*.pack",
        "rm objects/pack/*.pack", "rm objects/pack/*.idx", "rm -r objects", "rm -r refs",
        "echo garbage > HEAD", "rm HEAD", "echo '[' > config", "rm reconciler-mirror", "echo '{' > reconciler-mirror",
    ]) func rebuildsADamagedMirror(damage: String) async throws {
        try await withScratchRepository { repo in
            let commit = try await repo.commit(["a": "1"])
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            _ = try await mirror.fetch(ref: "main", deadline: soon)
            try await repo.run(["sh", "-c", damage], in: repo.mirror)
            let error = await #expect(throws: GitError.self) { try await mirror.resolve("main") }
            #expect(error?.code == .damaged)
            let revision = try await mirror.fetch(ref: "main", deadline: soon)
            #expect(revision.commit == commit)
            #expect(try await mirror.snapshot(of: revision).contents(at: "a") == Array("1".utf8))
        }
    }

    @Test func fetchesReferencesThatWereDeletedAnew() async throws {
        try await withScratchRepository { repo in
            let commit = try await repo.commit(["a": "1"])
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            _ = try await mirror.fetch(ref: "main", deadline: soon)
            try await repo.run(["sh", "-c", "rm -r refs/*"], in: repo.mirror)
            let error = await #expect(throws: GitError.self) { try await mirror.resolve("main") }
            #expect(error?.code == .notFetched)
            #expect(try await mirror.fetch(ref: "main", deadline: soon).commit == commit)
            #expect(try await mirror.resolve("main").commit == commit)
        }
    }

    /// A pack of the right size with a wrong byte shows only when the object is read. The snapshot that found it stays open over
    /// the rebuild: its pack, of the same name, must not be passed on to the new readers.
    @Test func noticesAFlippedByteWhenItIsRead() async throws {
        try await withScratchRepository { repo in
            let text = String((0..<2_000).map { "line \($0 &* 7919 % 1000)\n" }.joined())
            try await repo.commit(["a": text])
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            let revision = try await mirror.fetch(ref: "main", deadline: soon)
            let flip = """
                import glob, os
                path = glob.glob('objects/pack/*.pack')[0]
                os.chmod(path, 0o600)
                bytes = bytearray(open(path, 'rb').read())
                for place in range(len(bytes) // 2, len(bytes) // 2 + 8): bytes[place] ^= 0xff
                open(path, 'wb').write(bytes)
                """
            try await repo.run(["python3", "-c", flip], in: repo.mirror)
            let snapshot = try await mirror.snapshot(of: revision)
            let error = await #expect(throws: GitError.self) { try await snapshot.contents(at: "a") }
            #expect(error?.code == .damaged)
            let again = try await mirror.fetch(ref: "main", deadline: soon)
            #expect(try await mirror.snapshot(of: again).contents(at: "a") == Array(text.utf8))
            withExtendedLifetime(snapshot) {}
        }
    }

    @Test func neverReturnsAnOldCommitWhenTheRemoteIsGone() async throws {
        try await withScratchRepository { repo in
            try await repo.commit(["a": "1"])
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            let revision = try await mirror.fetch(ref: "main", deadline: soon)
            try await repo.run(["mv", repo.bare, repo.bare + ".away"])
            for leftover in ["true", "mkdir \(repo.bare)"] {
                try await repo.run(["sh", "-c", leftover])
                let error = await #expect(throws: GitError.self) { try await mirror.fetch(ref: "main", deadline: soon) }
                #expect(error?.code == .noSuchRepository, "\(leftover): \(String(describing: error))")
                #expect(error?.failureKind == .unreachable)
                #expect(error?.message.contains(repo.url) == true)
            }
            // What was fetched stays readable.
            #expect(try await mirror.snapshot(of: mirror.resolve("main")).contents(at: "a") == Array("1".utf8))
            #expect(revision.commit.count == 40)
        }
    }

    @Test func keepsTheOldMirrorWhenARebuildFails() async throws {
        try await withScratchRepository { repo in
            let commit = try await repo.commit(["a": "1"])
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            _ = try await mirror.fetch(ref: "main", deadline: soon)
            try await repo.run(["sh", "-c", "echo garbage > HEAD"], in: repo.mirror)
            try await repo.run(["mv", repo.bare, repo.bare + ".away"])
            await #expect(throws: GitError.self) { try await mirror.fetch(ref: "main", deadline: soon) }
            await #expect(throws: GitError.self) { try await mirror.resolve("main") }
            try await repo.run(["mv", repo.bare + ".away", repo.bare])
            #expect(try await mirror.fetch(ref: "main", deadline: soon).commit == commit)
            #expect(try await repo.run(["ls", repo.root]).split(separator: "\n").contains("mirror.incoming") == false)
        }
    }

    @Test func saysThatTheRemoteIsDamagedWhenItIs() async throws {
        try await withScratchRepository { repo in
            try await repo.commit(["a": "1"])
            try await repo.run(["sh", "-c", "rm -rf objects/??"], in: repo.bare)
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            let error = await #expect(throws: GitError.self) { try await mirror.fetch(ref: "main", deadline: soon) }
            #expect(error?.code == .failed)
            #expect(error?.message.contains("git fsck") == true)
        }
    }
}

@Suite(.serialized) struct SharedMirrorTests {
    @Test func severalMirrorsFetchIntoOneDirectory() async throws {
        try await withScratchRepository { repo in
            var made: [String] = []
            for number in 0..<6 {
                made.append(try await repo.commit(["a": "\(number)"]))
                try await repo.tag("v\(number)")
            }
            let commits = made
            let mirrors = (0..<3).map { _ in GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url)) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, mirror) in mirrors.enumerated() {
                    group.addTask {
                        for number in 0..<6 {
                            let number = (number + index * 2) % 6
                            let revision = try await mirror.fetch(ref: "v\(number)", deadline: soon)
                            #expect(revision.commit == commits[number])
                            #expect(try await mirror.snapshot(of: revision).contents(at: "a") == Array("\(number)".utf8))
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await repo.run(["git", "fsck", "--no-dangling"], in: repo.mirror) == "")
        }
    }

    @Test func waitsForAnotherProcessNoLongerThanItsDeadline() async throws {
        try await withScratchRepository { repo in
            let commit = try await repo.commit(["a": "1"])
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            _ = try await mirror.fetch(ref: "main", deadline: soon)
            let descriptor = open(repo.mirror + ".lock", O_RDWR)
            try #require(descriptor >= 0 && flock(descriptor, LOCK_EX) == 0)
            let error = await #expect(throws: GitError.self) { try await mirror.fetch(ref: "main", deadline: .milliseconds(200)) }
            #expect(error?.code == .deadline)
            #expect(error?.message.contains("another process") == true)
            async let waiting = mirror.fetch(ref: "main", deadline: soon)
            #expect(try await mirror.resolve("main").commit == commit)  // Readers wait for nobody.
            close(descriptor)
            #expect(try await waiting.commit == commit)
        }
    }

    @Test func aLockFileOfAProcessThatWasKilledHoldsUpNobody() async throws {
        try await withScratchRepository { repo in
            try await repo.commit(["a": "1"])
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            _ = try await mirror.fetch(ref: "main", deadline: soon)
            try await repo.run(["sh", "-c", "find refs -name main -exec touch {}.lock \\; && test -n \"$(find refs -name main.lock)\""], in: repo.mirror)
            let commit = try await repo.commit(["a": "2"])
            #expect(try await mirror.fetch(ref: "main", deadline: soon).commit == commit)
            #expect(try await repo.run(["find", "refs", "-name", "*.lock"], in: repo.mirror) == "")
        }
    }

    @Test func putsSmallPacksTogether() async throws {
        try await withScratchRepository { repo in
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url), packLimit: 4)
            var revisions: [Revision] = []
            var snapshots: [GitSnapshot] = []
            for number in 0..<9 {
                try await repo.commit(["apps/\(number % 3)/x.yaml": "value: \(number)\n"])
                let revision = try await mirror.fetch(ref: "main", deadline: soon)
                revisions.append(revision)
                snapshots.append(try await mirror.snapshot(of: revision))
            }
            _ = try await mirror.fetch(ref: "main", deadline: soon)  // Comes after the last tidying.
            let packs = try await repo.run(["sh", "-c", "ls objects/pack/*.pack | wc -l"], in: repo.mirror)
            #expect((1...4).contains(Int(packs) ?? 0), "\(packs)")
            #expect(try await repo.run(["git", "fsck", "--no-dangling"], in: repo.mirror) == "")
            // Snapshots opened before as well as new ones find everything.
            let fresh = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            for (number, revision) in revisions.enumerated() {
                let path = "apps/\(number % 3)/x.yaml"
                #expect(try await snapshots[number].contents(at: path) == Array("value: \(number)\n".utf8))
                #expect(try await fresh.snapshot(of: revision).contents(at: path) == Array("value: \(number)\n".utf8))
            }
            #expect(try await fresh.resolve("main") == revisions.last)
        }
    }
}
