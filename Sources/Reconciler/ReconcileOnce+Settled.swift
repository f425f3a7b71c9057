import Applier
import Desired
import Logging
import ResourceModel
import Store

/// All that the outcome of a sync follows from: this program, the application, what it declares, the kinds that the cluster serves, and
/// what the application owns there.
struct Evidence: Sendable {
    /// A digest over the first four.
    fileprivate let circumstances: String
    /// A digest over what is owned.
    fileprivate let owned: String
    /// The same but for what controllers report; `nil` where it was not needed, or more than the health follows from that.
    fileprivate var texts: OwnedDigest?

    fileprivate var whole: String { JSONValue.array([.string(circumstances), .string(owned)]).digest }
    fileprivate var butStatus: String? { texts.map { JSONValue.array([.string(circumstances), "but status", .string($0.digest)]).digest } }
}

/// The page's shortest way: where nothing moved since a sync left everything as it is declared, the next one has nothing to do, and
/// neither reads nor compares an object. Where only statuses moved, the health is read from them, and nothing is compared. Whatever else
/// moved, on whichever side, leads to the long way.
extension ReconcileOnce {
    /// What a sync follows from.
    /// - Parameter owned: a digest over what is owned.
    /// - Returns: `nil` where something else is asked for than that the application be as it is declared, or something cannot be told.
    func evidence(_ application: Application, _ request: SyncRequest, _ rendered: RenderSummary?, owned: String?) async throws -> Evidence? {
        guard request.asksForNothingElse, let rendered, !rendered.warnings.contains(where: { $0.code == Problem.unreadableFile }), let owned,
            let program = RunningProgram.fingerprint, let origin = application.origin,
            // Applications and projects, all of them: what is declared there says everything about this one.
            let declarations = try await builder.tree(of: origin).digest(at: builder.configuration.path)
        else { return nil }
        let kinds = try await applier.servedKindsDigest()
        // The namespace of `CreateNamespace=true` is in no list.
        var namespace: String?
        if application.syncPolicy.syncOptions.createNamespace == true, let name = application.destination.namespace {
            namespace = try await applier.namespaceDigest(name)
        }
        let parts = [
            program, application.name, declarations, "\(builder.place)", rendered.digest, applier.client.server, kinds, namespace ?? "-",
        ]
        return Evidence(circumstances: JSONValue.array(parts.map { .string($0) }).digest, owned: owned)
    }

    /// The report of a sync for which nothing moved but statuses; `nil` for any other. Its desired state has no manifests: nobody may have
    /// read them.
    /// - Parameter evidence: is completed where that took a closer look.
    func settled(
        _ application: Application, _ request: SyncRequest, _ summary: RenderSummary?, at revision: Revision, seeing evidence: inout Evidence?,
        _ seen: OwnedState, _ startedAt: Double, _ log: StepLog, _ onEvent: @Sendable (SyncEvent) -> Void
    ) async throws -> Reconciliation? {
        guard let summary, let whole = evidence?.whole else { return nil }
        var newFinding: Settled?
        var found = await known(application.name) { try await history.settled(application.name, seeing: whole) }
        // A rule may look at any part of an object.
        if found == nil, application.ignoreDifferences.isEmpty, let texts = await seen.texts() {
            evidence?.texts = OwnedDigest(texts)
            if let butStatus = evidence?.butStatus {
                found = await known(application.name) { try await history.settled(application.name, seeingButStatus: butStatus) }
            }
            if let (finding, _) = found {
                newFinding = finding.with(try await texts.assessment(of: application.name, exempt: finding.exempt), evidence: whole)
            }
        }
        guard let (finding, manifests) = found else { return nil }
        builder.cache.startStoring()
        let moved = newFinding == nil ? "nothing has" : "only statuses have"
        Logger(label: "reconciler").debug("\(application.name): \(moved) moved since all was as declared")
        let plan = Plan(
            id: String(whole.prefix(16)), desired: summary.digest, application: application.name, revision: revision, waves: [],
            unchanged: [], skipped: [], refusals: [], preconditions: [:])
        onEvent(.rendered(application: application.name, manifests: summary.count))
        onEvent(.planned(plan))
        let state = DesiredState(application: application.name, revision: revision, manifests: [], digest: summary.digest, warnings: summary.warnings)
        var result = Reconciliation(desired: state, live: LiveState(), changes: [], plan: plan)
        result.unchanged = finding.unchanged
        if let warning = await rewriting(of: application, before: revision, isAsked: true) { result.desired.warnings.append(warning) }
        let report = conclude(result, plan: plan, steps: [], health: (newFinding ?? finding).health, trigger: request.trigger, startedAt: startedAt)
        try await record(report, manifests, log, newFinding)
        onEvent(.finished(report))
        result.report = report
        return result
    }

    private func known(
        _ application: String, _ look: () async throws -> (finding: Settled, manifests: RenderedManifests)?
    ) async -> (finding: Settled, manifests: RenderedManifests)? {
        do {
            return try await look()
        } catch {
            Logger(label: "reconciler").debug("\(application): what the last sync left cannot be read: \(error)")
            return nil
        }
    }

    /// What the next sync finds if nothing moves until then; `nil` where that does not follow from the evidence alone.
    /// - Parameters:
    ///   - evidence: what this run saw before it wrote anything.
    ///   - inventory: `uid resourceVersion` of the object that keeps the inventory, as it was then.
    ///   - made: what it made.
    ///   - dryRuns: how many the comparison took; what a server answers to one follows from more than the objects.
    func finding(
        of run: Reconciliation, _ report: SyncReport, _ application: Application, _ request: SyncRequest, manifests: RenderedManifests,
        evidence: Evidence?, inventory: String, made: MadeAsDeclared, dryRuns: Int
    ) async -> Settled? {
        guard request.asksForNothingElse, run.hold == nil, let plan = run.plan, report.conclusion == .succeeded, plan.skipped.isEmpty,
            plan.unchanged.allSatisfy(run.live.inventory.members.contains),
            // A hook is no part of the application's state: whether it has to run follows from the inventory.
            case let declared = run.desired.manifests.filter({ $0.hook == nil }),
            plan.unchanged.count + report.steps.count >= declared.count,
            // Tasks go on by themselves.
            !declared.contains(where: \.isOfTasks)
        else { return nil }
        do {
            var left = evidence
            if !report.steps.isEmpty {
                let owned = owned(after: report, plan, run, inventory: inventory, made, seen: evidence?.texts)
                left = try await self.evidence(application, request, RenderSummary(run.desired), owned: owned?.digest)
                left?.texts = application.ignoreDifferences.isEmpty ? owned?.texts : nil
            }
            guard let left, dryRuns == 0 else { return nil }
            // What else is owned would count for the health.
            let isAll = run.live.inventory.members.isSubset(of: declared.map(\.id))
            return Settled(
                evidence: left.whole, evidenceButStatus: isAll ? left.butStatus : nil, unchanged: declared.count, health: report.health,
                exempt: Set(declared.filter { !countsForHealth($0.body) }.map(\.id)), manifests: manifests)
        } catch {
            Logger(label: "reconciler").debug("\(application.name): what was left is not known: \(error)")
            return nil
        }
    }

    /// Digests over what the application owns once a run has made objects; `nil` when it did something else, or not all are as they were
    /// sent.
    private func owned(
        after report: SyncReport, _ plan: Plan, _ run: Reconciliation, inventory: String, _ made: MadeAsDeclared, seen: OwnedDigest?
    ) -> (digest: String, texts: OwnedDigest?)? {
        var objects = made.objects
        for id in plan.unchanged where id.groupKind.isTheServersOwn {
            guard let object = run.live.objects[id] else { continue }
            objects[id] = MadeAsDeclared.Object(version: "\(object.uid) \(object.resourceVersion)", lasting: seen?.objects[object.uid])
        }
        // The namespace that was made for them is nobody's.
        let members = run.desired.manifests.filter { $0.hook == nil }.map { ($0.id, objects[$0.id]) }
        let inventory = made.inventory ?? inventory
        guard plan.steps.allSatisfy({ $0.hook == nil }), report.steps.allSatisfy({ $0.actuation == .created }), !members.contains(where: { $0.1 == nil }),
            !inventory.isEmpty
        else { return nil }
        var (versions, texts) = (OwnedEvidence(inventory: inventory), OwnedEvidence(inventory: inventory))
        for case (let id, let object?) in members {
            versions.add(id.groupKind, object.version)
            if let lasting = object.lasting { texts.add(id.groupKind, lasting) }
        }
        let isWhole = members.allSatisfy { $0.1?.lasting != nil }
        return (versions.digest, isWhole ? OwnedDigest(digest: texts.digest, objects: [:]) : nil)
    }

    /// The applies so far, dry runs among them, of objects and of inventories.
    var appliesSent: Int { applier.client.requestCount["apply"] ?? 0 }
}

/// What is kept of `OwnedTexts`, once the texts are not needed.
struct OwnedDigest: Sendable {
    let digest: String
    /// Of each object, by uid.
    let objects: [String: String]
}

extension OwnedDigest {
    fileprivate init(_ texts: OwnedTexts) { self.init(digest: texts.digest, objects: texts.objects) }
}

extension SyncRequest {
    /// Whether it is enough to find the application as it is declared.
    var asksForNothingElse: Bool {
        extent == .execute && plan == nil && pinned == nil && revision == nil && waitForHealth == nil && selection.isWhole && hooks == .whenNeeded
    }
}
