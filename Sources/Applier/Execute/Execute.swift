import KubernetesClient
import ResourceModel

extension Applier {
    /// Carries the plan out, wave after wave; inside a batch the steps run beside each other. Every step has a result; after a
    /// failed wave the later ones are `notReached`.
    ///
    /// Does not decide anything: what is not in the plan is not done. A cancellation ends the run between two requests; steps
    /// already sent are waited for.
    package func execute(
        _ plan: Plan, desired: DesiredState, applySet: ApplySet, inventory: Inventory, options: ExecutionOptions,
        onEvent: @escaping @Sendable (SyncEvent) -> Void
    ) async throws -> [StepResult] {
        guard !plan.steps.isEmpty else { return [] }
        if options.createNamespace { try await createNamespace(of: plan, options: options) }
        let widened = Inventory(
            members: inventory.members, groupKinds: inventory.groupKinds.union(plan.steps.map(\.change.id.groupKind)),
            namespaces: inventory.namespaces.union(plan.steps.compactMap(\.change.id.namespace)))
        try await record(widened, was: inventory, applySet: applySet)

        var results: [StepResult] = []
        var hasFailed = false
        for (index, wave) in plan.waves.enumerated() {
            let steps = wave.batches.flatMap(\.steps)
            if hasFailed || Task.isCancelled {
                results += steps.map { StepResult(id: $0.change.id, phase: wave.phase, wave: wave.number, actuation: .notReached) }
                continue
            }
            onEvent(.waveStarted(application: plan.application, phase: wave.phase, wave: wave.number, steps: steps.count))
            var done: [StepResult] = []
            for batch in wave.batches {
                done += try await concurrently(batch.steps) { step in
                    let result = await perform(step, options: options)
                    onEvent(.stepFinished(application: plan.application, result))
                    return result
                }
                try await waitUntilServed(batch, results: &done)
            }
            results += done
            hasFailed = done.contains(where: \.hasFailed)
            if !hasFailed, index < plan.waves.count - 1 {
                let outcome = try await waitForHealth(
                    of: done.filter { !$0.isDeletion }.map(\.id), versions: desired.versions, timeout: options.waveTimeout
                ) { onEvent(.waiting(application: plan.application, $0)) }
                hasFailed = outcome.values.contains { $0.status != .healthy && $0.status != .suspended }
                for position in results.indices { results[position].health = outcome[results[position].id] ?? results[position].health }
            }
        }
        try await shrink(widened, plan: plan, desired: desired, results: results, applySet: applySet)
        return results
    }

    private func perform(_ step: PlanStep, options: ExecutionOptions) async -> StepResult {
        let clock = ContinuousClock()
        let start = clock.now
        var result = StepResult(id: step.change.id, phase: step.phase, wave: step.wave, actuation: .notReached)
        result.before = step.change.live?.body.digest
        do {
            switch step.verb {
            case .delete: try await delete(step, options: options, result: &result)
            case .apply, .create, .replace: try await apply(step, result: &result)
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

    private func apply(_ step: PlanStep, result: inout StepResult) async throws {
        guard let manifest = step.change.manifest else { return }
        let resource = try await client.resource(for: manifest.id.groupKind, preferring: manifest.groupVersionKind.version)
        let written = try await client.apply(manifest.body, as: resource, options: ApplyOptions(fieldManager: Self.fieldManager))
        let object = try LiveObject(written.object, as: resource)
        for warning in written.warnings { logger.notice("\(manifest.source): \(manifest.id): \(warning)") }
        result.uid = object.uid
        result.resourceVersion = object.resourceVersion
        result.after = object.body.digest
        result.health = health(of: object.body)
        result.actuation =
            step.change.live == nil ? .created : step.change.live?.resourceVersion == object.resourceVersion ? .unchanged : .configured
    }

    /// Deletes exactly the object that was seen: another one of the same name is left alone (uid precondition).
    private func delete(_ step: PlanStep, options: ExecutionOptions, result: inout StepResult) async throws {
        guard let live = step.change.live else { return }
        let resource = try await client.resource(for: live.id.groupKind, preferring: GroupVersionKind(apiVersion: live.apiVersion, kind: "").version)
        do {
            let answer = try await client.delete(
                resource, namespace: live.id.namespace, name: live.id.name,
                options: DeleteOptions(propagationPolicy: options.propagation(for: live.id), uid: live.uid))
            if let rest = answer.object {
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

    /// A kind that was just defined can be used once its definition is established.
    private func waitUntilServed(_ batch: PlanBatch, results: inout [StepResult]) async throws {
        guard batch.kind.kind == "CustomResourceDefinition" else { return }
        let applied = Set(results.filter { !$0.hasFailed && !$0.isDeletion }.map(\.id))
        let ids = batch.steps.map(\.change.id).filter(applied.contains)
        let outcome = try await waitForHealth(of: ids, versions: [:], timeout: .seconds(30)) { _ in }
        for index in results.indices { results[index].health = outcome[results[index].id] ?? results[index].health }
        await client.forgetDiscovery()
    }
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
    /// Makes the destination's namespace where it is missing (`CreateNamespace=true`).
    package var createNamespace: Bool
    package var destinationNamespace: String?
    package var namespaceLabels: [String: String]
    package var namespaceAnnotations: [String: String]
    package var propagationPolicy: SyncOptions.Propagation?
    /// How long a wave may take to become healthy before the next one is given up.
    package var waveTimeout: Duration

    package init(
        createNamespace: Bool = false, destinationNamespace: String? = nil, namespaceLabels: [String: String] = [:],
        namespaceAnnotations: [String: String] = [:], propagationPolicy: SyncOptions.Propagation? = nil,
        waveTimeout: Duration = .seconds(300)
    ) {
        self.createNamespace = createNamespace
        self.destinationNamespace = destinationNamespace
        self.namespaceLabels = namespaceLabels
        self.namespaceAnnotations = namespaceAnnotations
        self.propagationPolicy = propagationPolicy
        self.waveTimeout = waveTimeout
    }

    /// Foreground, as in Argo CD, for kinds that own others; kinds that own nothing need no garbage collector.
    func propagation(for id: ResourceID) -> PropagationPolicy {
        switch propagationPolicy {
        case .foreground: .foreground
        case .background: .background
        case .orphan: .orphan
        case nil: Self.leaves.contains(id.groupKind) ? .background : .foreground
        }
    }

    private static let leaves: Set<GroupKind> = Set(
        ["ConfigMap", "Secret", "Service", "ServiceAccount", "Namespace", "Pod", "PersistentVolumeClaim", "LimitRange", "ResourceQuota"]
            .map { GroupKind(group: "", kind: $0) }
            + ["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"].map { GroupKind(group: "rbac.authorization.k8s.io", kind: $0) }
            + ["Ingress", "NetworkPolicy", "IngressClass"].map { GroupKind(group: "networking.k8s.io", kind: $0) }
            + [GroupKind(group: "policy", kind: "PodDisruptionBudget"), GroupKind(group: "autoscaling", kind: "HorizontalPodAutoscaler")])
}
