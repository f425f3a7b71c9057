import Git
import ResourceModel
import TestSupport
import Testing

@Suite(.serialized) struct SnapshotTests {
    @Test func readsTreesAndTellsKindsApart() async throws {
        try await withScratchRepository { repo in
            try repo.write(["apps/a/x.yaml": "x", "apps/b/run.sh": "#!/bin/sh\n"])
            try await repo.run(["chmod", "+x", repo.work + "/apps/b/run.sh"])
            try await repo.run(["ln", "-s", "../a/x.yaml", repo.work + "/apps/b/link"])
            let module = String(repeating: "1234567890", count: 4)
            try await repo.git("add", "-A")
            try await repo.git("update-index", "--add", "--cacheinfo", "160000,\(module),apps/vendor")
            try await repo.git("commit", "-qm", "Kinds")
            try await repo.git("push", "-q", "origin", "HEAD")
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            let snapshot = try await mirror.snapshot(of: mirror.fetch(ref: "main", deadline: soon))
            for path in ["", "apps", "apps/a", "apps/b/run.sh"] {
                #expect(try await snapshot.objectID(at: path) == repo.git("rev-parse", "HEAD:\(path)"), "\(path)")
            }
            for path in ["none", "apps/none", "apps/a/x.yaml/deeper", "apps/vendor/inside"] {
                #expect(try await snapshot.objectID(at: path) == nil, "\(path)")
            }
            let entries = try await snapshot.entries(at: "apps", recursive: true)
            #expect(
                entries.map(\.path) == ["apps/a", "apps/a/x.yaml", "apps/b", "apps/b/link", "apps/b/run.sh", "apps/vendor"])
            #expect(
                entries.map(\.kind) == [.directory, .file, .directory, .symlink(target: "../a/x.yaml"), .executable, .submodule])
            #expect(entries.last?.objectID == module)
            #expect(try await snapshot.entries(at: "apps/", recursive: false).map(\.path) == ["apps/a", "apps/b", "apps/vendor"])
            #expect(try await snapshot.contents(at: "apps/a/x.yaml") == Array("x".utf8))
            #expect(try await snapshot.contents(of: [entries[1], entries[4]]) == [Array("x".utf8), Array("#!/bin/sh\n".utf8)])
            for path in ["apps", "apps/vendor", "apps/none"] {
                let error = await #expect(throws: GitError.self) { try await snapshot.contents(at: path) }
                #expect(error?.code == .noSuchPath, "\(path)")
            }
            let error = await #expect(throws: GitError.self) { try await snapshot.entries(at: "apps/a/x.yaml", recursive: true) }
            #expect(error?.code == .noSuchPath)
        }
    }

    @Test func keepsTheIDsOfDirectoriesThatDidNotChange() async throws {
        try await withScratchRepository { repo in
            try await repo.commit(["apps/a/x.yaml": "1", "apps/b/y.yaml": "1"])
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            let before = try await mirror.snapshot(of: mirror.fetch(ref: "main", deadline: soon))
            try await repo.commit(["apps/a/x.yaml": "2"])
            let after = try await mirror.snapshot(of: mirror.fetch(ref: "main", deadline: soon))
            let paths = ["apps", "apps/a", "apps/b", "apps/c"]
            let (old, new) = (try await before.objectIDs(at: paths), try await after.objectIDs(at: paths))
            #expect(zip(old, new).map(==) == [false, false, true, true])
            #expect(new[3] == nil)
        }
    }

    @Test func listsThePathsThatChangedBetweenCommits() async throws {
        try await withScratchRepository { repo in
            let first = try await repo.commit(["a/1": "1", "a/2": "2", "b/old name": "same text", "c": "c", "unchanged/x": "x"])
            try await repo.git("mv", "b/old name", "b/new")
            let second = try await repo.commit(["a/1": "changed", "d/e": "new"], removing: ["c"])
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            _ = try await mirror.fetch(ref: "main", deadline: soon)
            let paths = ["a/1", "b/new", "b/old name", "c", "d/e"]
            #expect(try await mirror.changedPaths(from: first, to: second) == paths)
            #expect(try await mirror.changedPaths(from: second, to: first) == paths)
            #expect(try await mirror.changedPaths(from: first, to: first) == [])
            let unknown = await #expect(throws: GitError.self) {
                try await mirror.changedPaths(from: String(repeating: "ab", count: 20), to: second)
            }
            #expect(unknown?.code == .notFetched)
        }
    }

    @Test func readsManyFilesFromManyTasks() async throws {
        try await withScratchRepository { repo in
            let files = Dictionary(uniqueKeysWithValues: (0..<300).map { ("apps/\($0 % 30)/\($0).yaml", "value: \($0)\n") })
            try await repo.commit(files)
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            let snapshot = try await mirror.snapshot(of: mirror.fetch(ref: "main", deadline: soon))
            try await withThrowingTaskGroup(of: Int.self) { group in
                for app in 0..<30 {
                    group.addTask {
                        let entries = try await snapshot.entries(at: "apps/\(app)", recursive: true)
                        for (entry, bytes) in zip(entries, try await snapshot.contents(of: entries)) {
                            #expect(String(decoding: bytes, as: UTF8.self) == files[entry.path])
                        }
                        return entries.count
                    }
                }
                var count = 0
                for try await part in group { count += part }
                #expect(count == 300)
            }
        }
    }
}
