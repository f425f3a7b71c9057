import Applier
import Desired
import Git
import ResourceModel
import SystemPackage

/// What a command works with that needs Git and no cluster.
enum RepositoryTarget {
    /// Opens what the options name, and runs `body`.
    static func with<Result>(_ options: TargetOptions, _ body: (DesiredStateBuilder) async throws -> Result) async throws -> Result {
        let settings = try Settings(options)
        let state = StateDirectory.path(options.cluster.stateDirectory ?? settings.stateDirectory)
        let desired = try settings.desired(mirrors: FilePath(state + "/mirrors"))
        try Files.makeDirectory(state)
        let renders = RenderFiles(directory: FilePath(state + "/renders"), tools: desired.tools)
        let builder = DesiredStateBuilder(desired, cache: RenderCache(files: renders), logger: Log.logger("reconciler"))
        let result = try await body(builder)
        await builder.cache.finishStoring()
        return result
    }
}

/// `diff --from --to`: what two revisions of the repository declare, against each other.
struct RevisionComparison {
    let builder: DesiredStateBuilder
    let selection: SelectionOptions
    let old: String
    let new: String

    func differences() async throws -> [ApplicationDifference] {
        let (before, after) = (try await side(old), try await side(new))
        var differences: [ApplicationDifference] = []
        for name in try names(before.catalog, after.catalog) {
            let left = try await state(of: name, in: before)
            let right = try await state(of: name, in: after)
            differences.append(try await difference(name, left?.state, right, at: after.revision))
        }
        return differences
    }

    private struct Side {
        var revision: Revision
        var catalog: ApplicationCatalog
    }

    private func side(_ ref: String) async throws -> Side {
        let revision = try await builder.fetchConfiguration(at: ref)
        return Side(revision: revision, catalog: try await builder.applications(at: revision))
    }

    /// The applications that were chosen, of either side: a pull request may add or remove one.
    private func names(_ before: ApplicationCatalog, _ after: ApplicationCatalog) throws -> [String] {
        var known = after
        for application in before.applications where !after.applications.contains(where: { $0.name == application.name }) && after.rejected[application.name] == nil {
            known.applications.append(application)
        }
        return try selection.applications(in: known).map(\.name)
    }

    /// What the application declares there; `nil` where it is not declared.
    private func state(of name: String, in side: Side) async throws -> (state: DesiredState, declarations: Declarations)? {
        if !side.catalog.applications.contains(where: { $0.name == name }), side.catalog.rejected[name] == nil, side.catalog.isComplete { return nil }
        let application = try side.catalog.application(named: name)
        return try await builder.desiredState(of: application, atRevision: side.revision)
    }

    private func difference(
        _ name: String, _ left: DesiredState?, _ right: (state: DesiredState, declarations: Declarations)?, at revision: Revision
    ) async throws -> ApplicationDifference {
        let old = Dictionary((left?.manifests ?? []).map { ($0.id, $0) }, uniquingKeysWith: { _, last in last })
        let new = Dictionary((right?.state.manifests ?? []).map { ($0.id, $0) }, uniquingKeysWith: { _, last in last })
        var objects: [ObjectDifference] = []
        var unchanged = 0
        for id in Set(old.keys).union(new.keys).sorted() {
            let (before, after) = (old[id], new[id])
            let fields = before.flatMap { before in after.map { declaredDifferences(from: before, to: $0) } } ?? []
            if before != nil, after != nil, fields.isEmpty {
                unchanged += 1
                continue
            }
            let action: Change.Action = before == nil ? .create : after == nil ? .prune : .configure
            var places: [String: DeclaredPlace] = [:]
            if let right, let after { places = try await right.declarations.places(of: fields, in: after) }
            objects.append(
                ObjectDifference(
                    Change(id: id, action: action, fields: fields, manifest: after), documents: (before?.body.sortedByKey, after?.body.sortedByKey),
                    places: places))
        }
        return ApplicationDifference(
            application: name, old: self.old, new: self.new, revision: revision, objects: objects, unchanged: unchanged, isDifferent: !objects.isEmpty)
    }
}
