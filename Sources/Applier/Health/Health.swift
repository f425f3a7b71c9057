import ResourceModel

/// An object's health from the object alone: Argo CD's built-in rules (gitops-engine, pkg/health), then generic ones.
package func health(of object: JSONValue) -> HealthAssessment {
    if object[path: "metadata", "deletionTimestamp"] != nil { return HealthAssessment(.progressing, "Pending deletion") }
    let apiVersion = object["apiVersion"]?.stringValue ?? ""
    let kind = object["kind"]?.stringValue ?? ""
    let group = GroupVersionKind(apiVersion: apiVersion, kind: kind).group
    switch (group, kind) {
    case ("apps", "Deployment"): return deploymentHealth(object)
    case ("apps", "StatefulSet"): return statefulSetHealth(object)
    case ("apps", "DaemonSet"): return daemonSetHealth(object)
    case ("apps", "ReplicaSet"): return replicaSetHealth(object)
    case ("", "Pod"): return podHealth(object)
    case ("batch", "Job"): return jobHealth(object)
    case ("", "Service"): return serviceHealth(object)
    case ("networking.k8s.io", "Ingress"), ("extensions", "Ingress"): return ingressHealth(object)
    case ("", "PersistentVolumeClaim"): return claimHealth(object)
    case ("autoscaling", "HorizontalPodAutoscaler"): return autoscalerHealth(object)
    case ("apiregistration.k8s.io", "APIService"): return conditionHealth(object, type: "Available")
    case ("apiextensions.k8s.io", "CustomResourceDefinition"): return definitionHealth(object)
    case ("argoproj.io", "Workflow"): return workflowHealth(object)
    case ("reconciler.dev", "Task"): return taskHealth(object)
    case ("reconciler.dev", "TaskList"): return taskListHealth(object)
    default: return GroupKind(group: group, kind: kind).isTheServersOwn ? genericHealth(object) : customHealth(object)
    }
}

extension GroupKind {
    /// Whether objects of the kind have no status, so that they are healthy unless they are being deleted
    /// (https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.32/).
    var hasNoStatus: Bool {
        switch group {
        case "": ["ConfigMap", "Secret", "ServiceAccount", "Endpoints", "LimitRange", "PodTemplate"].contains(kind)
        case "rbac.authorization.k8s.io": true
        case "scheduling.k8s.io", "node.k8s.io", "coordination.k8s.io": true
        case "storage.k8s.io": kind == "StorageClass" || kind == "CSIDriver"
        default: false
        }
    }
}

/// Whether an object's health counts for its application's: not with `argocd.argoproj.io/ignore-healthcheck: "true"`.
package func countsForHealth(_ object: JSONValue) -> Bool {
    object[path: "metadata", "annotations", "argocd.argoproj.io/ignore-healthcheck"]?.stringValue != "true"
}

/// The worst of an application's objects; an object that is missing counts only when all are.
package func aggregateHealth(_ parts: [(id: ResourceID, health: HealthAssessment)]) -> HealthAssessment {
    let present = parts.filter { $0.health.status != .missing }
    guard let worst = present.map(\.health.status).max() else {
        return parts.isEmpty ? HealthAssessment(.healthy) : HealthAssessment(.missing, "no declared object is there")
    }
    guard worst != .healthy else { return HealthAssessment(.healthy) }
    let causes = present.filter { $0.health.status == worst }.sorted { $0.id < $1.id }.prefix(3).map {
        "\($0.id): \($0.health.message.isEmpty ? $0.health.status.rawValue : $0.health.message)"
    }
    return HealthAssessment(worst, causes.joined(separator: "; "))
}

struct Condition {
    var type: String
    var isTrue: Bool
    var isFalse: Bool
    var reason: String
    var message: String

    /// `Reason: message`, as far as they are there.
    var sentence: String {
        let parts = [reason, message].filter { !$0.isEmpty }
        return parts.isEmpty ? type : parts.joined(separator: ": ")
    }
}

func conditions(_ object: JSONValue) -> [Condition] {
    (object[path: "status", "conditions"]?.arrayValue ?? []).map { item in
        let status = item["status"]
        // Some controllers write a boolean.
        return Condition(
            type: item["type"]?.stringValue ?? "", isTrue: status == "True" || status == true, isFalse: status == "False" || status == false,
            reason: item["reason"]?.stringValue ?? "", message: item["message"]?.stringValue ?? "")
    }
}

func integer(_ object: JSONValue, _ path: String..., default fallback: Int64 = 0) -> Int64 {
    object[path: path]?.integerValue ?? fallback
}

/// Whether the controller has not seen the newest spec yet.
func isUnobserved(_ object: JSONValue) -> Bool {
    guard let generation = object[path: "metadata", "generation"]?.integerValue else { return false }
    return integer(object, "status", "observedGeneration") < generation
}

/// For kinds whose status need not name a generation: `nil` where it names none, or the newest.
func unobservedGeneration(_ object: JSONValue) -> HealthAssessment? {
    guard let generation = object[path: "metadata", "generation"]?.integerValue,
        let observed = object[path: "status", "observedGeneration"]?.integerValue, observed < generation
    else { return nil }
    return HealthAssessment(.progressing, "waiting for generation \(generation) to be observed, \(observed) is")
}

private func conditionHealth(_ object: JSONValue, type: String) -> HealthAssessment {
    guard let condition = conditions(object).first(where: { $0.type == type }) else {
        return HealthAssessment(.progressing, "Waiting to be processed")
    }
    return HealthAssessment(condition.isTrue ? .healthy : .progressing, "\(condition.reason): \(condition.message)")
}

private func definitionHealth(_ object: JSONValue) -> HealthAssessment {
    let all = conditions(object)
    if let refused = all.first(where: { $0.type == "NamesAccepted" && $0.isFalse }) {
        return HealthAssessment(.degraded, "names are not accepted: \(refused.message)")
    }
    return all.contains { $0.type == "Established" && $0.isTrue }
        ? HealthAssessment(.healthy) : HealthAssessment(.progressing, "not established yet")
}

/// kstatus (https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus): observedGeneration, Reconciling, Stalled, Ready.
private func genericHealth(_ object: JSONValue) -> HealthAssessment {
    if let unobserved = unobservedGeneration(object) { return unobserved }
    let all = conditions(object)
    if let stalled = all.first(where: { $0.type == "Stalled" && $0.isTrue }) { return HealthAssessment(.degraded, stalled.sentence) }
    if let busy = all.first(where: { $0.type == "Reconciling" && $0.isTrue }) { return HealthAssessment(.progressing, busy.sentence) }
    if let ready = all.first(where: { $0.type == "Ready" }), !ready.isTrue {
        return HealthAssessment(.progressing, ready.message.isEmpty ? ready.reason : ready.message)
    }
    return HealthAssessment(.healthy)
}
