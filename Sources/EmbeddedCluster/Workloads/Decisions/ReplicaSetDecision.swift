import ResourceModel

/// What to do about a ReplicaSet.
struct ReplicaSetDecision: Sendable, Hashable {
    /// How many pods to create.
    var create = 0
    /// Names of the pods to delete.
    var delete: [String] = []
    /// The whole status; `nil` when it stays.
    var status: JSONValue?
    /// When a ready pod becomes available; look again then.
    var wakeUp: Int64?

    /// Not more than this many pods are created or deleted at once.
    static let burst = 500

    /// - Parameters:
    ///   - pods: the pods that the ReplicaSet controls.
    ///   - failure: why the last attempt to create or delete pods failed.
    static func decide(_ set: JSONValue, pods: [JSONValue], failure: ReplicaSetFailure? = nil, now: Int64) -> ReplicaSetDecision {
        var decision = ReplicaSetDecision()
        let active = pods.filter(\.podIsActive)
        let wanted = set.count("spec", "replicas", fallback: 1)
        let minReady = set.count("spec", "minReadySeconds")
        if !set.objectIsBeingDeleted {
            if active.count < wanted {
                decision.create = min(wanted - active.count, burst)
            } else if active.count > wanted {
                let ranked = active.sorted { PodDeletionOrder(pod: $0) < PodDeletionOrder(pod: $1) }
                decision.delete = ranked.prefix(min(active.count - wanted, burst)).map(\.objectName)
            }
        }
        let labels = set[path: "spec", "template", "metadata", "labels"]?.objectValue ?? [:]
        var status: JSONValue = ["replicas": .count(active.count)]
        let numbers = [
            ("fullyLabeledReplicas", active.filter { pod in labels.allSatisfy { pod.objectLabels[$0.key] == $0.value } }.count),
            ("readyReplicas", active.filter(\.podIsReady).count),
            ("availableReplicas", active.filter { $0.podIsAvailable(minReadySeconds: minReady, now: now) }.count),
        ]
        for (key, number) in numbers where number > 0 { status[key] = .count(number) }
        status["observedGeneration"] = .integer(set.objectGeneration)
        var conditions = set[path: "status", "conditions"]?.arrayValue ?? []
        if let failure {
            conditions = Conditions.setting(
                "ReplicaFailure", "True", reason: failure.reason, message: failure.message, in: conditions, now: Timestamp.string(now))
        } else {
            conditions = Conditions.removing("ReplicaFailure", from: conditions)
        }
        if !conditions.isEmpty { status["conditions"] = .array(conditions) }
        if status != set["status"] { decision.status = status }
        decision.wakeUp = active.compactMap { $0.podAvailableAt(minReadySeconds: minReady) }.filter { $0 > now }.min()
        return decision
    }

    /// A pod as a controller's template describes it, to be created with `generateName`.
    static func pod(from template: JSONValue, owner: JSONValue, namePrefix: String) -> JSONValue {
        var metadata: JSONValue = ["generateName": .string(namePrefix), "namespace": .string(owner.objectNamespace)]
        for key in ["labels", "annotations", "finalizers"] {
            if let value = template[path: "metadata", key] { metadata[key] = value }
        }
        metadata["ownerReferences"] = [owner.objectControllerReference]
        return ["apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"] ?? [:]]
    }
}

/// Why pods could not be created or deleted: `FailedCreate`, `FailedDelete`.
struct ReplicaSetFailure: Sendable, Hashable {
    var reason: String
    var message: String
}

/// Which pod goes first when a ReplicaSet shrinks: unassigned, pending, not ready, cheap, young, restarted ones.
struct PodDeletionOrder: Comparable {
    private let ranks: [Int64]

    init(pod: JSONValue) {
        let phases: [String: Int64] = ["Pending": 0, "Unknown": 1, "Running": 2]
        let readySince = pod.condition("Ready")?["lastTransitionTime"]?.stringValue.flatMap(Timestamp.parse) ?? 0
        ranks = [
            pod[path: "spec", "nodeName"]?.stringValue ?? "" == "" ? 0 : 1,
            phases[pod.podPhase] ?? 1,
            pod.podIsReady ? 1 : 0,
            Int64(pod.objectAnnotations["controller.kubernetes.io/pod-deletion-cost"]?.stringValue ?? "") ?? 0,
            pod.podIsReady ? -readySince : 0,
            Int64(-pod.podRestarts),
            -pod.objectCreation,
        ]
    }

    static func < (left: PodDeletionOrder, right: PodDeletionOrder) -> Bool { left.ranks.lexicographicallyPrecedes(right.ranks) }
}
