import ResourceModel

extension KindRules {
    /// Pod and PodTemplate.
    static let podKinds: [KindRules] = [
        KindRules("v1", "Pod") { rules in
            rules.hasGeneration = true
            rules.hasStatus = true
            rules.setDefaults = { pod in
                pod.updateOrMake("spec") { spec in
                    PodDefaults.spec(&spec)
                    PodDefaults.pod(&spec)
                }
            }
            rules.beforeCreate = { pod in
                pod.update("spec", PodDefaults.admit)
                pod["status"] = ["phase": "Pending", "qosClass": .string(PodDefaults.qualityOfService(pod["spec"] ?? [:]))]
            }
            rules.check = { object, validator in PodValidation.spec(object["spec"] ?? [:], FieldPath("spec"), &validator) }
            rules.checkNew = { object, validator in
                if !(object["spec"]?.items("ephemeralContainers").isEmpty ?? true) {
                    validator.forbidden(FieldPath("spec.ephemeralContainers"), "cannot be set on create")
                }
            }
            rules.checkChange = { new, old, validator in PodChange.validate(new, old, &validator) }
            rules.findWarnings = { PodWarnings.warnings($0["spec"] ?? [:], $0["metadata"] ?? [:], FieldPath("spec"), FieldPath("metadata")) }
            rules.columns = PodTable.columns
            rules.cells = PodTable.cells
        },
        KindRules("v1", "PodTemplate") { rules in
            rules.hasGeneration = true
            rules.setDefaults = { $0.updateOrMake("template", PodDefaults.template) }
            rules.check = { object, validator in PodValidation.template(object["template"] ?? [:], FieldPath("template"), &validator) }
            rules.columns = [
                TableText.nameColumn, Column("Containers", description: "Names of each container in the template."),
                Column("Images", description: "Images referenced by each container in the template."),
                Column("Pod Labels", description: "The labels for the pod template."),
            ]
            rules.cells = { object, _ in
                [TableText.name(object)] + TableText.containers(object[path: "template", "spec"])
                    + [TableText.labels(object[path: "template", "metadata", "labels"])]
            }
        },
    ]
}

/// What may change in a pod.
private enum PodChange {
    static func validate(_ new: JSONValue, _ old: JSONValue, _ validator: inout Validator) {
        let before = old["spec"] ?? [:], spec = new["spec"] ?? [:]
        if before.items("containers").count != spec.items("containers").count {
            validator.forbidden(FieldPath("spec.containers"), "pod updates may not add or remove containers")
            return
        }
        if before.items("initContainers").count != spec.items("initContainers").count {
            validator.forbidden(FieldPath("spec.initContainers"), "pod updates may not add or remove containers")
            return
        }
        // Put back what may change; the rest must then be equal.
        var restored = spec
        for list in ["containers", "initContainers"] {
            let originals = before.items(list)
            var index = 0
            restored.updateItems(list) { container in
                container["image"] = originals[index]["image"]
                index += 1
            }
        }
        restored["activeDeadlineSeconds"] = before["activeDeadlineSeconds"]
        restored["terminationGracePeriodSeconds"] = before["terminationGracePeriodSeconds"]
        let tolerations = spec.items("tolerations")
        if before.items("tolerations").allSatisfy(tolerations.contains) { restored["tolerations"] = before["tolerations"] }
        restored["schedulingGates"] = before["schedulingGates"]
        restored["ephemeralContainers"] = before["ephemeralContainers"]
        if before["nodeName"] == nil { restored["nodeName"] = nil }
        if restored != before {
            validator.forbidden(
                FieldPath("spec"),
                "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
                    + "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
                    + "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)")
        }
    }
}

/// The row of `kubectl get pods`.
private enum PodTable {
    static let columns: [KindRules.Column] = [
        TableText.nameColumn,
        .init("Ready", description: "The aggregate readiness state of this pod for accepting traffic."),
        .init("Status", description: "The aggregate status of the containers in this pod."),
        .init("Restarts", description: "The number of times the containers in this pod have been restarted and when the last container in this pod has restarted."),
        TableText.ageColumn,
        .init(
            "IP",
            description: "podIP address allocated to the pod. Routable at least within the cluster. Empty if not yet allocated.", priority: 1),
        .init(
            "Node",
            description: "NodeName indicates in which node this pod is scheduled. If empty, this pod is a candidate for scheduling by the scheduler "
                + "defined in schedulerName. Once this field is set, the kubelet for this node becomes responsible for the lifecycle of this "
                + "pod. This field should not be used to express a desire for the pod to be scheduled on a specific node. "
                + "https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename", priority: 1),
        .init(
            "Nominated Node",
            description: "nominatedNodeName is set only when this pod preempts other pods on the node, but it cannot be scheduled right away as "
                + "preemption victims receive their graceful termination periods. This field does not guarantee that the pod will be scheduled "
                + "on this node. Scheduler may decide to place the pod elsewhere if other nodes become available sooner. Scheduler may also "
                + "decide to give the resources on this node to a higher priority pod that is created after preemption. As a result, this "
                + "field may be different than PodSpec.nodeName when the pod is scheduled.", priority: 1),
        .init(
            "Readiness Gates",
            description: "If specified, all readiness gates will be evaluated for pod readiness. A pod is ready when all its containers are ready "
                + "AND all conditions specified in the readiness gates have status equal to \"True\" More info: "
                + "https://git.k8s.io/enhancements/keps/sig-network/580-pod-readiness-gates", priority: 1),
    ]

    static func cells(_ pod: JSONValue, _ now: Int64) -> [JSONValue] {
        let spec = pod["spec"] ?? [:], status = pod["status"] ?? [:]
        let statuses = status.items("containerStatuses")
        var ready = 0
        var restarts: Int64 = 0
        var lastRestart: String?
        for container in statuses {
            restarts += container.number("restartCount")
            if container["ready"] == true, container[path: "state", "running"] != nil { ready += 1 }
            if let finished = container[path: "lastState", "terminated", "finishedAt"]?.stringValue {
                lastRestart = max(lastRestart ?? "", finished)
            }
        }
        var restartText = String(restarts)
        if restarts > 0, let lastRestart { restartText += " (\(TableText.since(.string(lastRestart), now)) ago)" }
        func orNone(_ text: String) -> JSONValue { .string(text.isEmpty ? "<none>" : text) }
        let gates = spec.items("readinessGates")
        let conditions = status.items("conditions")
        let passed = gates.filter { gate in
            conditions.contains { $0["type"] == gate["conditionType"] && $0["status"] == "True" }
        }
        return [
            TableText.name(pod), .string("\(ready)/\(spec.items("containers").count)"), .string(reason(pod)), .string(restartText),
            TableText.ageCell(pod, now), orNone(status.text("podIP")), orNone(spec.text("nodeName")), orNone(status.text("nominatedNodeName")),
            gates.isEmpty ? "<none>" : .string("\(passed.count)/\(gates.count)"),
        ]
    }

    /// What the Status column says.
    private static func reason(_ pod: JSONValue) -> String {
        let status = pod["status"] ?? [:]
        var reason = status.text("reason").isEmpty ? status.text("phase") : status.text("reason")
        if status.items("conditions").contains(where: { $0["type"] == "PodScheduled" && $0["reason"] == "SchedulingGated" }) {
            reason = "SchedulingGated"
        }
        if let initializing = initReason(pod) { reason = initializing } else {
            var hasRunning = false
            for container in status.items("containerStatuses").reversed() {
                let state = container["state"] ?? [:]
                if let text = state["waiting"]?.text("reason"), !text.isEmpty { reason = text } else if let ended = state["terminated"] {
                    reason = terminated(ended)
                } else if container["ready"] == true, state["running"] != nil { hasRunning = true }
            }
            if reason == "Completed", hasRunning {
                let isReady = status.items("conditions").contains { $0["type"] == "Ready" && $0["status"] == "True" }
                reason = isReady ? "Running" : "NotReady"
            }
        }
        if pod[path: "metadata", "deletionTimestamp"] != nil {
            if status.text("reason") == "NodeLost" { return "Unknown" }
            if !["Succeeded", "Failed"].contains(status.text("phase")) { return "Terminating" }
        }
        return reason
    }

    private static func terminated(_ state: JSONValue) -> String {
        if !state.text("reason").isEmpty { return state.text("reason") }
        if state.number("signal") != 0 { return "Signal:\(state.number("signal"))" }
        return "ExitCode:\(state.number("exitCode"))"
    }

    private static func initReason(_ pod: JSONValue) -> String? {
        let total = pod["spec"]?.items("initContainers").count ?? 0
        for (index, container) in (pod["status"]?.items("initContainerStatuses") ?? []).enumerated() {
            let state = container["state"] ?? [:]
            let isSidecar = pod["spec"]?.items("initContainers").contains {
                $0["name"] == container["name"] && $0["restartPolicy"] == "Always"
            } ?? false
            if let ended = state["terminated"] {
                if ended.number("exitCode") == 0 { continue }
                return "Init:" + terminated(ended)
            }
            if isSidecar, container["started"] == true { continue }
            if let waiting = state["waiting"]?.text("reason"), !waiting.isEmpty, waiting != "PodInitializing" { return "Init:" + waiting }
            return "Init:\(index)/\(total)"
        }
        return nil
    }
}
