import ResourceModel

/// Argo CD's order of kinds (gitops-engine, pkg/sync/sync_tasks.go): what others need comes first, unknown kinds last.
package enum KindOrder {
    private static let kinds = [
        "Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodSecurityPolicy", "PodDisruptionBudget", "ServiceAccount",
        "Secret", "SecretList", "ConfigMap", "StorageClass", "PersistentVolume", "PersistentVolumeClaim",
        "CustomResourceDefinition", "ClusterRole", "ClusterRoleList", "ClusterRoleBinding", "ClusterRoleBindingList", "Role",
        "RoleList", "RoleBinding", "RoleBindingList", "Service", "DaemonSet", "Pod", "ReplicationController", "ReplicaSet",
        "Deployment", "HorizontalPodAutoscaler", "StatefulSet", "Job", "CronJob", "IngressClass", "Ingress", "APIService",
    ]
    private static let order = Dictionary(uniqueKeysWithValues: kinds.enumerated().map { ($1, $0 - kinds.count) })

    /// -35 for Namespace … -1 for APIService, 0 for every other kind.
    package static func rank(_ kind: String) -> Int { order[kind] ?? 0 }
}
