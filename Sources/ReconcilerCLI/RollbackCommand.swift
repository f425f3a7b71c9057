import ArgumentParser
import Desired
import Git
import Glibc
import Reconciler
import ResourceModel

/// `reconciler rollback`: one commit on the branch that brings an application's inputs back, and a sync of it.
struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Bring an application back with a revert commit on its branch, and sync it.",
        discussion: """
            Restores the files that the application is rendered from to what they were, as one commit, and leaves every other file alone. \
            Auto-sync stays on: the branch goes on saying what is real.
            """)

    @OptionGroup var target: TargetOptions
    @Option(name: .customLong("app"), help: "The application's name.")
    var application: String
    @Option(help: "An ID of `reconciler history`, or a revision (default: the newest successful one with other inputs).")
    var to: String?
    @Option(help: "Why; for the commit's message.")
    var reason: String?
    @Option(help: "Who, as `NAME <EMAIL>` (default: `author` of reconciler.yaml, else as Git is configured).")
    var author: String?
    @Flag(help: "Show the commit; push nothing.")
    var dryRun = false
    @Flag(help: "Permit that other applications move, which read the same files.")
    var allowOthers = false
    @Flag(help: "Without Git: apply the manifests of that attempt again, and hold them until the next commit.")
    var pin = false
    @Flag(inversion: .prefixedNo, help: "As for `sync`.")
    var prune: Bool?
    @Flag(help: "Wait until everything is healthy.")
    var wait = false
    @Option(help: "Seconds to wait at most.")
    var timeout: Int = 300
    @Option(name: .shortAndLong, help: "Format of the result.")
    var output: OutputFormat = .table

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            if pin { return try await Target.with(target) { try await runPin($0) } }
            let identity = try RollbackIdentity(author: author, settings: Settings(target))
            return try await Target.with(target) { target in
                let plan = try await target.page.rollback(application, to: to, pushes: !dryRun) { found in
                    RevertRequest(
                        target: found.revision, historyID: found.historyID, reason: reason, author: identity.author, committer: identity.committer,
                        signer: identity.signer, time: Int64(Clocks.now()), allowsOthers: allowOthers)
                }
                let text = RollbackText(plan: plan)
                for note in plan.notes { Terminal.error("note: \(note)") }
                guard plan.commit != nil else {
                    if output == .table { print(text.nothingToDo) } else { Printing.print(text.json(isPushed: false, report: nil), as: output) }
                    return 0
                }
                if dryRun {
                    if output == .table { print(text.preview) } else { Printing.print(text.json(isPushed: false, report: nil), as: output) }
                    return 0
                }
                if output == .table { print(text.pushed) }
                return try await sync(target, text)
            }
        }
    }

    /// Runs the page on what the branch says now.
    private func sync(_ target: Target, _ text: RollbackText) async throws -> Int32 {
        do {
            let catalog = try await target.builder.applications(at: try await target.builder.fetchConfiguration())
            let declared = try catalog.application(named: application)
            let result = try await target.page.run(
                declared, project: try target.project(of: declared, in: catalog),
                request: SyncRequest(prune: prune, waitForHealth: wait ? .seconds(timeout) : nil, trigger: "rollback:\(Person.name)"),
                onEvent: EventPrinter(asJSON: false).print)
            guard let report = result.report else { return 1 }
            if output == .table { print(SyncCommand.text(report, result)) } else { Printing.print(text.json(isPushed: true, report: report), as: output) }
            return SyncCommand.exitCode(report, waited: wait)
        } catch {
            if output != .table { Printing.print(text.json(isPushed: true, report: nil), as: output) }
            Terminal.error("error: the commit was pushed, and the sync of \(application) failed (run `reconciler sync --app \(application)`): \(error)")
            return ReconcilerCLI.exitCode(for: error)
        }
    }
}

/// Who makes the commit, and how it is signed.
struct RollbackIdentity {
    var author: GitPerson
    var committer: GitPerson?
    var signer: CommitSigner?

    /// - Throws: `UsageError` for an author that is no `NAME <EMAIL>`, `GitError` for a broken Git configuration.
    init(author given: String?, settings: Settings) throws {
        let configured = try GitConfiguration.read()
        if let given {
            author = try Self.person(given, "--author")
        } else if let text = settings.author {
            author = try Self.person(text, "`author` in the configuration")
        } else {
            author = configured.author ?? GitPerson(name: "reconciler", email: "reconciler@\(Self.host)")
        }
        committer = configured.committer
        signer = configured.signer
    }

    private static func person(_ text: String, _ place: String) throws -> GitPerson {
        guard let open = text.lastIndex(of: "<"), text.hasSuffix(">") else {
            throw UsageError("\(place) is `\(text)`: write `NAME <EMAIL>`")
        }
        var name = text[..<open]
        while name.last == " " { name.removeLast() }
        let email = text[text.index(after: open)...].dropLast()
        guard !name.isEmpty, !email.isEmpty else { throw UsageError("\(place) is `\(text)`: write `NAME <EMAIL>`") }
        return GitPerson(name: String(name), email: String(email))
    }

    private static var host: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
