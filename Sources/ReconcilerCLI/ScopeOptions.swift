import ArgumentParser
import Applier
import Desired
import Reconciler
import ResourceModel
import SystemPackage

/// What of an application, and from where: the options of commands that plan a sync.
struct ScopeOptions: ParsableArguments {
    @Option(name: .customLong("resource"), help: "Only these objects: `GROUP:KIND:[NAMESPACE/]NAME` or `KIND/NAME`; `!` before it leaves it out; repeatable. No hooks run.")
    var resources: [String] = []
    @Option(name: .customLong("label"), help: "Only objects whose labels match, as `app=web,tier!=db`. No hooks run.")
    var label: String?
    @Option(name: .customLong("wave"), help: "Only objects of this wave; repeatable. No hooks run.")
    var waves: [Int] = []
    @OptionGroup var source: SourceOptions

    /// - Throws: `UsageError` for what cannot be read.
    var selection: ResourceSelection {
        get throws {
            do {
                return ResourceSelection(
                    resources: try resources.map { try ResourcePattern($0) }, labels: try LabelSelector(parsing: label ?? ""), waves: Set(waves))
            } catch let problem as Problem {
                throw UsageError("--resource: \(problem)")
            } catch {
                throw UsageError("--label `\(label ?? "")`: \(error)")
            }
        }
    }

    /// The request with what these options say.
    func narrow(_ request: inout SyncRequest, _ application: Application, _ target: Target) async throws {
        request.selection = try selection
        try await source.narrow(&request, application, target)
    }
}

/// Where the manifests come from, when not from the branch.
struct SourceOptions: ParsableArguments {
    @Option(help: "A branch, tag, commit or version range in place of the one that the application follows.")
    var revision: String?
    @Option(help: "A work tree (or a directory in it) whose files are taken in place of the branch's, applications included.")
    var local: String?

    func validate() throws {
        if revision != nil, local != nil { throw ValidationError("--revision and --local exclude each other") }
    }

    /// The request with what these options say.
    /// - Throws: a `Refusal` for a sync of an application that would be taken back to its branch at once.
    func narrow(_ request: inout SyncRequest, _ application: Application, _ target: Target) async throws {
        guard revision != nil || local != nil else {
            // A command takes a repository as it was when it asked: once.
            request.fetched = try await target.builder.revisionSeen(of: application)
            return
        }
        if request.extent == .execute, application.syncPolicy.isAutomated {
            throw Refusal(
                code: "automated",
                message: "Application \(application.name) is synced automatically, which would undo `\(revision.map { "--revision \($0)" } ?? "--local")`",
                permit: "turn it off in Git (`spec.syncPolicy.automated.enabled: false`); to go back to an earlier state use `reconciler rollback`")
        }
        request.revision = revision
        if let files = target.files { request.pinned = try await files.desiredState(of: application) }
    }
}

/// Applications and manifests of a work tree on this machine.
struct LocalFiles: Sendable {
    private let repository: OfflineRepository
    /// As a repository's URL.
    let url: String
    /// The work tree's directory.
    var root: String { repository.root.string }

    /// - Parameter path: where in the work tree applications are looked for, if it is there.
    init(_ directory: String, path: String) throws {
        let root = try OfflineRepository(directory: FilePath(directory)).root
        let configured = root.appending(path)
        repository = try OfflineRepository(directory: Files.isDirectory(configured.string) ? configured : root, root: root)
        url = "file://\(root)"
    }

    func declarations(of application: Application) -> Declarations { repository.declarations(of: application) }

    func catalog() async throws -> ApplicationCatalog { try await repository.applications() }

    func desiredState(of application: Application) async throws -> DesiredState {
        var state = try await repository.desiredState(of: application)
        state.revision = Revision(
            repository: url, ref: "local", commit: "local", author: "", subject: "files of \(repository.root), not from Git",
            committedAt: Int64(Clocks.now()))
        return state
    }
}

/// How a sync that fails is tried again: `argocd app sync`'s options. Without any, as the application's `syncPolicy.retry` says.
struct RetryOptions: ParsableArguments {
    @Option(help: "Retries of a sync that fails; negative for no limit (default: the application's `syncPolicy.retry`, else 0).")
    var retryLimit: Int?
    @Option(help: "The first pause, as 5s, 1m.")
    var retryBackoffDuration: String?
    @Option(help: "What each pause is multiplied by.")
    var retryBackoffFactor: Int?
    @Option(help: "The longest pause.")
    var retryBackoffMaxDuration: String?
    @Flag(inversion: .prefixedNo, help: "A retry takes what the branch says by then.")
    var retryRefresh: Bool?

    func validate() throws {
        for text in [retryBackoffDuration, retryBackoffMaxDuration].compactMap({ $0 }) where Duration(goNotation: text) == nil {
            throw ValidationError("`\(text)` is no duration: write 30s, 5m or 1h30m")
        }
        if let factor = retryBackoffFactor, factor < 1 { throw ValidationError("--retry-backoff-factor must be at least 1") }
    }

    /// `nil` when nothing asks for a retry.
    func schedule(for application: Application) -> RetrySchedule? {
        var schedule = application.syncPolicy.retry.map(RetrySchedule.init) ?? RetrySchedule(limit: 0)
        schedule.limit = retryLimit ?? schedule.limit
        schedule.refresh = retryRefresh ?? schedule.refresh
        schedule.first = retryBackoffDuration.flatMap { Duration(goNotation: $0) } ?? schedule.first
        schedule.longest = retryBackoffMaxDuration.flatMap { Duration(goNotation: $0) } ?? schedule.longest
        schedule.factor = retryBackoffFactor ?? schedule.factor
        return schedule.limit == 0 ? nil : schedule
    }
}
