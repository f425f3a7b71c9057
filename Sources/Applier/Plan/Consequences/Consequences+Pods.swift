import ResourceModel

/// A kind that runs pods, as far as its object says how many.
struct Workload {
    let id: ResourceID
    let body: JSONValue

    /// `nil` when the object runs no pods.
    init?(_ id: ResourceID, _ body: JSONValue) {
        guard Self.templates[id.groupKind] != nil || id.groupKind == GroupKind(group: "", kind: "Pod") else { return nil }
        self.id = id
        self.body = body
    }

    private static let templates: [GroupKind: [String]] = [
        GroupKind(group: "apps", kind: "Deployment"): ["spec", "template"], GroupKind(group: "apps", kind: "StatefulSet"): ["spec", "template"],
        GroupKind(group: "apps", kind: "DaemonSet"): ["spec", "template"], GroupKind(group: "apps", kind: "ReplicaSet"): ["spec", "template"],
        GroupKind(group: "argoproj.io", kind: "Rollout"): ["spec", "template"], GroupKind(group: "batch", kind: "Job"): ["spec", "template"],
        GroupKind(group: "batch", kind: "CronJob"): ["spec", "jobTemplate", "spec", "template"],
    ]

    /// Kinds that replace their pods when the template changes.
    private static let rolling: Set<String> = ["Deployment", "StatefulSet", "DaemonSet", "Rollout"]
    var rolls: Bool { Self.rolling.contains(id.kind) && strategy != "OnDelete" && body[path: "spec", "paused"] != true }
    var strategy: String? { (body[path: "spec", "strategy", "type"] ?? body[path: "spec", "updateStrategy", "type"])?.stringValue }
    var templatePath: String { Self.templates[id.groupKind].map { "." + $0.joined(separator: ".") } ?? "" }
    var podSpec: JSONValue? { (Self.templates[id.groupKind].flatMap { body[path: $0] } ?? body)["spec"] }
    var podLabels: JSONObject { (Self.templates[id.groupKind].flatMap { body[path: $0] } ?? body)[path: "metadata", "labels"]?.objectValue ?? [:] }

    /// How many pods it asks for; `nil` where something else decides (a DaemonSet's nodes, a CronJob's times).
    var replicas: Int? {
        switch id.kind {
        case "Pod": 1
        case "CronJob", "DaemonSet": nil
        case "Job": Int(body[path: "spec", "parallelism"]?.integerValue ?? 1)
        default: Int(body[path: "spec", "replicas"]?.integerValue ?? 1)
        }
    }
}

/// How many pods there are now, in words.
private func podCount(_ live: JSONValue?, _ declared: JSONValue?, _ id: ResourceID) -> (number: Int?, words: String) {
    var number: Int?
    if id.kind == "DaemonSet" {
        number = (live?[path: "status", "currentNumberScheduled"]?.integerValue).map { Int($0) }
    } else if let body = live ?? declared {
        number = Workload(id, body)?.replicas
    }
    return (number, number.map { $0 == 1 ? "1 pod" : "\($0) pods" } ?? "its pods")
}

func podConsequences(_ reader: PlanReader) -> [Consequence] {
    var found: [Consequence] = []
    var restarted: Set<ResourceID> = []
    for step in reader.steps {
        let (id, live) = (step.change.id, step.change.live?.body)
        guard let live, let workload = Workload(id, step.change.manifest?.body ?? live) else { continue }
        let (count, words) = podCount(live, nil, id)
        if step.isPrune || step.isRecreation {
            if count != 0, id.kind != "CronJob", !(step.isPrune && id.kind == "Pod") {
                let restart = step.isRecreation ? "stop, and start anew when it is made again" : "stop"
                found.append(Consequence(code: step.isRecreation ? "pods-restart" : "pods-stop", message: "\(words) of \(id) \(count == 1 ? restart.replacing("stop", with: "stops").replacing("start anew", with: "starts anew") : restart)", objects: [id]))
            }
            restarted.insert(id)
            continue
        }
        let templateFields = step.change.fields.filter { $0.path == workload.templatePath || $0.path.hasPrefix(workload.templatePath + ".") }
        // `kubectl rollout restart` writes an annotation of the template: that is a change too.
        if !templateFields.isEmpty, workload.rolls, count != 0 {
            restarted.insert(id)
            let way = workload.strategy == "Recreate" ? "all at once: it is not available meanwhile" : "one after another"
            let fields = templateFields.prefix(2).map(\.path).joined(separator: ", ") + (templateFields.count > 2 ? " and \(templateFields.count - 2) more" : "")
            found.append(
                Consequence(
                    code: "pods-restart", message: "\(words) of \(id) \(count == 1 ? "restarts" : "restart \(way)") (\(fields))", objects: [id],
                    isWarning: workload.strategy == "Recreate"))
        } else if !templateFields.isEmpty, !workload.rolls, id.kind != "CronJob", id.kind != "Job", id.kind != "Pod" {
            let why = workload.strategy == "OnDelete" ? "updateStrategy OnDelete" : workload.body[path: "spec", "paused"] == true ? "it is paused" : "a ReplicaSet replaces no pods"
            found.append(
                Consequence(code: "pods-keep", message: "\(words) of \(id) \(count == 1 ? "stays" : "stay") as \(count == 1 ? "it is" : "they are") although the template changes: \(why)", objects: [id], isWarning: false))
        }
        if let before = count, let after = workload.replicas, after < before {
            let gone = before - after
            found.append(
                Consequence(
                    code: "pods-stop", message: "\(gone == 1 ? "1 pod of \(id) stops" : "\(gone) pods of \(id) stop") (\(before) to \(after))", objects: [id], isWarning: after == 0))
        }
    }
    return found + unawarePods(reader, restarted: restarted)
}

/// Configuration that changes under workloads that do not notice.
private func unawarePods(_ reader: PlanReader, restarted: Set<ResourceID>) -> [Consequence] {
    let kinds: Set<GroupKind> = [GroupKind(group: "", kind: "ConfigMap"), GroupKind(group: "", kind: "Secret")]
    let changed = reader.steps.filter { step in
        kinds.contains(step.change.id.groupKind) && step.change.live != nil
            && (step.isPrune || step.change.fields.contains { $0.path.hasPrefix(".data") || $0.path.hasPrefix(".binaryData") || $0.path.hasPrefix(".stringData") })
    }
    guard !changed.isEmpty else { return [] }
    var found: [Consequence] = []
    let workloads = reader.objectsAfter.compactMap { Workload($0.id, $0.body) }
    for step in changed {
        let id = step.change.id
        for workload in workloads where workload.id.namespace == id.namespace && !restarted.contains(workload.id) && workload.id.kind != "CronJob" && workload.id.kind != "Job" {
            guard let use = use(of: id, in: workload.podSpec) else { continue }
            if step.isPrune {
                found.append(Consequence(code: "configuration-lost", message: "\(workload.id) reads \(id), which is deleted: new pods of it will not start", objects: [id, workload.id]))
            } else {
                let when = use == .mounted ? "a minute or two after the change, if it reads its files again (never where subPath is used)" : "only when its pods restart"
                found.append(Consequence(code: "pods-unaware", message: "\(workload.id) reads \(id) and sees the change \(when)", objects: [id, workload.id], isWarning: false))
            }
        }
    }
    return found
}

private enum ConfigurationUse { case environment, mounted }

/// How a pod reads a ConfigMap or Secret; `nil` when it does not.
private func use(of id: ResourceID, in podSpec: JSONValue?) -> ConfigurationUse? {
    guard let podSpec else { return nil }
    let (fromKey, refKey, volumeKey, nameKey) = id.kind == "Secret" ? ("secretRef", "secretKeyRef", "secret", "secretName") : ("configMapRef", "configMapKeyRef", "configMap", "name")
    for container in (podSpec["containers"]?.arrayValue ?? []) + (podSpec["initContainers"]?.arrayValue ?? []) {
        for entry in container["envFrom"]?.arrayValue ?? [] where entry[path: fromKey, "name"]?.stringValue == id.name { return .environment }
        for entry in container["env"]?.arrayValue ?? [] where entry[path: "valueFrom", refKey, "name"]?.stringValue == id.name { return .environment }
    }
    for volume in podSpec["volumes"]?.arrayValue ?? [] {
        if volume[path: volumeKey, nameKey]?.stringValue == id.name { return .mounted }
        for source in volume[path: "projected", "sources"]?.arrayValue ?? [] where source[path: volumeKey, "name"]?.stringValue == id.name { return .mounted }
    }
    return nil
}
