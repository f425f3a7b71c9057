import ResourceModel

extension KindRules {
    /// Deployment, ReplicaSet, StatefulSet, DaemonSet, ReplicationController and ControllerRevision.
    static let workloadKinds: [KindRules] = [
        KindRules("apps/v1", "Deployment") { rules in
            rules.workload()
            rules.setDefaults = { object in
                object.updateOrMake("spec") { spec in
                    if spec["replicas"] == nil { spec["replicas"] = 1 }
                    spec.updateOrMake("template", PodDefaults.template)
                    spec.updateOrMake("strategy") { strategy in
                        strategy.setDefault("type", "RollingUpdate")
                        guard strategy["type"] == "RollingUpdate" else { return }
                        strategy.updateOrMake("rollingUpdate") { rolling in
                            for name in ["maxUnavailable", "maxSurge"] where rolling[name] == nil { rolling[name] = "25%" }
                        }
                    }
                    if spec["revisionHistoryLimit"] == nil { spec["revisionHistoryLimit"] = 10 }
                    if spec["progressDeadlineSeconds"] == nil { spec["progressDeadlineSeconds"] = 600 }
                }
            }
            rules.check = { object, validator in
                let spec = object["spec"] ?? [:], path = FieldPath("spec")
                validator.nonNegative(path["replicas"], spec["replicas"])
                WorkloadForms.selector(spec, path, "deployment", &validator)
                SelectorRules.template(spec, path["template"], &validator)
                WorkloadForms.deploymentStrategy(spec, path["strategy"], &validator)
                for name in ["minReadySeconds", "revisionHistoryLimit"] { validator.nonNegative(path[name], spec[name]) }
                if let deadline = spec["progressDeadlineSeconds"]?.integerValue {
                    validator.nonNegative(path["progressDeadlineSeconds"], .integer(deadline))
                    if deadline <= spec.number("minReadySeconds") {
                        validator.invalid(path["progressDeadlineSeconds"], .integer(deadline), "must be greater than minReadySeconds")
                    }
                }
            }
            rules.columns = [
                TableText.nameColumn, Column("Ready", description: "Number of the pod with ready state"),
                Column("Up-to-date", description: "Total number of non-terminating pods targeted by this deployment that have the desired template spec."),
                Column("Available", description: "Total number of available non-terminating pods (ready for at least minReadySeconds) targeted by this deployment."),
                TableText.ageColumn, TableText.containersColumn, TableText.imagesColumn,
                Column(
                    "Selector",
                    description: "Label selector for pods. Existing ReplicaSets whose pods are selected by this will be the ones affected by this "
                        + "deployment. It must match the pod template's labels.", priority: 1),
            ]
            rules.cells = { object, now in
                let spec = object["spec"] ?? [:], status = object["status"] ?? [:]
                return [
                    TableText.name(object), .string("\(status.number("readyReplicas"))/\(spec.number("replicas"))"),
                    .integer(status.number("updatedReplicas")), .integer(status.number("availableReplicas")), TableText.ageCell(object, now),
                ] + TableText.containers(spec[path: "template", "spec"]) + [TableText.selector(spec["selector"])]
            }
        },
        KindRules("apps/v1", "ReplicaSet") { rules in
            rules.workload(status: ["replicas": 0])
            rules.setDefaults = { object in
                object.updateOrMake("spec") { spec in
                    if spec["replicas"] == nil { spec["replicas"] = 1 }
                    spec.updateOrMake("template", PodDefaults.template)
                }
            }
            rules.check = { object, validator in WorkloadForms.replicas(object["spec"] ?? [:], &validator) }
            rules.columns = WorkloadForms.replicaColumns
            rules.cells = WorkloadForms.replicaCells
        },
        KindRules("apps/v1", "StatefulSet") { rules in StatefulSetForms.configure(&rules) },
        KindRules("apps/v1", "DaemonSet") { rules in DaemonSetForms.configure(&rules) },
        KindRules("v1", "ReplicationController") { rules in
            rules.hasGeneration = true
            rules.hasStatus = true
            rules.initialStatus = ["replicas": 0]
            rules.setDefaults = { object in
                let labels = object[path: "spec", "template", "metadata", "labels"]
                object.updateOrMake("spec") { spec in
                    if spec["replicas"] == nil { spec["replicas"] = 1 }
                    if spec["selector"] == nil { spec["selector"] = labels }
                    spec.update("template", PodDefaults.template)
                }
                if object[path: "metadata", "labels"] == nil, let labels { object[path: "metadata", "labels"] = labels }
            }
            rules.check = { object, validator in
                let spec = object["spec"] ?? [:], path = FieldPath("spec")
                validator.nonNegative(path["minReadySeconds"], spec["minReadySeconds"])
                if spec["selector"]?.objectValue?.isEmpty ?? true { validator.required(path["selector"]) }
                validator.nonNegative(path["replicas"], spec["replicas"])
                guard spec["template"] != nil else { return validator.required(path["template"]) }
                var probe = spec
                probe["selector"] = ["matchLabels": spec["selector"] ?? [:]]
                SelectorRules.template(probe, path["template"], &validator)
            }
            rules.columns = WorkloadForms.replicaColumns
            rules.cells = { object, now in
                var cells = WorkloadForms.replicaCells(object, now)
                cells[cells.count - 1] = TableText.labels(object[path: "spec", "selector"])
                return cells
            }
        },
        KindRules("apps/v1", "ControllerRevision") { rules in
            rules.checkChange = { new, old, validator in validator.immutable(FieldPath("data"), new["data"], old["data"]) }
            rules.columns = [
                TableText.nameColumn, Column("Controller", description: "Controller of the object"),
                Column("Revision", description: "Revision indicates the revision of the state represented by Data."), TableText.ageColumn,
            ]
            rules.cells = { object, now in
                let owner = (object["metadata"]?.items("ownerReferences") ?? []).first { $0["controller"] == true }
                let group = owner.map { GroupVersionKind(apiVersion: $0.text("apiVersion"), kind: $0.text("kind")) }
                let text = owner.map { "\((group?.kind ?? "").lowercased())" + ((group?.group ?? "").isEmpty ? "" : ".\(group?.group ?? "")") + "/\($0.text("name"))" }
                return [TableText.name(object), .string(text ?? "<none>"), .integer(object.number("revision")), TableText.ageCell(object, now)]
            }
        },
    ]

    /// What the kinds of `apps` share: generation, status, a selector that stays as it is, warnings about the template.
    fileprivate mutating func workload(status: JSONValue = [:]) {
        hasGeneration = true
        hasStatus = true
        initialStatus = status
        checkChange = { new, old, validator in
            validator.immutable(FieldPath("spec.selector"), new[path: "spec", "selector"], old[path: "spec", "selector"])
        }
        findWarnings = { object in
            let template = object[path: "spec", "template"] ?? [:]
            let path = FieldPath("spec.template")
            return PodWarnings.warnings(template["spec"] ?? [:], template["metadata"] ?? [:], path["spec"], path["metadata"])
        }
    }
}

/// What workloads' rules share.
enum WorkloadForms {
    static func selector(_ spec: JSONValue, _ path: FieldPath, _ kind: String, _ validator: inout Validator) {
        guard let selector = spec["selector"] else { return validator.required(path["selector"]) }
        SelectorRules.validate(selector, path["selector"], &validator)
        if SelectorRules.isEmpty(selector) { validator.invalid(path["selector"], selector, "empty selector is invalid for \(kind)") }
    }

    static func deploymentStrategy(_ spec: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        let strategy = spec["strategy"] ?? [:]
        let rolling = strategy["rollingUpdate"]
        switch strategy.text("type") {
        case "Recreate":
            if rolling != nil { validator.forbidden(path["rollingUpdate"], "may not be specified when strategy `type` is 'Recreate'") }
        case "RollingUpdate":
            let item = path["rollingUpdate"]
            for name in ["maxUnavailable", "maxSurge"] { validator.countOrPercent(item[name], rolling?[name]) }
            if isZero(rolling?["maxUnavailable"]), isZero(rolling?["maxSurge"]) {
                validator.invalid(item["maxUnavailable"], rolling?["maxUnavailable"], "may not be 0 when `maxSurge` is 0")
            }
            atMostAll(item["maxUnavailable"], rolling?["maxUnavailable"], &validator)
        default: validator.notSupported(path["type"], strategy["type"], ["Recreate", "RollingUpdate"])
        }
    }

    static func isZero(_ value: JSONValue?) -> Bool { value == nil || value == 0 || value == "0%" }

    static func atMostAll(_ path: FieldPath, _ value: JSONValue?, _ validator: inout Validator) {
        if let text = value?.stringValue, text.hasSuffix("%"), let percent = Int(text.dropLast()), percent > 100 {
            validator.invalid(path, value, "must not be greater than 100%")
        }
    }

    static func replicas(_ spec: JSONValue, _ validator: inout Validator) {
        let path = FieldPath("spec")
        validator.nonNegative(path["replicas"], spec["replicas"])
        validator.nonNegative(path["minReadySeconds"], spec["minReadySeconds"])
        selector(spec, path, "deployment", &validator)
        SelectorRules.template(spec, path["template"], &validator)
    }

    static let replicaColumns: [KindRules.Column] = [
        TableText.nameColumn,
        .init(
            "Desired", "integer",
            description: "Replicas is the number of desired pods. This is a pointer to distinguish between explicit zero and unspecified. Defaults "
                + "to 1. More info: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset"),
        .init(
            "Current", "integer",
            description: "Replicas is the most recently observed number of non-terminating pods. More info: "
                + "https://kubernetes.io/docs/concepts/workloads/controllers/replicaset"),
        .init("Ready", "integer", description: "The number of non-terminating pods targeted by this ReplicaSet with a Ready Condition."),
        TableText.ageColumn, TableText.containersColumn, TableText.imagesColumn,
        .init(
            "Selector",
            description: "Selector is a label query over pods that should match the replica count. Label keys and values that must match in order "
                + "to be controlled by this replica set. It must match the pod template's labels. More info: "
                + "https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors", priority: 1),
    ]

    static func replicaCells(_ object: JSONValue, _ now: Int64) -> [JSONValue] {
        let spec = object["spec"] ?? [:], status = object["status"] ?? [:]
        return [
            TableText.name(object), .integer(spec.number("replicas")), .integer(status.number("replicas")),
            .integer(status.number("readyReplicas")), TableText.ageCell(object, now),
        ] + TableText.containers(spec[path: "template", "spec"]) + [TableText.selector(spec["selector"])]
    }
}

private enum StatefulSetForms {
    static func configure(_ rules: inout KindRules) {
        rules.workload(status: ["replicas": 0, "availableReplicas": 0])
        rules.setDefaults = { object in
            object.updateOrMake("spec") { spec in
                spec.setDefault("podManagementPolicy", "OrderedReady")
                spec.updateOrMake("updateStrategy") { strategy in
                    strategy.setDefault("type", "RollingUpdate")
                    guard strategy["type"] == "RollingUpdate" else { return }
                    strategy.updateOrMake("rollingUpdate") { if $0["partition"] == nil { $0["partition"] = 0 } }
                }
                spec.updateOrMake("persistentVolumeClaimRetentionPolicy") { policy in
                    for name in ["whenDeleted", "whenScaled"] { policy.setDefault(name, "Retain") }
                }
                if spec["replicas"] == nil { spec["replicas"] = 1 }
                if spec["revisionHistoryLimit"] == nil { spec["revisionHistoryLimit"] = 10 }
                spec.updateOrMake("template", PodDefaults.template)
                spec.updateItems("volumeClaimTemplates") { claim in
                    claim["apiVersion"] = "v1"
                    claim["kind"] = "PersistentVolumeClaim"
                    claim.updateOrMake("spec") { if $0["volumeMode"] == nil { $0["volumeMode"] = "Filesystem" } }
                    claim.updateOrMake("status") { $0.setDefault("phase", "Pending") }
                }
            }
        }
        rules.check = { object, validator in validate(object["spec"] ?? [:], FieldPath("spec"), &validator) }
        rules.checkChange = { new, old, validator in
            var before = old["spec"] ?? [:]
            let spec = new["spec"] ?? [:]
            for name in [
                "replicas", "template", "updateStrategy", "persistentVolumeClaimRetentionPolicy", "minReadySeconds", "ordinals", "revisionHistoryLimit",
            ] {
                before[name] = spec[name]
            }
            if before != spec {
                validator.forbidden(
                    FieldPath("spec"),
                    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
                        + "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden")
            }
        }
        rules.columns = [
            TableText.nameColumn, .init("Ready", description: "Number of the pod with ready state"), TableText.ageColumn,
            TableText.containersColumn, TableText.imagesColumn,
        ]
        rules.cells = { object, now in
            let spec = object["spec"] ?? [:]
            let ready = object["status"]?.number("readyReplicas") ?? 0
            return [TableText.name(object), .string("\(ready)/\(spec.number("replicas"))"), TableText.ageCell(object, now)]
                + TableText.containers(spec[path: "template", "spec"])
        }
    }

    private static func validate(_ spec: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        validator.oneOf(path["podManagementPolicy"], spec["podManagementPolicy"], ["OrderedReady", "Parallel"])
        let strategy = spec["updateStrategy"] ?? [:]
        switch strategy.text("type") {
        case "": validator.required(path["updateStrategy"])
        case "OnDelete":
            if strategy["rollingUpdate"] != nil {
                validator.invalid(
                    path["updateStrategy"]["rollingUpdate"], strategy["rollingUpdate"],
                    "only allowed for updateStrategy '\"RollingUpdate\"'")
            }
        case "RollingUpdate":
            validator.nonNegative(path["updateStrategy"]["rollingUpdate"]["partition"], strategy[path: "rollingUpdate", "partition"])
        default: validator.invalid(path["updateStrategy"], strategy, "must be 'RollingUpdate' or 'OnDelete'")
        }
        validator.nonNegative(path["replicas"], spec["replicas"])
        validator.nonNegative(path["minReadySeconds"], spec["minReadySeconds"])
        WorkloadForms.selector(spec, path, "statefulset", &validator)
        let claims = Set(spec.items("volumeClaimTemplates").map(\.name))
        SelectorRules.template(spec, path["template"], claims: claims, &validator)
        if !spec.text("serviceName").isEmpty {
            validator.format(path["serviceName"], spec["serviceName"], Names.dnsSubdomain(spec.text("serviceName")))
        }
    }
}

private enum DaemonSetForms {
    private static let generation = "deprecated.daemonset.template.generation"

    static func configure(_ rules: inout KindRules) {
        rules.workload(status: ["currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0])
        rules.setDefaults = { object in
            // The type has the counter as a field that is written as an annotation, so every writer but an applier comes to own it.
            if object[path: "metadata", "annotations", generation] == nil { object[path: "metadata", "annotations", generation] = "1" }
            object.updateOrMake("spec") { spec in
                spec.updateOrMake("updateStrategy") { strategy in
                    strategy.setDefault("type", "RollingUpdate")
                    guard strategy["type"] == "RollingUpdate" else { return }
                    strategy.updateOrMake("rollingUpdate") { rolling in
                        if rolling["maxUnavailable"] == nil { rolling["maxUnavailable"] = 1 }
                        if rolling["maxSurge"] == nil { rolling["maxSurge"] = 0 }
                    }
                }
                if spec["revisionHistoryLimit"] == nil { spec["revisionHistoryLimit"] = 10 }
                spec.updateOrMake("template", PodDefaults.template)
            }
            // The server keeps the count elsewhere and writes it whenever it writes the object.
            if object[path: "metadata", "annotations", generation] == nil { object[path: "metadata", "annotations", generation] = "0" }
        }
        rules.beforeCreate = { $0[path: "metadata", "annotations", generation] = "1" }
        rules.beforeUpdate = { new, old in
            let before = Int64(old[path: "metadata", "annotations", generation]?.stringValue ?? "") ?? 1
            let moves = new[path: "spec", "template"] != old[path: "spec", "template"]
            new[path: "metadata", "annotations", generation] = .string(String(before + (moves ? 1 : 0)))
        }
        rules.check = { object, validator in
            let spec = object["spec"] ?? [:], path = FieldPath("spec")
            WorkloadForms.selector(spec, path, "daemonset", &validator)
            SelectorRules.template(spec, path["template"], &validator)
            validator.nonNegative(path["minReadySeconds"], spec["minReadySeconds"])
            let strategy = spec["updateStrategy"] ?? [:]
            switch strategy.text("type") {
            case "OnDelete": break
            case "RollingUpdate":
                let rolling = strategy["rollingUpdate"], item = path["updateStrategy"]["rollingUpdate"]
                for name in ["maxUnavailable", "maxSurge"] { validator.countOrPercent(item[name], rolling?[name]) }
                if WorkloadForms.isZero(rolling?["maxUnavailable"]), WorkloadForms.isZero(rolling?["maxSurge"]) {
                    validator.invalid(item["maxUnavailable"], rolling?["maxUnavailable"], "cannot be 0 when maxSurge is 0")
                }
            default: validator.notSupported(path["updateStrategy"]["type"], strategy["type"], ["OnDelete", "RollingUpdate"])
            }
            validator.nonNegative(path["revisionHistoryLimit"], spec["revisionHistoryLimit"])
        }
        rules.columns = columns
        rules.cells = { object, now in
            let spec = object["spec"] ?? [:], status = object["status"] ?? [:]
            let counts = ["desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled", "numberAvailable"]
            return [TableText.name(object)] + counts.map { .integer(status.number($0)) }
                + [TableText.labels(spec[path: "template", "spec", "nodeSelector"]), TableText.ageCell(object, now)]
                + TableText.containers(spec[path: "template", "spec"]) + [TableText.selector(spec["selector"])]
        }
    }

    private static let guide = "More info: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/"
    private static let columns: [KindRules.Column] = [
        TableText.nameColumn,
        .init(
            "Desired", "integer",
            description: "The total number of nodes that should be running the daemon pod (including nodes correctly running the daemon pod). " + guide),
        .init(
            "Current", "integer",
            description: "The number of nodes that are running at least 1 daemon pod and are supposed to run the daemon pod. " + guide),
        .init(
            "Ready", "integer",
            description: "numberReady is the number of nodes that should be running the daemon pod and have one or more of the daemon pod running with a Ready Condition."),
        .init("Up-to-date", "integer", description: "The total number of nodes that are running updated daemon pod"),
        .init(
            "Available", "integer",
            description: "The number of nodes that should be running the daemon pod and have one or more of the daemon pod running and available "
                + "(ready for at least spec.minReadySeconds)"),
        .init(
            "Node Selector",
            description: "NodeSelector is a selector which must be true for the pod to fit on a node. Selector which must match a node's labels for the "
                + "pod to be scheduled on that node. More info: https://kubernetes.io/docs/concepts/configuration/assign-pod-node/"),
        TableText.ageColumn, TableText.containersColumn, TableText.imagesColumn,
        .init(
            "Selector",
            description: "A label query over pods that are managed by the daemon set. Must match in order to be controlled. It must match the pod "
                + "template's labels. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors",
            priority: 1),
    ]
}
