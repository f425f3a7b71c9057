import KubernetesClient
import ResourceModel

/// What keeps a pod from getting ready, in a sentence; `nil` when nothing is known to, or it needs only time.
func podProblem(_ pod: JSONValue) -> String? {
    for condition in pod[path: "status", "conditions"]?.arrayValue ?? []
    where condition["type"] == "PodScheduled" && condition["status"] == "False" {
        return sentence(condition["reason"]?.stringValue ?? "not scheduled", condition["message"])
    }
    let statuses = ["initContainerStatuses", "containerStatuses"].flatMap { pod[path: "status", $0]?.arrayValue ?? [] }
    for container in statuses {
        let name = container["name"]?.stringValue ?? ""
        let ended = container[path: "state", "terminated"] ?? container[path: "lastState", "terminated"]
        let exit = ended?["exitCode"]?.integerValue.flatMap { $0 == 0 ? nil : "container \(name) ended with exit code \($0)" }
        if let waiting = container[path: "state", "waiting"], let reason = waiting["reason"]?.stringValue,
            reason != "ContainerCreating", reason != "PodInitializing"
        {
            return sentence(reason, exit.map { .string($0) } ?? waiting["message"])
        }
        if container[path: "state", "terminated"] != nil, let exit { return exit }
    }
    return nil
}

private func sentence(_ reason: String, _ message: JSONValue?) -> String {
    message?.stringValue.flatMap { $0.isEmpty ? nil : "\(reason): \($0)" } ?? reason
}

extension Applier {
    private static let podOwners: Set<GroupKind> = Set(
        ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"].map { GroupKind(group: "apps", kind: $0) }
            + [GroupKind(group: "batch", kind: "Job")])

    /// Adds to what is said of workloads that are not healthy what keeps a pod of theirs from getting ready. A workload's own status
    /// only counts pods. What can't be read adds nothing.
    package func explained(_ health: [ResourceID: HealthAssessment]) async -> [ResourceID: HealthAssessment] {
        var result = health
        for (id, assessment) in health
        where Self.podOwners.contains(id.groupKind) && [.progressing, .degraded].contains(assessment.status) {
            do {
                guard let problem = try await problemOfPods(of: id) else { continue }
                result[id]?.message += " (\(problem))"
            } catch {
                logger.debug("no reason found", metadata: ["object": "\(id)", "error": "\(error)"])
            }
        }
        return result
    }

    private func problemOfPods(of id: ResourceID) async throws -> String? {
        let resource = try await client.resource(for: id.groupKind)
        guard let object = try await client.get(resource, namespace: id.namespace, name: id.name),
            let labels = object[path: "spec", "selector", "matchLabels"]?.objectValue, !labels.isEmpty
        else { return nil }
        let selector = labels.map { "\($0.key)=\($0.value.stringValue ?? "")" }.joined(separator: ",")
        let pods = try await client.resource(for: GroupKind(group: "", kind: "Pod"), preferring: "v1")
        let list = try await client.list(pods, namespace: id.namespace, options: ListOptions(labelSelector: selector))
        // The newest pod speaks for the revision that is being rolled out.
        let newest = list.items.sorted {
            ($0[path: "metadata", "creationTimestamp"]?.stringValue ?? "") > ($1[path: "metadata", "creationTimestamp"]?.stringValue ?? "")
        }
        for pod in newest {
            if let problem = podProblem(pod) { return "pod \(pod[path: "metadata", "name"]?.stringValue ?? ""): \(problem)" }
        }
        return nil
    }
}
