import Foundation
import GRDB
import ResourceModel

/// What a sync finds that sees what an earlier one left: nothing to do.
package struct Settled: Sendable, Codable {
    /// A digest over all that it follows from.
    let evidence: String
    /// The same but for what controllers report of the objects, from which only the health follows; `nil` where more would.
    package let evidenceButStatus: String?
    /// How many objects are as they are declared.
    package let unchanged: Int
    package let health: HealthAssessment
    /// Declared objects whose health does not count.
    package let exempt: Set<ResourceID>
    let manifests: String

    /// - Parameter manifests: what was declared, kept with the attempt.
    package init(
        evidence: String, evidenceButStatus: String?, unchanged: Int, health: HealthAssessment, exempt: Set<ResourceID>, manifests: RenderedManifests
    ) {
        self.init(
            evidence: evidence, evidenceButStatus: evidenceButStatus, unchanged: unchanged, health: health, exempt: exempt, manifests: manifests.id)
    }

    private init(
        evidence: String, evidenceButStatus: String?, unchanged: Int, health: HealthAssessment, exempt: Set<ResourceID>, manifests: String
    ) {
        self.evidence = evidence
        self.evidenceButStatus = evidenceButStatus
        self.unchanged = unchanged
        self.health = health
        self.exempt = exempt
        self.manifests = manifests
    }

    /// The same where only controllers reported something else.
    package func with(_ health: HealthAssessment, evidence: String) -> Settled {
        Settled(
            evidence: evidence, evidenceButStatus: evidenceButStatus, unchanged: unchanged, health: health, exempt: exempt, manifests: manifests)
    }

    func insert(for application: String, _ db: Database) throws {
        let text = String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
        try db.execute(
            sql: "INSERT OR REPLACE INTO settled (application, evidence, but_status, finding) VALUES (?, ?, ?, ?)",
            arguments: [application, evidence, evidenceButStatus, text])
    }
}

extension HistoryStore {
    /// What is found by a sync that sees this evidence.
    /// - Returns: `nil` when something else was seen last, or what was declared is not kept any more.
    package func settled(_ application: String, seeing evidence: String) async throws -> (finding: Settled, manifests: RenderedManifests)? {
        try await settled(application, "evidence", evidence)
    }

    /// What is found, but for the health, by a sync that sees this evidence.
    /// - Returns: `nil` as above.
    package func settled(_ application: String, seeingButStatus evidence: String) async throws -> (finding: Settled, manifests: RenderedManifests)? {
        try await settled(application, "but_status", evidence)
    }

    private func settled(
        _ application: String, _ column: String, _ evidence: String
    ) async throws -> (finding: Settled, manifests: RenderedManifests)? {
        let text = try await database.read { db in
            try String.fetchOne(db, sql: "SELECT finding FROM settled WHERE application = ? AND \(column) = ?", arguments: [application, evidence])
        }
        // What is damaged, or was written in another form, is no finding: the sync compares.
        guard let text, let finding = try? JSONDecoder().decode(Settled.self, from: Data(text.utf8)), let kept = try await kept(finding.manifests)
        else { return nil }
        return (finding, kept)
    }
}
