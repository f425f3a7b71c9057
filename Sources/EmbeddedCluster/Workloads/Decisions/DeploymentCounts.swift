import ResourceModel

/// The numbers of a Deployment's status.
struct DeploymentCounts: Sendable, Hashable {
    var replicas = 0
    var updated = 0
    var ready = 0
    var available = 0
    var unavailable = 0
    var terminating: Int?

    /// As the ReplicaSets' statuses say.
    init(_ state: DeploymentState) {
        replicas = state.replicaSets.reduce(0) { $0 + $1.count("status", "replicas") }
        updated = state.current?.count("status", "replicas") ?? 0
        ready = state.replicaSets.reduce(0) { $0 + $1.count("status", "readyReplicas") }
        available = DeploymentState.totalAvailable(state.replicaSets)
        unavailable = max(0, DeploymentState.total(state.replicaSets) - available)
    }

    /// As the Deployment's status said.
    init(status: JSONValue) {
        replicas = status.count("replicas")
        updated = status.count("updatedReplicas")
        ready = status.count("readyReplicas")
        available = status.count("availableReplicas")
    }

    /// More updated, fewer old, more ready or more available pods than before.
    func isProgress(since old: DeploymentCounts) -> Bool {
        updated > old.updated || replicas - updated < old.replicas - old.updated || ready > old.ready || available > old.available
    }

    /// The status; numbers that are 0 are left out, as the API does.
    func status(generation: Int64, collisionCount: Int?, conditions: [JSONValue]) -> JSONValue {
        var status: JSONValue = ["observedGeneration": .integer(generation)]
        let numbers = [
            ("replicas", replicas), ("updatedReplicas", updated), ("readyReplicas", ready), ("availableReplicas", available),
            ("unavailableReplicas", unavailable),
        ]
        for (key, number) in numbers where number > 0 { status[key] = .count(number) }
        if !conditions.isEmpty { status["conditions"] = .array(conditions) }
        if let collisionCount { status["collisionCount"] = .count(collisionCount) }
        return status
    }
}
