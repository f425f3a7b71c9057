import ResourceModel

func deploymentHealth(_ object: JSONValue) -> HealthAssessment {
    if object[path: "spec", "paused"] == true { return HealthAssessment(.suspended, "Deployment is paused") }
    if isUnobserved(object) {
        return HealthAssessment(.progressing, "Waiting for rollout to finish: observed deployment generation less than desired generation")
    }
    if let progressing = conditions(object).first(where: { $0.type == "Progressing" }), progressing.reason == "ProgressDeadlineExceeded" {
        return HealthAssessment(.degraded, progressing.message.isEmpty ? "the rollout exceeded its progress deadline" : progressing.message)
    }
    let wanted = integer(object, "spec", "replicas", default: 1)
    let updated = integer(object, "status", "updatedReplicas")
    let total = integer(object, "status", "replicas")
    let available = integer(object, "status", "availableReplicas")
    if updated < wanted {
        return HealthAssessment(.progressing, "Waiting for rollout to finish: \(updated) out of \(wanted) new replicas have been updated...")
    }
    if total > updated {
        return HealthAssessment(.progressing, "Waiting for rollout to finish: \(total - updated) old replicas are pending termination...")
    }
    if available < updated {
        return HealthAssessment(.progressing, "Waiting for rollout to finish: \(available) of \(updated) updated replicas are available...")
    }
    return HealthAssessment(.healthy)
}

func statefulSetHealth(_ object: JSONValue) -> HealthAssessment {
    if isUnobserved(object) {
        return HealthAssessment(.progressing, "Waiting for statefulset spec update to be observed...")
    }
    let wanted = integer(object, "spec", "replicas", default: 1)
    let ready = integer(object, "status", "readyReplicas")
    let updated = integer(object, "status", "updatedReplicas")
    if ready < wanted { return HealthAssessment(.progressing, "Waiting for \(wanted - ready) pods to be ready...") }
    if let partition = object[path: "spec", "updateStrategy", "rollingUpdate", "partition"]?.integerValue, partition > 0 {
        return updated < wanted - partition
            ? HealthAssessment(.progressing, "Waiting for partitioned roll out to finish: \(updated) out of \(wanted - partition) new pods have been updated...")
            : HealthAssessment(.healthy, "partitioned roll out complete: \(updated) new pods have been updated...")
    }
    if object[path: "spec", "updateStrategy", "type"] == "OnDelete" {
        return HealthAssessment(.healthy, "statefulset has \(ready) ready pods")
    }
    let update = object[path: "status", "updateRevision"]?.stringValue
    if let update, update != object[path: "status", "currentRevision"]?.stringValue {
        return HealthAssessment(.progressing, "waiting for statefulset rolling update to complete \(updated) pods at revision \(update)...")
    }
    return HealthAssessment(.healthy)
}

func daemonSetHealth(_ object: JSONValue) -> HealthAssessment {
    if isUnobserved(object) {
        return HealthAssessment(.progressing, "Waiting for rollout to finish: observed daemon set generation less than desired generation")
    }
    if object[path: "spec", "updateStrategy", "type"] == "OnDelete" { return HealthAssessment(.healthy) }
    let wanted = integer(object, "status", "desiredNumberScheduled")
    let updated = integer(object, "status", "updatedNumberScheduled")
    let available = integer(object, "status", "numberAvailable")
    if updated < wanted {
        return HealthAssessment(.progressing, "Waiting for daemon set rollout to finish: \(updated) out of \(wanted) new pods have been updated...")
    }
    if available < wanted {
        return HealthAssessment(.progressing, "Waiting for daemon set rollout to finish: \(available) of \(wanted) updated pods are available...")
    }
    return HealthAssessment(.healthy)
}

func replicaSetHealth(_ object: JSONValue) -> HealthAssessment {
    if isUnobserved(object) {
        return HealthAssessment(.progressing, "Waiting for rollout to finish: observed replica set generation less than desired generation")
    }
    if let failure = conditions(object).first(where: { $0.type == "ReplicaFailure" && $0.isTrue }) {
        return HealthAssessment(.degraded, failure.message)
    }
    let wanted = integer(object, "spec", "replicas", default: 1)
    let available = integer(object, "status", "availableReplicas")
    return available < wanted
        ? HealthAssessment(.progressing, "Waiting for rollout to finish: \(available) out of \(wanted) new replicas are available...")
        : HealthAssessment(.healthy)
}

func podHealth(_ object: JSONValue) -> HealthAssessment {
    let containers =
        (object[path: "status", "initContainerStatuses"]?.arrayValue ?? []) + (object[path: "status", "containerStatuses"]?.arrayValue ?? [])
    let policy = object[path: "spec", "restartPolicy"]?.stringValue ?? "Always"
    if policy == "Always" {
        for container in containers {
            let waiting = container[path: "state", "waiting"]
            let reason = waiting?["reason"]?.stringValue ?? ""
            if reason.hasPrefix("Err") || reason.hasSuffix("Error") || reason.hasSuffix("BackOff") {
                return HealthAssessment(.degraded, waiting?["message"]?.stringValue ?? reason)
            }
        }
    }
    let message = object[path: "status", "message"]?.stringValue ?? ""
    switch object[path: "status", "phase"]?.stringValue {
    case "Succeeded": return HealthAssessment(.healthy, message)
    case "Failed":
        if !message.isEmpty { return HealthAssessment(.degraded, message) }
        for container in containers {
            guard let ended = container[path: "state", "terminated"], let code = ended["exitCode"]?.integerValue, code != 0 else { continue }
            let name = container["name"]?.stringValue ?? ""
            return HealthAssessment(.degraded, ended["message"]?.stringValue ?? "container \"\(name)\" failed with exit code \(code)")
        }
        return HealthAssessment(.degraded)
    case "Running":
        // One that ends by itself is under way, unless it says that it goes on.
        let goesOn = object[path: "metadata", "annotations", "argocd.argoproj.io/ignore-restart-policy"]?.stringValue == "true"
        guard policy == "Always" || goesOn else { return HealthAssessment(.progressing, message) }
        if conditions(object).contains(where: { $0.type == "Ready" && $0.isTrue }) { return HealthAssessment(.healthy, message) }
        let hasRestarted = containers.contains { $0[path: "lastState", "terminated"] != nil }
        return HealthAssessment(hasRestarted ? .degraded : .progressing, message)
    case "Pending", nil: return HealthAssessment(.progressing, message)
    default: return HealthAssessment(.unknown, message)
    }
}

func jobHealth(_ object: JSONValue) -> HealthAssessment {
    for condition in conditions(object) where condition.isTrue {
        switch condition.type {
        case "Failed": return HealthAssessment(.degraded, condition.message)
        case "Complete": return HealthAssessment(.healthy, condition.message)
        case "Suspended": return HealthAssessment(.suspended, condition.message)
        default: break
        }
    }
    return HealthAssessment(.progressing)
}

func serviceHealth(_ object: JSONValue) -> HealthAssessment {
    guard object[path: "spec", "type"] == "LoadBalancer" else { return HealthAssessment(.healthy) }
    return object[path: "status", "loadBalancer", "ingress"]?.arrayValue?.isEmpty == false
        ? HealthAssessment(.healthy) : HealthAssessment(.progressing, "waiting for a load balancer")
}

func ingressHealth(_ object: JSONValue) -> HealthAssessment {
    object[path: "status", "loadBalancer", "ingress"]?.arrayValue?.isEmpty == false
        ? HealthAssessment(.healthy) : HealthAssessment(.progressing, "waiting for an address")
}

func claimHealth(_ object: JSONValue) -> HealthAssessment {
    switch object[path: "status", "phase"]?.stringValue {
    case "Bound": HealthAssessment(.healthy)
    case "Lost": HealthAssessment(.degraded)
    case "Pending": HealthAssessment(.progressing)
    default: HealthAssessment(.unknown)
    }
}

/// Reasons with which an autoscaler says that it cannot work.
private let autoscalerFailures: Set<String> = [
    "FailedGetScale", "FailedUpdateScale", "FailedGetResourceMetric", "FailedGetContainerResourceMetric", "FailedGetExternalMetric",
    "FailedGetObjectMetric", "FailedGetPodsMetric", "InvalidSelector", "InvalidMetricSourceType",
]

func autoscalerHealth(_ object: JSONValue) -> HealthAssessment {
    let all = object["apiVersion"] == "autoscaling/v1" ? annotatedConditions(object) : conditions(object)
    if let failure = all.first(where: { $0.isFalse && autoscalerFailures.contains($0.reason) }) {
        return HealthAssessment(.degraded, failure.message)
    }
    if let able = all.first(where: { ["AbleToScale", "ScalingLimited"].contains($0.type) && $0.isTrue }) {
        return HealthAssessment(.healthy, able.message)
    }
    return HealthAssessment(.progressing, "Waiting to Autoscale")
}

/// autoscaling/v1 has no conditions: the server writes them into an annotation.
private func annotatedConditions(_ object: JSONValue) -> [Condition] {
    let text = object[path: "metadata", "annotations", "autoscaling.alpha.kubernetes.io/conditions"]?.stringValue
    // Not JSON: nobody but the server writes it, and what it did not say is not known.
    guard let text, let items = try? JSONValue(parsing: text) else { return [] }
    return conditions(["status": ["conditions": items]])
}

/// Argo Workflows say it in one word.
func workflowHealth(_ object: JSONValue) -> HealthAssessment {
    let message = object[path: "status", "message"]?.stringValue ?? ""
    switch object[path: "status", "phase"]?.stringValue ?? "" {
    case "", "Pending", "Running": return HealthAssessment(.progressing, message)
    case "Succeeded": return HealthAssessment(.healthy, message)
    case "Failed", "Error": return HealthAssessment(.degraded, message)
    default: return HealthAssessment(.unknown, message)
    }
}
