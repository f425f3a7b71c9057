import ResourceModel

/// The fields of a change that the API server lets nobody change once the object is there, as far as that is known of built-in kinds
/// (https://kubernetes.io/docs/reference/kubernetes-api/, the kinds' update validation).
package func immutableChanges(_ change: Change) -> [String] {
    guard let live = change.live, let manifest = change.manifest else { return [] }
    let isFrozen = live.body["immutable"] == true
    return change.fields.filter { field in
        if field.before == nil, ImmutableFields.isUnsetFine(field.path) { return false }
        return ImmutableFields.holds(field.path, change.id, isFrozen: isFrozen, isHeadless: manifest.body[path: "spec", "clusterIP"] == "None")
    }.map(\.path)
}

private enum ImmutableFields {
    /// Prefixes of paths by `Kind.group`.
    private static let prefixes: [String: [String]] = [
        "Deployment.apps": [".spec.selector"], "DaemonSet.apps": [".spec.selector"], "ReplicaSet.apps": [".spec.selector"],
        "ReplicationController": [],
        "Job.batch": [".spec.selector", ".spec.template", ".spec.completionMode", ".spec.podFailurePolicy", ".spec.backoffLimitPerIndex", ".spec.managedBy"],
        "Service": [".spec.clusterIP"],
        "PersistentVolume": [".spec.volumeMode", ".spec.nodeAffinity"] + volumeSources.map { ".spec.\($0)" },
        "PodDisruptionBudget.policy": [],
        "RoleBinding.rbac.authorization.k8s.io": [".roleRef"], "ClusterRoleBinding.rbac.authorization.k8s.io": [".roleRef"],
        "StorageClass.storage.k8s.io": [".provisioner", ".parameters", ".reclaimPolicy", ".volumeBindingMode"],
        "VolumeAttachment.storage.k8s.io": [".spec"],
        "CSIDriver.storage.k8s.io": [".spec.attachRequired", ".spec.volumeLifecycleModes"],
        "IngressClass.networking.k8s.io": [".spec.controller"], "PriorityClass.scheduling.k8s.io": [".value", ".preemptionPolicy"],
        "RuntimeClass.node.k8s.io": [".handler"],
        "CustomResourceDefinition.apiextensions.k8s.io": [".spec.group", ".spec.scope", ".spec.names.kind", ".spec.names.plural"],
        "Secret": [".type"],
    ]
    private static let volumeSources = [
        "awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume", "gcePersistentDisk", "glusterfs", "hostPath",
        "iscsi", "local", "nfs", "portworxVolume", "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume",
    ]
    /// What may change of kinds of which nearly nothing may.
    private static let exceptions: [String: [String]] = [
        "StatefulSet.apps": [
            ".spec.replicas", ".spec.ordinals", ".spec.template", ".spec.updateStrategy", ".spec.revisionHistoryLimit",
            ".spec.persistentVolumeClaimRetentionPolicy", ".spec.minReadySeconds",
        ],
        "PersistentVolumeClaim": [".spec.resources", ".spec.volumeAttributesClassName", ".spec.volumeName"],
        "Pod": [".spec.activeDeadlineSeconds", ".spec.terminationGracePeriodSeconds", ".spec.tolerations", ".spec.schedulingGates"],
    ]
    /// What may be given where there was nothing.
    private static let settable = [".spec.volumeName", ".spec.clusterIP", ".preemptionPolicy"]

    static func isUnsetFine(_ path: String) -> Bool { settable.contains { isAtOrBelow(path, $0) } }

    static func holds(_ path: String, _ id: ResourceID, isFrozen: Bool, isHeadless: Bool) -> Bool {
        let kind = id.groupKind.description
        if isFrozen, kind == "ConfigMap" || kind == "Secret", [".data", ".binaryData", ".stringData", ".immutable"].contains(where: { isAtOrBelow(path, $0) }) {
            return true
        }
        if let allowed = exceptions[kind] {
            guard isAtOrBelow(path, ".spec") else { return false }
            // A container's image is the one thing of a pod that may change.
            if kind == "Pod", path.hasSuffix(".image") { return false }
            return !allowed.contains { isAtOrBelow(path, $0) }
        }
        return (prefixes[kind] ?? []).contains { isAtOrBelow(path, $0) }
    }

    private static func isAtOrBelow(_ path: String, _ prefix: String) -> Bool {
        path == prefix || path.hasPrefix(prefix + ".") || path.hasPrefix(prefix + "[")
    }
}
