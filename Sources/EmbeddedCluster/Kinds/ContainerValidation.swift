import ResourceModel

/// What makes a container valid.
enum ContainerValidation {
    static func container(
        _ container: JSONValue, _ path: FieldPath, volumes: Set<String>, isInit: Bool, _ validator: inout Validator
    ) {
        let name = container.text("name")
        if name.isEmpty { validator.required(path["name"]) } else { validator.format(path["name"], container["name"], Names.dnsLabel(name)) }
        let image = container.text("image")
        if image.isEmpty { validator.required(path["image"]) } else if image.first == " " || image.last == " " {
            validator.invalid(path["image"], container["image"], "must not have leading or trailing whitespace")
        }
        let isSidecar = isInit && container["restartPolicy"] == "Always"
        for (probe, mustSucceedOnce) in [("livenessProbe", true), ("readinessProbe", false), ("startupProbe", true)] {
            guard let value = container[probe] else { continue }
            if isInit, !isSidecar {
                validator.forbidden(path[probe], "may not be set for init containers without restartPolicy=Always")
                continue
            }
            self.probe(value, path[probe], mustSucceedOnce: mustSucceedOnce, &validator)
        }
        if let lifecycle = container["lifecycle"] {
            if isInit, !isSidecar { validator.forbidden(path["lifecycle"], "may not be set for init containers without restartPolicy=Always") }
            for hook in ["postStart", "preStop"] {
                if let value = lifecycle[hook] { handler(value, path["lifecycle"][hook], &validator) }
            }
        }
        validator.oneOf(path["terminationMessagePolicy"], container["terminationMessagePolicy"], ["File", "FallbackToLogsOnError"])
        ports(container, path["ports"], &validator)
        environment(container, path["env"], &validator)
        environmentSources(container, path["envFrom"], &validator)
        mounts(container, path["volumeMounts"], volumes, &validator)
        validator.oneOf(path["imagePullPolicy"], container["imagePullPolicy"], ["Always", "IfNotPresent", "Never"])
        ResourceValidation.requirements(container["resources"] ?? [:], path["resources"], &validator)
        security(container, path["securityContext"], &validator)
    }

    private static func ports(_ container: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        var names = Set<String>()
        for (index, port) in container.items("ports").enumerated() {
            let item = path[index]
            let name = port.text("name")
            if !name.isEmpty {
                let problems = Names.portName(name)
                validator.format(item["name"], .string(name), problems)
                if problems.isEmpty, !names.insert(name).inserted { validator.duplicate(item["name"], .string(name)) }
            }
            if port["containerPort"] == nil || port.number("containerPort") == 0 { validator.required(item["containerPort"]) } else {
                validator.port(item["containerPort"], port["containerPort"])
            }
            if port.number("hostPort") != 0 { validator.port(item["hostPort"], port["hostPort"]) }
            validator.oneOf(item["protocol"], port["protocol"], ["TCP", "UDP", "SCTP"])
        }
    }

    private static func environment(_ container: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        for (index, variable) in container.items("env").enumerated() {
            let item = path[index]
            let name = variable.text("name")
            if name.isEmpty { validator.required(item["name"]) } else {
                validator.format(item["name"], .string(name), Names.environmentVariable(name))
            }
            guard let source = variable["valueFrom"] else { continue }
            let kinds = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"].filter { source[$0] != nil }
            if kinds.isEmpty {
                validator.invalid(
                    item["valueFrom"], "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`")
            } else if !variable.text("value").isEmpty {
                validator.invalid(item["valueFrom"], "", "may not be specified when `value` is not empty")
            } else if kinds.count > 1 {
                validator.invalid(item["valueFrom"], "", "may not have more than one field specified at a time")
            }
            for kind in ["configMapKeyRef", "secretKeyRef"] {
                guard let reference = source[kind] else { continue }
                let place = item["valueFrom"][kind]
                if reference.text("name").isEmpty { validator.required(place["name"]) }
                if reference.text("key").isEmpty { validator.required(place["key"]) } else {
                    validator.format(place["key"], reference["key"], Names.configKey(reference.text("key")))
                }
            }
            if let reference = source["fieldRef"] { fieldReference(reference, item["valueFrom"]["fieldRef"], &validator) }
        }
    }

    private static let fields = [
        "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs",
        "status.podIP", "status.podIPs",
    ]

    private static func fieldReference(_ reference: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        let field = reference.text("fieldPath")
        if field.isEmpty { return validator.required(path["fieldPath"]) }
        if fields.contains(field) { return }
        for prefix in ["metadata.labels['", "metadata.annotations['"] where field.hasPrefix(prefix) && field.hasSuffix("']") { return }
        validator.notSupported(path["fieldPath"], .string(field), fields.sorted())
    }

    private static func environmentSources(_ container: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        for (index, source) in container.items("envFrom").enumerated() {
            let item = path[index]
            let prefix = source.text("prefix")
            if !prefix.isEmpty { validator.format(item["prefix"], .string(prefix), Names.environmentVariable(prefix)) }
            let kinds = ["configMapRef", "secretRef"].filter { source[$0] != nil }
            for kind in kinds where source[kind]?.text("name").isEmpty ?? true { validator.required(item[kind]["name"]) }
            if kinds.isEmpty {
                validator.invalid(item, "", "must specify one of: `configMapRef` or `secretRef`")
            } else if kinds.count > 1 {
                validator.invalid(item, "", "may not have more than one field specified at a time")
            }
        }
    }

    private static func mounts(_ container: JSONValue, _ path: FieldPath, _ volumes: Set<String>, _ validator: inout Validator) {
        var paths = Set<String>()
        for (index, mount) in container.items("volumeMounts").enumerated() {
            let item = path[index]
            let name = mount.text("name")
            if name.isEmpty { validator.required(item["name"]) } else if !volumes.contains(name) {
                validator.notFound(item["name"], .string(name))
            }
            let target = mount.text("mountPath")
            if target.isEmpty { validator.required(item["mountPath"]) } else if !paths.insert(target).inserted {
                validator.invalid(item["mountPath"], .string(target), "must be unique")
            }
            let inner = mount.text("subPath"), expression = mount.text("subPathExpr")
            if !inner.isEmpty { relativePath(inner, item["subPath"], &validator) }
            if !expression.isEmpty {
                if !inner.isEmpty { validator.invalid(item["subPathExpr"], .string(expression), "subPathExpr and subPath are mutually exclusive") }
                relativePath(expression, item["subPathExpr"], &validator)
            }
            validator.oneOf(
                item["mountPropagation"], mount["mountPropagation"], ["None", "HostToContainer", "Bidirectional"], isRequired: false)
        }
    }

    /// A path inside a volume: relative, with no step upwards.
    static func relativePath(_ text: String, _ path: FieldPath, _ validator: inout Validator) {
        if text.hasPrefix("/") { validator.invalid(path, .string(text), "must be a relative path") }
        if text.split(separator: "/").contains("..") { validator.invalid(path, .string(text), "must not contain '..'") }
    }

    private static func probe(_ probe: JSONValue, _ path: FieldPath, mustSucceedOnce: Bool, _ validator: inout Validator) {
        handler(probe, path, &validator)
        for name in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] {
            validator.nonNegative(path[name], probe[name])
        }
        if let seconds = probe["terminationGracePeriodSeconds"]?.integerValue, seconds <= 0 {
            validator.invalid(path["terminationGracePeriodSeconds"], .integer(seconds), "must be greater than 0")
        }
        if mustSucceedOnce, let threshold = probe["successThreshold"]?.integerValue, threshold != 1 {
            validator.invalid(path["successThreshold"], .integer(threshold), "must be 1")
        }
    }

    /// What a probe or a lifecycle hook does: exactly one thing.
    private static func handler(_ handler: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        let kinds = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"].filter { handler[$0] != nil }
        for (index, kind) in kinds.enumerated() {
            let action = handler[kind] ?? [:]
            let item = path[kind]
            if index > 0 {
                validator.forbidden(item, "may not specify more than 1 handler type")
                continue
            }
            switch kind {
            case "exec": if action.items("command").isEmpty { validator.required(item["command"]) }
            case "httpGet":
                if action.text("path").isEmpty { validator.required(item["path"]) }
                validator.portOrName(item["port"], action["port"])
                validator.oneOf(item["scheme"], action["scheme"], ["HTTP", "HTTPS"])
                for (place, header) in action.items("httpHeaders").enumerated() where header.text("name").isEmpty {
                    validator.required(item["httpHeaders"][place]["name"])
                }
            case "tcpSocket": validator.portOrName(item["port"], action["port"])
            case "grpc": validator.port(item["port"], action["port"])
            default: break
            }
        }
        if kinds.isEmpty { validator.required(path, "must specify a handler type") }
    }

    private static func security(_ container: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        guard let context = container["securityContext"] else { return }
        for name in ["runAsUser", "runAsGroup"] {
            if let number = context[name]?.integerValue, number < 0 || number > 2_147_483_647 {
                validator.invalid(path[name], .integer(number), "must be between 0 and 2147483647, inclusive")
            }
        }
        if context["allowPrivilegeEscalation"] == false {
            if context["privileged"] == true {
                validator.invalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true")
            }
            if (context["capabilities"]?.items("add") ?? []).contains("CAP_SYS_ADMIN") {
                validator.invalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN")
            }
        }
    }
}
