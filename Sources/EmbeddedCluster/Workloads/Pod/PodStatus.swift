import ResourceModel

/// A pod's status as a pure function of its containers' records.
struct PodStatus {
    var pod: JSONValue
    var initContainers: [ContainerRecord]
    var containers: [ContainerRecord]
    var podIP: String
    var hostIP: String
    /// The pod as a whole has failed: `DeadlineExceeded`, `Evicted`.
    var failure: (reason: String, message: String)?
    var now: Int64

    /// Whether all init containers that run to an end have succeeded and all sidecars before the main containers have started.
    var isInitialized: Bool {
        initContainers.allSatisfy { record in
            record.role == .sidecar ? record.isStarted : record.termination?.exitCode == 0
        }
    }

    var phase: String {
        if failure != nil, containers.allSatisfy({ !$0.isRunning }) { return "Failed" }
        let policy = pod[path: "spec", "restartPolicy"]?.stringValue ?? "Always"
        if !isInitialized, containers.allSatisfy({ !$0.isRunning && $0.termination == nil }) {
            let hasFailed = initContainers.contains { $0.role == .initial && ($0.termination?.exitCode ?? 0) != 0 }
            return hasFailed && policy == "Never" ? "Failed" : "Pending"
        }
        let waiting = containers.filter { record in
            if case .waiting = record.state { return record.last == nil }
            return false
        }
        if !waiting.isEmpty { return containers.contains(where: \.isRunning) ? "Running" : "Pending" }
        if containers.contains(where: \.isRunning) { return "Running" }
        // All have stopped, or wait to be restarted.
        let ends = containers.map(\.termination)
        if policy == "Always" { return "Running" }
        if ends.contains(where: { $0 == nil }) { return "Running" }
        if ends.allSatisfy({ $0?.exitCode == 0 }) { return "Succeeded" }
        return policy == "Never" ? "Failed" : "Running"
    }

    /// The whole status, over the pod's present one: what others wrote there stays.
    var status: JSONValue {
        var status = pod["status"] ?? [:]
        let phase = phase
        status["phase"] = .string(phase)
        if let failure {
            status["reason"] = .string(failure.reason)
            status["message"] = .string(failure.message)
        }
        if let generation = pod[path: "metadata", "generation"]?.integerValue, generation > 0 {
            status["observedGeneration"] = .integer(generation)
        }
        if status["startTime"] == nil { status["startTime"] = .string(Timestamp.string(now)) }
        status["hostIP"] = .string(hostIP)
        status["hostIPs"] = [["ip": .string(hostIP)]]
        status["podIP"] = .string(podIP)
        status["podIPs"] = [["ip": .string(podIP)]]
        if !initContainers.isEmpty { status["initContainerStatuses"] = .array(initContainers.map(\.status)) }
        status["containerStatuses"] = .array(containers.map(\.status))
        status["conditions"] = .array(conditions(phase))
        return status
    }

    private func conditions(_ phase: String) -> [JSONValue] {
        var list = pod[path: "status", "conditions"]?.arrayValue ?? []
        let time = Timestamp.string(now)
        func set(_ type: String, _ isTrue: Bool, _ reason: String = "", _ message: String = "") {
            let status = isTrue ? "True" : "False"
            let old = list.first { $0["type"]?.stringValue == type }
            var condition: JSONValue = ["type": .string(type), "status": .string(status), "lastProbeTime": nil]
            condition["lastTransitionTime"] =
                old?["status"]?.stringValue == status ? old?["lastTransitionTime"] ?? .string(time) : .string(time)
            if !isTrue, !reason.isEmpty { condition["reason"] = .string(reason) }
            if !isTrue, !message.isEmpty { condition["message"] = .string(message) }
            if isTrue, reason == "PodCompleted" { condition["reason"] = "PodCompleted" }
            if let index = list.firstIndex(where: { $0["type"]?.stringValue == type }) {
                list[index] = condition
            } else {
                list.append(condition)
            }
        }
        let isOver = phase == "Succeeded"
        let unfinished = initContainers.filter { $0.role == .sidecar ? !$0.isStarted : $0.termination?.exitCode != 0 }.map(\.name)
        let unready = (initContainers.filter { $0.role == .sidecar } + containers).filter { !$0.isReady }.map(\.name)
        set("PodReadyToStartContainers", phase != "Succeeded" && phase != "Failed")
        set(
            "Initialized", isOver || isInitialized, isOver ? "PodCompleted" : "ContainersNotInitialized",
            "containers with incomplete status: [\(unfinished.joined(separator: " "))]")
        let reason = isOver ? "PodCompleted" : phase == "Failed" ? "PodFailed" : "ContainersNotReady"
        let message = isOver || phase == "Failed" ? "" : "containers with unready status: [\(unready.joined(separator: " "))]"
        let areReady = unready.isEmpty && (phase == "Running" || phase == "Pending")
        let gates = (pod[path: "spec", "readinessGates"]?.arrayValue ?? []).compactMap { $0["conditionType"]?.stringValue }
        let closed = gates.filter { !pod.hasCondition($0) }
        if areReady, !closed.isEmpty {
            set("Ready", false, "ReadinessGatesNotReady", "the status of pod readiness gate \"\(closed[0])\" is not \"True\"")
        } else {
            set("Ready", areReady, reason, message)
        }
        set("ContainersReady", areReady, reason, message)
        set("PodScheduled", true)
        return list
    }
}
