import ResourceModel

/// Carries out `EndpointsDecision`.
struct EndpointsController: Sendable {
    let resources: WorkloadResources

    func look(namespace: String, name: String) async throws {
        let client = resources.client
        guard let service = client.get(resources.services, namespace: namespace, name: name), !service.objectIsBeingDeleted else {
            if client.get(resources.endpoints, namespace: namespace, name: name)?.objectLabels["endpoints.kubernetes.io/managed-by"] != nil {
                try await resources.delete(resources.endpoints, namespace: namespace, name: name)
            }
            return
        }
        let pods = client.list(resources.pods, namespace: namespace)
        guard let wanted = EndpointsDecision.decide(service: service, pods: pods) else { return }
        try await write(wanted.endpoints, resources.endpoints, fields: ["subsets"])
        try await write(wanted.slice, resources.endpointSlices, fields: ["endpoints", "ports"])
    }

    private func write(_ wanted: JSONValue, _ type: ResourceType, fields: [String]) async throws {
        let client = resources.client
        guard let present = client.get(type, namespace: wanted.objectNamespace, name: wanted.objectName) else {
            try await client.create(type, namespace: wanted.objectNamespace, wanted)
            return
        }
        var changed = present
        for field in fields { changed[field] = wanted[field] }
        changed[path: "metadata", "labels"] = wanted[path: "metadata", "labels"]
        if changed != present { try await client.update(type, changed) }
    }
}
