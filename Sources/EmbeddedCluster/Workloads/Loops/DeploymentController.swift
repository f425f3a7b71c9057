import ResourceModel

/// Carries out `DeploymentDecision`.
struct DeploymentController: Sendable {
    let resources: WorkloadResources

    /// - Returns: when to look again although nothing changes.
    func look(namespace: String, name: String) async throws -> Int64? {
        let client = resources.client
        guard let deployment = client.get(resources.deployments, namespace: namespace, name: name) else { return nil }
        let sets = try await resources.controlled(resources.replicaSets, by: deployment)
        let owners = Dictionary(sets.map { ($0.objectUID, $0.objectName) }, uniquingKeysWith: { first, _ in first })
        var running: Set<String> = []
        if deployment[path: "spec", "strategy", "type"]?.stringValue == "Recreate" {
            for pod in client.list(resources.pods, namespace: namespace) where !pod.podIsFinished {
                if let owner = pod.objectController?["uid"]?.stringValue, let set = owners[owner] { running.insert(set) }
            }
        }
        let now = Timestamp.seconds()
        var wakeUp: Int64?
        var current = deployment
        for action in DeploymentDecision.decide(deployment, replicaSets: sets, running: running, now: now) {
            switch action {
            case .createReplicaSet(let set): try await create(set, for: current)
            case .updateReplicaSet(let set, let note):
                try await client.update(resources.replicaSets, set)
                if let note { resources.events.record(deployment, "ScalingReplicaSet", note, component: "deployment-controller") }
            case .deleteReplicaSet(let name, let uid):
                try await resources.delete(resources.replicaSets, namespace: namespace, name: name, uid: uid)
            case .updateDeployment(let changed): current = try await client.update(resources.deployments, changed)
            case .updateStatus(let status): try await resources.setStatus(status, of: current, resources.deployments)
            case .wakeUp(let time): wakeUp = min(wakeUp ?? time, time)
            }
        }
        return wakeUp
    }

    private func create(_ set: JSONValue, for deployment: JSONValue) async throws {
        let client = resources.client
        do {
            try await client.create(resources.replicaSets, namespace: deployment.objectNamespace, set)
            if set.count("spec", "replicas") == 0 { return }
            resources.events.record(
                deployment, "ScalingReplicaSet",
                "Scaled up replica set \(set.objectName) from 0 to \(set.count("spec", "replicas"))", component: "deployment-controller")
        } catch let status as APIStatus where status.reason == "AlreadyExists" {
            let present = client.get(resources.replicaSets, namespace: deployment.objectNamespace, name: set.objectName)
            if let present, present.isControlled(by: deployment),
                TemplateHash.areEqual(present[path: "spec", "template"], deployment[path: "spec", "template"])
            {
                return
            }
            // Another template has the same hash: the next look uses another name.
            var changed = deployment["status"] ?? [:]
            changed["collisionCount"] = .count(deployment.count("status", "collisionCount") + 1)
            try await resources.setStatus(changed, of: deployment, resources.deployments)
            throw status
        } catch let status as APIStatus {
            resources.events.record(
                deployment, warning: true, "ReplicaSetCreateError", "Failed to create new replica set \"\(set.objectName)\": \(status.message)",
                component: "deployment-controller")
            throw status
        }
    }
}
