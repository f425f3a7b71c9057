import ResourceModel

/// The defaults of pod specs, wherever they stand: Pod, the workloads' templates, PodTemplate.
enum PodDefaults {
    /// Defaults of `template` (`metadata` and `spec`).
    static func template(_ template: inout JSONValue) {
        if template["metadata"] == nil { template["metadata"] = [:] }
        template.updateOrMake("spec", spec)
    }

    static func spec(_ spec: inout JSONValue) {
        for name in ["nodeName", "hostname"] where spec[name] == "" { spec[name] = nil }
        spec.setDefault("dnsPolicy", "ClusterFirst")
        spec.setDefault("restartPolicy", "Always")
        if spec["securityContext"] == nil { spec["securityContext"] = [:] }
        if spec["terminationGracePeriodSeconds"] == nil { spec["terminationGracePeriodSeconds"] = 30 }
        spec.setDefault("schedulerName", "default-scheduler")
        let account = spec.text("serviceAccountName")
        if !account.isEmpty { spec["serviceAccount"] = .string(account) } else if !spec.text("serviceAccount").isEmpty {
            spec["serviceAccountName"] = spec["serviceAccount"]
        }
        let usesHostNetwork = spec["hostNetwork"]?.boolValue == true
        for list in ["containers", "initContainers", "ephemeralContainers"] {
            spec.updateItems(list) { container in
                self.container(&container)
                if usesHostNetwork, list != "ephemeralContainers" {
                    container.updateItems("ports") { if $0["hostPort"] == nil { $0["hostPort"] = $0["containerPort"] } }
                }
            }
        }
        spec.updateItems("volumes", volume)
        spec.updateItems("topologySpreadConstraints") { constraint in
            constraint.setDefault("nodeAffinityPolicy", "")
            if constraint["nodeAffinityPolicy"] == "" { constraint["nodeAffinityPolicy"] = nil }
        }
    }

    static func container(_ container: inout JSONValue) {
        container.setDefault("imagePullPolicy", pullPolicy(container.text("image")))
        container.setDefault("terminationMessagePath", "/dev/termination-log")
        container.setDefault("terminationMessagePolicy", "File")
        if container["resources"] == nil { container["resources"] = [:] }
        container.updateItems("ports") { port in
            port.setDefault("protocol", "TCP")
            if port["name"] == "" { port["name"] = nil }
        }
        container.updateItems("env") { variable in
            if variable["value"] == "" { variable["value"] = nil }
            variable.update("valueFrom") { source in
                source.update("fieldRef") { $0.setDefault("apiVersion", "v1") }
                source.update("resourceFieldRef") { reference in
                    if reference["divisor"] == nil { reference["divisor"] = "0" }
                }
            }
        }
        for probe in ["livenessProbe", "readinessProbe", "startupProbe"] { container.update(probe, self.probe) }
        container.update("lifecycle") { lifecycle in
            for hook in ["postStart", "preStop"] { lifecycle.update(hook) { $0.update("httpGet", httpGet) } }
        }
    }

    /// `Always` for `latest` and no tag, `IfNotPresent` for every other tag and for digests.
    private static func pullPolicy(_ image: String) -> JSONValue {
        if image.contains("@") { return "IfNotPresent" }
        let last = image.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        let tag = last.split(separator: ":", maxSplits: 1).dropFirst().first ?? "latest"
        return tag == "latest" ? "Always" : "IfNotPresent"
    }

    private static func httpGet(_ action: inout JSONValue) {
        action.setDefault("path", "/")
        action.setDefault("scheme", "HTTP")
    }

    private static func probe(_ probe: inout JSONValue) {
        for (name, value) in [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)] as [(String, Int64)]
        where probe.number(name) == 0 { probe[name] = .integer(value) }
        probe.update("httpGet", httpGet)
        probe.update("grpc") { if $0["service"] == nil { $0["service"] = "" } }
    }

    private static func volume(_ volume: inout JSONValue) {
        if volume.objectValue?.count == 1, volume["name"] != nil { volume["emptyDir"] = [:] }
        for name in ["secret", "configMap", "downwardAPI", "projected"] {
            volume.update(name) { if $0["defaultMode"] == nil { $0["defaultMode"] = 420 } }
        }
        volume.update("downwardAPI", downwardItems)
        volume.update("projected") { projected in
            projected.updateItems("sources") { source in
                source.update("downwardAPI", downwardItems)
                source.update("serviceAccountToken") { if $0["expirationSeconds"] == nil { $0["expirationSeconds"] = 3600 } }
            }
        }
        volume.update("hostPath") { if $0["type"] == nil { $0["type"] = "" } }
        volume.update("iscsi") { $0.setDefault("iscsiInterface", "default") }
        volume.update("rbd") { rbd in
            rbd.setDefault("pool", "rbd")
            rbd.setDefault("user", "admin")
            rbd.setDefault("keyring", "/etc/ceph/keyring")
        }
        volume.update("azureDisk") { disk in
            disk.setDefault("cachingMode", "ReadWrite")
            disk.setDefault("fsType", "ext4")
            disk.setDefault("kind", "Shared")
            if disk["readOnly"] == nil { disk["readOnly"] = false }
        }
        volume.update("image") { image in image.setDefault("pullPolicy", pullPolicy(image.text("reference"))) }
        volume.update("ephemeral") { ephemeral in
            ephemeral.update("volumeClaimTemplate") { template in
                template.update("spec") { if $0["volumeMode"] == nil { $0["volumeMode"] = "Filesystem" } }
            }
        }
    }

    private static func downwardItems(_ source: inout JSONValue) {
        source.updateItems("items") { item in
            item.update("fieldRef") { $0.setDefault("apiVersion", "v1") }
            item.update("resourceFieldRef") { if $0["divisor"] == nil { $0["divisor"] = "0" } }
        }
    }

    /// What only Pods get, not templates: requests from limits, service links.
    static func pod(_ spec: inout JSONValue) {
        for list in ["containers", "initContainers"] {
            spec.updateItems(list) { container in
                container.update("resources") { resources in
                    let limits = resources["limits"]?.objectValue?.members ?? []
                    if limits.isEmpty { return }
                    resources.updateOrMake("requests") { requests in
                        for limit in limits where requests[limit.key] == nil { requests[limit.key] = limit.value }
                    }
                }
            }
        }
        if spec["enableServiceLinks"] == nil { spec["enableServiceLinks"] = true }
    }

    /// What admission adds to every new pod.
    static func admit(_ spec: inout JSONValue) {
        spec.setDefault("serviceAccountName", "default")
        spec["serviceAccount"] = spec["serviceAccountName"]
        if spec["priority"] == nil { spec["priority"] = 0 }
        spec.setDefault("preemptionPolicy", "PreemptLowerPriority")
        var tolerations = spec.items("tolerations")
        for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
            let isTolerated = tolerations.contains { toleration in
                let known = toleration.text("key"), effect = toleration.text("effect")
                return (known == key || known.isEmpty) && (effect == "NoExecute" || effect.isEmpty)
            }
            if !isTolerated {
                tolerations.append(["key": .string(key), "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300])
            }
        }
        spec["tolerations"] = .array(tolerations)
    }

    /// `Guaranteed`, `Burstable` or `BestEffort`.
    static func qualityOfService(_ spec: JSONValue) -> String {
        var requests: [String: Quantity] = [:], limits: [String: Quantity] = [:]
        var isGuaranteed = true
        for container in spec.items("containers") + spec.items("initContainers") {
            func amounts(_ name: String) -> [String: Quantity] {
                var result: [String: Quantity] = [:]
                for member in container["resources"]?[name]?.objectValue?.members ?? [] where ["cpu", "memory"].contains(member.key) {
                    if let quantity = Quantity(member.value), !quantity.isZero { result[member.key] = quantity }
                }
                return result
            }
            requests.merge(amounts("requests"), uniquingKeysWith: +)
            let own = amounts("limits")
            limits.merge(own, uniquingKeysWith: +)
            if own.count != 2 { isGuaranteed = false }
        }
        if requests.isEmpty && limits.isEmpty { return "BestEffort" }
        let agrees = requests.allSatisfy { limits[$0.key] == $0.value } && requests.count == limits.count
        return isGuaranteed && agrees ? "Guaranteed" : "Burstable"
    }
}
