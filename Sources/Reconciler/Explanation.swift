import Applier
import Desired
import ResourceModel
import Store

/// Why an object, or one of its fields, is as it is: who declares it, who owns it, and whether the two agree.
package struct Explanation: Sendable {
    package enum State: Sendable, Hashable {
        /// Live is as declared.
        case inSync
        /// Somebody else changed it: the manager that owns it now.
        case drift(String)
        /// Git says something else than was applied.
        case pending
        /// It differs, and a rule of `spec.ignoreDifferences` ignores that.
        case ignored
        /// Git declares the object, and it is not there.
        case missing
        /// Git does not declare the field; the object it does.
        case undeclared
        /// Git does not declare the object any more, and the application owns it.
        case orphaned
    }

    package var application: String
    package var revision: Revision
    package var id: ResourceID
    /// `nil` for the object as a whole.
    package var path: FieldPath?
    package var state: State
    /// Where it is declared; `nil` when Git does not.
    package var place: DeclaredPlace?
    /// The commit that last changed that line, or where there is no line that file.
    package var commit: Revision?
    package var declared: JSONValue?
    package var live: JSONValue?
    package var isSecret: Bool
    /// The one who wrote last first.
    package var owners: [FieldOwnership.Entry]
    /// Numbers of the application's `ignoreDifferences` that speak of it.
    package var ignoring: [Int]
    /// What differs: of the whole object, or at and below the field.
    package var differences: [FieldChange]
    /// The last attempt on record that wrote the object.
    package var lastWrite: (attempt: Int64, report: SyncReport, step: StepResult)?
}

extension ReconcileOnce {
    /// Explains an object of an application, or one field of it. Reads only.
    /// - Throws: a `Problem` when there is no such object or field, with the nearest ones.
    package func explanation(of query: ObjectQuery, field path: FieldPath?, in application: Application, project: AppProject) async throws -> Explanation {
        let result = try await run(application, project: project, request: SyncRequest(extent: .compare))
        let id = try await query.resolved(in: result, applier: applier)
        let manifest = result.desired.manifests.first { $0.id == id }
        let live = result.live.objects[id]
        let change = result.changes.first { $0.id == id }
        let declaredBody = change?.manifest?.body ?? manifest?.body
        if let path { try Self.check(path, id, declaredBody, live) }

        var explanation = Explanation(
            application: application.name, revision: result.desired.revision, id: id, path: path, state: .inSync, isSecret: isSecret(path, id), owners: [],
            ignoring: [], differences: [])
        explanation.declared = declaredBody.flatMap { path?.found(in: $0) }
        explanation.live = live.flatMap { path?.found(in: $0.body) }
        explanation.owners = live.map { $0.owners(of: path ?? FieldPath(steps: [])) } ?? []
        if let path, let live {
            explanation.ignoring = try await ignoringRules(application.ignoreDifferences, at: path, of: live, declared: declaredBody)
        } else {
            explanation.ignoring = application.ignoreDifferences.indices.filter { application.ignoreDifferences[$0].matches(id) }
        }
        let documents = [live?.body, declaredBody].compactMap { $0 }
        explanation.differences = (change?.fields ?? []).filter { field in
            guard let path, let place = FieldPath(field.path) else { return true }
            return overlap(path, place, in: documents)
        }
        explanation.state = state(of: explanation, manifest: manifest, live: live)
        if let manifest, path == nil || explanation.declared != nil {
            let declarations = try await builder.declarations(of: application, at: result.desired.revision)
            if let path {
                explanation.place = try await declarations.place(of: path, in: manifest)
            } else {
                explanation.place = DeclaredPlace(location: manifest.source, precision: manifest.source.line > 0 ? .part : .file)
            }
            if let place = explanation.place { explanation.commit = try await commit(of: place, whole: path == nil, at: result.desired.revision) }
        }
        explanation.lastWrite = try await lastWrite(of: id, in: application.name)
        return explanation
    }

    private func state(of explanation: Explanation, manifest: Manifest?, live: LiveObject?) -> Explanation.State {
        guard manifest != nil else { return .orphaned }
        guard live != nil else { return .missing }
        if explanation.path != nil, explanation.declared == nil, explanation.differences.isEmpty { return .undeclared }
        if explanation.differences.isEmpty {
            let differs = explanation.path != nil && !explanation.ignoring.isEmpty && explanation.declared != explanation.live
            return differs ? .ignored : .inSync
        }
        return explanation.differences.lazy.compactMap(\.manager).first.map { .drift($0) } ?? .pending
    }

    /// For the whole object the commit that last touched its file counts; where not even the file that sets a field is known, the one
    /// that last touched the kustomization's or chart's directory.
    private func commit(of place: DeclaredPlace, whole: Bool, at revision: Revision) async throws -> Revision? {
        var location = place.location
        if whole { location.line = 0 }
        if place.precision == .file, location.line == 0 {
            let end = location.path.firstRange(of: "/templates/")?.lowerBound ?? location.path.lastIndex(of: "/") ?? location.path.startIndex
            location.path = String(location.path[..<end])
        }
        return try await builder.lastChange(of: location, at: revision)
    }

    private func lastWrite(of id: ResourceID, in application: String) async throws -> (Int64, SyncReport, StepResult)? {
        for attempt in try await history.attempts(of: application, limit: 200) {
            guard let step = attempt.report.steps.first(where: { $0.id == id && [.created, .configured, .recreated].contains($0.actuation) }) else { continue }
            return (attempt.id, attempt.report, step)
        }
        return nil
    }

    private func isSecret(_ path: FieldPath?, _ id: ResourceID) -> Bool {
        guard id.groupKind == GroupKind(group: "", kind: "Secret") else { return false }
        guard let names = path?.names else { return true }
        return ["data", "stringData"].contains(names.first) || names.starts(with: ["metadata", "annotations"])
    }

    /// A field counts when it is declared, or there, or owned.
    private static func check(_ path: FieldPath, _ id: ResourceID, _ declared: JSONValue?, _ live: LiveObject?) throws(Problem) {
        if let declared, path.isPresent(in: declared) { return }
        if let live, path.isPresent(in: live.body) || !live.owners(of: path).isEmpty { return }
        let known = FieldPath.leaves(of: declared ?? live?.body ?? .null).map(\.description)
        let leaf = path.names.last ?? ""
        let sameName = known.filter { $0.hasSuffix(".\(leaf)") }
        let near = sameName.isEmpty ? nearest(to: path.description, among: known).map { [$0] } ?? Self.beside(path, known) : sameName
        throw Problem(
            code: "field.unknown", message: "neither Git nor the cluster has the field \(path)", resource: id,
            hint: near.isEmpty ? "leave the field out to see the whole object" : "there \(near.count == 1 ? "is" : "are") \(near.prefix(5).joined(separator: ", "))")
    }

    /// Fields that begin like the one that is not there.
    private static func beside(_ path: FieldPath, _ known: [String]) -> [String] {
        var steps = path.steps
        while steps.popLast() != nil, !steps.isEmpty {
            let prefix = FieldPath(steps: steps).description
            let found = known.filter { $0.hasPrefix(prefix) }
            if !found.isEmpty { return found }
        }
        return []
    }
}
