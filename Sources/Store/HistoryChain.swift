import Crypto
import Foundation
import GRDB

/// The hash chain over the history's rows: each entry's hash is SHA-256 over the entry before it, what the entry is about, and the
/// digest of that row's content. Whoever changes, removes or inserts a row must write all later entries anew, and the head (which
/// `history verify` prints, to be kept elsewhere) then differs.
///
/// What may change later stands outside the hashed content: how often an attempt was repeated, and by which attempt a drift was
/// healed. Rows that retention drops leave a gap that names the hash to go on from; all gaps together are vouched for by the newest
/// `anchor` entry.
enum HistoryChain {
    enum Kind: String {
        /// The first entry; its subject is the last attempt that was recorded before there was a chain.
        case begin
        case attempt, drift
        /// Its digest is that of all gaps at its time; its subject is the number of rows dropped so far.
        case anchor
    }

    /// Entries that were dropped, and the hash of the last of them.
    struct Gap: Equatable {
        var first: Int64
        var last: Int64
        var hash: Data
    }

    /// Begins the chain of a database that may hold attempts already: those are outside it.
    static func begin(_ db: Database) throws {
        let before = try Int64.fetchOne(db, sql: "SELECT max(id) FROM attempt") ?? 0
        try append(.begin, before, digest: digest([]), db)
    }

    /// Adds an entry at the chain's end. Belongs into the transaction that writes the row, so that two processes keep one chain.
    static func append(_ kind: Kind, _ subject: Int64, digest: Data, _ db: Database) throws {
        let head = try Data.fetchOne(db, sql: "SELECT hash FROM chain ORDER BY position DESC LIMIT 1") ?? Data()
        try db.execute(
            sql: "INSERT INTO chain (kind, subject, digest, hash) VALUES (?, ?, ?, ?)",
            arguments: [kind.rawValue, subject, digest, hash(after: head, kind.rawValue, subject, digest)])
    }

    static func hash(after previous: Data, _ kind: String, _ subject: Int64, _ digest: Data) -> Data {
        self.digest([.bytes(previous), .text(kind), .number(UInt64(bitPattern: subject)), .bytes(digest)])
    }

    /// Takes entries out of the chain, merging them with the gaps that are there, and vouches for the result with a new anchor.
    /// - Parameter positions: of entries whose rows are deleted in the same transaction.
    static func drop(_ positions: [Int64], _ db: Database) throws {
        guard !positions.isEmpty else { return }
        let anchor = try Row.fetchOne(db, sql: "SELECT position, subject FROM chain WHERE kind = 'anchor'")
        let superseded: [Int64] = anchor.map { [$0["position"]] } ?? []
        let before: Int64 = anchor?["subject"] ?? 0
        var gaps = try self.gaps(db)
        for position in positions + superseded {
            guard let hash = try Data.fetchOne(db, sql: "SELECT hash FROM chain WHERE position = ?", arguments: [position]) else { continue }
            gaps.append(Gap(first: position, last: position, hash: hash))
            try db.execute(sql: "DELETE FROM chain WHERE position = ?", arguments: [position])
        }
        let merged = merged(gaps)
        try db.execute(sql: "DELETE FROM gap")
        for gap in merged {
            try db.execute(sql: "INSERT INTO gap (first, last, hash) VALUES (?, ?, ?)", arguments: [gap.first, gap.last, gap.hash])
        }
        try append(.anchor, before + Int64(positions.count), digest: digest(of: merged), db)
    }

    static func gaps(_ db: Database) throws -> [Gap] {
        try Row.fetchAll(db, sql: "SELECT first, last, hash FROM gap ORDER BY first").map {
            Gap(first: $0["first"], last: $0["last"], hash: $0["hash"])
        }
    }

    private static func merged(_ gaps: [Gap]) -> [Gap] {
        var result: [Gap] = []
        for gap in gaps.sorted(by: { $0.first < $1.first }) {
            if let last = result.last, last.last + 1 == gap.first {
                result[result.count - 1].last = gap.last
                result[result.count - 1].hash = gap.hash
            } else {
                result.append(gap)
            }
        }
        return result
    }

    static func digest(of gaps: [Gap]) -> Data {
        digest(gaps.flatMap { [.number(UInt64($0.first)), .number(UInt64($0.last)), .bytes($0.hash)] })
    }

    // MARK: Content

    /// One column of a row.
    enum Field {
        case text(String)
        case number(UInt64)
        case time(Double)
        case bytes(Data)
        case none
    }

    /// SHA-256 over the fields, each with its type and length before it, so that no two rows spell the same.
    static func digest(_ fields: [Field]) -> Data {
        var hasher = SHA256()
        func update(_ tag: UInt8, _ count: Int) {
            var head = [tag]
            withUnsafeBytes(of: UInt64(count).bigEndian) { head += $0 }
            hasher.update(data: head)
        }
        for field in fields {
            switch field {
            case .text(var text):
                text.withUTF8 {
                    update(1, $0.count)
                    hasher.update(bufferPointer: UnsafeRawBufferPointer($0))
                }
            case .number(let number):
                update(2, 8)
                withUnsafeBytes(of: number.bigEndian) { hasher.update(bufferPointer: $0) }
            case .time(let seconds):
                update(3, 8)
                withUnsafeBytes(of: seconds.bitPattern.bigEndian) { hasher.update(bufferPointer: $0) }
            case .bytes(let data):
                update(4, data.count)
                hasher.update(data: data)
            case .none: update(5, 0)
            }
        }
        return Data(hasher.finalize())
    }
}
