import ResourceModel

extension KindRules {
    /// PodDisruptionBudget, HorizontalPodAutoscaler, ResourceQuota, LimitRange and PriorityClass.
    static let policyKinds: [KindRules] = [
        KindRules("policy/v1", "PodDisruptionBudget") { rules in
            rules.hasGeneration = true
            rules.hasStatus = true
            rules.initialStatus = ["disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0]
            rules.check = { object, validator in
                let spec = object["spec"] ?? [:], path = FieldPath("spec")
                if spec["minAvailable"] != nil, spec["maxUnavailable"] != nil {
                    validator.invalid(path, spec, "minAvailable and maxUnavailable cannot be both set")
                }
                for name in ["minAvailable", "maxUnavailable"] {
                    validator.countOrPercent(path[name], spec[name])
                    WorkloadForms.atMostAll(path[name], spec[name], &validator)
                }
                if let selector = spec["selector"] { SelectorRules.validate(selector, path["selector"], &validator) }
                validator.oneOf(
                    path["unhealthyPodEvictionPolicy"], spec["unhealthyPodEvictionPolicy"], ["AlwaysAllow", "IfHealthyBudget"], isRequired: false)
            }
            rules.columns = [
                TableText.nameColumn, Column("Min Available", description: "The minimum number of pods that must be available."),
                Column("Max Unavailable", description: "The maximum number of pods that may be unavailable."),
                Column("Allowed Disruptions", "integer", description: "Calculated number of pods that may be disrupted at this time."), TableText.ageColumn,
            ]
            rules.cells = { object, now in
                [
                    TableText.name(object), .string(TableText.countOrPercent(object[path: "spec", "minAvailable"]) ?? "N/A"),
                    .string(TableText.countOrPercent(object[path: "spec", "maxUnavailable"]) ?? "N/A"),
                    .integer(object["status"]?.number("disruptionsAllowed") ?? 0), TableText.ageCell(object, now),
                ]
            }
        },
        KindRules("autoscaling/v2", "HorizontalPodAutoscaler", AutoscalerForms.configure),
        KindRules("v1", "ResourceQuota") { rules in
            rules.hasStatus = true
            rules.initialStatus = [:]
            rules.check = { object, validator in
                for member in object["spec"]?.sortedMembers("hard") ?? [] {
                    let item = FieldPath("spec.hard").key(member.key)
                    validator.format(item, .string(member.key), Names.qualifiedName(member.key))
                    ResourceValidation.quantity(member.value, item, &validator)
                }
            }
            rules.checkChange = { new, old, validator in
                if (new[path: "spec", "scopes"] ?? []) != (old[path: "spec", "scopes"] ?? []) {
                    validator.invalid(FieldPath("spec.scopes"), new[path: "spec", "scopes"], "field is immutable")
                }
            }
            rules.columns = [
                TableText.nameColumn, Column("Request", description: "Request represents a minimum amount of cpu/memory that a container may consume."),
                Column("Limit", description: "Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node."),
                TableText.ageColumn,
            ]
            rules.cells = { object, now in
                var requests: [String] = [], limits: [String] = []
                for member in object["status"]?.sortedMembers("hard") ?? [] {
                    let used = object[path: "status", "used", member.key]?.stringValue ?? "0"
                    let text = "\(member.key): \(used)/\(member.value.stringValue ?? "")"
                    if member.key.hasPrefix("limits") { limits.append(text) } else { requests.append(text) }
                }
                return [
                    TableText.name(object), .string(requests.joined(separator: ", ")), .string(limits.joined(separator: ", ")),
                    TableText.ageCell(object, now),
                ]
            }
        },
        KindRules("v1", "LimitRange") { rules in
            rules.setDefaults = { object in
                object.update("spec") { $0.updateItems("limits", PolicyForms.limitDefaults) }
            }
            rules.check = PolicyForms.validateLimits
            rules.columns = [TableText.nameColumn, TableText.createdAtColumn]
            rules.cells = { object, _ in [TableText.name(object), object[path: "metadata", "creationTimestamp"] ?? .null] }
        },
        KindRules("scheduling.k8s.io/v1", "PriorityClass") { rules in
            rules.isNamespaced = false
            rules.hasGeneration = true
            rules.setDefaults = { object in
                object.setDefault("preemptionPolicy", "PreemptLowerPriority")
                if object["value"] == nil { object["value"] = 0 }
            }
            rules.checkNew = { object, validator in
                if object.name.hasPrefix("system-") {
                    validator.forbidden(
                        FieldPath("metadata.name"),
                        "priority class names with 'system-' prefix are reserved for system use only. error: only system-node-critical, "
                            + "system-cluster-critical are allowed")
                }
                if object.number("value") > 1_000_000_000 {
                    validator.forbidden(FieldPath("value"), "maximum allowed value of a user defined priority is 1000000000")
                }
            }
            rules.check = { object, validator in
                validator.oneOf(FieldPath("preemptionPolicy"), object["preemptionPolicy"], ["Never", "PreemptLowerPriority"], isRequired: false)
            }
            rules.checkChange = { new, old, validator in
                if new["value"] != old["value"] { validator.forbidden(FieldPath("value"), "may not be changed in an update.") }
                validator.immutable(FieldPath("preemptionPolicy"), new["preemptionPolicy"], old["preemptionPolicy"])
            }
            rules.columns = [
                TableText.nameColumn, Column("Value", "integer", description: "value represents the integer value of this priority class. This is the actual priority that pods receive when they have the name of this class in their pod spec."),
                Column(
                    "Global-Default", "boolean",
                    description: "globalDefault specifies whether this PriorityClass should be considered as the default priority for pods that do not have "
                        + "any priority class. Only one PriorityClass can be marked as `globalDefault`. However, if more than one PriorityClasses exists "
                        + "with their `globalDefault` field set to true, the smallest value of such global default PriorityClasses will be used as the "
                        + "default priority."), TableText.ageColumn,
                Column("PreemptionPolicy", description: "preemptionPolicy is the Policy for preempting pods with lower priority. One of Never, PreemptLowerPriority. Defaults to PreemptLowerPriority if unset.", priority: 0),
            ]
            rules.cells = { object, now in
                [
                    TableText.name(object), .integer(object.number("value")), .bool(object["globalDefault"] == true), TableText.ageCell(object, now),
                    .string(object.text("preemptionPolicy")),
                ]
            }
        },
    ]
}

private enum PolicyForms {
    /// Container limits: a default limit from the maximum, a default request from the limit, else from the minimum.
    static func limitDefaults(_ item: inout JSONValue) {
        guard item["type"] == "Container" else { return }
        func fill(_ target: String, from source: String) {
            for member in item[source]?.objectValue?.members ?? [] where item[path: target, member.key] == nil {
                item[path: target, member.key] = member.value
            }
        }
        fill("default", from: "max")
        fill("defaultRequest", from: "default")
        fill("defaultRequest", from: "min")
    }

    static func validateLimits(_ object: JSONValue, _ validator: inout Validator) {
        var types = Set<String>()
        for (index, item) in (object["spec"]?.items("limits") ?? []).enumerated() {
            let path = FieldPath("spec.limits")[index]
            let type = item.text("type")
            if type.isEmpty { validator.required(path["type"]) } else if !types.insert(type).inserted {
                validator.duplicate(path["type"], .string(type))
            }
            if type == "Pod" {
                for name in ["default", "defaultRequest"] where item[name] != nil {
                    validator.forbidden(path[name], "may not be specified when `type` is 'Pod'")
                }
            }
            let names = Set(["min", "max", "default", "defaultRequest"].flatMap { item[$0]?.objectValue?.keys ?? [] }).sorted()
            for name in names {
                func amount(_ field: String) -> Quantity? { item[path: field, name].flatMap(Quantity.init) }
                func ordered(_ low: String, _ high: String, _ field: String) {
                    if let left = amount(low), let right = amount(high), left > right {
                        let label = ["min": "min value", "max": "max value", "default": "default value", "defaultRequest": "default request value"]
                        validator.invalid(
                            path[field].key(name), .string((field == low ? left : right).canonical),
                            "\(label[low] ?? low) \(left.canonical) is greater than \(label[high] ?? high) \(right.canonical)")
                    }
                }
                ordered("min", "max", "min")
                ordered("min", "defaultRequest", "defaultRequest")
                ordered("defaultRequest", "max", "defaultRequest")
                ordered("defaultRequest", "default", "defaultRequest")
                ordered("min", "default", "default")
                ordered("default", "max", "default")
            }
        }
    }
}

private enum AutoscalerForms {
    static let configure: @Sendable (inout KindRules) -> Void = { rules in
        rules.hasStatus = true
        rules.initialStatus = ["desiredReplicas": 0, "currentMetrics": .null]
        rules.setDefaults = { object in
            object.updateOrMake("spec") { spec in
                if spec["minReplicas"] == nil { spec["minReplicas"] = 1 }
                if spec.items("metrics").isEmpty {
                    spec["metrics"] = [
                        ["type": "Resource", "resource": ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": 80]]]
                    ]
                }
                spec.update("behavior", behavior)
            }
        }
        rules.check = { object, validator in validate(object["spec"] ?? [:], FieldPath("spec"), &validator) }
        rules.columns = [
            TableText.nameColumn,
            .init(
                "Reference",
                description: "scaleTargetRef points to the target resource to scale, and is used to the pods for which metrics should be collected, as "
                    + "well as to actually change the replica count."),
            .init("Targets", description: "metrics contains the specifications for which to use to calculate the desired replica count (the maximum replica count across all metrics will be used).  The desired replica count is calculated multiplying the ratio between the target value and the current value by the current number of pods.  Ergo, metrics used must decrease as the pod count is increased, and vice-versa.  See the individual metric source types for more information about how each type of metric must respond. If not set, the default metric will be set to 80% average CPU utilization."),
            .init("MinPods", description: "minReplicas is the lower limit for the number of replicas to which the autoscaler can scale down.  It defaults to 1 pod.  minReplicas is allowed to be 0 if the alpha feature gate HPAScaleToZero is enabled and at least one Object or External metric is configured.  Scaling is active as long as at least one metric value is available."),
            .init("MaxPods", description: "maxReplicas is the upper limit for the number of replicas to which the autoscaler can scale up. It cannot be less that minReplicas."),
            .init("Replicas", description: "currentReplicas is current number of replicas of pods managed by this autoscaler, as last seen by the autoscaler."),
            TableText.ageColumn,
        ]
        rules.cells = { object, now in
            let spec = object["spec"] ?? [:]
            let reference = spec["scaleTargetRef"] ?? [:]
            return [
                TableText.name(object), .string("\(reference.text("kind"))/\(reference.text("name"))"), .string(targets(object)),
                .string(spec["minReplicas"]?.integerValue.map(String.init) ?? "<unset>"), .integer(spec.number("maxReplicas")),
                .integer(object["status"]?.number("currentReplicas") ?? 0), TableText.ageCell(object, now),
            ]
        }
    }

    private static func behavior(_ behavior: inout JSONValue) {
        behavior.updateOrMake("scaleUp") { rules in
            if rules["stabilizationWindowSeconds"] == nil { rules["stabilizationWindowSeconds"] = 0 }
            rules.setDefault("selectPolicy", "Max")
            if rules["policies"] == nil {
                rules["policies"] = [["type": "Pods", "value": 4, "periodSeconds": 15], ["type": "Percent", "value": 100, "periodSeconds": 15]]
            }
        }
        behavior.updateOrMake("scaleDown") { rules in
            rules.setDefault("selectPolicy", "Max")
            if rules["policies"] == nil { rules["policies"] = [["type": "Percent", "value": 100, "periodSeconds": 15]] }
        }
    }

    private static let sources = [
        "Resource": "resource", "Pods": "pods", "Object": "object", "External": "external", "ContainerResource": "containerResource",
    ]

    private static func validate(_ spec: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        let low = spec.number("minReplicas"), high = spec.number("maxReplicas")
        if spec["minReplicas"] != nil, low < 1 { validator.invalid(path["minReplicas"], .integer(low), "must be greater than or equal to 1") }
        if high < 1 { validator.invalid(path["maxReplicas"], .integer(high), "must be greater than 0") }
        if spec["minReplicas"] != nil, high < low {
            validator.invalid(path["maxReplicas"], .integer(high), "must be greater than or equal to `minReplicas`")
        }
        let reference = spec["scaleTargetRef"] ?? [:]
        for name in ["kind", "name"] where reference.text(name).isEmpty { validator.required(path["scaleTargetRef"][name]) }
        for (index, metric) in spec.items("metrics").enumerated() {
            let item = path["metrics"][index]
            let type = metric.text("type")
            guard !type.isEmpty else {
                validator.required(item["type"], "must specify a metric source type")
                continue
            }
            guard let field = sources[type] else {
                validator.notSupported(item["type"], .string(type), sources.keys.sorted())
                continue
            }
            guard let source = metric[field] else {
                validator.required(item[field], "must populate information for the given metric source")
                continue
            }
            let target = source["target"] ?? [:]
            if target.text("type").isEmpty { validator.required(item[field]["target"]["type"], "must specify a metric target type") } else if !["Utilization", "Value", "AverageValue"].contains(target.text("type")) {
                validator.invalid(item[field]["target"]["type"], target["type"], "must be either Utilization, Value, or AverageValue")
            }
            if field == "resource" {
                if source.text("name").isEmpty { validator.required(item[field]["name"], "must specify a resource name") }
                if target["averageUtilization"] == nil, target["averageValue"] == nil {
                    validator.required(
                        item[field]["target"]["averageUtilization"], "must set either a target raw value or a target utilization")
                }
                if let number = target["averageUtilization"]?.integerValue, number < 1 {
                    validator.invalid(item[field]["target"]["averageUtilization"], .integer(number), "must be greater than 0")
                }
            }
        }
    }

    /// `cpu: <unknown>/80%`.
    private static func targets(_ object: JSONValue) -> String {
        let metrics = object["spec"]?.items("metrics") ?? []
        if metrics.isEmpty { return "<none>" }
        let current = object["status"]?.items("currentMetrics") ?? []
        let texts = metrics.prefix(2).enumerated().map { index, metric in
            let field = sources[metric.text("type")] ?? ""
            let source = metric[field] ?? [:], target = source["target"] ?? [:]
            let seen = current.indices.contains(index) ? current[index][field]?["current"] ?? [:] : [:]
            var name = source.text("name")
            if !name.isEmpty { name += ": " }
            if let wanted = target["averageUtilization"]?.integerValue {
                return name + (seen["averageUtilization"]?.integerValue.map { "\($0)%" } ?? "<unknown>") + "/\(wanted)%"
            }
            if let wanted = target["averageValue"]?.stringValue {
                return name + (seen["averageValue"]?.stringValue ?? "<unknown>") + "/\(wanted)" + (field == "resource" ? "" : " (avg)")
            }
            return name + (seen["value"]?.stringValue ?? "<unknown>") + "/" + target.text("value")
        }
        let text = texts.joined(separator: ", ")
        return metrics.count > 2 ? "\(text) + \(metrics.count - 2) more..." : text
    }
}
