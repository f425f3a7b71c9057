import ResourceModel
import Testing

@Suite struct UnifiedDiffTests {
    /// What `patch` does with a unified diff.
    private func applied(_ diff: UnifiedDiff, to old: [String]) throws -> [String] {
        var result: [String] = []
        var next = 0
        for hunk in diff.hunks {
            let start = hunk.oldCount == 0 ? hunk.oldStart : hunk.oldStart - 1
            result += old[next..<start]
            next = start
            #expect(hunk.newStart == (hunk.newCount == 0 ? result.count : result.count + 1), "the header says where the lines go")
            for line in hunk.lines {
                switch line {
                case .context(let text), .removed(let text):
                    try #require(next < old.count && old[next] == text)
                    if case .context = line { result.append(text) }
                    next += 1
                case .added(let text): result.append(text)
                }
            }
        }
        return result + old[next...]
    }

    @Test func makesTheNewTextOfTheOldOne() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            let old = (0..<Int.random(in: 0...30, using: &generator)).map { _ in "line \(Int.random(in: 0...6, using: &generator))" }
            var new = old
            for _ in 0..<Int.random(in: 0...5, using: &generator) {
                if Bool.random(using: &generator), !new.isEmpty { new.remove(at: Int.random(in: 0..<new.count, using: &generator)) }
                new.insert("line \(Int.random(in: 0...9, using: &generator))", at: Int.random(in: 0...new.count, using: &generator))
            }
            let text = { (lines: [String]) in lines.map { $0 + "\n" }.joined() }
            let diff = UnifiedDiff(from: text(old), to: text(new))
            #expect(try applied(diff, to: old) == new)
            #expect(diff.hunks.isEmpty == (old == new))
        }
    }

    @Test(arguments: [
        ("a\nb\nc\n", "a\nB\nc\n", ["@@ -1,3 +1,3 @@"]), ("", "a\nb\n", ["@@ -0,0 +1,2 @@"]), ("a\n", "", ["@@ -1 +0,0 @@"]), ("a\n", "a\n", []),
        ("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "x\n1\n2\n3\n4\n5\n6\n7\n8\n9\ny\n", ["@@ -1,3 +1,4 @@", "@@ -7,3 +8,4 @@"]),
        ("1\n2\n3\n4\n5\n6\n7\n", "x\n2\n3\n4\n5\n6\ny\n", ["@@ -1,7 +1,7 @@"]),
    ])
    func headersAreThoseOfDiff(_ old: String, _ new: String, _ headers: [String]) {
        #expect(UnifiedDiff(from: old, to: new).hunks.map(\.header) == headers)
    }
}
