/// What JSON schemas do not say of the server's Go types: which fields are values there, not pointers.
enum GoShape {
    /// Struct values: never absent, so their owner does not change when they "appear".
    private static let values: Set<String> = [
        "metadata", "spec", "status", "template", "strategy", "updateStrategy", "jobTemplate", "loadBalancer", "names",
        "acceptedNames",
    ]

    static func isAlwaysPresent(_ field: String, of owner: String) -> Bool {
        switch field {
        case "template": return owner != "ReplicationControllerSpec"
        case "containers": return owner == "PodSpec"
        case "resources": return owner == "PersistentVolumeClaimSpec"
        case "podSelector": return owner == "NetworkPolicySpec"
        case "currentMetrics": return owner == "HorizontalPodAutoscalerStatus"
        case "scaleTargetRef": return owner == "HorizontalPodAutoscalerSpec"
        case "eventTime", "firstTimestamp", "lastTimestamp", "source", "involvedObject", "reportingComponent",
            "reportingInstance":
            return owner == "Event"
        case "versions", "conditions", "storedVersions": return owner.hasPrefix("CustomResourceDefinition")
        default: return values.contains(field)
        }
    }

    /// The fields with pointers among those of the types below.
    private static let pointers: [String: Set<String>] = [
        "ObjectMeta": ["deletionGracePeriodSeconds"],
        "PodSpec": [
            "runtimeClassName", "preemptionPolicy", "priority", "terminationGracePeriodSeconds", "activeDeadlineSeconds",
            "automountServiceAccountToken", "shareProcessNamespace", "enableServiceLinks", "setHostnameAsFQDN", "hostUsers",
            "hostnameOverride",
        ],
        "Container": ["restartPolicy"],
        "ServiceSpec": [
            "loadBalancerClass", "trafficDistribution", "allocateLoadBalancerNodePorts", "internalTrafficPolicy",
            "ipFamilyPolicy",
        ],
        "ServicePort": ["appProtocol"],
        "Probe": ["terminationGracePeriodSeconds"],
        "VolumeMount": ["mountPropagation", "recursiveReadOnly"],
        "DeploymentSpec": ["replicas", "revisionHistoryLimit", "progressDeadlineSeconds"],
        "ReplicaSetSpec": ["replicas"],
        "StatefulSetSpec": ["replicas", "revisionHistoryLimit"],
        "DaemonSetSpec": ["revisionHistoryLimit"],
        "DeploymentStatus": ["collisionCount", "terminatingReplicas"],
        "ReplicaSetStatus": ["terminatingReplicas"],
        "StatefulSetStatus": ["collisionCount", "availableReplicas"],
        "DaemonSetStatus": ["collisionCount"],
        "JobStatus": ["ready", "terminating"],
        "HorizontalPodAutoscalerStatus": ["observedGeneration"],
        "EnvVar": [], "ContainerPort": [], "PersistentVolumeClaimStatus": [], "PodStatus": [], "NamespaceStatus": [],
        "DeploymentCondition": [], "JobCondition": [], "PodCondition": [], "Condition": [], "HTTPGetAction": [],
        "CronJobStatus": [], "SecretVolumeSource": ["defaultMode", "optional"],
        "ConfigMapVolumeSource": ["defaultMode", "optional"], "CustomResourceDefinitionNames": [], "EmptyDirVolumeSource": [],
    ]

    /// Whether Go leaves a zero, `false` or empty string of that field out. Only known for the types listed above.
    ///
    /// - Parameter owner: the definition's name without group and version.
    static func omitsZero(_ field: String, of owner: String) -> Bool {
        guard let pointers = pointers[owner] else { return false }
        return !pointers.contains(field)
    }
}
