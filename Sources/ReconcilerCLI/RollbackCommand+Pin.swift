import Desired
import Reconciler
import ResourceModel

extension RollbackCommand {
    /// The way without Git.
    func runPin(_ target: Target) async throws -> Int32 {
        let (application, catalog, revision) = try await declared(target)
        let pin = try await target.page.pin(application, at: revision, to: to, reason: reason)
        let request = SyncRequest(
            extent: dryRun ? .plan : .execute, prune: prune, waitForHealth: wait ? .seconds(timeout) : nil, trigger: "pin:\(Person.name)")
        let result = try await target.page.run(
            pin, application, project: try target.project(of: application, in: catalog), request: request, onEvent: EventPrinter(asJSON: false).print)
        if let report = result.report {
            if output == .table { print(SyncCommand.text(report, result)) } else { Printing.print(json(report), as: output) }
            guard report.conclusion != .refused else { return 3 }
            Terminal.error(
                "note: \(application.name) is held at what attempt \(pin.attempt) applied (\(pin.desired.revision.shortCommit)) until a commit changes what is declared; "
                    + "`reconciler sync --app \(application.name)` ends that at once")
            return SyncCommand.exitCode(report, waited: wait)
        }
        guard let plan = result.plan else { return 1 }
        if output == .table { print(PlanCommand.text(plan)) } else { Printing.print(PlanCommand.json(plan), as: output) }
        return plan.refusals.isEmpty ? 0 : 3
    }

    /// The application and what Git declares of it: as it was last fetched when Git can't be reached.
    private func declared(_ target: Target) async throws -> (Application, ApplicationCatalog, Revision) {
        do {
            let catalog = try await target.catalog()
            let application = try catalog.application(named: application)
            return (application, catalog, try await target.builder.fetch(application))
        } catch let error as any ClassifiedError where error.failureKind == .unreachable {
            Terminal.error("note: what was last fetched is used: \(error)")
            let catalog = try await target.builder.applications(at: try await target.builder.lastFetchedConfiguration())
            let application = try catalog.application(named: application)
            return (application, catalog, try await target.builder.lastFetched(application))
        }
    }
}
