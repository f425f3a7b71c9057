/// An object's or an application's health, in Argo CD's words. Declared from best to worst.
package enum HealthStatus: String, Sendable, Hashable, Codable, CaseIterable, Comparable {
    case healthy = "Healthy"
    case suspended = "Suspended"
    case progressing = "Progressing"
    case missing = "Missing"
    case degraded = "Degraded"
    case unknown = "Unknown"

    package static func < (left: HealthStatus, right: HealthStatus) -> Bool {
        allCases.firstIndex(of: left)! < allCases.firstIndex(of: right)!
    }
}

package struct HealthAssessment: Sendable, Hashable, Codable {
    package var status: HealthStatus
    package var message: String

    package init(_ status: HealthStatus, _ message: String = "") {
        self.status = status
        self.message = message
    }
}

/// Whether live matches declared, in Argo CD's words.
package enum SyncStatus: String, Sendable, Hashable, Codable {
    case synced = "Synced"
    case outOfSync = "OutOfSync"
    case unknown = "Unknown"
}
