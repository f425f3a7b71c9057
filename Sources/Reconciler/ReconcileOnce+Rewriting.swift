import Desired
import Logging
import ResourceModel

extension ReconcileOnce {
    /// A warning when the branch or tag was moved to where what was synced last is no part of its history: somebody pushed with force.
    /// What it says now is synced all the same, within the guards; a history that cannot be read warns of nothing.
    func rewriting(of application: Application, before revision: Revision, isAsked: Bool) async -> Problem? {
        guard isAsked, !revision.commit.isEmpty else { return nil }
        do {
            guard let last = try await history.lastRevision(of: application.name), last.repository == revision.repository,
                last.ref == revision.ref, !(try await builder.contains(last, in: revision))
            else { return nil }
            return Problem(
                code: "revision.rewritten", severity: .warning,
                message: "`\(revision.ref)` of \(revision.repository) was rewritten: \(last.shortCommit) \(last.subject), which was synced last, is not in its history any more",
                hint: "`reconciler rollback --app \(application.name) --to \(last.shortCommit)` brings that state back")
        } catch {
            Logger(label: "reconciler").debug("\(application.name): whether its branch was rewritten is not known: \(error)")
            return nil
        }
    }
}
