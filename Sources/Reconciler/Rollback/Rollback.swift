import Desired
import ResourceModel

extension ReconcileOnce {
    /// Brings an application's inputs back with one commit on the branch that it follows; the caller syncs it then.
    ///
    /// A branch that moved meanwhile is fetched, and the commit made anew on top of it, unless the same inputs were changed.
    /// - Parameters:
    ///   - to: a number of the history or a revision; nil for the newest good one.
    ///   - pushes: false makes the commit only, to be shown.
    ///   - request: what the commit is to say, for the target that was found.
    /// - Throws: `RevertRefusal`, `Problem`, `GitError`. Nothing was pushed then.
    package func rollback(
        _ application: String, to: String?, pushes: Bool, request: (RollbackTarget) throws -> RevertRequest
    ) async throws -> RevertPlan {
        var site = try await builder.revertSite(of: application)
        let target = try await RollbackTargets(page: self, site: site).target(to)
        let request = try request(target)
        let tries = 5
        for _ in 0..<tries {
            let plan = try await builder.revert(site, request)
            if !pushes { return plan }
            if try await builder.push(plan) { return plan }
            let former = site
            site = try await builder.revertSite(of: application)
            guard try await builder.fingerprint(of: site, at: site.head) == builder.fingerprint(of: former, at: former.head) else {
                let changes = try await builder.changes(to: site, since: former.head).map { "\($0.shortCommit) \($0.subject) (\($0.author))" }
                throw Problem(
                    code: "rollback.inputs-changed",
                    message: "the inputs of Application \(application) were changed on \(site.branch) meanwhile, by \(changes.joined(separator: ", ")); nothing was pushed",
                    hint: "look at that change, then roll back again if it is still wanted")
            }
        }
        throw Problem(
            code: "rollback.branch-moves", message: "\(site.branch) of \(site.head.repository) moved \(tries) times while the commit was pushed; nothing was pushed",
            hint: "try again when it is quieter")
    }
}
