import Applier
import Desired
import Logging
import ResourceModel
import Store

/// The page's shortest way: where nothing moved since a sync left everything as it is declared, the next one has nothing to do, and
/// neither reads nor compares an object. Whatever moved, on whichever side, leads to the long way.
extension ReconcileOnce {
    /// A digest over all that the outcome of a sync follows from: this program, the application, what it declares, the kinds that the
    /// cluster serves, and what the application owns there.
    /// - Parameter owned: a digest over that.
    /// - Returns: `nil` where something else is asked for than that the application be as it is declared, or something cannot be told.
    func evidence(_ application: Application, _ request: SyncRequest, _ rendered: RenderSummary?, owned: String?) async throws -> String? {
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
            program, application.name, declarations, "\(builder.place)", rendered.digest, applier.client.server, kinds, owned,
            namespace ?? "-",
        ]
        return JSONValue.array(parts.map { .string($0) }).digest
    }

    /// The report of a sync for which nothing moved; `nil` for any other. Its desired state has no manifests: nobody may have read them.
    func settled(
        _ application: Application, _ request: SyncRequest, _ summary: RenderSummary?, at revision: Revision, seeing evidence: String?,
        _ startedAt: Double, _ log: StepLog, _ onEvent: @Sendable (SyncEvent) -> Void
    ) async throws -> Reconciliation? {
        guard let summary, let evidence, let (finding, manifests) = await known(application.name, seeing: evidence) else { return nil }
        builder.cache.startStoring()
        Logger(label: "reconciler").debug("\(application.name): nothing has moved since all was as declared")
        let plan = Plan(
            id: String(evidence.prefix(16)), desired: summary.digest, application: application.name, revision: revision, waves: [],
            unchanged: [], skipped: [], refusals: [], preconditions: [:])
        onEvent(.rendered(application: application.name, manifests: summary.count))
        onEvent(.planned(plan))
        let state = DesiredState(application: application.name, revision: revision, manifests: [], digest: summary.digest, warnings: summary.warnings)
        var result = Reconciliation(desired: state, live: LiveState(), changes: [], plan: plan)
        result.unchanged = finding.unchanged
        if let warning = await rewriting(of: application, before: revision, isAsked: true) { result.desired.warnings.append(warning) }
        let report = conclude(result, plan: plan, steps: [], health: finding.health, trigger: request.trigger, startedAt: startedAt)
        try await record(report, manifests, log)
        onEvent(.finished(report))
        result.report = report
        return result
    }

    private func known(_ application: String, seeing evidence: String) async -> (finding: Settled, manifests: RenderedManifests)? {
        do {
            return try await history.settled(application, seeing: evidence)
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
        evidence: String?, inventory: String, made: MadeAsDeclared, dryRuns: Int
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
                let owned = owned(after: report, plan, run, inventory: inventory, made)
                left = try await self.evidence(application, request, RenderSummary(run.desired), owned: owned)
            }
            guard let left, dryRuns == 0 else { return nil }
            return Settled(evidence: left, unchanged: declared.count, health: report.health, manifests: manifests)
        } catch {
            Logger(label: "reconciler").debug("\(application.name): what was left is not known: \(error)")
            return nil
        }
    }

    /// What the application owns once a run has made objects; `nil` when it did something else, or not all are as they were sent.
    private func owned(after report: SyncReport, _ plan: Plan, _ run: Reconciliation, inventory: String, _ made: MadeAsDeclared) -> String? {
        var versions = made.versions
        for id in plan.unchanged where id.groupKind.isTheServersOwn {
            if let object = run.live.objects[id] { versions[id] = "\(object.uid) \(object.resourceVersion)" }
        }
        // The namespace that was made for them is nobody's.
        let members = run.desired.manifests.filter { $0.hook == nil }.map { ($0.id, versions[$0.id]) }
        let inventory = made.inventory ?? inventory
        guard plan.steps.allSatisfy({ $0.hook == nil }), report.steps.allSatisfy({ $0.actuation == .created }), !members.contains(where: { $0.1 == nil }),
            !inventory.isEmpty
        else { return nil }
        var evidence = OwnedEvidence(inventory: inventory)
        for case (let id, let version?) in members { evidence.add(id.groupKind, version) }
        return evidence.digest
    }

    /// The applies so far, dry runs among them, of objects and of inventories.
    var appliesSent: Int { applier.client.requestCount["apply"] ?? 0 }
}

extension SyncRequest {
    /// Whether it is enough to find the application as it is declared.
    var asksForNothingElse: Bool {
        extent == .execute && plan == nil && pinned == nil && revision == nil && waitForHealth == nil && selection.isWhole && hooks == .whenNeeded
    }
}
