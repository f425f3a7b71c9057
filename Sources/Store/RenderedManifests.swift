import Foundation
import GRDB
import ResourceModel

/// What a sync declared, compressed, ready to be kept with its attempt.
package struct RenderedManifests: Sendable {
    /// The desired state's digest, with the namespaces that its objects went into.
    let id: String
    /// `nil` when the history has them already.
    var content: (bytes: Data, digest: Data, size: Int)?

    /// Keeps them where they are not kept yet.
    /// - Returns: the content's digest; `nil` when they were dropped since it was looked whether they are there.
    func insert(_ db: Database) throws -> Data? {
        if let digest = try Data.fetchOne(db, sql: "SELECT digest FROM manifests WHERE id = ?", arguments: [id]) { return digest }
        guard let content else { return nil }
        try db.execute(
            sql: "INSERT INTO manifests (id, digest, size, content) VALUES (?, ?, ?, ?)",
            arguments: [id, content.digest, content.size, content.bytes])
        return content.digest
    }
}

extension HistoryStore {
    /// Makes ready to be kept what an application declared, with its namespaces resolved. Costs next to nothing when the same was kept
    /// before.
    package func rendered(_ desired: DesiredState) async throws -> RenderedManifests {
        let id = Self.id(of: desired)
        if let kept = try await kept(id) { return kept }
        let lines = await desired.manifests.concurrentMap { $0.stored.serialized() }
        let text = AttemptRow.joined(lines, by: UInt8(ascii: "\n"))
        let bytes = Data(try Compression.compressed(text))
        return RenderedManifests(id: id, content: (bytes, HistoryChain.digest([.bytes(bytes)]), text.count))
    }

    /// What was kept under an id; `nil` when it was dropped since.
    func kept(_ id: String) async throws -> RenderedManifests? {
        let isKept = try await database.read { db in
            try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM manifests WHERE id = ?)", arguments: [id]) ?? false
        }
        return isKept ? RenderedManifests(id: id) : nil
    }

    /// Equal renders into the same namespaces have the same: the cluster, not the manifest, may say into which namespace one goes.
    private static func id(of desired: DesiredState) -> String {
        "\(desired.digest)/\(Set(desired.manifests.map { $0.id.namespace ?? "" }).sorted().joined(separator: ","))"
    }

    /// The newest successful attempt of an application with what it declared then, where that is something else than `desired`.
    /// - Returns: `nil` when there is no such attempt, or its manifests were not kept; `changed` is `nil` when it declared the same.
    package func lastSuccess(of application: String, as desired: DesiredState) async throws -> (attempt: Int64, changed: [Manifest]?)? {
        let row = try await database.read { db in
            try Row.fetchOne(
                db, sql: "SELECT id, manifests FROM attempt WHERE application = ? AND conclusion = 'Succeeded' AND partial = 0 ORDER BY id DESC LIMIT 1",
                arguments: [application]
            ).map { row -> (id: Int64, manifests: String?) in (row["id"], row["manifests"]) }
        }
        guard let row, let kept = row.manifests else { return nil }
        if kept == Self.id(of: desired) { return (row.id, nil) }
        return try await manifests(of: row.id).map { (row.id, $0) }
    }

    /// The manifests of a successful sync, as they were rendered then.
    /// - Returns: `nil` when there is no such attempt, or none were kept with it: it failed, or was recorded by an older version.
    package func manifests(of attemptID: Int64) async throws -> [Manifest]? {
        let stored = try await database.read { db in
            try Row.fetchOne(
                db, sql: "SELECT content, size FROM manifests JOIN attempt ON attempt.manifests = manifests.id WHERE attempt.id = ?",
                arguments: [attemptID]
            ).map { row -> (content: Data, size: Int) in (row["content"], row["size"]) }
        }
        guard let stored else { return nil }
        let text = try Compression.decompressed(Array(stored.content), size: stored.size)
        return try text.split(separator: UInt8(ascii: "\n")).map { try Manifest(stored: try JSONValue(parsing: Array($0))) }
    }
}

extension Manifest {
    fileprivate var stored: JSONValue {
        [
            .string(id.group), .string(id.kind), id.namespace.map { .string($0) } ?? .null, .string(id.name), .string(apiVersion),
            .string(source.path), .integer(Int64(source.line)), .integer(Int64(source.document)), body,
        ]
    }

    fileprivate init(stored value: JSONValue) throws {
        guard let fields = value.arrayValue, fields.count == 9, let group = fields[0].stringValue, let kind = fields[1].stringValue,
            let name = fields[3].stringValue, let apiVersion = fields[4].stringValue, let path = fields[5].stringValue,
            let line = fields[6].integerValue, let document = fields[7].integerValue
        else { throw Problem(code: "history.damaged", message: "a manifest in the history cannot be read") }
        self.init(
            id: ResourceID(group: group, kind: kind, namespace: fields[2].stringValue, name: name), apiVersion: apiVersion,
            body: fields[8], source: SourceLocation(path: path, line: Int(line), document: Int(document)))
    }
}
