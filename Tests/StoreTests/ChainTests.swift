import Foundation
import GRDB
import ResourceModel
import Testing

@testable import Store

/// The hash chain: what was done to the file afterwards is found and named.
@Suite struct ChainTests {
    private func event(_ field: String, value: JSONValue = "live", secret: Bool = false, at time: Double = 2) -> DriftEvent {
        DriftEvent(
            application: "shop", object: ResourceID(group: "apps", kind: "Deployment", namespace: "shop", name: "web"),
            field: FieldChange(path: field, before: value, after: "declared", isSecret: secret), owner: "kubectl-edit",
            ownerWroteAt: "2026-11-21T10:00:00Z", seenAt: time, occasion: "")
    }

    private func filled(_ body: (HistoryStore) async throws -> Void) async throws {
        try await withStore { store in
            for number in 1...5 {
                let desired = desiredState("shop", ["a\(number / 3)"])
                try await store.record(report("shop", "\(number)"), manifests: try await store.rendered(desired))
            }
            try await store.record([event(".spec.replicas"), event(".spec.paused")])
            try await body(store)
        }
    }

    @Test func verifiesWhatNobodyTouched() async throws {
        try await filled { store in
            let found = try await store.verify()
            #expect(found.fault == nil && found.attempts == 5 && found.events == 2 && found.unchained == 0 && found.dropped == 0)
            #expect(found.head.count == 64)
            try await store.note([event(".spec.replicas")], healedBy: 5, at: 9)
            #expect(try await store.verify().head == found.head, "what is noted later stands outside the chain")
            try await store.record(report("shop", "6"))
            #expect(try await store.verify().head != found.head)
        }
        try await withStore { store in
            let found = try await store.verify()
            #expect(found.fault == nil && found.attempts == 0)
        }
    }

    @Test(arguments: [
        ("UPDATE attempt SET conclusion = 'Failed' WHERE id = 2", HistoryVerification.Fault.changed, "attempt 2 (shop)"),
        ("UPDATE attempt SET steps = '[1]' WHERE id = 3", .changed, "attempt 3 (shop)"),
        ("UPDATE attempt SET finished_at = finished_at + 1 WHERE id = 5", .changed, "attempt 5 (shop)"),
        ("UPDATE attempt SET manifests = NULL WHERE id = 4", .changed, "attempt 4 (shop)"),
        ("UPDATE manifests SET content = x'00'", .changed, "attempt 1 (shop)"),
        ("UPDATE drift SET event = replace(event, 'edit', 'apply') WHERE id = 1", .changed, "drift event 1"),
        ("UPDATE chain SET digest = hash WHERE kind = 'attempt' AND subject = 4", .changed, "attempt 4 (shop)"),
        ("UPDATE chain SET hash = digest WHERE kind = 'attempt' AND subject = 4", .changed, "entry 5 of the chain (attempt 4)"),
        ("DELETE FROM attempt WHERE id = 2", .removed, "attempt 2"),
        ("DELETE FROM attempt WHERE id = 2; DELETE FROM chain WHERE subject = 2 AND kind = 'attempt'", .removed, "entry 3 of the chain"),
        ("DELETE FROM drift WHERE id = 2; DELETE FROM chain WHERE subject = 2 AND kind = 'drift'", .removed, "entry 8 of the chain, its newest,"),
        (
            "DELETE FROM attempt WHERE id = 2; DELETE FROM chain WHERE subject = 2 AND kind = 'attempt'; INSERT INTO gap VALUES (3, 3, (SELECT hash FROM chain WHERE position = 2))",
            .changed, "entry 4 of the chain (attempt 3)"
        ),
        ("INSERT INTO gap VALUES (30, 40, x'00')", .changed, "the record of what retention dropped"),
        (
            "INSERT INTO attempt (id, application, commit_id, started_at, finished_at, conclusion, report, steps) SELECT 9, application, commit_id, started_at, finished_at, conclusion, report, steps FROM attempt WHERE id = 1",
            .inserted, "attempt 9"
        ),
    ])
    func namesTheFirstRowThatIsNotAsItWas(_ statement: String, _ kind: HistoryVerification.Fault, _ row: String) async throws {
        try await filled { store in
            try await store.database.write { try $0.execute(sql: statement) }
            let fault = try await store.verify().fault
            #expect(fault?.kind == kind && fault?.row == row, "\(String(describing: fault))")
        }
    }

    /// A gap with the right hash is not enough: the anchor speaks of all gaps.
    @Test func anInventedGapIsFound() async throws {
        try await filled { store in
            try await store.database.write { db in
                try db.execute(sql: "INSERT INTO gap SELECT position, position, hash FROM chain WHERE kind = 'attempt' AND subject = 2")
                try db.execute(sql: "DELETE FROM chain WHERE kind = 'attempt' AND subject = 2; DELETE FROM attempt WHERE id = 2")
            }
            let fault = try await store.verify().fault
            #expect(fault?.kind == .changed && fault?.row == "the record of what retention dropped", "\(String(describing: fault))")
        }
    }

    @Test func staysOneChainWhenTwoRecordAtOnce() async throws {
        try await withDirectory { directory in
            let stores = try (0..<2).map { _ in try HistoryStore(path: directory + "/history.db", retention: Retention(attempts: 20)) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<60 {
                    group.addTask { try await stores[number % 2].record(report("app\(number % 2)", "\(number)")) }
                }
                try await group.waitForAll()
            }
            let found = try await stores[0].verify()
            #expect(found.fault == nil && found.attempts + found.dropped == 60 && found.dropped > 10, "\(found)")
        }
    }

    @Test func acceptsRowsFromBeforeTheChain() async throws {
        try await withDirectory { directory in
            let path = directory + "/history.db"
            do {
                // The schema of the versions before the chain.
                let old = try DatabaseQueue(path: path)
                try HistoryStore.migrator.migrate(old, upTo: "steps")
                let head = String(decoding: try JSONEncoder().encode(report("shop", "old")), as: UTF8.self)
                try await old.write { db in
                    for _ in 0..<3 {
                        try db.execute(
                            sql: "INSERT INTO attempt (application, commit_id, started_at, finished_at, conclusion, report) VALUES ('shop', 'c', 1, 2, 'Succeeded', ?)",
                            arguments: [head])
                    }
                }
                try old.close()
            }
            let store = try HistoryStore(path: path, retention: Retention(attempts: 3))
            #expect(try await store.attempts(of: "shop", limit: 9).map(\.report.revision.subject) == ["old", "old", "old"])
            try await store.record(report("shop", "new"))
            let found = try await store.verify()
            #expect(found.fault == nil && found.attempts == 1 && found.unchained == 2, "the oldest one went; \(found)")
        }
    }
}
