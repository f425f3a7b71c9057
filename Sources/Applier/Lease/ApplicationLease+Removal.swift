import KubernetesClient
import ResourceModel

extension Applier {
    /// Whether there is a Lease of that application, held or not.
    package func hasLease(_ application: String) async throws -> Bool {
        let resource = try await client.resource(for: GroupKind(group: "coordination.k8s.io", kind: "Lease"), preferring: "v1")
        return try await client.get(resource, namespace: ApplySet.namespace, name: "application-\(application)") != nil
    }
}
