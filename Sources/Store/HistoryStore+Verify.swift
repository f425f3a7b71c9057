import Foundation
import GRDB
import ResourceModel

/// What `history verify` found.
package struct HistoryVerification: Sendable {
    package enum Fault: String, Sendable { case changed, removed, inserted }

    /// Rows whose content is what was recorded, up to the fault if there is one.
    package var attempts = 0
    package var events = 0
    /// Attempts that were recorded before there was a chain: nobody can tell whether they are as they were.
    package var unchained = 0
    /// Rows that retention dropped, and whose places the chain still accounts for.
    package var dropped = 0
    /// The chain's last hash, hexadecimal: kept elsewhere, it also shows a chain that was written anew.
    package var head = ""
    /// The first row that is not as it was recorded, and what is the matter with it.
    package var fault: (kind: Fault, row: String)?
}

extension HistoryStore {
    /// Walks the whole chain and compares each row with what was recorded. Others may record meanwhile.
    package func verify() async throws -> HistoryVerification {
        try await database.read { db in
            var walk = ChainWalk(gaps: try HistoryChain.gaps(db))
            try walk.run(db)
            return walk.result
        }
    }
}

/// The state of a walk along the chain.
private struct ChainWalk {
    var result = HistoryVerification()
    let gaps: [HistoryChain.Gap]
    private var expected: Int64 = 1
    private var hash = Data()
    private var lastUnchained: Int64 = 0
    private var lastAnchor: Data?
    private var contents: [String: Data?] = [:]

    init(gaps: [HistoryChain.Gap]) { self.gaps = gaps }

    mutating func run(_ db: Database) throws {
        let entries = try Row.fetchCursor(db, sql: "SELECT position, kind, subject, digest, hash FROM chain ORDER BY position")
        while result.fault == nil, let entry = try entries.next() { try take(entry, db) }
        // The file itself remembers the last position that was given out.
        let last = try Int64.fetchOne(db, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'chain'") ?? 0
        if result.fault == nil, !cross(to: last + 1) { result.fault = (.removed, "entry \(expected) of the chain, its newest,") }
        if result.fault == nil, lastAnchor ?? HistoryChain.digest([]) != HistoryChain.digest(of: gaps) {
            result.fault = (.changed, "the record of what retention dropped")
        }
        result.unchained = try Int.fetchOne(db, sql: "SELECT count(*) FROM attempt WHERE id <= ?", arguments: [lastUnchained]) ?? 0
        result.head = hash.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        try findInserted(db)
    }

    private mutating func take(_ entry: Row, _ db: Database) throws {
        let position: Int64 = entry["position"]
        let kind: String = entry["kind"]
        let subject: Int64 = entry["subject"]
        let digest: Data = entry["digest"]
        guard cross(to: position) else {
            result.fault = (.removed, "entry \(expected) of the chain")
            return
        }
        switch HistoryChain.Kind(rawValue: kind) {
        case .begin: lastUnchained = subject
        case .anchor:
            lastAnchor = digest
            result.dropped = Int(subject)
        case .attempt:
            guard let row = try Row.fetchOne(db, sql: "SELECT * FROM attempt WHERE id = ?", arguments: [subject]) else {
                result.fault = (.removed, "attempt \(subject)")
                return
            }
            let manifests: String? = row["manifests"]
            let attempt = AttemptRow(row)
            if attempt.digest(manifests: manifests, try manifests.flatMap { try content($0, db) }) != digest {
                result.fault = (.changed, "attempt \(subject) (\(attempt.application))")
                return
            }
            result.attempts += 1
        case .drift:
            guard let row = try Row.fetchOne(db, sql: "SELECT * FROM drift WHERE id = ?", arguments: [subject]) else {
                result.fault = (.removed, "drift event \(subject)")
                return
            }
            if DriftRow(row).digest != digest {
                result.fault = (.changed, "drift event \(subject)")
                return
            }
            result.events += 1
        case nil: break  // a newer version's: its hash is checked all the same
        }
        hash = HistoryChain.hash(after: hash, kind, subject, digest)
        if hash != entry["hash"] as Data { result.fault = (.changed, "entry \(position) of the chain (\(kind) \(subject))") }
        expected = position + 1
    }

    /// Goes on to a position; false when entries before it are missing and no gap accounts for them.
    private mutating func cross(to position: Int64) -> Bool {
        if expected == position { return true }
        guard let gap = gaps.first(where: { $0.first == expected }), gap.last + 1 == position else { return false }
        hash = gap.hash
        expected = position
        return true
    }

    /// The digest of kept manifests as they are now.
    private mutating func content(_ id: String, _ db: Database) throws -> Data? {
        if let known = contents[id] { return known }
        let bytes = try Data.fetchOne(db, sql: "SELECT content FROM manifests WHERE id = ?", arguments: [id])
        let digest = bytes.map { HistoryChain.digest([.bytes($0)]) }
        contents[id] = digest
        return digest
    }

    /// Rows that the chain knows nothing of.
    private mutating func findInserted(_ db: Database) throws {
        guard result.fault == nil else { return }
        for (kind, table, first) in [("attempt", "attempt", lastUnchained), ("drift event", "drift", 0)] {
            let row = try Int64.fetchOne(
                db, sql: "SELECT id FROM \(table) WHERE id > ? AND id NOT IN (SELECT subject FROM chain WHERE kind = ?) ORDER BY id LIMIT 1",
                arguments: [first, table])
            if let row {
                result.fault = (.inserted, "\(kind) \(row)")
                return
            }
        }
    }
}
