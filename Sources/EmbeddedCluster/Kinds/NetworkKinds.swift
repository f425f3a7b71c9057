import ResourceModel

extension KindRules {
    /// Ingress, IngressClass and NetworkPolicy.
    static let networkKinds: [KindRules] = [
        KindRules("networking.k8s.io/v1", "Ingress") { rules in
            rules.hasGeneration = true
            rules.hasStatus = true
            rules.initialStatus = ["loadBalancer": [:]]
            rules.check = { object, validator in IngressForms.validate(object, &validator) }
            rules.findWarnings = { object in
                guard object[path: "metadata", "annotations", "kubernetes.io/ingress.class"] != nil else { return [] }
                return ["annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead"]
            }
            rules.columns = [
                TableText.nameColumn, Column("Class", description: "The name of the IngressClass resource that should be used for additional configuration"),
                Column("Hosts", description: "Hosts that incoming requests are matched against before the ingress rule"),
                Column("Address", description: "Address is a list containing ingress points for the load-balancer"),
                Column("Ports", description: "Ports of TLS configurations that open"), TableText.ageColumn,
            ]
            rules.cells = { object, now in
                let spec = object["spec"] ?? [:]
                let hosts = spec.items("rules").map { $0.text("host") }
                let named = hosts.prefix(3).filter { !$0.isEmpty }
                var text = named.isEmpty ? "*" : named.joined(separator: ",")
                if !named.isEmpty, hosts.count > 3 { text += " + \(hosts.count - 3) more..." }
                return [
                    TableText.name(object), .string(spec["ingressClassName"]?.stringValue ?? "<none>"), .string(text),
                    .string(TableText.loadBalancer(object["status"])), spec.items("tls").isEmpty ? "80" : "80, 443",
                    TableText.ageCell(object, now),
                ]
            }
        },
        KindRules("networking.k8s.io/v1", "IngressClass") { rules in
            rules.isNamespaced = false
            rules.hasGeneration = true
            rules.setDefaults = { object in
                object.update("spec") { $0.update("parameters") { $0.setDefault("scope", "Cluster") } }
            }
            rules.check = { object, validator in
                let controller = object["spec"]?.text("controller") ?? ""
                let path = FieldPath("spec.controller")
                if controller.utf8.count > 250 { validator.tooLong(path, 250) }
                if controller.isEmpty { validator.required(path) } else {
                    validator.format(path, .string(controller), IngressForms.prefixedPath(controller))
                }
            }
            rules.checkChange = { new, old, validator in
                validator.immutable(FieldPath("spec.controller"), new[path: "spec", "controller"], old[path: "spec", "controller"])
            }
            rules.columns = [
                TableText.nameColumn, Column("Controller", description: "Controller that is responsible for handling this class"),
                Column("Parameters", description: "A reference to a resource with additional parameters"), TableText.ageColumn,
            ]
            rules.cells = { object, now in
                var text = "<none>"
                if let parameters = object[path: "spec", "parameters"] {
                    let group = parameters.text("apiGroup")
                    text = parameters.text("kind") + (group.isEmpty ? "" : ".\(group)") + "/\(parameters.text("name"))"
                }
                return [TableText.name(object), object[path: "spec", "controller"] ?? "", .string(text), TableText.ageCell(object, now)]
            }
        },
        KindRules("networking.k8s.io/v1", "NetworkPolicy") { rules in
            rules.hasGeneration = true
            rules.setDefaults = { object in
                object.updateOrMake("spec") { spec in
                    for direction in ["ingress", "egress"] {
                        spec.updateItems(direction) { $0.updateItems("ports") { $0.setDefault("protocol", "TCP") } }
                    }
                    if spec.items("policyTypes").isEmpty {
                        spec["policyTypes"] = spec.items("egress").isEmpty ? ["Ingress"] : ["Ingress", "Egress"]
                    }
                }
            }
            rules.check = { object, validator in IngressForms.validatePolicy(object["spec"] ?? [:], FieldPath("spec"), &validator) }
            rules.columns = [
                TableText.nameColumn,
                Column(
                    "Pod-Selector",
                    description: "podSelector selects the pods to which this NetworkPolicy object applies. The array of rules is "
                        + "applied to any pods selected by this field. An empty selector matches all pods in the policy's "
                        + "namespace. Multiple network policies can select the same set of pods. In this case, the "
                        + "ingress rules for each are combined additively. This field is optional. If it is not "
                        + "specified, it defaults to an empty selector."), TableText.ageColumn,
            ]
            rules.cells = { object, now in
                [TableText.name(object), TableText.selector(object[path: "spec", "podSelector"]), TableText.ageCell(object, now)]
            }
        },
    ]
}

private enum IngressForms {
    /// `example.com/path`.
    static func prefixedPath(_ text: String) -> [String] {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if parts.count != 2 || parts[0].isEmpty || parts[1].isEmpty { return ["must be a domain-prefixed path (such as \"acme.io/foo\")"] }
        return Names.dnsSubdomain(parts[0]).map { "prefix part \($0)" }
    }

    static func validate(_ object: JSONValue, _ validator: inout Validator) {
        let spec = object["spec"] ?? [:], path = FieldPath("spec")
        if spec.items("rules").isEmpty, spec["defaultBackend"] == nil {
            validator.invalid(path, spec["rules"] ?? [], "either `defaultBackend` or `rules` must be specified")
        }
        if let backend = spec["defaultBackend"] { self.backend(backend, path["defaultBackend"], &validator) }
        for (index, rule) in spec.items("rules").enumerated() {
            let item = path["rules"][index]
            host(rule.text("host"), item["host"], &validator)
            guard let http = rule["http"] else { continue }
            if http.items("paths").isEmpty { validator.required(item["http"]["paths"]) }
            for (place, entry) in http.items("paths").enumerated() { self.entry(entry, item["http"]["paths"][place], &validator) }
        }
        for (index, entry) in spec.items("tls").enumerated() {
            for (place, name) in entry.items("hosts").enumerated() {
                let text = name.stringValue ?? ""
                validator.format(
                    path["tls"][index]["hosts"][place], name, text.contains("*") ? Names.wildcardSubdomain(text) : Names.dnsSubdomain(text))
            }
        }
        if let name = spec["ingressClassName"]?.stringValue {
            validator.format(path["ingressClassName"], .string(name), Names.dnsSubdomain(name))
        }
    }

    private static func host(_ name: String, _ path: FieldPath, _ validator: inout Validator) {
        if name.isEmpty { return }
        if Names.isAddress(name) { validator.invalid(path, .string(name), "must be a DNS name, not an IP address") }
        validator.format(path, .string(name), name.contains("*") ? Names.wildcardSubdomain(name) : Names.dnsSubdomain(name))
    }

    private static func entry(_ entry: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        let text = entry.text("path")
        switch entry.text("pathType") {
        case "": validator.required(path["pathType"], "pathType must be specified")
        case "Exact", "Prefix":
            if !text.hasPrefix("/") { validator.invalid(path["path"], .string(text), "must be an absolute path") }
            for part in ["//", "/./", "/../", "%2f", "%2F"] where text.contains(part) {
                validator.invalid(path["path"], .string(text), "must not contain '\(part)'")
            }
            for end in ["/..", "/."] where text.hasSuffix(end) {
                validator.invalid(path["path"], .string(text), "cannot end with '\(end)'")
            }
        case "ImplementationSpecific":
            if !text.isEmpty, !text.hasPrefix("/") { validator.invalid(path["path"], .string(text), "must be an absolute path") }
        default: validator.notSupported(path["pathType"], entry["pathType"], ["Exact", "ImplementationSpecific", "Prefix"])
        }
        backend(entry["backend"] ?? [:], path["backend"], &validator)
    }

    private static func backend(_ backend: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        if let service = backend["service"] {
            if backend["resource"] != nil { validator.invalid(path, "", "cannot set both resource and service backends") }
            let name = service.text("name"), port = service["port"] ?? [:], item = path["service"]
            if name.isEmpty { validator.required(item["name"]) } else { validator.format(item["name"], .string(name), Names.dns1035Label(name)) }
            if port.text("name").isEmpty, port.number("number") == 0 {
                validator.required(item["port"], "port name or number is required")
            } else if !port.text("name").isEmpty {
                if port.number("number") != 0 { validator.invalid(item, "", "cannot set both port name & port number") }
                validator.format(item["port"]["name"], port["name"], Names.portName(port.text("name")))
            } else {
                validator.port(item["port"]["number"], port["number"])
            }
        } else if backend["resource"] == nil {
            validator.invalid(path, "", "resource or service backend is required")
        }
    }

    static func validatePolicy(_ spec: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        if let selector = spec["podSelector"] { SelectorRules.validate(selector, path["podSelector"], &validator) }
        for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
            for (index, rule) in spec.items(direction).enumerated() {
                let item = path[direction][index]
                for (place, port) in rule.items("ports").enumerated() {
                    validator.oneOf(item["ports"][place]["protocol"], port["protocol"], ["TCP", "UDP", "SCTP"])
                    if let number = port["port"] { validator.portOrName(item["ports"][place]["port"], number) }
                    if let end = port["endPort"]?.integerValue, end < port.number("port") {
                        validator.invalid(item["ports"][place]["endPort"], .integer(end), "must be greater than or equal to `port`")
                    }
                }
                for (place, peer) in rule.items(peers).enumerated() { self.peer(peer, item[peers][place], &validator) }
            }
        }
        for (index, type) in spec.items("policyTypes").enumerated() where type != "Ingress" && type != "Egress" {
            validator.notSupported(path["policyTypes"][index], type, ["Egress", "Ingress"])
        }
    }

    private static func peer(_ peer: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        for name in ["podSelector", "namespaceSelector"] {
            if let selector = peer[name] { SelectorRules.validate(selector, path[name], &validator) }
        }
        let hasSelector = peer["podSelector"] != nil || peer["namespaceSelector"] != nil
        if let block = peer["ipBlock"] {
            if hasSelector { validator.forbidden(path, "may not specify both ipBlock and another peer") }
            let range = block.text("cidr")
            if range.isEmpty { validator.required(path["ipBlock"]["cidr"]) } else if !Names.isCIDR(range) {
                validator.invalid(path["ipBlock"]["cidr"], .string(range), Names.networkProblem)
            }
            for (index, range) in block.items("except").enumerated() where !Names.isCIDR(range.stringValue ?? "") {
                validator.invalid(path["ipBlock"]["except"][index], range, Names.networkProblem)
            }
        } else if !hasSelector {
            validator.required(path, "must specify a peer")
        }
    }
}
