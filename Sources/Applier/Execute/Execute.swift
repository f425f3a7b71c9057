import KubernetesClient
import ResourceModel

extension Applier {
    /// Carries the plan out, wave after wave; inside a batch the steps run beside each other. Every step has a result; after a
    /// failed wave the later ones are `notReached`, and hooks for a failed sync run.
    ///
    /// Does not decide anything: what is not in the plan is not done. A cancellation ends the run between two requests; steps
    /// already sent are waited for.
    package func execute(
        _ plan: Plan, desired: DesiredState, applySet: ApplySet, inventory: Inventory, options: ExecutionOptions,
        onEvent: @escaping @Sendable (SyncEvent) -> Void
    ) async throws -> [StepResult] {
        guard !plan.steps.isEmpty else { return [] }
        try await installDefinitions(for: plan)
        let owned = plan.steps.filter(\.isOwned)
        let widened = Inventory(
            members: inventory.members, groupKinds: inventory.groupKinds.union(owned.map(\.change.id.groupKind)),
            namespaces: inventory.namespaces.union(owned.compactMap(\.change.id.namespace)), completedHooks: inventory.completedHooks)
        var run = SyncRun(applier: self, plan: plan, versions: desired.versions, options: options, onEvent: onEvent)
        if try await run.rehearse() {
            try await record(widened, was: inventory, applySet: applySet, noting: options.made)
            try await run.carryOut()
            try await shrink(widened, plan: plan, desired: desired, results: run.results, applySet: applySet, noting: options.made)
        }
        return run.results
    }

    func perform(_ step: PlanStep, options: ExecutionOptions) async -> StepResult {
        let clock = ContinuousClock()
        let start = clock.now
        var result = StepResult(id: step.change.id, phase: step.phase, wave: step.wave, actuation: .notReached)
        result.before = step.change.live?.body.digest
        do {
            switch step.verb {
            case .delete: try await delete(step, options: options, result: &result)
            case .release: try await release(step, result: &result)
            case .apply: try await apply(step, options: options, result: &result)
            case .create, .replace: try await replace(step, options: options, result: &result)
            case .recreate: try await recreate(step, options: options, result: &result)
            }
        } catch is CancellationError {
            result.actuation = .notReached
        } catch {
            let place = step.change.manifest.map { "\($0.source): " } ?? ""
            result.actuation = .failed(place + "\(error)" + hint(for: error, step))
        }
        let elapsed = start.duration(to: clock.now).components
        result.duration = Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18
        return result
    }

    private func apply(_ step: PlanStep, options: ExecutionOptions, result: inout StepResult) async throws {
        guard let manifest = step.change.manifest else { return }
        let resource = try await client.resource(for: manifest.id.groupKind, preferring: manifest.groupVersionKind.version)
        try manifest.checkScope(resource)
        do {
            if let live = step.change.live { try await takeOver(live, for: manifest, as: resource, options: options) }
            let written = try await client.apply(manifest.body, as: resource, options: options.apply(manifest))
            let object = try note(written, of: step, manifest, resource, result: &result)
            if step.change.live == nil { options.made?.note(object, sent: manifest.body, text: written.text) }
        } catch let error as APIError where step.force && error.isInvalid && step.change.live != nil {
            try await recreate(step, options: options, result: &result)  // `Force=true`: a field that cannot be changed
        } catch let error as APIError where error.isInvalid && step.change.live != nil {
            guard let written = try await applyOverIntruders(manifest, as: resource, options: options, after: error) else { throw error }
            try note(written, of: step, manifest, resource, result: &result)
        }
    }

    /// `Replace=true`: the object is written whole, as `kubectl replace` and `kubectl create` do.
    private func replace(_ step: PlanStep, options: ExecutionOptions, result: inout StepResult) async throws {
        guard let manifest = step.change.manifest else { return }
        let resource = try await client.resource(for: manifest.id.groupKind, preferring: manifest.groupVersionKind.version)
        let settings = WriteOptions(fieldManager: Self.fieldManager, fieldValidation: options.fieldValidation(of: manifest))
        var body = manifest.body
        if let live = step.change.live {
            body[path: "metadata", "resourceVersion"] = .string(live.resourceVersion)
            let written = try await client.replace(body, as: resource, options: settings)
            try note(written, of: step, manifest, resource, result: &result)
        } else {
            let written = try await client.create(body, as: resource, options: settings)
            try note(written, of: step, manifest, resource, result: &result)
        }
    }

    /// Deletes the object that was seen, waits until it is gone, and makes it anew.
    private func recreate(_ step: PlanStep, options: ExecutionOptions, result: inout StepResult) async throws {
        guard let manifest = step.change.manifest, let live = step.change.live else { return }
        let resource = try await client.resource(for: manifest.id.groupKind, preferring: manifest.groupVersionKind.version)
        do {
            _ = try await client.delete(
                resource, namespace: live.id.namespace, name: live.id.name,
                options: DeleteOptions(propagationPolicy: options.propagation(for: live), uid: live.uid))
            try await waitUntilGone([live.id: live.uid], versions: [live.id.groupKind: resource.version], timeout: options.waveTimeout)
        } catch let error as APIError where error.isNotFound {
            logger.debug("already gone", metadata: ["object": "\(live.id)"])
        }
        let written = try await client.apply(manifest.body, as: resource, options: options.apply(manifest))
        try note(written, of: step, manifest, resource, result: &result)
        result.actuation = .recreated
    }

    @discardableResult
    private func note(
        _ written: WriteResult, of step: PlanStep, _ manifest: Manifest, _ resource: APIResource, result: inout StepResult
    ) throws -> LiveObject {
        let object = try LiveObject(written.object, as: resource)
        for warning in written.warnings { logger.notice("\(manifest.source): \(manifest.id): \(warning)") }
        result.uid = object.uid
        result.resourceVersion = object.resourceVersion
        result.after = object.body.digest
        result.health = health(of: object.body)
        result.actuation =
            step.change.live == nil ? .created : step.change.live?.resourceVersion == object.resourceVersion ? .unchanged : .configured
        return object
    }

    /// Deletes exactly the object that was seen: another one of the same name is left alone (uid precondition).
    private func delete(_ step: PlanStep, options: ExecutionOptions, result: inout StepResult) async throws {
        guard let live = step.change.live else { return }
        let resource = try await client.resource(for: live.id.groupKind, preferring: GroupVersionKind(apiVersion: live.apiVersion, kind: "").version)
        do {
            let answer = try await client.delete(
                resource, namespace: live.id.namespace, name: live.id.name,
                options: DeleteOptions(propagationPolicy: options.propagation(for: live), uid: live.uid))
            if let rest = answer.object {
                try await letGoOfHook(live, resource)
                result.health = HealthAssessment(.progressing, "Pending deletion" + finalizers(of: rest))
                result.uid = live.uid
            }
        } catch let error as APIError where error.isNotFound {
            logger.debug("already gone", metadata: ["object": "\(live.id)"])
        }
        result.actuation = .pruned
    }

    private func finalizers(of object: JSONValue) -> String {
        let names = (object[path: "metadata", "finalizers"]?.arrayValue ?? []).compactMap(\.stringValue)
        return names.isEmpty ? "" : ", waiting for \(names.joined(separator: ", "))"
    }

    /// The next thing to try where the error itself, which knows nothing of manifests, does not say it.
    private func hint(for error: any Error, _ step: PlanStep) -> String {
        guard let error = error as? APIError, error.isInvalid, error.hint == nil else { return "" }
        return step.change.live == nil
            ? " (correct the manifest)"
            : " (correct the manifest; where a field cannot be changed, declare the object under another name, or delete it: the next sync makes it anew)"
    }

}

extension Manifest {
    /// A kind that nobody knew when the plan was made (`SkipDryRunOnMissingResource`) was taken for a namespaced one, and the project was
    /// asked as for one.
    /// - Throws: a `Problem` when it is none.
    fileprivate func checkScope(_ resource: APIResource) throws(Problem) {
        guard namespaceIfNamespaced != nil, !resource.namespaced else { return }
        throw Problem(
            code: "kind.other-scope", message: "\(id.kind) was not known when the plan was made, and turns out to have no namespaces", resource: id,
            hint: "sync again: its identity and the project's permission are clear now")
    }
}

extension PlanStep {
    /// Whether its object belongs to the application: not a namespace that is only made for it.
    var isOwned: Bool { change.manifest.map { $0.labels[ApplySet.partOfLabel] != nil } ?? true }
}

extension StepResult {
    var hasFailed: Bool { if case .failed = actuation { true } else { false } }
    var isDeletion: Bool { actuation == .pruned }
}

extension DesiredState {
    /// The version in which each kind was declared.
    package var versions: [GroupKind: String] {
        Dictionary(manifests.map { ($0.id.groupKind, $0.groupVersionKind.version) }, uniquingKeysWith: { first, _ in first })
    }
}

/// How a plan is carried out.
package struct ExecutionOptions: Sendable {
    /// How long a wave may take to become healthy before the next one is given up.
    package var waveTimeout: Duration
    /// How long the hooks of a wave may take.
    package var hookTimeout: Duration
    /// The application's; a resource's own win.
    package var syncOptions: SyncOptions
    /// Set when the application itself is deleted: then `PrunePropagationPolicy`, which is of syncs, counts for nothing.
    package var cascade: Cascade?
    /// Hears of what was made.
    package var made: MadeAsDeclared?

    package init(
        syncOptions: SyncOptions = SyncOptions(), cascade: Cascade? = nil, waveTimeout: Duration = .seconds(300),
        hookTimeout: Duration = .seconds(3600)
    ) {
        self.cascade = cascade
        self.syncOptions = syncOptions
        self.waveTimeout = waveTimeout
        self.hookTimeout = hookTimeout
    }

    func apply(_ manifest: Manifest, dryRun: Bool = false) -> ApplyOptions {
        ApplyOptions(fieldManager: Applier.fieldManager, dryRun: dryRun, fieldValidation: fieldValidation(of: manifest))
    }

    /// `Validate=false` leaves out what the server does not know instead of refusing it.
    func fieldValidation(of manifest: Manifest) -> FieldValidation? {
        options(of: manifest.annotations).validate == false ? .ignore : nil
    }

    /// The application's options with the object's own.
    func options(of annotations: JSONObject) -> SyncOptions {
        syncOptions.overridden(by: SyncOptions(annotation: annotations[SyncOptions.annotation]?.stringValue ?? ""))
    }

    /// Foreground, as in Argo CD, for kinds that own others; kinds that own nothing need no garbage collector.
    func propagation(for object: LiveObject) -> PropagationPolicy {
        let asked: SyncOptions.Propagation? = cascade == nil ? options(of: object.annotations).prunePropagationPolicy : cascade == .background ? .background : nil
        return switch asked {
        case .foreground: .foreground
        case .background: .background
        case .orphan: .orphan
        case nil: Self.leaves.contains(object.id.groupKind) ? .background : .foreground
        }
    }

    private static let leaves: Set<GroupKind> = Set(
        ["ConfigMap", "Secret", "Service", "ServiceAccount", "Namespace", "Pod", "PersistentVolumeClaim", "LimitRange", "ResourceQuota"]
            .map { GroupKind(group: "", kind: $0) }
            + ["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"].map { GroupKind(group: "rbac.authorization.k8s.io", kind: $0) }
            + ["Ingress", "NetworkPolicy", "IngressClass"].map { GroupKind(group: "networking.k8s.io", kind: $0) }
            + [GroupKind(group: "policy", kind: "PodDisruptionBudget"), GroupKind(group: "autoscaling", kind: "HorizontalPodAutoscaler")])
}
