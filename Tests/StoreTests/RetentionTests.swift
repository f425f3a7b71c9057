import Foundation
import GRDB
import ResourceModel
import Testing

@testable import Store

@Suite struct RetentionTests {
    @Test func keepsTheNewestOfEachApplication() async throws {
        try await withStore(Retention(attempts: 3)) { store in
            for number in 1...5 {
                try await store.record(report("shop", "\(number)"))
                try await store.record(report("other", "\(number)"))
            }
            #expect(try await store.attempts(of: "shop", limit: 10).map(\.report.revision.subject) == ["5", "4", "3"])
            #expect(try await store.attempts(of: "other", limit: 10).map(\.report.revision.subject) == ["5", "4", "3"])
            let found = try await store.verify()
            #expect(found.fault == nil && found.attempts == 6 && found.dropped == 4, "\(found)")
        }
    }

    @Test func neverDropsTheNewestSuccess() async throws {
        try await withStore(Retention(attempts: 2, age: 100)) { store in
            try await store.record(report("shop", "first", at: 10))
            try await store.record(report("shop", "good", at: 11), manifests: try await store.rendered(desiredState("shop", ["a"])))
            for number in 1...6 { try await store.record(report("shop", "bad \(number)", at: 20 + Double(number), conclusion: .failed)) }
            #expect(try await store.attempts(of: "shop", limit: 10).map(\.report.revision.subject) == ["bad 6", "bad 5", "good"])
            try await store.record(report("shop", "bad", at: 1000, conclusion: .failed))
            #expect(try await store.attempts(of: "shop", limit: 10).map(\.report.revision.subject) == ["bad", "good"], "by age too")
            let success = try await store.lastSuccess(of: "shop")
            #expect(success?.report.revision.subject == "good")
            #expect(try await store.manifests(of: success?.id ?? 0)?.map(\.id.name) == ["a"])
            let found = try await store.verify()
            #expect(found.fault == nil && found.attempts == 2 && found.dropped == 7, "\(found)")
        }
    }

    /// What retention does is recorded: dropping once more by hand is found.
    @Test func removalBesideRetentionIsFound() async throws {
        try await withStore(Retention(attempts: 3)) { store in
            for number in 1...6 { try await store.record(report("shop", "\(number)")) }
            try await store.database.write { try $0.execute(sql: "DELETE FROM attempt WHERE id = 5") }
            let fault = try await store.verify().fault
            #expect(fault?.kind == .removed && fault?.row == "attempt 5")
        }
    }

    @Test func worksInBatchesAndKeepsThePlacesOfDroppedRowsTogether() async throws {
        try await withStore(Retention(attempts: 50)) { store in
            var most = 0
            for number in 1...300 {
                try await store.record(report("shop", "\(number)"))
                most = max(most, try await store.attempts(of: "shop", limit: 100).count)
            }
            #expect(most == 55, "a tenth more than is kept")
            let gaps = try await store.database.read { try HistoryChain.gaps($0) }
            #expect(gaps.count < 10, "one for each anchor at most, merged where they meet: \(gaps.count)")
            let found = try await store.verify()
            #expect(found.fault == nil && found.attempts + found.dropped == 300, "\(found)")
        }
    }

    @Test func keepsManifestsAsLongAsAnAttemptNamesThem() async throws {
        try await withStore(Retention(attempts: 2)) { store in
            func count() async throws -> Int? { try await store.database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM manifests") } }
            let (one, two) = (desiredState("shop", ["a", "b"]), desiredState("shop", ["c"]))
            let first = try await store.record(report("shop", "1"), manifests: try await store.rendered(one))
            let second = try await store.record(report("shop", "2"), manifests: try await store.rendered(one))
            #expect(try await count() == 1, "equal renders are kept once")
            #expect(try await store.manifests(of: first) == one.manifests)
            #expect(try await store.manifests(of: second) == one.manifests)
            let failed = try await store.record(report("other", "x", conclusion: .failed), manifests: try await store.rendered(two))
            #expect(try await store.manifests(of: failed) == nil)
            #expect(try await store.manifests(of: 99) == nil)
            #expect(try await store.rendered(one).content == nil, "what is there is not made again")
            #expect(try await store.rendered(desiredState("shop", ["a", "b"], namespace: "elsewhere")).content != nil, "another namespace")
            for _ in 0..<2 { try await store.record(report("shop", "3"), manifests: try await store.rendered(two)) }
            #expect(try await count() == 1, "the last attempt that named the first render is gone")
        }
    }
}

@Suite struct RepeatTests {
    private let failed = StepResult(id: ResourceID(group: "", kind: "ConfigMap", namespace: "n", name: "a"), actuation: .failed("no"), duration: 1)

    @Test func countsWhatComesOutTheSame() async throws {
        try await withStore { store in
            var steps = [failed]
            for number in 1...4 {
                steps[0].duration = Double(number)
                let trigger = number == 1 ? "push" : "retry"
                let id = try await store.record(
                    report("shop", "1", at: Double(number), trigger: trigger, conclusion: .failed, message: "1 of 1 writes failed", steps: steps))
                #expect(id == 1)
            }
            let all = try await store.attempts(of: "shop", limit: 10)
            #expect(all.count == 1 && all[0].repeats == 3 && all[0].report.startedAt == 1 && all[0].lastFinishedAt == 4.75)
            let found = try await store.verify()
            #expect(found.fault == nil && found.attempts == 1)
            try await store.record(report("shop", "1", trigger: "retry", conclusion: .failed, message: "2 of 2 writes failed", steps: [failed]))
            #expect(try await store.attempts(of: "shop", limit: 10).map(\.repeats) == [0, 3], "another message")
        }
    }

    @Test func recordsEveryAttemptThatSomebodyAskedForOrThatWrote() async throws {
        try await withStore { store in
            for _ in 0..<2 { try await store.record(report("asked", "1")) }
            let written = StepResult(id: failed.id, actuation: .configured)
            for _ in 0..<2 { try await store.record(report("wrote", "1", trigger: "drift", steps: [written])) }
            for subject in ["1", "2", "1"] {
                try await store.record(report("changing", subject, trigger: "push", message: subject))
            }
            #expect(try await store.attempts(of: nil, limit: 10).map(\.repeats) == [0, 0, 0, 0, 0, 0, 0])
        }
    }
}
