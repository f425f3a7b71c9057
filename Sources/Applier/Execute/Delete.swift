import KubernetesClient
import ResourceModel

extension Applier {
    /// Carries an application's deletion out: hooks, objects, hooks. Every step has a result; after a failed wave the later ones are
    /// `notReached`, and the inventory stays, so that the next deletion goes on from there.
    ///
    /// Does not decide anything: what is not in the plan is not done. All waiting is by watch.
    /// - Parameter hooks: the digest of the application's PreDelete hooks, also of ones that the plan leaves out because they ran.
    package func executeDeletion(
        _ plan: Plan, hooks: String, applySet: ApplySet, inventory: Inventory, options: ExecutionOptions,
        onEvent: @escaping @Sendable (SyncEvent) -> Void
    ) async throws -> [StepResult] {
        let versions = plan.liveVersions
        var rehearsal = SyncRun(applier: self, plan: plan, versions: versions, options: options, onEvent: onEvent)
        guard try await rehearsal.rehearse() else { return rehearsal.results }
        var known = inventory
        known.groupKinds.formUnion(plan.steps.map(\.change.id.groupKind))
        known.namespaces.formUnion(plan.steps.compactMap(\.change.id.namespace))
        if !plan.steps.isEmpty {
            // What ran for a sync says nothing about the next one: it begins from nothing.
            known.completedHooks = nil
            try await record(known, was: inventory, applySet: applySet)
        }
        var results: [StepResult] = []
        for part in plan.deletionParts {
            if results.contains(where: { $0.hasFailed || $0.actuation == .notReached }) || Task.isCancelled {
                results += part.steps.map { StepResult(id: $0.change.id, phase: $0.phase, wave: $0.wave, actuation: .notReached) }
                continue
            }
            var run = SyncRun(applier: self, plan: part, versions: versions, options: options, awaitsEachWave: true, onEvent: onEvent)
            try await run.carryOut()
            results += run.results
            let isWhole = run.results.allSatisfy { !$0.hasFailed && $0.actuation != .notReached }
            if part.waves.first?.phase == .preDelete, isWhole {
                var marked = known
                marked.completedPreDelete = hooks
                try await record(marked, was: known, applySet: applySet)
            }
        }
        return results
    }

    /// Takes the inventory away: nothing is in it any more. One that is gone already is fine.
    package func removeInventory(of applySet: ApplySet) async throws {
        let resource = try await client.resource(for: applySet.parent.groupKind, preferring: "v1")
        guard let parent = try await client.get(resource, namespace: ApplySet.namespace, name: applySet.parent.name) else { return }
        _ = try applySet.promise(of: parent)  // another's object of this name stays
        do {
            try await client.delete(
                resource, namespace: ApplySet.namespace, name: applySet.parent.name,
                options: DeleteOptions(uid: parent[path: "metadata", "uid"]?.stringValue))
        } catch let error as APIError where error.isNotFound {
            return
        }
    }

    /// Takes off what says that an object is the application's: the ApplySet's label and the tracking annotation. Only off the very object
    /// that was seen.
    func release(_ step: PlanStep, result: inout StepResult) async throws {
        guard let live = step.change.live else { return }
        let resource = try await client.resource(for: live.id.groupKind, preferring: GroupVersionKind(apiVersion: live.apiVersion, kind: "").version)
        do {
            let written = try await client.patch(
                resource, namespace: live.id.namespace, name: live.id.name, type: .merge,
                patch: [
                    "metadata": [
                        "uid": .string(live.uid), "labels": [ApplySet.partOfLabel: .null], "annotations": [TrackingID.annotation: .null],
                    ]
                ], options: WriteOptions(fieldManager: Self.fieldManager))
            let object = try LiveObject(written.object, as: resource)
            result.uid = object.uid
            result.resourceVersion = object.resourceVersion
            result.after = object.body.digest
        } catch let error as APIError where error.isNotFound {
            logger.debug("already gone", metadata: ["object": "\(live.id)"])
        }
        result.actuation = .released
    }
}

extension Plan {
    /// What follows on each other: the hooks before, the objects, the hooks after, and namespaces that waited for these. Hooks are let
    /// go of at the end of their part: what still has a finalizer keeps its namespace.
    fileprivate var deletionParts: [Plan] {
        var parts: [Plan] = []
        for wave in waves {
            let isHook = wave.batches.first?.steps.first?.hook != nil
            if let last = parts.last?.waves.last, last.phase == wave.phase, (last.batches.first?.steps.first?.hook != nil) == isHook {
                parts[parts.count - 1].waves.append(wave)
            } else {
                var part = self
                part.waves = [wave]
                parts.append(part)
            }
        }
        return parts
    }

    /// The version in which each kind was seen, or is declared.
    fileprivate var liveVersions: [GroupKind: String] {
        Dictionary(
            steps.compactMap { step in
                let apiVersion = step.change.manifest?.apiVersion ?? step.change.live?.apiVersion
                return apiVersion.map { (step.change.id.groupKind, GroupVersionKind(apiVersion: $0, kind: "").version) }
            }, uniquingKeysWith: { first, _ in first })
    }
}
