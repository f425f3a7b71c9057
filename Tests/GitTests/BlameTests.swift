import Git
import TestSupport
import Testing

@Suite(.serialized) struct BlameTests {
    @Test func namesTheCommitThatLastChangedALine() async throws {
        try await withScratchRepository { repo in
            let first = try await repo.commit(["app/web.yaml": "kind: Deployment\nspec:\n  replicas: 1\n"], message: "Declare it")
            let second = try await repo.commit(["app/web.yaml": "kind: Deployment\nspec:\n  replicas: 2\n"], message: "Scale it")
            let third = try await repo.commit(["app/web.yaml": "# a comment\nkind: Deployment\nspec:\n  replicas: 2\n", "other": "x"], message: "Say something")
            let mirror = GitMirror(directory: repo.mirror, remote: GitRemote(url: repo.url))
            _ = try await mirror.fetch(ref: "main", deadline: .seconds(30))
            func blamed(_ line: Int, at commit: String) async throws -> String? { try await mirror.blame("app/web.yaml", line: line, at: commit)?.commit }
            #expect(try await blamed(4, at: third) == second, "the line moved, and nobody changed it since")
            #expect(try await blamed(2, at: third) == first)
            #expect(try await blamed(1, at: third) == third)
            #expect(try await blamed(3, at: first) == first)
            #expect(try await mirror.blame("app/web.yaml", line: 4, at: third)?.subject == "Scale it")
            #expect(try await blamed(99, at: third) == nil)
            #expect(try await mirror.blame("nowhere.yaml", line: 1, at: third) == nil)
        }
    }
}
