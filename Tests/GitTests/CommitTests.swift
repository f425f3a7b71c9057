import Git
import Glibc
import ResourceModel
import TestSupport
import Testing

@Suite(.serialized) struct CommitTests {
    private func mirror(_ repo: ScratchRepository) async throws -> GitMirror {
        let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
        _ = try await mirror.fetch(ref: "main", deadline: soon)
        return mirror
    }

    private func paths(_ mirror: GitMirror, _ revision: Revision) async throws -> [String] {
        try await mirror.snapshot(of: revision).entries(at: "", recursive: true).filter { $0.kind != .directory }.map(\.path)
    }

    @Test func restoresExactlyThePathsThatAreNamed() async throws {
        try await withScratchRepository { repo in
            let good = try await repo.commit(["app/deep/a": "1", "app/b": "1", "values.yaml": "1", "kept": "1"])
            let bad = try await repo.commit(["app/deep/a": "2", "app/deep/er/x": "2", "values.yaml": "2", "kept": "2", "late/y": "2"], removing: ["app/b"])
            let mirror = try await mirror(repo)
            let one = try #require(try await mirror.commit(.revert(of: bad, to: good, ["app/deep", "/values.yaml", "nowhere/at/all"])))
            #expect(try await mirror.changedPaths(from: bad, to: one.commit) == ["app/deep/a", "app/deep/er/x", "values.yaml"])
            // What the source lacks goes, with the directories that are empty then.
            let all = try #require(try await mirror.commit(.revert(of: bad, to: good, ["app", "late/y"])))
            #expect(try await paths(mirror, all) == ["app/b", "app/deep/a", "kept", "values.yaml"])
            #expect(try await mirror.commit(.revert(of: bad, to: bad)) == nil)
            #expect(try await mirror.commit(.revert(of: bad, to: good, ["nowhere"])) == nil)
            // The whole repository.
            let root = try #require(try await mirror.commit(.revert(of: bad, to: good, [""])))
            #expect(try await mirror.changedPaths(from: good, to: root.commit) == [])
        }
    }

    @Test func keepsModesLinksAndTheOrderOfNames() async throws {
        try await withScratchRepository { repo in
            try repo.write(["app/run.sh": "1", "app.yaml": "1", "app-two": "1"])
            try await repo.run(["sh", "-c", "chmod +x app/run.sh; ln -s run.sh app/link"], in: repo.work)
            let good = try await repo.commit()
            try await repo.run(["sh", "-c", "chmod -x app/run.sh; rm app/link; echo > app/link"], in: repo.work)
            let bad = try await repo.commit(["app/run.sh": "2"])
            let mirror = try await mirror(repo)
            let revision = try #require(try await mirror.commit(.revert(of: bad, to: good)))
            let entries = try await mirror.snapshot(of: revision).entries(at: "app", recursive: true)
            #expect(entries.map(\.kind) == [.symlink(target: "run.sh"), .executable])
            try await mirror.push(commit: revision.commit, to: "main", expecting: bad, deadline: soon)
            #expect(try await repo.remoteGit("fsck", "--strict") == "")
            #expect(try await repo.remoteGit("diff", "--name-only", good, "main") == "")
        }
    }

    @Test func doesNotRemoveAFileThatStandsInTheWay() async throws {
        try await withScratchRepository { repo in
            let good = try await repo.commit(["app/deep/a": "1"])
            try await repo.git("rm", "-rq", "app/deep")
            let bad = try await repo.commit(["app/deep": "now a file"])
            let mirror = try await mirror(repo)
            let error = await #expect(throws: GitError.self) { try await mirror.commit(.revert(of: bad, to: good, ["app/deep/a"])) }
            #expect(error?.message.contains("app/deep is a file now") == true, "\(String(describing: error))")
        }
    }

    @Test func staysAMirrorThatCanBeTrusted() async throws {
        try await withScratchRepository { repo in
            let (good, bad) = try await repo.withBadRelease()
            let mirror = try await mirror(repo)
            let revision = try #require(try await mirror.commit(.revert(of: bad, to: good)))
            #expect(try await repo.run(["sh", "-c", "find objects -type f -not -name '*.pack' -not -name '*.idx' | wc -l"], in: repo.mirror) == "0")
            // Another process sees it as well.
            let other = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            #expect(try await other.resolve(revision.commit).subject == "Revert app")
            let error = await #expect(throws: GitError.self) {
                try await other.commit(.revert(of: String(repeating: "a", count: 40), to: good))
            }
            #expect(error?.code == .notFetched)
        }
    }

    @Test func signsWithAnSSHKeyThatGitVerifies() async throws {
        try await withScratchRepository { repo in
            let (good, bad) = try await repo.withBadRelease()
            try await repo.makeKey(repo.root + "/signing")
            let mirror = try await mirror(repo)
            let signer = CommitSigner(format: .ssh, key: repo.root + "/signing")
            let revision = try #require(try await mirror.commit(.revert(of: bad, to: good, signer: signer)))
            try await mirror.push(commit: revision.commit, to: "main", expecting: bad, deadline: soon)
            try await repo.run(["sh", "-c", "echo \"rosa@example.com $(cat signing.pub)\" > allowed"])
            let told = try await repo.run(
                ["sh", "-c", "git -c gpg.format=ssh -c gpg.ssh.allowedSignersFile=../allowed verify-commit main 2>&1"], in: repo.bare)
            #expect(told.contains("Good \"git\" signature for rosa@example.com"), "\(told)")
        }
    }

    @Test func saysThatNoAgentHasTheKey() async throws {
        try await withScratchRepository { repo in
            let (good, bad) = try await repo.withBadRelease()
            try await repo.makeKey(repo.root + "/signing")
            let mirror = try await mirror(repo)
            let key = try await repo.run(["cat", repo.root + "/signing.pub"])
            let signer = CommitSigner(format: .ssh, key: "key::" + key)
            let error = await #expect(throws: GitError.self) { try await mirror.commit(.revert(of: bad, to: good, signer: signer)) }
            #expect(error?.code == .signing, "no agent has it: \(String(describing: error))")
        }
    }

    @Test(.enabled(if: access("/usr/bin/gpg", X_OK) == 0, "gpg is not installed")) func signsWithOpenPGP() async throws {
        try await withScratchRepository { repo in
            let (good, bad) = try await repo.withBadRelease()
            let home = repo.root + "/gnupg"
            try await repo.run(["mkdir", "-m", "700", home])
            let key = "rosa@example.com"
            try await repo.run(["gpg", "--homedir", home, "--batch", "--passphrase", "", "--quick-generate-key", key, "ed25519", "sign", "1d"])
            // A program of one's own, as `gpg.program` names one.
            try await repo.run(["sh", "-c", "printf '#!/bin/sh\\nexec gpg --homedir \(home) \"$@\"\\n' > my-gpg; chmod +x my-gpg"])
            let mirror = try await mirror(repo)
            let signer = CommitSigner(format: .openPGP, key: key, program: repo.root + "/my-gpg")
            let revision = try #require(try await mirror.commit(.revert(of: bad, to: good, signer: signer)))
            try await mirror.push(commit: revision.commit, to: "main", expecting: bad, deadline: soon)
            let told = try await repo.run(["sh", "-c", "git -c gpg.program=../my-gpg verify-commit main 2>&1"], in: repo.bare)
            #expect(told.contains("Good signature from \"rosa@example.com\""), "\(told)")
            try await repo.run(["gpgconf", "--homedir", home, "--kill", "all"])
        }
    }

    @Test func saysWhatIsMissingForASignature() async throws {
        try await withScratchRepository { repo in
            let (good, bad) = try await repo.withBadRelease()
            let mirror = try await mirror(repo)
            func error(_ signer: CommitSigner) async -> GitError? {
                await #expect(throws: GitError.self) { try await mirror.commit(.revert(of: bad, to: good, signer: signer)) }
            }
            let key = await error(CommitSigner(format: .ssh, key: "/none/key"))
            #expect(key?.code == .signing && key?.message.contains("/none/key") == true)
            let tool = await error(CommitSigner(format: .openPGP, key: "x", program: "no-such-gpg"))
            #expect(tool?.code == .missingTool && tool?.message.contains("no-such-gpg") == true)
        }
    }

    @Test func readsWhatIsConfiguredForGit() async throws {
        try await withScratchRepository { repo in
            let file = repo.root + "/config"
            for setting in [["user.name", "Grace"], ["user.email", "grace@example.com"], ["gpg.format", "ssh"], ["user.signingkey", "~/.ssh/id"]] {
                try await repo.run(["git", "config", "-f", file] + setting)
            }
            var variables = ["GIT_CONFIG_GLOBAL": file, "GIT_CONFIG_SYSTEM": "/dev/null"]
            let plain = try GitConfiguration.read { variables[$0] }
            #expect(plain.author == GitPerson(name: "Grace", email: "grace@example.com") && plain.committer == plain.author)
            #expect(plain.signer == CommitSigner(format: .ssh, key: "~/.ssh/id"))
            variables["GIT_AUTHOR_NAME"] = "Ada"
            #expect(try GitConfiguration.read { variables[$0] }.author?.name == "Ada")
            try await repo.run(["git", "config", "-f", file, "commit.gpgsign", "false"])
            #expect(try GitConfiguration.read { variables[$0] }.signer == nil)
            #expect(try GitConfiguration.read { ["GIT_CONFIG_GLOBAL": "/none", "GIT_CONFIG_SYSTEM": "/none"][$0] }.author == nil)
            try await repo.run(["sh", "-c", "echo '[user' > config"])
            #expect(throws: GitError.self) { try GitConfiguration.read { variables[$0] } }
        }
    }
}
