import KubernetesClient
import ResourceModel

extension Applier {
    /// What a namespace holds besides the given objects and what the server and controllers put there; `nil` when nothing.
    ///
    /// Deleting a namespace deletes everything in it, also what other people made. What cannot be listed counts as use.
    func use(ofNamespace name: String, besides leaving: Set<ResourceID>) async throws -> String? {
        var kinds: [GroupKind: APIResource] = [:]
        for resource in try await client.apiResources()
        where resource.namespaced && resource.verbs.contains("list") && resource.verbs.contains("delete") {
            if kinds[resource.groupKind] == nil, !Self.madeByTheServer.contains(resource.groupKind) { kinds[resource.groupKind] = resource }
        }
        let found = try await concurrently(kinds.values.sorted { $0.groupKind < $1.groupKind }) { resource -> [String] in
            do {
                return try await client.list(resource, namespace: name, options: ListOptions(metadataOnly: true)).items
                    .filter { Self.isSomebodys($0) }
                    .map { resource.id(namespace: name, name: $0[path: "metadata", "name"]?.stringValue ?? "") }
                    .filter { !leaving.contains($0) && !Self.defaults.contains("\($0.kind) \($0.name)") }
                    .map(\.description)
            } catch let error as APIError {
                return ["\(resource.kind) (cannot be listed: \(error.message))"]
            }
        }.flatMap { $0 }
        guard !found.isEmpty else { return nil }
        return found.prefix(3).joined(separator: ", ") + (found.count > 3 ? " and \(found.count - 3) more" : "")
    }

    private static let madeByTheServer: Set<GroupKind> = [
        GroupKind(group: "", kind: "Event"), GroupKind(group: "events.k8s.io", kind: "Event"), GroupKind(group: "", kind: "Endpoints"),
        GroupKind(group: "discovery.k8s.io", kind: "EndpointSlice"), GroupKind(group: "coordination.k8s.io", kind: "Lease"),
    ]
    private static let defaults: Set<String> = ["ServiceAccount default", "ConfigMap kube-root-ca.crt"]

    /// Neither on its way out nor another object's dependent.
    private static func isSomebodys(_ object: JSONValue) -> Bool {
        object[path: "metadata", "deletionTimestamp"] == nil
            && object[path: "metadata", "ownerReferences"]?.arrayValue?.isEmpty ?? true
    }
}
