import Applier
import ArgumentParser
import Desired
import Reconciler
import ResourceModel

/// `reconciler diff`: what a sync would change, field by field. Exit 2 when there is anything.
struct DiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Show what differs, field by field; exit 2 if anything does.",
        discussion: """
            Compares Git with the cluster. With --from and --to two revisions of Git with each other, without a cluster; with --live \
            files with files, without anything (docs/diff.md).
            """)

    @OptionGroup var target: TargetOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var source: SourceOptions
    @Option(help: "Compare two revisions of Git: the old one.")
    var from: String?
    @Option(help: "Compare two revisions of Git: the new one (default: the branch).")
    var to: String?
    @Option(name: .customLong("target"), help: "Compare files: what is declared (a file, or a directory as a source). With --live, --config means the same.")
    var declared: String?
    @Option(help: "Compare files: what is there, as `kubectl get -o yaml` writes it.")
    var live: String?
    @Option(help: "Namespace of declared objects that name none, with --live (default: the live objects', else default).")
    var namespace: String?
    @Option(name: .shortAndLong, help: "Format of the result.")
    var output: DiffFormat = .table
    @Option(help: "Colours: on a terminal without $NO_COLOR, always or never.")
    var color: ColorChoice = .auto
    @Flag(inversion: .prefixedNo, help: "Exit 2 when anything differs, or 0.")
    var exitCode = true

    func validate() throws {
        if to != nil, from == nil { throw ValidationError("--to needs --from") }
        let comparesCluster = source.revision != nil || source.local != nil
        if from != nil, comparesCluster { throw ValidationError("--revision and --local compare with the cluster, --from and --to need none: use one of both") }
        if live != nil, from != nil || comparesCluster { throw ValidationError("--live compares files: it goes with neither --from nor --revision nor --local") }
        if declared != nil, live == nil { throw ValidationError("--target goes with --live") }
    }

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            let differences: [ApplicationDifference]
            if let live {
                guard let declared = declared ?? target.cluster.config else { throw UsageError("say what is declared: --target FILE or DIRECTORY") }
                differences = [try await OfflineInput(declared: declared, live: live, namespace: namespace).difference()]
            } else {
                try selection.check()
                differences = try await from == nil ? liveDifferences() : revisionDifferences()
            }
            DifferenceOutput(format: output, color: color).print(differences)
            return exitCode && differences.contains(where: \.isDifferent) ? 2 : 0
        }
    }

    // MARK: Git and the cluster

    private func liveDifferences() async throws -> [ApplicationDifference] {
        try await Target.with(target, local: source.local) { target in
            if let first = selection.applications.first { target.page.observeAhead(application: first) }
            let catalog = try await target.catalog()
            var differences: [ApplicationDifference] = []
            for application in try selection.applications(in: catalog) {
                var request = SyncRequest(extent: .compare)
                try await source.narrow(&request, application, target)
                let result = try await target.page.run(application, project: try target.project(of: application, in: catalog), request: request)
                let declarations = try await declarations(of: application, at: result.desired.revision, target)
                differences.append(try await Self.difference(result, declarations, application.name))
            }
            return differences
        }
    }

    private func declarations(of application: Application, at revision: Revision, _ target: Target) async throws -> Declarations {
        if let files = target.files { return files.declarations(of: application) }
        let application = source.revision.map { application.overriding(revision: $0) } ?? application
        return try await target.builder.declarations(of: application, at: revision)
    }

    private static func difference(_ result: Reconciliation, _ declarations: Declarations, _ name: String) async throws -> ApplicationDifference {
        var objects: [ObjectDifference] = []
        for change in result.changes where change.action != .unchanged {
            let manifest = result.desired.manifests.first { $0.id == change.id }
            var places: [String: DeclaredPlace] = [:]
            if let manifest { places = try await declarations.places(of: change.fields, in: manifest) }
            objects.append(ObjectDifference(change, places: places))
        }
        return ApplicationDifference(
            application: name, old: "live", new: "git", revision: result.desired.revision, objects: objects,
            unchanged: result.changes.count - objects.count, isDifferent: result.hasDifferences)
    }

    // MARK: Two revisions

    private func revisionDifferences() async throws -> [ApplicationDifference] {
        try await RepositoryTarget.with(target) { builder in
            let (old, new) = (from ?? "", to ?? builder.configuration.branch)
            return try await RevisionComparison(builder: builder, selection: selection, old: old, new: new).differences()
        }
    }
}

extension Declarations {
    /// Where the declared ones of some fields of an object are declared, by their paths.
    func places(of fields: [FieldChange], in manifest: Manifest) async throws -> [String: DeclaredPlace] {
        var places: [String: DeclaredPlace] = [:]
        for field in fields where field.after != nil {
            guard let path = FieldPath(field.path) else { continue }
            places[field.path] = try await place(of: path, in: manifest)
        }
        return places
    }
}
