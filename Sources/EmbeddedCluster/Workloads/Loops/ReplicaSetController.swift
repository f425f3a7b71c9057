import ResourceModel

/// Carries out `ReplicaSetDecision`.
struct ReplicaSetController: Sendable {
    let resources: WorkloadResources

    /// - Returns: when to look again although nothing changes.
    func look(namespace: String, name: String) async throws -> Int64? {
        let client = resources.client
        guard let set = client.get(resources.replicaSets, namespace: namespace, name: name) else { return nil }
        let pods = try await resources.controlled(resources.pods, by: set)
        let decision = ReplicaSetDecision.decide(set, pods: pods, now: Timestamp.seconds())
        var failure: ReplicaSetFailure?
        var caught: (any Error)?
        do {
            try await create(decision.create, for: set)
        } catch let status as APIStatus {
            failure = ReplicaSetFailure(reason: "FailedCreate", message: status.message)
            caught = status
        }
        for pod in decision.delete {
            try await resources.delete(resources.pods, namespace: namespace, name: pod)
            resources.events.record(set, "SuccessfulDelete", "Deleted pod: \(pod)", component: "replicaset-controller")
        }
        // What was just created or deleted shows at the next look, which its own events cause.
        let seen = ReplicaSetDecision.decide(
            set, pods: client.list(resources.pods, namespace: namespace).filter { $0.isControlled(by: set) }, failure: failure,
            now: Timestamp.seconds())
        if let status = seen.status, client.get(resources.replicaSets, namespace: namespace, name: name) != nil {
            try await resources.setStatus(status, of: set, resources.replicaSets)
        }
        if let caught { throw caught }
        return seen.wakeUp
    }

    /// Creates pods, first one, then twice as many each time, so that what fails for all fails once.
    private func create(_ count: Int, for set: JSONValue) async throws {
        let pod = ReplicaSetDecision.pod(
            from: set[path: "spec", "template"] ?? [:], owner: set, namePrefix: Self.prefix(set.objectName))
        for _ in 0..<count {
            do {
                let created = try await resources.client.create(resources.pods, namespace: set.objectNamespace, pod)
                resources.events.record(set, "SuccessfulCreate", "Created pod: \(created.objectName)", component: "replicaset-controller")
            } catch let status as APIStatus {
                resources.events.record(
                    set, warning: true, "FailedCreate", "Error creating: \(status.message)", component: "replicaset-controller")
                throw status
            }
        }
    }

    static func prefix(_ name: String) -> String { name.count > 57 ? name : name + "-" }
}
