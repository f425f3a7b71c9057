import Applier
import ArgumentParser
import Desired
import Reconciler
import ResourceModel

/// `reconciler sync`: make it so.
struct SyncCommand: AsyncParsableCommand {
    // Parsed by itself, as it is when it is named (`ReconcilerCommand.leaf`), a command without one above it is also looked at for a
    // request of completion scripts, which takes a third of the time.
    static let configuration = CommandConfiguration(
        commandName: "sync", _superCommandName: "reconciler", abstract: "Apply what the branch declares, prune what it no longer does.")

    @OptionGroup var target: TargetOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var scope: ScopeOptions
    @Flag(inversion: .prefixedNo, help: "Delete objects that Git no longer declares (default: the application's policy).")
    var prune: Bool?
    @Flag(help: "Permit a revision that declares nothing to delete everything.")
    var allowEmpty = false
    @Option(help: "The number of deletions to permit although it is a large share.")
    var pruneBudget: Int?
    @Option(help: "The number of objects to permit to be deleted and made anew although it is a large share.")
    var recreateBudget: Int?
    @Flag(help: "Take over objects that another application tracks.")
    var adopt = false
    @Flag(help: "Delete also what asks for a confirmation (`Prune=confirm`).")
    var confirmPrune = false
    @Option(help: "When hooks run: `needed` (something is written, or they changed or failed), `always` or `never`.")
    var hooks: HookChoice = .needed
    @Option(help: "Carry out this plan (`reconciler plan -o json`) or, if anything moved since, nothing.")
    var plan: String?
    @Flag(help: "Show the plan and write nothing.")
    var dryRun = false
    @OptionGroup var retry: RetryOptions
    @Flag(inversion: .prefixedNo, help: "Bring back what was applied before, if the sync fails (default: the sync option `Atomic`).")
    var atomic: Bool?
    @Flag(help: "Wait until everything is healthy.")
    var wait = false
    @Option(help: "Seconds to wait at most.")
    var timeout: Int = 300
    @OptionGroup var writer: WriterOptions
    @Option(name: .shortAndLong, help: "Format of the result.")
    var output: OutputFormat = .table
    @Option(help: "`json` prints a line of JSON for each event to standard error.")
    var events: String?

    func validate() throws {
        if let events, events != "json" { throw ValidationError("--events takes `json`") }
    }

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            try selection.check()
            return try await Target.with(target, keeping: writer, local: scope.source.local) { target in
                if let first = selection.applications.first { target.page.observeAhead(application: first) }
                let catalog = try await target.catalog()
                let printer = EventPrinter(asJSON: events == "json")
                var reports: [SyncReport] = []
                var plans: [JSONValue] = []
                var code: Int32 = 0
                let applications = try selection.applications(in: catalog)
                for application in applications {
                    do {
                        let request = try await request(for: application, target)
                        let result = try await target.page.sync(
                            application, project: try target.project(of: application, in: catalog), request: request,
                            retry: retry.schedule(for: application), onEvent: printer.print)
                        if applications.count == 1 { leaveToTheEnd(result) }
                        if dryRun, let plan = result.plan {
                            if output == .table { print(PlanCommand.text(plan)) } else { plans.append(PlanCommand.json(plan)) }
                            code = max(code, plan.refusals.isEmpty ? 0 : 3)
                            continue
                        }
                        guard let report = result.report else { continue }
                        reports.append(report)
                        if output == .table { print(Self.text(report, result)) }
                        code = max(code, Self.exitCode(report, waited: wait))
                        if case .done(let restored, _) = result.restoration { reports.append(restored) }
                    } catch {
                        Terminal.error("error: application \(application.name): \(error)")
                        code = max(code, ReconcilerCLI.exitCode(for: error))
                    }
                }
                if output != .table { Printing.print(.array(dryRun ? plans : reports.map(json)), as: output) }
                return code
            }
        }
    }

    private func request(for application: Application, _ target: Target) async throws -> SyncRequest {
        var request = SyncRequest(
            extent: dryRun ? .plan : .execute, prune: prune, allowEmpty: allowEmpty, pruneBudget: pruneBudget, adopt: adopt,
            isConfirmed: confirmPrune, hooks: hooks.policy, waitForHealth: wait ? .seconds(timeout) : nil, trigger: Person.trigger)
        request.recreateBudget = recreateBudget
        request.atomic = atomic
        try await scope.narrow(&request, application, target)
        if let plan { request.plan = try PlanBinding.read(plan, application: application.name) }
        return request
    }

    static func exitCode(_ report: SyncReport, waited: Bool) -> Int32 {
        switch report.conclusion {
        case .refused: 3
        case .failed, .canceled, .interrupted: 1
        case .succeeded: waited && report.health.status != .healthy && report.health.status != .suspended ? 1 : 0
        }
    }

    static func text(_ report: SyncReport, _ result: Reconciliation) -> String {
        var counts: [String: Int] = [:]
        for step in report.steps {
            if case .failed = step.actuation { counts["failed", default: 0] += 1 } else { counts[word(step.actuation), default: 0] += 1 }
        }
        let order = ["created", "configured", "recreated", "pruned", "failed", "not reached"]
        var parts = order.compactMap { name in counts[name].map { "\($0) \(name)" } }
        // What was compared, and what was sent and turned out to be so already.
        let unchanged = result.unchanged + (result.plan?.unchanged.count ?? 0) + (counts["unchanged"] ?? 0)
        if unchanged > 0 { parts.append("\(unchanged) unchanged") }
        let nothing = report.conclusion == .refused ? "nothing written" : "nothing declared"
        var lines = [
            "\(report.application): \(report.conclusion.rawValue), \(report.sync.rawValue), \(report.health.status.rawValue) at \(report.revision.shortCommit) (\(parts.isEmpty ? nothing : parts.joined(separator: ", ")))"
        ]
        for step in report.steps {
            if case .failed(let message) = step.actuation { lines.append("  failed \(step.id): \(message)") }
        }
        let skipped = result.plan?.skipped ?? []
        for change in skipped {
            if case .skip(let reason) = change.action, reason != .notSelected { lines.append("  skipped \(change.id): \(sentence(reason))") }
        }
        let others = skipped.filter { $0.action == .skip(.notSelected) }.count
        if others > 0 { lines.append("  \(others) other \(others == 1 ? "object differs" : "objects differ") and \(others == 1 ? "was" : "were") not selected") }
        lines += report.refusals.map { "  refused: \($0)" }
        lines += report.warnings.map { "  warning: \($0)" }
        if !report.health.message.isEmpty { lines.append("  \(report.health.message)") }
        switch result.restoration {
        case .done(let restored, let attempt):
            let what = attempt == 0 ? "what it had made was deleted" : "what attempt \(attempt) had applied was brought back"
            lines.append("  \(restored.conclusion == .succeeded ? what : "\(what), not wholly: \(restored.message)")")
            for step in restored.steps { if case .failed(let message) = step.actuation { lines.append("    failed \(step.id): \(message)") } }
        case .impossible(let reason): lines.append("  not taken back: \(reason)")
        case nil: break
        }
        return lines.joined(separator: "\n")
    }
}

/// `--hooks`.
enum HookChoice: String, ExpressibleByArgument, CaseIterable {
    case needed, always, never

    var policy: PlanPolicy.Hooks {
        switch self {
        case .needed: .whenNeeded
        case .always: .always
        case .never: .never
        }
    }
}
