import ResourceModel

/// Whether objects of a kind live in a namespace, as far as that is known without asking a cluster.
struct KindScopes {
    private var custom: [GroupKind: Bool] = [:]

    /// Learns the kinds that CustomResourceDefinitions among the manifests define.
    init(definedIn manifests: [Manifest]) {
        for manifest in manifests
        where manifest.id.kind == "CustomResourceDefinition" && manifest.id.group == "apiextensions.k8s.io" {
            let spec = manifest.body["spec"]
            guard let group = spec?["group"]?.stringValue, let kind = spec?[path: "names", "kind"]?.stringValue,
                let scope = spec?["scope"]?.stringValue
            else { continue }
            custom[GroupKind(group: group, kind: kind)] = scope == "Namespaced"
        }
    }

    /// `nil`: only discovery can tell.
    func isNamespaced(_ kind: GroupKind) -> Bool? {
        if let known = custom[kind] { return known }
        if Self.clusterScoped[kind.group]?.contains(kind.kind) == true { return false }
        if Self.namespaced[kind.group]?.contains(kind.kind) == true { return true }
        return nil
    }

    /// https://kubernetes.io/docs/reference/kubernetes-api/
    private static let clusterScoped: [String: Set<String>] = [
        "": ["Namespace", "Node", "PersistentVolume", "ComponentStatus"],
        "admissionregistration.k8s.io": [
            "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding",
        ],
        "apiextensions.k8s.io": ["CustomResourceDefinition"],
        "apiregistration.k8s.io": ["APIService"],
        "authentication.k8s.io": ["TokenReview", "SelfSubjectReview"],
        "authorization.k8s.io": ["SubjectAccessReview", "SelfSubjectAccessReview", "SelfSubjectRulesReview"],
        "certificates.k8s.io": ["CertificateSigningRequest", "ClusterTrustBundle"],
        "flowcontrol.apiserver.k8s.io": ["FlowSchema", "PriorityLevelConfiguration"],
        "networking.k8s.io": ["IngressClass", "IPAddress", "ServiceCIDR"],
        "node.k8s.io": ["RuntimeClass"],
        "rbac.authorization.k8s.io": ["ClusterRole", "ClusterRoleBinding"],
        "resource.k8s.io": ["DeviceClass", "ResourceSlice"],
        "scheduling.k8s.io": ["PriorityClass"],
        "storage.k8s.io": ["StorageClass", "VolumeAttachment", "CSIDriver", "CSINode", "VolumeAttributesClass"],
    ]

    private static let namespaced: [String: Set<String>] = [
        "": [
            "ConfigMap", "Endpoints", "Event", "LimitRange", "PersistentVolumeClaim", "Pod", "PodTemplate",
            "ReplicationController",
            "ResourceQuota", "Secret", "Service", "ServiceAccount",
        ],
        "apps": ["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"],
        "argoproj.io": ["Application", "ApplicationSet", "AppProject"],
        "authorization.k8s.io": ["LocalSubjectAccessReview"],
        "autoscaling": ["HorizontalPodAutoscaler"],
        "batch": ["CronJob", "Job"],
        "coordination.k8s.io": ["Lease", "LeaseCandidate"],
        "discovery.k8s.io": ["EndpointSlice"],
        "events.k8s.io": ["Event"],
        "networking.k8s.io": ["Ingress", "NetworkPolicy"],
        "policy": ["PodDisruptionBudget"],
        "rbac.authorization.k8s.io": ["Role", "RoleBinding"], "reconciler.dev": ["Task", "TaskList"],
        "resource.k8s.io": ["ResourceClaim", "ResourceClaimTemplate"],
        "storage.k8s.io": ["CSIStorageCapacity"],
    ]
}
