import Foundation
import GRDB
import ResourceModel
import Testing

@testable import Store

@Suite struct HistoryStoreTests {
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

    @Test func bringsALogThatHasGrownIntoTheDatabase() async throws {
        try await withDirectory { directory in
            let path = directory + "/history.db"
            let store = try HistoryStore(path: path, readsBesideWrites: false)
            func size() throws -> Int { try #require(FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int) }
            try await store.record(report("shop", "one"))
            await store.checkpoint()
            #expect(try size() > 0, "a small one may stay")
            for number in 0..<8 { try await store.record(report("shop", "\(number)", message: String(repeating: "x", count: 300_000))) }
            #expect(try size() > 2 << 20)
            // Somebody reads: nobody waits for that.
            let other = try HistoryStore(path: path)
            let clock = ContinuousClock()
            let start = clock.now
            try await other.database.read { db in
                _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM attempt")
                let done = DispatchSemaphore(value: 0)
                Task {
                    await store.checkpoint()
                    done.signal()
                }
                done.wait()
            }
            #expect(clock.now - start < .seconds(5))
            await store.checkpoint()
            #expect(try size() == 0)
            #expect(try await HistoryStore(path: path).attempts(of: "shop", limit: 100).count == 9)
        }
    }

    @Test func isReadableByItsOwnerOnly() async throws {
        try await withDirectory { directory in
            let path = directory + "/history.db"
            #expect(FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o644]))
            let store = try HistoryStore(path: path)
            try await store.record(report("shop", "one"))
            for suffix in ["", "-wal", "-shm"] {
                let mode = try FileManager.default.attributesOfItem(atPath: path + suffix)[.posixPermissions] as? Int
                #expect(mode == 0o600, "history.db\(suffix)")
            }
        }
    }

    @Test func findsOneAttemptAndTheLastSuccess() async throws {
        try await withStore { store in
            #expect(try await store.attempt(1) == nil)
            #expect(try await store.lastSuccess(of: "shop") == nil)
            try await store.record(report("shop", "one"))
            try await store.record(report("shop", "two", conclusion: .failed))
            #expect(try await store.attempt(2)?.report == report("shop", "two", conclusion: .failed))
            #expect(try await store.lastSuccess(of: "shop")?.id == 1)
        }
    }

    @Test func keepsADriftOnceAndSecretsNever() async throws {
        try await withStore { store in
            func drift(_ path: String, secret: Bool, at time: Double, value: JSONValue = "hunter2") -> DriftEvent {
                DriftEvent(
                    application: "shop", object: ResourceID(group: "", kind: "Secret", namespace: "n", name: "s"),
                    field: FieldChange(path: path, before: value, after: "swordfish", isSecret: secret), owner: "kubectl-edit",
                    ownerWroteAt: "2026-11-21T10:00:00Z", seenAt: time, occasion: secret ? "7" : "")
            }
            let events = [drift(".data.password", secret: true, at: 1), drift(".metadata.labels.a", secret: false, at: 1, value: "x")]
            try await store.record(events)
            try await store.record([drift(".data.password", secret: true, at: 2), drift(".metadata.labels.a", secret: false, at: 2, value: "y")])
            let all = try await store.drift(of: "shop", limit: 10)
            #expect(all.map(\.event.path) == [".metadata.labels.a", ".metadata.labels.a", ".data.password"], "one for each change, not for each look")
            #expect(all[2].event == events[0] && all[1].event == events[1] && all[2].event.found == nil && all[2].event.isSecret)
            #expect(all.allSatisfy { $0.healedBy == nil })
            try await store.note([events[0]], healedBy: 4, at: 5)
            try await store.note([events[0]], healedBy: 6, at: 7)
            let healed = try await store.drift(of: nil, limit: 10)[2]
            #expect(healed.healedBy == 4 && healed.healedAt == 5)
            let text = try await store.database.read { try String.fetchAll($0, sql: "SELECT event FROM drift").joined() }
            #expect(!text.contains("hunter2") && !text.contains("\"declared\":\"swordfish\",\"secret"))
            #expect(try await store.drift(of: "other", limit: 10).isEmpty)
        }
    }
}
