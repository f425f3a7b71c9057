import ResourceModel

/// What the server warns about in a pod or a pod template.
enum PodWarnings {
    private static let nodeLabels = [
        "beta.kubernetes.io/arch": "deprecated since v1.14; use \"kubernetes.io/arch\" instead",
        "beta.kubernetes.io/os": "deprecated since v1.14; use \"kubernetes.io/os\" instead",
        "failure-domain.beta.kubernetes.io/region": "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead",
        "failure-domain.beta.kubernetes.io/zone": "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead",
        "beta.kubernetes.io/instance-type": "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead",
    ]
    private static let annotations = [
        "scheduler.alpha.kubernetes.io/critical-pod": "non-functional in v1.16+; use the \"priorityClassName\" field instead",
        "seccomp.security.alpha.kubernetes.io/pod": "non-functional in v1.27+; use the \"seccompProfile\" field instead",
        "security.alpha.kubernetes.io/sysctls": "non-functional in v1.11+; use the \"sysctls\" field instead",
        "security.alpha.kubernetes.io/unsafe-sysctls": "non-functional in v1.11+; use the \"sysctls\" field instead",
    ]

    static func warnings(_ spec: JSONValue, _ metadata: JSONValue, _ path: FieldPath, _ metadataPath: FieldPath) -> [String] {
        var warnings: [String] = []
        for member in spec.sortedMembers("nodeSelector") {
            if let text = nodeLabels[member.key] { warnings.append("\(path["nodeSelector"].key(member.key)): \(text)") }
        }
        for member in metadata.sortedMembers("annotations") {
            if let text = annotations[member.key] { warnings.append("\(metadataPath["annotations"].key(member.key)): \(text)") }
        }
        for (index, volume) in spec.items("volumes").enumerated() where volume["gitRepo"] != nil {
            warnings.append("\(path["volumes"][index]["gitRepo"]): deprecated in v1.11")
        }
        var aliases = Set<String>()
        for (index, alias) in spec.items("hostAliases").enumerated() where !aliases.insert(alias.text("ip")).inserted {
            warnings.append("\(path["hostAliases"][index]["ip"]): duplicate ip \"\(alias.text("ip"))\"")
        }
        for list in ["initContainers", "containers"] {
            for (index, container) in spec.items(list).enumerated() { self.container(container, path[list][index], &warnings) }
        }
        var secrets = Set<String>()
        for (index, secret) in spec.items("imagePullSecrets").enumerated() where !secrets.insert(secret.text("name")).inserted {
            warnings.append("\(path["imagePullSecrets"][index]): duplicate name \"\(secret.text("name"))\"")
        }
        return warnings
    }

    private static func container(_ container: JSONValue, _ path: FieldPath, _ warnings: inout [String]) {
        var seen: [String: Int] = [:]
        for (index, variable) in container.items("env").enumerated() {
            let name = variable.text("name")
            if let first = seen[name], variable["value"]?.stringValue?.contains("$(\(name))") != true {
                warnings.append("\(path["env"][index]): hides previous definition of \"\(name)\", which may be dropped when using apply")
                _ = first
            }
            seen[name] = index
        }
        var ports: [String: Bool] = [:]
        for (index, port) in container.items("ports").enumerated() {
            let key = "\(port.number("containerPort"))/\(port.text("protocol"))/\(port.text("hostIP"))/\(port.number("hostPort"))"
            if ports.updateValue(true, forKey: key) != nil {
                warnings.append("\(path["ports"][index]): duplicate port definition with \(path["ports"])")
            }
        }
        for kind in ["limits", "requests"] {
            for member in container["resources"]?.sortedMembers(kind) ?? [] where ["memory", "ephemeral-storage"].contains(member.key) {
                if let quantity = Quantity(member.value), !quantity.isInteger {
                    warnings.append(
                        "\(path["resources"][kind].key(member.key)): fractional byte value \"\(quantity.canonical)\" is invalid, must be an integer")
                }
            }
        }
    }
}
