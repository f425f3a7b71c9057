import ResourceModel

/// What makes a pod spec valid, wherever it stands.
enum PodValidation {
    /// - Parameter claims: volumes that pods get besides those of the spec.
    static func template(_ template: JSONValue, _ path: FieldPath, claims: Set<String> = [], _ validator: inout Validator) {
        let metadata = template["metadata"] ?? [:]
        ObjectMetaRules.labels(metadata, path["labels"], &validator)
        ObjectMetaRules.annotations(metadata, path["annotations"], &validator)
        spec(template["spec"] ?? [:], path["spec"], claims: claims, &validator)
    }

    static func spec(_ spec: JSONValue, _ path: FieldPath, claims: Set<String> = [], _ validator: inout Validator) {
        let volumes = VolumeValidation.volumes(spec, path["volumes"], &validator).union(claims)
        if spec.items("containers").isEmpty { validator.required(path["containers"]) }
        var names = Set<String>()
        for list in ["containers", "initContainers", "ephemeralContainers"] {
            for (index, container) in spec.items(list).enumerated() {
                let item = path[list][index]
                let name = container.text("name")
                if !name.isEmpty, !names.insert(name).inserted {
                    validator.duplicate(item["name"], .string(name))
                }
                ContainerValidation.container(container, item, volumes: volumes, isInit: list == "initContainers", &validator)
            }
        }
        hostPorts(spec, path, &validator)
        validator.oneOf(path["restartPolicy"], spec["restartPolicy"], ["Always", "OnFailure", "Never"])
        validator.oneOf(path["dnsPolicy"], spec["dnsPolicy"], ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"])
        if spec["dnsPolicy"] == "None", (spec["dnsConfig"]?.items("nameservers") ?? []).isEmpty {
            validator.required(
                path["dnsConfig"]["nameservers"], "must provide at least one DNS nameserver when `dnsPolicy` is None")
        }
        ObjectMetaRules.labels(map: spec["nodeSelector"], path["nodeSelector"], &validator)
        Self.names(spec, path, &validator)
        numbers(spec, path, &validator)
        tolerations(spec, path["tolerations"], &validator)
        for (index, alias) in spec.items("hostAliases").enumerated() {
            if !Names.isAddress(alias.text("ip")) {
                validator.invalid(path["hostAliases"][index]["ip"], alias["ip"] ?? "", Names.addressProblem)
            }
            for (place, host) in alias.items("hostnames").enumerated() {
                validator.format(path["hostAliases"][index]["hostnames"][place], host, Names.dnsSubdomain(host.stringValue ?? ""))
            }
        }
        for (index, secret) in spec.items("imagePullSecrets").enumerated() where secret.text("name").isEmpty {
            validator.required(path["imagePullSecrets"][index]["name"])
        }
        topology(spec, path["topologySpreadConstraints"], &validator)
        affinity(spec, path["affinity"], &validator)
        if spec["shareProcessNamespace"]?.boolValue == true, spec["hostPID"]?.boolValue == true {
            validator.invalid(path["shareProcessNamespace"], true, "ShareProcessNamespace and HostPID cannot both be enabled")
        }
    }

    private static func names(_ spec: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        for name in ["serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"] where !spec.text(name).isEmpty {
            validator.format(path[name], spec[name], Names.dnsSubdomain(spec.text(name)))
        }
        for name in ["hostname", "subdomain"] where !spec.text(name).isEmpty {
            validator.format(path[name], spec[name], Names.dnsLabel(spec.text(name)))
        }
        if !spec.text("schedulerName").isEmpty {
            validator.format(path["schedulerName"], spec["schedulerName"], Names.qualifiedName(spec.text("schedulerName")))
        }
    }

    private static func numbers(_ spec: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        validator.nonNegative(path["terminationGracePeriodSeconds"], spec["terminationGracePeriodSeconds"])
        if let seconds = spec["activeDeadlineSeconds"]?.integerValue, seconds < 1 || seconds > Int64(Int32.max) {
            validator.invalid(
                path["activeDeadlineSeconds"], .integer(seconds), "must be between 1 and 2147483647, inclusive")
        }
        for name in ["runAsUser", "runAsGroup", "fsGroup"] {
            if let number = spec["securityContext"]?[name]?.integerValue, number < 0 || number > 2_147_483_647 {
                validator.invalid(path["securityContext"][name], .integer(number), "must be between 0 and 2147483647, inclusive")
            }
        }
    }

    /// Two containers can't have one port of the host.
    private static func hostPorts(_ spec: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        var taken = Set<String>()
        for (index, container) in spec.items("containers").enumerated() {
            for (place, port) in container.items("ports").enumerated() where port.number("hostPort") > 0 {
                let text = "\(port.text("protocol"))/\(port.text("hostIP"))/\(port.number("hostPort"))"
                if !taken.insert(text).inserted {
                    validator.duplicate(path["containers"][index]["ports"][place]["hostPort"], .string(text))
                }
            }
        }
        guard spec["hostNetwork"]?.boolValue == true else { return }
        for (index, container) in spec.items("containers").enumerated() {
            for (place, port) in container.items("ports").enumerated() where port["hostPort"] != nil && port["hostPort"] != port["containerPort"] {
                validator.invalid(
                    path["containers"][index]["ports"][place]["hostPort"], port["hostPort"],
                    "must match `containerPort` when `hostNetwork` is true")
            }
        }
    }

    private static func tolerations(_ spec: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        for (index, toleration) in spec.items("tolerations").enumerated() {
            let item = path[index]
            let key = toleration.text("key"), sign = toleration.text("operator")
            if !key.isEmpty { validator.format(item["key"], .string(key), Names.qualifiedName(key)) }
            if key.isEmpty, sign != "Exists" {
                validator.invalid(
                    item["operator"], .string(sign), "operator must be Exists when `key` is empty, which means \"match all values and all keys\"")
            }
            if toleration["tolerationSeconds"] != nil, toleration.text("effect") != "NoExecute" {
                validator.invalid(item["effect"], toleration["effect"] ?? "", "effect must be 'NoExecute' when `tolerationSeconds` is set")
            }
            switch sign {
            case "", "Equal":
                validator.format(item["operator"], toleration["value"], Names.labelValue(toleration.text("value")))
            case "Exists":
                if !toleration.text("value").isEmpty {
                    validator.invalid(item["operator"], toleration, "value must be empty when `operator` is 'Exists'")
                }
            default: validator.notSupported(item["operator"], .string(sign), ["Equal", "Exists"])
            }
            validator.oneOf(
                item["effect"], toleration["effect"], ["NoSchedule", "PreferNoSchedule", "NoExecute"], isRequired: false)
        }
    }

    private static func topology(_ spec: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        for (index, constraint) in spec.items("topologySpreadConstraints").enumerated() {
            let item = path[index]
            if constraint.number("maxSkew") <= 0 { validator.invalid(item["maxSkew"], constraint["maxSkew"] ?? 0, "must be greater than zero") }
            if constraint.text("topologyKey").isEmpty { validator.required(item["topologyKey"], "can not be empty") }
            validator.oneOf(item["whenUnsatisfiable"], constraint["whenUnsatisfiable"], ["DoNotSchedule", "ScheduleAnyway"])
            if let selector = constraint["labelSelector"] { SelectorRules.validate(selector, item["labelSelector"], &validator) }
        }
    }

    private static func affinity(_ spec: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        for kind in ["podAffinity", "podAntiAffinity"] {
            let terms = spec[path: "affinity", kind]
            let base = path[kind]
            for (index, term) in (terms?.items("requiredDuringSchedulingIgnoredDuringExecution") ?? []).enumerated() {
                affinityTerm(term, base["requiredDuringSchedulingIgnoredDuringExecution"][index], &validator)
            }
            for (index, weighted) in (terms?.items("preferredDuringSchedulingIgnoredDuringExecution") ?? []).enumerated() {
                let item = base["preferredDuringSchedulingIgnoredDuringExecution"][index]
                let weight = weighted.number("weight")
                if weight < 1 || weight > 100 { validator.invalid(item["weight"], .integer(weight), "must be in the range 1-100") }
                affinityTerm(weighted["podAffinityTerm"] ?? [:], item["podAffinityTerm"], &validator)
            }
        }
    }

    private static func affinityTerm(_ term: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        if let selector = term["labelSelector"] { SelectorRules.validate(selector, path["labelSelector"], &validator) }
        if term.text("topologyKey").isEmpty { validator.required(path["topologyKey"], "can not be empty") } else {
            validator.format(path["topologyKey"], term["topologyKey"], Names.qualifiedName(term.text("topologyKey")))
        }
    }
}
