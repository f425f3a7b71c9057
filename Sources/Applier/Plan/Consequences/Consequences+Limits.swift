import ResourceModel

/// Budgets that keep pods from being evicted: node drains hang on them.
func disruptionConsequences(_ reader: PlanReader, _ facts: ConsequenceFacts) -> [Consequence] {
    let kind = GroupKind(group: "policy", kind: "PodDisruptionBudget")
    let touched = Set(reader.steps.map(\.change.id))
    let objects = reader.objectsAfter
    var budgets = Dictionary(facts.disruptionBudgets.map { ($0.id, $0.body) }, uniquingKeysWith: { first, _ in first })
    for prune in reader.prunes { budgets[prune.change.id] = nil }
    for object in objects where object.id.groupKind == kind { budgets[object.id] = object.body }
    var found: [Consequence] = []
    for (id, budget) in budgets.sorted(by: { $0.key < $1.key }) {
        guard let selector = budget[path: "spec", "selector", "matchLabels"]?.objectValue, !selector.isEmpty else { continue }
        let workloads = objects.compactMap { Workload($0.id, $0.body) }.filter { workload in
            workload.id.namespace == id.namespace && selector.allSatisfy { workload.podLabels[$0.key] == $0.value }
        }
        // Only what this plan brings about.
        guard !workloads.isEmpty, touched.contains(id) || workloads.contains(where: { touched.contains($0.id) }) else { continue }
        let pods = workloads.compactMap(\.replicas).reduce(0, +)
        guard pods > 0, workloads.allSatisfy({ $0.replicas != nil }), allowed(budget, of: pods) == 0 else { continue }
        let rule = budget[path: "spec", "minAvailable"].map { "minAvailable \($0.stringValue ?? $0.jsonString)" }
            ?? "maxUnavailable \(budget[path: "spec", "maxUnavailable"].map { $0.stringValue ?? $0.jsonString } ?? "?")"
        let names = workloads.map(\.id.description).joined(separator: ", ")
        found.append(
            Consequence(
                code: "disruption-blocked", message: "\(id) (\(rule)) permits no disruption of the \(pods) pod\(pods == 1 ? "" : "s") of \(names): draining a node will hang",
                objects: [id] + workloads.map(\.id)))
    }
    return found
}

/// How many of so many pods may be disrupted. https://kubernetes.io/docs/tasks/run-application/configure-pdb/ (percentages round up)
private func allowed(_ budget: JSONValue, of pods: Int) -> Int {
    func number(_ value: JSONValue) -> Int? {
        if let number = value.integerValue { return Int(number) }
        guard let text = value.stringValue, text.hasSuffix("%"), let percent = Int(text.dropLast()) else { return nil }
        return (pods * percent + 99) / 100
    }
    if let value = budget[path: "spec", "minAvailable"], let least = number(value) { return max(0, pods - least) }
    if let value = budget[path: "spec", "maxUnavailable"], let most = number(value) { return max(0, most) }
    return pods
}

/// Quotas that the namespace would exceed. Quotas with scopes are left out: whether they count a pod depends on more than its template.
func quotaConsequences(_ reader: PlanReader, _ facts: ConsequenceFacts) -> [Consequence] {
    var found: [Consequence] = []
    for quota in facts.quotas.sorted(by: { $0.id < $1.id }) {
        guard quota.body[path: "spec", "scopes"] == nil, quota.body[path: "spec", "scopeSelector"] == nil else { continue }
        let hard = quota.body[path: "status", "hard"]?.objectValue ?? quota.body[path: "spec", "hard"]?.objectValue ?? [:]
        let steps = reader.steps.filter { $0.change.id.namespace == quota.id.namespace }
        for member in hard.sorted(by: { $0.key < $1.key }) {
            guard let limit = Quantity(member.value) else { continue }
            let used = quota.body[path: "status", "used", member.key].flatMap { Quantity($0) } ?? .zero
            var delta = Quantity.zero
            var objects: [ResourceID] = []
            for step in steps {
                let before = step.change.live.map { QuotaUse.of(step.change.id, $0.body, member.key) } ?? .zero
                let after = step.change.manifest.map { QuotaUse.of(step.change.id, $0.body, member.key) } ?? .zero
                let difference = Quantity(nanos: after.nanos - before.nanos, format: after.isZero ? before.format : after.format)
                if !difference.isZero {
                    delta = Quantity(nanos: delta.nanos + difference.nanos, format: difference.format)
                    objects.append(step.change.id)
                }
            }
            guard !delta.isNegative, !delta.isZero else { continue }
            let total = Quantity(nanos: used.nanos + delta.nanos, format: limit.format)
            guard total > limit else { continue }
            found.append(
                Consequence(
                    code: "quota-exceeded", message: "\(quota.id): \(member.key) would be \(total) of \(limit) (\(used) now, \(delta) more)", objects: [quota.id] + objects.sorted()))
        }
    }
    return found
}

/// What one object counts for in a quota.
private enum QuotaUse {
    static func of(_ id: ResourceID, _ body: JSONValue, _ name: String) -> Quantity {
        if let count = count(id, body, name) { return Quantity(nanos: Int128(count) * 1_000_000_000) }
        if id.groupKind.description == "PersistentVolumeClaim" {
            return name == "requests.storage" ? body[path: "spec", "resources", "requests", "storage"].flatMap { Quantity($0) } ?? .zero : .zero
        }
        guard let workload = Workload(id, body), let replicas = workload.replicas, let spec = workload.podSpec else { return .zero }
        if name == "pods" || name == "count/pods" { return Quantity(nanos: Int128(replicas) * 1_000_000_000) }
        let parts = name.split(separator: ".", maxSplits: 1)
        // `cpu` and `memory` are their requests.
        let (kind, resource) = parts.count == 2 ? (String(parts[0]), String(parts[1])) : ("requests", name)
        guard kind == "requests" || kind == "limits", resource == "cpu" || resource == "memory" || resource == "ephemeral-storage" else { return .zero }
        let one = podAmount(spec, kind, resource)
        return Quantity(nanos: one.nanos * Int128(replicas), format: one.format)
    }

    private static let services = ["services.loadbalancers": "LoadBalancer", "services.nodeports": "NodePort"]

    /// `nil` for a quota that does not count objects.
    private static func count(_ id: ResourceID, _ body: JSONValue, _ name: String) -> Int? {
        if let type = services[name] {
            guard id.groupKind.description == "Service" else { return 0 }
            let own = body[path: "spec", "type"]?.stringValue
            return own == type || (type == "NodePort" && own == "LoadBalancer") ? 1 : 0
        }
        let counted = name.hasPrefix("count/") ? String(name.dropFirst(6)) : plain.contains(name) ? name : nil
        guard let counted, counted != "pods" else { return nil }
        let parts = counted.split(separator: ".", maxSplits: 1).map(String.init)
        return parts[0] == plural(id.kind) && (parts.count == 2 ? parts[1] : "") == id.group ? 1 : 0
    }

    private static let plain: Set<String> = ["configmaps", "secrets", "services", "persistentvolumeclaims", "replicationcontrollers", "resourcequotas"]

    private static func plural(_ kind: String) -> String {
        let name = kind.lowercased()
        if name.hasSuffix("s") { return name + "es" }
        return name.hasSuffix("y") && !name.hasSuffix("ay") ? name.dropLast() + "ies" : name + "s"
    }

    /// What one pod asks for: all containers together, or the largest init container; sidecars count beside both.
    private static func podAmount(_ spec: JSONValue, _ kind: String, _ resource: String) -> Quantity {
        func amount(_ container: JSONValue) -> Quantity {
            let own = container[path: "resources", kind, resource].flatMap { Quantity($0) }
            // A limit without a request is the request too.
            return own ?? (kind == "requests" ? container[path: "resources", "limits", resource].flatMap { Quantity($0) } : nil) ?? .zero
        }
        let initial = spec["initContainers"]?.arrayValue ?? []
        let sidecars = initial.filter { $0["restartPolicy"] == "Always" }.map(amount).reduce(.zero, +)
        let together = (spec["containers"]?.arrayValue ?? []).map(amount).reduce(.zero, +)
        let largest = initial.filter { $0["restartPolicy"] != "Always" }.map(amount).max() ?? .zero
        let format = (spec["containers"]?.arrayValue ?? []).map(amount).first?.format ?? .decimal
        return Quantity(nanos: max(together.nanos, largest.nanos) + sidecars.nanos, format: format)
    }
}
