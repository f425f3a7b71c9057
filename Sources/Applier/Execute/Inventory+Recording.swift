import KubernetesClient
import ResourceModel

extension Applier {
    /// Writes what may be owned from now on, before anything is: after a crash the next run still finds every object.
    /// Sends nothing when nothing changed.
    /// - Parameter made: hears of what was written.
    func record(_ inventory: Inventory, was: Inventory, applySet: ApplySet, noting made: MadeAsDeclared? = nil) async throws {
        guard
            inventory.groupKinds != was.groupKinds || inventory.namespaces != was.namespaces
                || inventory.completedHooks != was.completedHooks || inventory.completedPreDelete != was.completedPreDelete
        else { return }
        if was.groupKinds.isEmpty { try await makeInventoryNamespace() }
        let resource = try await client.resource(for: applySet.parent.groupKind, preferring: "v1")
        let written = try await client.apply(
            applySet.parentObject(
                groupKinds: inventory.groupKinds, namespaces: inventory.namespaces, completedHooks: inventory.completedHooks,
                completedPreDelete: inventory.completedPreDelete), as: resource,
            options: ApplyOptions(fieldManager: Self.fieldManager))
        made?.note(inventory: written.object)
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
        _ widened: Inventory, plan: Plan, desired: DesiredState, results: [StepResult], applySet: ApplySet, noting made: MadeAsDeclared?
    ) async throws {
        let gone = Set(results.filter { $0.isDeletion && $0.health == nil }.map(\.id))
        var remaining = widened.members.subtracting(gone).union(desired.manifests.map(\.id))
        // What was tried and did not succeed may still have been written.
        let notOurs = Set(plan.steps.filter { !$0.isOwned }.map(\.change.id))
        remaining.formUnion(results.map(\.id).filter { !gone.contains($0) && !notOurs.contains($0) })
        var confirmed = Inventory(
            members: remaining, groupKinds: Set(remaining.map(\.groupKind)), namespaces: Set(remaining.compactMap(\.namespace)),
            completedHooks: widened.completedHooks)
        let isComplete = results.allSatisfy { !$0.hasFailed && $0.actuation != .notReached }
        if isComplete, plan.steps.contains(where: { $0.hook != nil }) { confirmed.completedHooks = hooksDigest(of: desired) }
        try await record(confirmed, was: widened, applySet: applySet, noting: made)
    }

    /// `CreateNamespace=true`: what has to happen to the destination's namespace; `nil` when it is as it should be, or declared.
    /// It is made for the application and is not part of it: it carries no tracking and is never pruned.
    package func namespaceChange(
        of application: NamespaceRequest, desired: DesiredState, live: LiveState
    ) async throws -> Change? {
        let name = application.name
        let kind = GroupKind(group: "", kind: "Namespace")
        let id = ResourceID(group: "", kind: "Namespace", namespace: nil, name: name)
        guard !name.isEmpty, !desired.manifests.contains(where: { $0.id == id }) else { return nil }
        let hasMetadata = !application.labels.isEmpty || !application.annotations.isEmpty
        // Where an object is, its namespace is too.
        if !hasMetadata, live.objects.keys.contains(where: { $0.namespace == name }) { return nil }
        let resource = try await client.resource(for: kind, preferring: "v1")
        let object = try await client.get(resource, namespace: nil, name: name).map { try LiveObject($0, as: resource) }
        var body: JSONValue = ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(name)]]
        for (key, value) in application.labels.sorted(by: { $0.key < $1.key }) { body[path: "metadata", "labels", key] = .string(value) }
        for (key, value) in application.annotations.sorted(by: { $0.key < $1.key }) {
            body[path: "metadata", "annotations", key] = .string(value)
        }
        let source = desired.manifests.first?.source ?? SourceLocation(path: "spec.syncPolicy.syncOptions", line: 0)
        let manifest = Manifest(id: id, apiVersion: "v1", body: body, source: source)
        guard let object else { return Change(id: id, action: .create, manifest: manifest) }
        guard hasMetadata else { return nil }
        let difference = OwnedFieldsComparison.result(intent: body, live: object, manager: Self.fieldManager)
        return difference.isSame ? nil : Change(id: id, action: .configure, fields: difference.fields, manifest: manifest, live: object)
    }
}

/// The namespace that `CreateNamespace=true` asks for, with `managedNamespaceMetadata`.
package struct NamespaceRequest: Sendable, Hashable {
    package var name: String
    package var labels: [String: String]
    package var annotations: [String: String]

    package init(name: String, labels: [String: String] = [:], annotations: [String: String] = [:]) {
        self.name = name
        self.labels = labels
        self.annotations = annotations
    }
}
