import Applier
import Desired
import ResourceModel

/// The page's third step.
extension ReconcileOnce {
    /// Each manifest as it will be sent, hooks aside.
    func intents(of application: Application, _ desired: DesiredState, _ applySet: ApplySet) async -> [Intent] {
        await desired.manifests.filter { $0.hook == nil }.concurrentMap { Intent(manifest: $0, application: application.name, applySet: applySet) }
    }

    /// What has to happen to each object, declared or owned, hooks aside.
    func changes(of application: Application, from live: LiveState, to intents: [Intent], hooks: [PlanStep]) async throws -> [Change] {
        try await applier.changes(
            from: live, to: intents, hooks: Set(hooks.map(\.change.id)), ignoring: application.ignoreDifferences,
            options: application.syncPolicy.syncOptions)
    }

    /// Adds what `CreateNamespace=true` asks for.
    func withNamespace(
        _ application: Application, _ changes: [Change], _ desired: DesiredState, _ live: LiveState
    ) async throws -> [Change] {
        guard application.syncPolicy.syncOptions.createNamespace == true else { return changes }
        let metadata = application.syncPolicy.managedNamespaceMetadata
        let namespace = NamespaceRequest(
            name: application.destination.namespace ?? "", labels: metadata?.labels ?? [:], annotations: metadata?.annotations ?? [:])
        guard let change = try await applier.namespaceChange(of: namespace, desired: desired, live: live) else { return changes }
        return [change] + changes
    }
}

extension Change {
    /// The change where it was chosen; else the same difference, left alone.
    func limited(to selection: ResourceSelection) -> Change {
        if action == .unchanged || selection.selects(self) { return self }
        var change = self
        change.action = .skip(.notSelected)
        return change
    }
}
