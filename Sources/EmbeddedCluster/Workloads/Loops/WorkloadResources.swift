import Logging
import ResourceModel

/// The API's resources that the workload controllers use, and what they share.
struct WorkloadResources: Sendable {
    let client: LocalClient
    let deployments: ResourceType
    let replicaSets: ResourceType
    let jobs: ResourceType
    let pods: ResourceType
    let services: ResourceType
    let endpoints: ResourceType
    let endpointSlices: ResourceType
    let configMaps: ResourceType
    let secrets: ResourceType
    let nodes: ResourceType
    let events: EventRecorder
    let logger: Logger

    init(client: LocalClient, events: EventRecorder, logger: Logger) throws {
        self.client = client
        self.events = events
        self.logger = logger
        deployments = try client.resource("apps/v1", "Deployment")
        replicaSets = try client.resource("apps/v1", "ReplicaSet")
        jobs = try client.resource("batch/v1", "Job")
        pods = try client.resource("v1", "Pod")
        services = try client.resource("v1", "Service")
        endpoints = try client.resource("v1", "Endpoints")
        endpointSlices = try client.resource("discovery.k8s.io/v1", "EndpointSlice")
        configMaps = try client.resource("v1", "ConfigMap")
        secrets = try client.resource("v1", "Secret")
        nodes = try client.resource("v1", "Node")
    }

    /// The objects that `owner` controls. Those that match its selector and have no controller are adopted, those that match no more let go.
    func controlled(_ type: ResourceType, by owner: JSONValue) async throws -> [JSONValue] {
        let selector = LabelSelector(object: owner[path: "spec", "selector"])
        var result: [JSONValue] = []
        for object in client.list(type, namespace: owner.objectNamespace) {
            let matches = !selector.isEmpty && selector.matches(object[path: "metadata", "labels"])
            if let controller = object.objectController {
                guard controller["uid"]?.stringValue == owner.objectUID else { continue }
                if matches || object.objectIsBeingDeleted || owner.objectIsBeingDeleted {
                    result.append(object)
                } else {
                    try await release(object, of: type, from: owner)
                }
            } else if matches, !object.objectIsBeingDeleted, !owner.objectIsBeingDeleted {
                if type.storageKey == pods.storageKey, object.podIsFinished { continue }
                if let adopted = try await adopt(object, of: type, by: owner) { result.append(adopted) }
            }
        }
        return result
    }

    private func adopt(_ object: JSONValue, of type: ResourceType, by owner: JSONValue) async throws -> JSONValue? {
        var changed = object
        let references = (object[path: "metadata", "ownerReferences"]?.arrayValue ?? []) + [owner.objectControllerReference]
        changed[path: "metadata", "ownerReferences"] = .array(references)
        return try await client.update(type, changed)
    }

    private func release(_ object: JSONValue, of type: ResourceType, from owner: JSONValue) async throws {
        var changed = object
        let rest = (object[path: "metadata", "ownerReferences"]?.arrayValue ?? []).filter { $0["uid"]?.stringValue != owner.objectUID }
        changed[path: "metadata", "ownerReferences"] = rest.isEmpty ? nil : .array(rest)
        try await client.update(type, changed)
    }

    /// Deletes an object; one that is gone already is fine.
    func delete(_ type: ResourceType, namespace: String, name: String, uid: String? = nil, propagation: String = "Background") async throws {
        do {
            try await client.delete(type, namespace: namespace, name: name, uid: uid, propagationPolicy: propagation)
        } catch let status as APIStatus where status.code == 404 || (status.code == 409 && uid != nil) {
            return
        }
    }

    /// Writes `status` over the object as it was seen.
    func setStatus(_ status: JSONValue, of object: JSONValue, _ type: ResourceType) async throws {
        var changed = object
        changed["status"] = status
        try await client.updateStatus(type, changed)
    }
}
