import ResourceModel

extension KindRules {
    /// Namespace, Node, Event, Lease and what describes the API itself.
    static let clusterKinds: [KindRules] = [
        KindRules("v1", "Namespace") { rules in
            rules.nameForm = .label
            rules.isNamespaced = false
            rules.hasStatus = true
            rules.initialStatus = ["phase": "Active"]
            rules.setDefaults = { object in
                let name = object.name
                if !name.isEmpty { object[path: "metadata", "labels", "kubernetes.io/metadata.name"] = .string(name) }
                object.updateOrMake("status") { $0.setDefault("phase", "Active") }
            }
            rules.beforeCreate = { object in
                object[path: "metadata", "labels", "kubernetes.io/metadata.name"] = .string(object.name)
                let finalizers = object["spec"]?.items("finalizers") ?? []
                if !finalizers.contains("kubernetes") { object[path: "spec", "finalizers"] = .array(finalizers + ["kubernetes"]) }
            }
            rules.beforeUpdate = { new, old in new[path: "spec", "finalizers"] = old[path: "spec", "finalizers"] }
            rules.columns = [TableText.nameColumn, Column("Status", description: "The status of the namespace"), TableText.ageColumn]
            rules.cells = { object, now in
                [TableText.name(object), .string(object["status"]?.text("phase") ?? ""), TableText.ageCell(object, now)]
            }
        },
        KindRules("v1", "Node", NodeForms.configure),
        KindRules("v1", "Event") { rules in
            EventForms.configure(&rules)
            rules.setDefaults = { event in
                if event["source"] == nil { event["source"] = [:] }
                if event["involvedObject"] == nil { event["involvedObject"] = [:] }
                for name in ["firstTimestamp", "lastTimestamp", "eventTime"] where event[name] == nil { event[name] = .null }
                for name in ["reportingComponent", "reportingInstance"] where event[name] == nil { event[name] = "" }
            }
            rules.check = { object, validator in
                let named = object["involvedObject"]?.text("namespace") ?? "", own = object.namespaceName
                if named.isEmpty ? own != "default" && !own.isEmpty : named != own {
                    validator.invalid(FieldPath("involvedObject.namespace"), .string(named), "does not match event.namespace")
                }
            }
        },
        KindRules("events.k8s.io/v1", "Event") { rules in
            EventForms.configure(&rules)
            rules.setDefaults = { if $0["eventTime"] == nil { $0["eventTime"] = .null } }
        },
        KindRules("coordination.k8s.io/v1", "Lease") { rules in
            rules.check = { object, validator in
                let spec = object["spec"] ?? [:], path = FieldPath("spec")
                if let seconds = spec["leaseDurationSeconds"]?.integerValue, seconds <= 0 {
                    validator.invalid(path["leaseDurationSeconds"], .integer(seconds), "must be greater than 0")
                }
                if let count = spec["leaseTransitions"]?.integerValue, count < 0 {
                    validator.invalid(path["leaseTransitions"], .integer(count), "must be greater than or equal to 0")
                }
            }
            rules.columns = [
                TableText.nameColumn,
                Column(
                    "Holder",
                    description: "holderIdentity contains the identity of the holder of a current lease. If Coordinated Leader Election is used, the holder "
                        + "identity must be equal to the elected LeaseCandidate.metadata.name field."), TableText.ageColumn,
            ]
            rules.cells = { object, now in
                [TableText.name(object), .string(object["spec"]?.text("holderIdentity") ?? ""), TableText.ageCell(object, now)]
            }
        },
        KindRules("apiextensions.k8s.io/v1", "CustomResourceDefinition") { rules in
            rules.isNamespaced = false
            rules.hasGeneration = true
            rules.hasStatus = true
            rules.columns = [TableText.nameColumn, TableText.createdAtColumn]
            rules.cells = { object, _ in [TableText.name(object), object[path: "metadata", "creationTimestamp"] ?? .null] }
        },
        KindRules("apiregistration.k8s.io/v1", "APIService") { rules in
            rules.isNamespaced = false
            rules.hasStatus = true
            rules.columns = [
                TableText.nameColumn, Column("Service", description: "The reference to the service that hosts this API endpoint."),
                Column("Available", description: "Whether this service is available."), TableText.ageColumn,
            ]
            rules.cells = { object, now in
                let service = object[path: "spec", "service"].map { "\($0.text("namespace"))/\($0.text("name"))" } ?? "Local"
                let condition = (object["status"]?.items("conditions") ?? []).first { $0["type"] == "Available" }
                var text = condition?.text("status") ?? "Unknown"
                if let condition, text != "True" { text += " (\(condition.text("reason")))" }
                return [TableText.name(object), .string(service), .string(text), TableText.ageCell(object, now)]
            }
        },
    ]
}

private enum EventForms {
    static func configure(_ rules: inout KindRules) {
        rules.columns = [
            .init("Last Seen", description: "The time at which the most recent occurrence of this event was recorded."),
            .init("Type", description: "Type of this event (Normal, Warning), new types could be added in the future"),
            .init("Reason", description: "This should be a short, machine understandable string that gives the reason for the transition into the object's current status."),
            .init("Object", description: "The object that this event is about."),
            .init(
                "Subobject",
                description: "If referring to a piece of an object instead of an entire object, this string should contain a valid JSON/Go field access "
                    + "statement, such as desiredState.manifest.containers[2]. For example, if the object reference is to a container within a pod, this "
                    + "would take on a value like: \"spec.containers{name}\" (where \"name\" refers to the name of the container that triggered the event) "
                    + "or if no container name is specified \"spec.containers[2]\" (container with index 2 in this pod). This syntax is chosen only to have "
                    + "some well-defined way of referencing a part of an object.", priority: 1),
            .init("Source", description: "The component reporting this event. Should be a short machine understandable string.", priority: 1),
            .init("Message", description: "A human-readable description of the status of this operation."),
            .init("First Seen", description: "The time at which the event was first recorded. (Time of server receipt is in TypeMeta.)", priority: 1),
            .init("Count", description: "The number of times this event has occurred.", priority: 1),
            .init("Name", format: "name", description: TableText.nameColumn.description, priority: 1),
        ]
        rules.cells = cells
    }

    private static let cells: @Sendable (JSONValue, Int64) -> [JSONValue] = { event, now in
        func present(_ names: [String]) -> JSONValue? {
            names.lazy.compactMap { event[$0] }.first { $0.stringValue != nil }
        }
        let series = event["series"]
        let first = present(["firstTimestamp", "deprecatedFirstTimestamp", "eventTime"])
        let last = series?["lastObservedTime"] ?? present(["lastTimestamp", "deprecatedLastTimestamp", "eventTime"])
        let count = series?["count"]?.integerValue ?? event["count"]?.integerValue ?? event["deprecatedCount"]?.integerValue ?? 1
        let subject = event["involvedObject"] ?? event["regarding"] ?? [:]
        let source = event["source"] ?? event["deprecatedSource"] ?? [:]
        var component = source.text("component")
        if component.isEmpty { component = event.text("reportingComponent") }
        if component.isEmpty { component = event.text("reportingController") }
        let host = source.text("host").isEmpty ? event.text("reportingInstance") : source.text("host")
        let origin = host.isEmpty ? component : "\(component), \(host)"
        let kind = subject.text("kind").lowercased()
        let message = event["message"]?.stringValue ?? event.text("note")
        return [
            .string(TableText.since(last, now)), .string(event.text("type")), .string(event.text("reason")),
            .string(subject.text("name").isEmpty ? kind : "\(kind)/\(subject.text("name"))"), .string(subject.text("fieldPath")), .string(origin),
            .string(message.trimmingSpaces), .string(TableText.since(first, now)), .integer(max(count, 1)), TableText.name(event),
        ]
    }
}

extension String {
    fileprivate var trimmingSpaces: String {
        var text = self[...]
        while text.first?.isWhitespace ?? false { text.removeFirst() }
        while text.last?.isWhitespace ?? false { text.removeLast() }
        return String(text)
    }
}

private enum NodeForms {
    private static let info = [
        "machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion", "kubeletVersion", "kubeProxyVersion",
        "operatingSystem", "architecture",
    ]

    static let configure: @Sendable (inout KindRules) -> Void = { rules in
        rules.isNamespaced = false
        // A node may be registered with its status.
        rules.hasStatus = false
        rules.setDefaults = { object in
            if object["spec"] == nil { object["spec"] = [:] }
            object.updateOrMake("status") { status in
                if status["allocatable"] == nil { status["allocatable"] = status["capacity"] }
                status.updateOrMake("daemonEndpoints") { endpoints in
                    endpoints.updateOrMake("kubeletEndpoint") { if $0["Port"] == nil { $0["Port"] = 0 } }
                }
                status.updateOrMake("nodeInfo") { node in
                    for name in info where node[name] == nil { node[name] = "" }
                }
            }
        }
        rules.beforeUpdate = { new, old in new["status"] = old["status"] }
        rules.check = { object, validator in
            for (index, taint) in (object["spec"]?.items("taints") ?? []).enumerated() {
                let path = FieldPath("spec.taints")[index]
                validator.format(path["key"], taint["key"] ?? "", Names.qualifiedName(taint.text("key")))
                validator.format(path["value"], taint["value"], Names.labelValue(taint.text("value")))
                validator.oneOf(path["effect"], taint["effect"], ["NoExecute", "NoSchedule", "PreferNoSchedule"])
            }
            for (index, range) in (object["spec"]?.items("podCIDRs") ?? []).enumerated() where !Names.isCIDR(range.stringValue ?? "") {
                validator.invalid(FieldPath("spec.podCIDRs")[index], range, Names.networkProblem)
            }
        }
        rules.columns = [
            TableText.nameColumn, .init("Status", description: "The status of the node"), .init("Roles", description: "The roles of the node"),
            TableText.ageColumn, .init("Version", description: "Kubelet Version reported by the node."),
            .init("Internal-IP", description: "List of addresses reachable to the node.", priority: 1),
            .init("External-IP", description: "List of addresses reachable to the node.", priority: 1),
            .init("OS-Image", description: "OS Image reported by the node from /etc/os-release (e.g. Debian GNU/Linux 7 (wheezy)).", priority: 1),
            .init("Kernel-Version", description: "Kernel Version reported by the node from 'uname -r' (e.g. 3.16.0-0.bpo.4-amd64).", priority: 1),
            .init("Container-Runtime", description: "ContainerRuntime Version reported by the node through runtime remote API (e.g. containerd://1.4.2).", priority: 1),
        ]
        rules.cells = cells
    }

    private static let cells: @Sendable (JSONValue, Int64) -> [JSONValue] = { node, now in
        let status = node["status"] ?? [:]
        let ready = status.items("conditions").first { $0["type"] == "Ready" }
        var state = ready.map { $0["status"] == "True" ? "Ready" : "NotReady" } ?? "Unknown"
        if node[path: "spec", "unschedulable"] == true { state += ",SchedulingDisabled" }
        var roles: [String] = []
        for member in node["metadata"]?.sortedMembers("labels") ?? [] {
            if member.key.hasPrefix("node-role.kubernetes.io/"), member.key.utf8.count > 24 { roles.append(String(member.key.dropFirst(24))) }
            if member.key == "kubernetes.io/role", let role = member.value.stringValue, !role.isEmpty { roles.append(role) }
        }
        func address(_ type: String) -> JSONValue {
            status.items("addresses").first { $0["type"] == .string(type) }?["address"] ?? "<none>"
        }
        func known(_ name: String) -> JSONValue {
            let text = status["nodeInfo"]?.text(name) ?? ""
            return .string(text.isEmpty ? "<unknown>" : text)
        }
        return [
            TableText.name(node), .string(state), .string(roles.isEmpty ? "<none>" : roles.sorted().joined(separator: ",")),
            TableText.ageCell(node, now), .string(status["nodeInfo"]?.text("kubeletVersion") ?? ""), address("InternalIP"), address("ExternalIP"),
            known("osImage"), known("kernelVersion"), known("containerRuntimeVersion"),
        ]
    }
}
