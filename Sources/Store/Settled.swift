import Foundation
import GRDB
import ResourceModel

/// What a sync finds that sees what an earlier one left: nothing to do.
package struct Settled: Sendable, Codable {
    /// A digest over all that it follows from.
    let evidence: String
    /// How many objects are as they are declared.
    package let unchanged: Int
    package let health: HealthAssessment
    let manifests: String

    /// - Parameter manifests: what was declared, kept with the attempt.
    package init(evidence: String, unchanged: Int, health: HealthAssessment, manifests: RenderedManifests) {
        self.evidence = evidence
        self.unchanged = unchanged
        self.health = health
        self.manifests = manifests.id
    }

    func insert(for application: String, _ db: Database) throws {
        let text = String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
        try db.execute(
            sql: "INSERT OR REPLACE INTO settled (application, evidence, finding) VALUES (?, ?, ?)", arguments: [application, evidence, text])
    }
}

extension HistoryStore {
    /// What is found by a sync that sees this evidence.
    /// - Returns: `nil` when something else was seen last, or what was declared is not kept any more.
    package func settled(_ application: String, seeing evidence: String) async throws -> (finding: Settled, manifests: RenderedManifests)? {
        let text = try await database.read { db in
            try String.fetchOne(db, sql: "SELECT finding FROM settled WHERE application = ? AND evidence = ?", arguments: [application, evidence])
        }
        // What is damaged, or was written in another form, is no finding: the sync compares.
        guard let text, let finding = try? JSONDecoder().decode(Settled.self, from: Data(text.utf8)), let kept = try await kept(finding.manifests)
        else { return nil }
        return (finding, kept)
    }
}
