import Desired
import ResourceModel
import Store

/// What an application is brought back to.
package struct RollbackTarget: Sendable {
    package var revision: Revision
    /// The attempt in the history that had it; nil for a revision that a person named.
    package var historyID: Int64?
}

/// Finds out what an application is to be brought back to.
struct RollbackTargets {
    let page: ReconcileOnce
    let site: RevertSite

    private var name: String { site.application.name }

    /// - Parameter text: a number of the history, or a revision of the application's repository; nil for the newest that was good.
    /// - Throws: `Problem` when there is none, `GitError`.
    func target(_ text: String?) async throws -> RollbackTarget {
        guard let text else { return try await newestGood() }
        if let id = Int64(text), let attempt = try await page.history.attempt(id), attempt.report.application == name {
            let revision = attempt.report.revision
            guard revision.repository == site.head.repository else {
                throw Problem(
                    code: "rollback.other-repository",
                    message: "attempt \(id) was of \(revision.repository), and Application \(name) follows \(site.head.repository) now",
                    hint: "choose a revision of that repository with --to")
            }
            return RollbackTarget(revision: try await page.builder.revision(revision.commit, at: site), historyID: id)
        }
        if text.utf8.count < 7, Int64(text) != nil {
            throw Problem(
                code: "rollback.no-such-attempt", message: "the history has no attempt \(text) of Application \(name)",
                hint: "`reconciler history --app \(name)` lists them")
        }
        let revision = try await page.builder.revision(text, at: site)
        let attempts = try await page.history.attempts(of: name, limit: 1_000)
        return RollbackTarget(revision: revision, historyID: attempts.first { $0.report.revision.commit == revision.commit && isGood($0.report) }?.id)
    }

    /// The newest successful attempt with other inputs than the branch has now, and not with ones that were rolled back before.
    private func newestGood() async throws -> RollbackTarget {
        let now = try await page.builder.fingerprint(of: site, at: site.head)
        let bad = try await badFingerprints()
        var leftOut: [String] = []
        var seen: Set<String> = []
        for attempt in try await page.history.attempts(of: name, limit: 1_000) where isGood(attempt.report) {
            let (id, report) = (attempt.id, attempt.report)
            guard report.revision.repository == site.head.repository, seen.insert(report.revision.commit).inserted else { continue }
            let revision: Revision
            do {
                revision = try await page.builder.revision(report.revision.commit, at: site)
            } catch let error as any ClassifiedError where error.failureKind != .unreachable {
                leftOut.append("attempt \(id): commit \(report.revision.shortCommit) is no longer in the repository")
                continue
            }
            let print = try await page.builder.fingerprint(of: site, at: revision)
            if print == now { continue }
            if let commit = bad[print] {
                leftOut.append("attempt \(id): \(revision.shortCommit) was rolled back by \(commit.prefix(7))")
                continue
            }
            return RollbackTarget(revision: revision, historyID: id)
        }
        let why = leftOut.isEmpty ? "" : ": " + leftOut.prefix(5).joined(separator: "; ")
        throw Problem(
            code: "rollback.no-target", message: "the history has no successful attempt of Application \(name) with other inputs than \(site.head.shortCommit) has\(why)",
            hint: "name what to go back to with --to ID or --to REVISION")
    }

    /// A deletion, whose state nobody compared with Git, is nothing to go back to.
    private func isGood(_ report: SyncReport) -> Bool {
        report.conclusion == .succeeded && report.selection == nil && report.health.status != .degraded && report.sync != .unknown
    }

    /// The inputs that revert commits on the branch went back from, with the newest commit that did; without those that a later one
    /// went back to.
    private func badFingerprints() async throws -> [String: String] {
        var bad: [String: String] = [:]
        for commit in try await page.builder.log(of: site).reversed() where commit.trailers(RevertTrailer.application).contains(name) {
            guard let reverted = commit.trailers(RevertTrailer.reverted).last, let target = commit.trailers(RevertTrailer.target).last,
                let from = try await fingerprint(reverted), let to = try await fingerprint(target)
            else { continue }
            // A revert that is itself taken back says nothing against what it had restored.
            if bad.removeValue(forKey: to) == nil { bad[from] = commit.revision.commit }
        }
        return bad
    }

    /// - Returns: nil for a commit that cannot be had any more.
    private func fingerprint(_ commit: String) async throws -> String? {
        do {
            return try await page.builder.fingerprint(of: site, at: try await page.builder.revision(commit, at: site))
        } catch let error as any ClassifiedError where error.failureKind == .failed {
            return nil
        }
    }
}
