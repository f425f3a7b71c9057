import Foundation
import ResourceModel
import Testing

@testable import Store

@Suite struct HistoryStoreTests {
    private func report(_ application: String, _ subject: String, steps: [StepResult] = []) -> SyncReport {
        SyncReport(
            application: application,
            revision: Revision(
                repository: "file:///r", ref: "main", commit: String(repeating: "b", count: 40), author: "Ada", subject: subject, committedAt: 7),
            planID: "p", trigger: "cli", startedAt: 1.5, finishedAt: 2.25, conclusion: .succeeded, message: "done", sync: .synced,
            health: HealthAssessment(.healthy, "fine"), steps: steps, refusals: [Refusal(code: "c", message: "m", permit: "p")],
            warnings: [Problem(code: "w", severity: .warning, message: "careful")])
    }

    private func withDirectory(_ body: (String) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("store-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }  // scratch files: nothing depends on their going
        try await body(directory.path)
    }

    @Test func givesBackWhatWasRecordedNewestFirst() async throws {
        try await withDirectory { directory in
            let store = try HistoryStore(path: directory + "/history.db")
            let step = StepResult(
                id: ResourceID(group: "apps", kind: "Deployment", namespace: "shop", name: "web"), phase: .postSync, wave: -3,
                actuation: .failed("no"), health: HealthAssessment(.degraded, "bad"), uid: "u", resourceVersion: "9", before: "a", after: "b", duration: 0.5)
            let place = ResourceID(group: "", kind: "Namespace", namespace: nil, name: "\"odd\"\n")
            let others: [StepResult.Actuation] = [
                .created, .configured, .recreated, .pruned, .unchanged, .notReached, .skipped(.ownedByController("Job x")),
                .skipped(.sourceUnreadable(SourceLocation(path: "a.yaml", line: 3))),
            ]
            let first = report("shop", "one", steps: [step] + others.map { StepResult(id: place, actuation: $0, duration: 1e-9) })
            try await store.record(first)
            try await store.record(report("other", "two"))
            try await store.record(report("shop", "three"))
            let all = try await store.attempts(of: nil, limit: 10)
            #expect(all.map(\.report.revision.subject) == ["three", "two", "one"] && all.map(\.id) == [3, 2, 1])
            let shop = try await store.attempts(of: "shop", limit: 10)
            #expect(shop.map(\.report.revision.subject) == ["three", "one"])
            #expect(shop[1].report == first, "whole, with steps, refusals and warnings")
            #expect(try await store.attempts(of: "shop", limit: 1).count == 1)
            #expect(try await store.attempts(of: "nobody", limit: 10).isEmpty)
        }
    }

    @Test func isKeptAndSharedBetweenProcesses() async throws {
        try await withDirectory { directory in
            let one = try HistoryStore(path: directory + "/history.db")
            let other = try HistoryStore(path: directory + "/history.db")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<20 { group.addTask { try await (number % 2 == 0 ? one : other).record(report("shop", "\(number)")) } }
                try await group.waitForAll()
            }
            #expect(try await HistoryStore(path: directory + "/history.db").attempts(of: "shop", limit: 100).count == 20)
        }
    }

    @Test func saysWhatToDoWithAFileThatIsNoDatabase() async throws {
        try await withDirectory { directory in
            let path = directory + "/history.db"
            try Data(repeating: 0x61, count: 200).write(to: URL(fileURLWithPath: path))
            let problem = #expect(throws: Problem.self) { try HistoryStore(path: path) }
            #expect(problem?.message.contains(path) == true && problem?.hint?.contains("move the file away") == true)
        }
    }
}
