import ResourceModel

/// Carries out `JobDecision`.
struct JobController: Sendable {
    let resources: WorkloadResources
    let backoff: Int64

    /// - Returns: when to look again although nothing changes.
    func look(namespace: String, name: String) async throws -> Int64? {
        let client = resources.client
        guard let job = client.get(resources.jobs, namespace: namespace, name: name) else { return nil }
        if job[path: "spec", "managedBy"]?.stringValue.map({ $0 != "kubernetes.io/job-controller" }) ?? false { return nil }
        let pods = try await resources.controlled(resources.pods, by: job)
        let decision = JobDecision.decide(job, pods: pods, backoff: backoff, now: Timestamp.seconds())
        if decision.deletesJob {
            try await resources.delete(resources.jobs, namespace: namespace, name: name, uid: job.objectUID)
            return nil
        }
        for pod in decision.delete {
            try await resources.delete(resources.pods, namespace: namespace, name: pod)
            resources.events.record(job, "SuccessfulDelete", "Deleted pod: \(pod)", component: "job-controller")
        }
        for index in decision.create {
            do {
                let created = try await client.create(resources.pods, namespace: namespace, Self.pod(of: job, index: index))
                resources.events.record(job, "SuccessfulCreate", "Created pod: \(created.objectName)", component: "job-controller")
            } catch let status as APIStatus {
                resources.events.record(
                    job, warning: true, "FailedCreate", "Error creating: \(status.message)", component: "job-controller")
                throw status
            }
        }
        if let status = decision.status { try await resources.setStatus(status, of: job, resources.jobs) }
        for event in decision.events {
            resources.events.record(job, warning: event.isWarning, event.reason, event.message, component: "job-controller")
        }
        return decision.wakeUp
    }

    /// A pod of the Job; an index makes it that one's.
    static func pod(of job: JSONValue, index: Int?) -> JSONValue {
        var prefix = job.objectName
        if let index { prefix += "-\(index)" }
        var pod = ReplicaSetDecision.pod(
            from: job[path: "spec", "template"] ?? [:], owner: job, namePrefix: ReplicaSetController.prefix(prefix))
        for key in ["job-name", "batch.kubernetes.io/job-name"] { pod[path: "metadata", "labels", key] = .string(job.objectName) }
        for key in ["controller-uid", "batch.kubernetes.io/controller-uid"] { pod[path: "metadata", "labels", key] = .string(job.objectUID) }
        guard let index else { return pod }
        let key = "batch.kubernetes.io/job-completion-index"
        pod.setAnnotation(key, String(index))
        pod[path: "metadata", "labels", key] = .string(String(index))
        pod[path: "spec", "hostname"] = .string("\(job.objectName)-\(index)")
        let variable: JSONValue = [
            "name": "JOB_COMPLETION_INDEX", "valueFrom": ["fieldRef": ["fieldPath": .string("metadata.annotations['\(key)']")]],
        ]
        for list in ["containers", "initContainers"] {
            guard let containers = pod[path: "spec", list]?.arrayValue else { continue }
            pod[path: "spec", list] = .array(
                containers.map { container in
                    var container = container
                    container["env"] = .array((container["env"]?.arrayValue ?? []) + [variable])
                    return container
                })
        }
        return pod
    }
}
