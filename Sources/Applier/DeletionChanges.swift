import KubernetesClient
import ResourceModel

extension Applier {
    /// What becomes of each object of an application that is deleted: what the objects say themselves, and what the cluster says of
    /// namespaces and definitions, which take others along. Reads only.
    ///
    /// - Parameter live: what the inventory found, with nothing declared.
    /// - Throws: whatever could not be read: nothing is deleted then.
    package func deletionChanges(_ live: LiveState, application: String, policy: DeletionPolicy) async throws -> [Change] {
        var changes = live.objects.values.sorted { $0.id < $1.id }.compactMap { object in
            deletion(of: object, application: application, policy: policy).map { Change(id: object.id, action: $0, live: object) }
        }
        try await keepWhatIsInUse(&changes) { _ in true }
        return changes
    }

    /// Takes the deletion back of each definition and namespace that would take along what stays.
    /// - Parameter isLeaving: whether an object whose deletion is intended will really go.
    func keepWhatIsInUse(_ changes: inout [Change], isLeaving: (Change) -> Bool) async throws {
        // A kept object keeps its namespace, so each answer may change the next one; namespaces come last.
        for kind in [GroupKind.definition, .namespace] {
            for index in changes.indices where changes[index].action == .prune && changes[index].id.groupKind == kind {
                let leaving = Set(changes.filter { $0.action == .prune && isLeaving($0) }.map(\.id))
                if let reason = try await use(of: changes[index], besides: leaving) { changes[index].action = .skip(reason) }
            }
        }
    }

    private func use(of change: Change, besides leaving: Set<ResourceID>) async throws -> SkipReason? {
        if change.id.groupKind == .namespace {
            return try await use(ofNamespace: change.id.name, besides: leaving).map(SkipReason.namespaceInUse)
        }
        guard let body = change.live?.body, let group = body[path: "spec", "group"]?.stringValue,
            let kind = body[path: "spec", "names", "kind"]?.stringValue
        else { return nil }
        let resource: APIResource
        do {
            resource = try await client.resource(for: GroupKind(group: group, kind: kind))
        } catch let error as DiscoveryError where error.code == "unknown-kind" {
            return nil  // not served, so there is nothing of it
        }
        let others = try await client.list(resource, namespace: nil, options: ListOptions(metadataOnly: true)).items.map { item in
            resource.id(namespace: item[path: "metadata", "namespace"]?.stringValue, name: item[path: "metadata", "name"]?.stringValue ?? "")
        }.filter { !leaving.contains($0) }.sorted()
        guard !others.isEmpty else { return nil }
        let shown = others.prefix(3).map(\.description).joined(separator: ", ")
        return .definitionInUse(shown + (others.count > 3 ? " and \(others.count - 3) more" : ""))
    }
}
