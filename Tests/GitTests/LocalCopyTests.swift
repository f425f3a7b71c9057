import Git
import ResourceModel
import TestSupport
import Testing

/// What a mirror holds of a repository on the same machine, as `git` itself sees it.
@Suite(.serialized) struct LocalCopyTests {
    @Test(arguments: ["loose", "packed", "both", "packed references"]) func copiesEveryObjectHoweverItIsStored(storage: String)
        async throws
    {
        try await withScratchRepository { repo in
            let files = manyFiles()
            try await repo.commit(files)
            if storage != "loose" { try await repo.git("-C", repo.bare, "gc", "-q") }
            if storage == "both" { try await repo.commit(["apps/x/new.yaml": "value: new\n"]) }
            if storage == "packed references" { try await repo.git("-C", repo.bare, "pack-refs", "--all") }
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            let revision = try await mirror.fetch(ref: "main", deadline: soon)
            try await expectWholeMirror(of: revision.commit, repo)
            let snapshot = try await mirror.snapshot(of: revision)
            let entries = try await snapshot.entries(at: "apps", recursive: true).filter { $0.kind == .file }
            #expect(entries.count == (storage == "both" ? 201 : 200))
            for (entry, bytes) in zip(entries, try await snapshot.contents(of: entries)) where !entry.path.hasSuffix("new.yaml") {
                #expect(bytes == Array((files[entry.path] ?? "").utf8))
            }
        }
    }

    @Test func copiesMergesTagsAndLinks() async throws {
        try await withScratchRepository { repo in
            try await repo.commit(["a": "1", "empty": "", "dir/b": "2"])
            try await repo.git("switch", "-qc", "side")
            try await repo.commit(["side": "3"])
            try await repo.git("switch", "-q", "main")
            try await repo.run(["ln", "-s", "a", "link"], in: repo.work)
            let base = try await repo.git("rev-parse", "HEAD")
            try await repo.git(
                "update-index", "--add", "--cacheinfo", "160000,\(base.reversed().map(String.init).joined()),module")
            try await repo.git("add", "link")
            try await repo.git("commit", "-qm", "A link and a submodule")
            try await repo.git("merge", "-q", "--no-ff", "-m", "Merge", "side")
            try await repo.git("push", "-q", "origin", "HEAD")
            try await repo.tag("v1", message: "One")
            try await repo.git("tag", "-a", "-m", "A tag of a tag", "v2", "v1")
            try await repo.git("push", "-q", "origin", "v2")
            let head = try await repo.git("rev-parse", "HEAD")
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            let revision = try await mirror.fetch(ref: "v2", deadline: soon)
            #expect(revision.commit == head)
            try await expectWholeMirror(of: try await repo.git("rev-parse", "v2"), repo)
            let snapshot = try await mirror.snapshot(of: revision)
            #expect(try await snapshot.contents(at: "empty") == [])
            #expect(try await snapshot.contents(at: "side") == Array("3".utf8))
            #expect(
                try await snapshot.entries(at: "", recursive: false).first { $0.path == "link" }?.kind == .symlink(target: "a"))
            #expect(try await snapshot.entries(at: "", recursive: false).first { $0.path == "module" }?.kind == .submodule)
            // A commit that only history leads to.
            let old = GitMirror(directory: repo.mirror + ".old", remote: GitRemote(url: repo.url))
            #expect(try await old.fetch(ref: base, deadline: soon).commit == base)
            #expect(try await old.fetch(ref: String(head.prefix(9)), deadline: soon).commit == head)
        }
    }

    @Test func copiesOnlyWhatIsMissing() async throws {
        try await withScratchRepository { repo in
            try await repo.commit(manyFiles())
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            _ = try await mirror.fetch(ref: "main", deadline: soon)
            let before = Set(try await packs(repo))
            let commit = try await repo.commit(["apps/3/x.yaml": "value: new\n", "apps/4/copy.yaml": "value: new\n"])
            #expect(try await mirror.fetch(ref: "main", deadline: soon).commit == commit)
            let new = try await packs(repo).filter { !before.contains($0) }
            #expect(new.count == 1)
            let listing = try await repo.run(
                ["sh", "-c", "git show-index < objects/pack/\(new.first ?? "") | wc -l"], in: repo.mirror)
            #expect(listing == "6")  // The commit, the root, apps, apps/3, apps/4 and one file's content.
            try await expectWholeMirror(of: commit, repo)
            _ = try await mirror.fetch(ref: "main", deadline: soon)
            #expect(try await packs(repo).count == 2)
        }
    }

    @Test func readsAlternatesWorkTreesAndPlainPaths() async throws {
        try await withScratchRepository { repo in
            let first = try await repo.commit(manyFiles())
            try await repo.git("clone", "-q", "--bare", "--shared", repo.work, "\(repo.root)/shared.git")
            try await repo.git("worktree", "add", "-q", "\(repo.root)/linked", "HEAD")
            let sources = ["shared.git", "linked", "work", "work/.git"].map { "\(repo.root)/\($0)" }
            for (index, path) in (sources + ["file://localhost\(repo.bare)", "file://\(repo.root)/%77ork"]).enumerated() {
                let mirror = GitMirror(directory: "\(repo.mirror)\(index)", remote: GitRemote(url: path))
                let revision = try await mirror.fetch(ref: "HEAD", deadline: soon)
                #expect(revision.commit == first, "\(path)")
                #expect(
                    try await repo.run(["git", "fsck", "--no-dangling", "--connectivity-only"], in: "\(repo.mirror)\(index)")
                        == "", "\(path)")
                #expect(try await mirror.snapshot(of: revision).contents(at: "apps/0/0.yaml") == Array("value: 0\n".utf8))
            }
        }
    }

    @Test(arguments: ["rm -f", "truncate -s 0", "truncate -s 20", "swap"], ["the first", "a later"])
    func refusesASourceWithADamagedObject(damage: String, fetch: String) async throws {
        try await withScratchRepository { repo in
            try await repo.git("-C", repo.bare, "config", "receive.unpackLimit", "100000")
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            var old: Revision?
            if fetch == "a later" {
                try await repo.commit(["a": "1"])
                old = try await mirror.fetch(ref: "main", deadline: soon)
            }
            let commit = try await repo.commit(["dir/b": "a file that gets lost\n", "dir/c": "another file\n"])
            let (blob, other) = (try await repo.git("rev-parse", "HEAD:dir/b"), try await repo.git("rev-parse", "HEAD:dir/c"))
            func place(_ id: String) -> String { "\(repo.bare)/objects/\(id.prefix(2))/\(id.dropFirst(2))" }
            try await repo.run(["cp", "-p", place(blob), repo.root + "/kept"])
            try await repo.run(["chmod", "u+w", place(blob)])
            try await repo.run([
                "sh", "-c", damage == "swap" ? "cp -f \(place(other)) \(place(blob))" : "\(damage) \(place(blob))",
            ])
            let error = await #expect(throws: GitError.self) { try await mirror.fetch(ref: "main", deadline: soon) }
            #expect(error?.code == .failed)
            #expect(
                error?.message.contains(blob) == true && error?.message.contains("git fsck") == true,
                "\(String(describing: error))")
            if let old {
                #expect(try await mirror.resolve("main") == old)  // Nothing of the new commit was stored.
                #expect(try await packs(repo).count == 1)
            } else {
                let unfetched = await #expect(throws: GitError.self) { try await mirror.resolve("main") }
                #expect(unfetched?.code == .notFetched)
            }
            try await repo.run(["mv", "-f", repo.root + "/kept", place(blob)])
            #expect(try await mirror.fetch(ref: "main", deadline: soon).commit == commit)
            try await expectWholeMirror(of: commit, repo)
        }
    }

    @Test func saysThatAShallowCloneIsOne() async throws {
        try await withScratchRepository { repo in
            for number in 0..<3 { try await repo.commit(["a": "\(number)"]) }
            try await repo.git("clone", "-q", "--bare", "--depth", "1", repo.url, "\(repo.root)/shallow.git")
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: "\(repo.root)/shallow.git"))
            let error = await #expect(throws: GitError.self) { try await mirror.fetch(ref: "main", deadline: soon) }
            #expect(error?.message.contains("git fetch --unshallow") == true, "\(String(describing: error))")
        }
    }

    @Test func leavesBigRepositoriesToLibGit2() async throws {
        try await withScratchRepository { repo in
            try await repo.run(["sh", "-c", "head -c 17000000 /dev/zero > big"], in: repo.work)
            let commit = try await repo.commit(["a": "1"])
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            let revision = try await mirror.fetch(ref: "main", deadline: soon)
            #expect(revision.commit == commit)
            #expect(try await mirror.snapshot(of: revision).contents(at: "big").count == 17_000_000)
            // It compresses.
            #expect((Int(try await repo.run(["sh", "-c", "du -sk objects | cut -f1"], in: repo.mirror)) ?? 0) < 1_000)
        }
    }

    /// Git packs the source, and removes what it packed, while it is read; the other way round a pack goes away.
    @Test(arguments: ["git repack -qad", "cp -r ../loose/?? objects && rm -f objects/pack/*"])
    func copiesWhileTheSourceIsRepacked(command: String) async throws {
        try await withScratchRepository { repo in
            try await repo.git("-C", repo.bare, "config", "receive.unpackLimit", "100000")
            let commit = try await repo.commit(manyFiles())
            try await repo.run(["cp", "-r", "objects", repo.root + "/loose"], in: repo.bare)
            try await repo.run(["cp", "-r", repo.bare, repo.root + "/kept.git"])
            if command.hasPrefix("cp") { try await repo.run(["git", "repack", "-qad"], in: repo.root + "/kept.git") }
            for number in 0..<4 {
                try await repo.run(["sh", "-c", "rm -rf remote.git && cp -r kept.git remote.git"])
                let mirror = GitMirror(directory: "\(repo.mirror)\(number)", remote: GitRemote(url: repo.url))
                async let repacked = repo.run(["sh", "-c", command], in: repo.bare)
                #expect(try await mirror.fetch(ref: "main", deadline: soon).commit == commit)
                _ = try await repacked
            }
        }
    }

    // MARK: Helpers

    private func manyFiles() -> [String: String] {
        Dictionary(uniqueKeysWithValues: (0..<200).map { ("apps/\($0 % 10)/\($0).yaml", "value: \($0)\n") })
    }

    private func packs(_ repo: ScratchRepository) async throws -> [String] {
        try await repo.run(["ls", "objects/pack"], in: repo.mirror).split(separator: "\n").map(String.init).filter {
            $0.hasSuffix(".idx")
        }
    }

    /// Every object that `id` leads to is in the mirror, and Git finds nothing wrong with it.
    private func expectWholeMirror(of id: String, _ repo: ScratchRepository) async throws {
        let listing = ["git", "rev-list", "--objects", "--no-object-names", id]
        let wanted = try await repo.run(["sh", "-c", "\(listing.joined(separator: " ")) | sort"], in: repo.bare)
        let stored = try await repo.run(["sh", "-c", "\(listing.joined(separator: " ")) | sort"], in: repo.mirror)
        #expect(stored == wanted)
        #expect(try await repo.run(["git", "fsck", "--full", "--strict", "--no-dangling"], in: repo.mirror) == "")
        #expect(
            try await repo.run(["sh", "-c", "git verify-pack objects/pack/*.idx && ls objects"], in: repo.mirror) == "pack")
    }
}
