import KubernetesClient
import ResourceModel

extension Applier {
    /// Writes what may be owned from now on, before anything is: after a crash the next run still finds every object.
    /// Sends nothing when nothing changed.
    func record(_ inventory: Inventory, was: Inventory, applySet: ApplySet) async throws {
        guard inventory.groupKinds != was.groupKinds || inventory.namespaces != was.namespaces else { return }
        if was.groupKinds.isEmpty { try await makeInventoryNamespace() }
        let resource = try await client.resource(for: applySet.parent.groupKind, preferring: "v1")
        _ = try await client.apply(
            applySet.parentObject(groupKinds: inventory.groupKinds, namespaces: inventory.namespaces), as: resource,
            options: ApplyOptions(fieldManager: Self.fieldManager))
    }

    private func makeInventoryNamespace() async throws {
        let resource = try await client.resource(for: GroupKind(group: "", kind: "Namespace"), preferring: "v1")
        if try await client.get(resource, namespace: nil, name: ApplySet.namespace) != nil { return }
        _ = try await client.apply(
            ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(ApplySet.namespace)]], as: resource,
            options: ApplyOptions(fieldManager: Self.fieldManager))
    }

    /// After the run: only what is confirmed stays. A kind or a namespace leaves when every object of it was seen to go.
    func shrink(
        _ widened: Inventory, plan: Plan, desired: DesiredState, results: [StepResult], applySet: ApplySet
    ) async throws {
        let gone = Set(results.filter { $0.isDeletion && $0.health == nil }.map(\.id))
        var remaining = widened.members.subtracting(gone).union(desired.manifests.map(\.id))
        // What was tried and did not succeed may still have been written.
        remaining.formUnion(results.filter { !gone.contains($0.id) }.map(\.id))
        let kinds = Set(remaining.map(\.groupKind))
        let namespaces = Set(remaining.compactMap(\.namespace))
        let confirmed = Inventory(members: remaining, groupKinds: kinds, namespaces: namespaces)
        try await record(confirmed, was: widened, applySet: applySet)
    }

    /// `CreateNamespace=true`: the namespace is made, and never pruned (it carries no tracking).
    func createNamespace(of plan: Plan, options: ExecutionOptions) async throws {
        let kind = GroupKind(group: "", kind: "Namespace")
        guard let name = options.destinationNamespace, !name.isEmpty,
            !plan.steps.contains(where: { $0.change.id.groupKind == kind && $0.change.id.name == name }),
            !plan.unchanged.contains(where: { $0.groupKind == kind && $0.name == name })
        else { return }
        let resource = try await client.resource(for: kind, preferring: "v1")
        let hasMetadata = !options.namespaceLabels.isEmpty || !options.namespaceAnnotations.isEmpty
        if !hasMetadata, try await client.get(resource, namespace: nil, name: name) != nil { return }
        var body: JSONValue = ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(name)]]
        for (key, value) in options.namespaceLabels.sorted(by: { $0.key < $1.key }) {
            body[path: "metadata", "labels", key] = .string(value)
        }
        for (key, value) in options.namespaceAnnotations.sorted(by: { $0.key < $1.key }) {
            body[path: "metadata", "annotations", key] = .string(value)
        }
        _ = try await client.apply(body, as: resource, options: ApplyOptions(fieldManager: Self.fieldManager))
    }
}
