import ResourceModel

/// What a Deployment's controller does next, in this order.
enum DeploymentAction: Sendable, Hashable {
    case createReplicaSet(JSONValue)
    /// The ReplicaSet as it is to be; `note` is the event's text when its size changes.
    case updateReplicaSet(JSONValue, note: String?)
    case deleteReplicaSet(name: String, uid: String)
    /// The Deployment with new annotations.
    case updateDeployment(JSONValue)
    /// The whole status.
    case updateStatus(JSONValue)
    /// Look again at that time (seconds since 1970).
    case wakeUp(at: Int64)
}

/// Annotations that the Deployment's controller writes; names from k8s.io/api/apps/v1 and the controller's documentation.
enum DeploymentAnnotation {
    static let revision = "deployment.kubernetes.io/revision"
    static let revisionHistory = "deployment.kubernetes.io/revision-history"
    static let desiredReplicas = "deployment.kubernetes.io/desired-replicas"
    static let maxReplicas = "deployment.kubernetes.io/max-replicas"
    /// Not copied from a Deployment to its ReplicaSets.
    static let own: Set<String> = [
        "kubectl.kubernetes.io/last-applied-configuration", revision, revisionHistory, desiredReplicas, maxReplicas,
        "deprecated.deployment.rollback.to",
    ]
}
