import Foundation
import Git
import ResourceModel

extension Application {
    /// Approves deletions that ask for it (`Delete=confirm`, `Prune=confirm`): a time in RFC 3339, as Argo CD writes it.
    package static let deletionApprovedAnnotation = "argocd.argoproj.io/deletion-approved"

    /// How far an approval reaches to either side of a commit, in seconds.
    private static let approvalReach: Double = 3600

    /// Whether the annotation approves the deletions of a revision.
    ///
    /// The approval is in Git, so it is held against Git's clock: it must lie within an hour of the newer of the commit that the
    /// Application was read from and the commit that is synced. A commit that comes later needs an approval of its own.
    package func approvesDeletion(at revision: Revision) -> Bool {
        guard let text = annotations[Self.deletionApprovedAnnotation], let approved = Self.seconds(text) else { return false }
        let committed = max(revision.committedAt, origin?.committedAt ?? 0)
        return abs(approved - Double(committed)) <= Self.approvalReach
    }

    private static func seconds(_ text: String) -> Double? {
        let formatter = ISO8601DateFormatter()
        if let date = formatter.date(from: text) { return date.timeIntervalSince1970 }
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        return formatter.date(from: text)?.timeIntervalSince1970
    }
}

extension DesiredStateBuilder {
    /// Repository, branch and path in which applications are looked for: names this catalog among others.
    package var place: String {
        "\(GitRemote(url: configuration.repository).url)#\(configuration.branch):\(configuration.path)"
    }
}
