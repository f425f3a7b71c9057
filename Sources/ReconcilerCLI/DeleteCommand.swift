import ArgumentParser
import Desired
import Glibc
import Reconciler
import ResourceModel

/// `reconciler delete`: the end of an application. Exit 0 deleted, 2 something would be done (`--dry-run`), 3 refused.
struct DeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete an application: hooks, its objects wave by wave, its inventory.",
        discussion: """
            Without --cascade the Application's finalizers decide, as in Argo CD: resources-finalizer.argocd.argoproj.io deletes the objects, \
            no finalizer leaves them in place. An application that Git no longer declares is deleted by its inventory in the cluster.
            """)

    @OptionGroup var target: TargetOptions
    @Option(name: .customLong("app"), help: "The application's name.")
    var application: String
    @Option(help: "What becomes of its objects: `foreground`, `background` or `orphan` (default: as its finalizers say).")
    var cascade: Cascade?
    @Flag(help: "Leave its objects in place: `--cascade orphan`.")
    var noCascade = false
    @Flag(help: "Show the plan; delete nothing.")
    var dryRun = false
    @Flag(name: .shortAndLong, help: "Do not ask; delete also what Git still declares.")
    var yes = false
    @Flag(help: "Delete also what asks for a confirmation (`Delete=confirm`, `Prune=confirm`).")
    var confirmPrune = false
    @Flag(help: "Run no PreDelete and PostDelete hooks.")
    var noHooks = false
    @OptionGroup var writer: WriterOptions
    @Option(name: .shortAndLong, help: "Format of the result.")
    var output: OutputFormat = .table
    @Option(help: "`json` prints a line of JSON for each event to standard error.")
    var events: String?

    func validate() throws {
        if let events, events != "json" { throw ValidationError("--events takes `json`") }
        if noCascade, let cascade, cascade != .orphan { throw ValidationError("--no-cascade and --cascade \(cascade.rawValue) exclude each other") }
    }

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            try await Target.with(target, keeping: writer) { target in
                let deletion = try await target.page.deletion(try await request(target))
                guard deletion.isKnown else { return try nothing(deletion) }
                let text = DeletionText(deletion: deletion)
                if dryRun {
                    if output == .table { print(text.plan) } else { Printing.print(text.json(nil), as: output) }
                    return deletion.plan.refusals.isEmpty ? 2 : 3
                }
                Terminal.error(text.plan)
                if deletion.plan.refusals.isEmpty, !yes, Terminal.isInteractive, isatty(STDIN_FILENO) == 1, !isAgreed() { return 3 }
                let report = try await target.page.delete(deletion, onEvent: EventPrinter(asJSON: events == "json").print)
                if output == .table { print(text.result(report)) } else { Printing.print(text.json(report), as: output) }
                return SyncCommand.exitCode(report, waited: false)
            }
        }
    }

    private func request(_ target: Target) async throws -> DeletionRequest {
        let catalog = try await target.catalog()
        let declared = catalog.applications.first { $0.name == application }
        var request = DeletionRequest(
            name: application, application: declared, allowsDeclared: yes, cascade: noCascade ? .orphan : cascade, isConfirmed: confirmPrune,
            runsHooks: !noHooks, trigger: Person.trigger)
        if let declared {
            let automated = declared.syncPolicy.isAutomated ? ", automated" : ""
            request.declaration = "is still declared at \(declared.location)\(automated)"
        } else if let reasons = catalog.rejected[application] {
            request.declaration = "is still declared, though it can't be used (\(reasons.map(\.description).joined(separator: "; ")))"
        } else if !catalog.isComplete, let problem = catalog.problems.first(where: { $0.severity == .error }) {
            request.declaration = "may be declared in what can't be read (\(problem))"
        }
        return request
    }

    private func nothing(_ deletion: Deletion) throws -> Int32 {
        guard deletion.request.application != nil else {
            throw Problem(
                code: "application.not-found", message: "no Application is named `\(application)`, and the cluster holds no inventory of one",
                hint: "see `reconciler status`")
        }
        if output == .table {
            print("\(application): nothing of it is in the cluster")
        } else {
            Printing.print(DeletionText(deletion: deletion).json(nil), as: output)
        }
        return 0
    }

    private func isAgreed() -> Bool {
        Terminal.error("Carry this out? [y/N]")
        let answer = readLine() ?? ""
        return ["y", "yes"].contains(answer.lowercased())
    }
}

extension Cascade: ExpressibleByArgument {}
