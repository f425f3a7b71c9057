import ResourceModel

extension Intent {
    /// Writes out the defaults that lists are told apart or compared by, where manifests commonly leave them to the server.
    ///
    /// A Service's port is told from another by `port` and `protocol`, and API servers before 1.21 know no default for the second: they
    /// refuse a server-side apply that leaves it out, which every other way of applying permits. The others are in lists that are one
    /// value to the server: without its defaults such a list would be asked for by a dry run at every comparison.
    static func fillDefaults(in body: inout JSONValue, kind: GroupKind) {
        switch (kind.group, kind.kind) {
        case ("", "Service"):
            fill("protocol", "TCP", inEach: "ports", of: &body["spec"])
        case ("networking.k8s.io", "NetworkPolicy"):
            for direction in ["ingress", "egress"] {
                forEach(direction, of: &body["spec"]) { rule in fill("protocol", "TCP", inEach: "ports", of: &rule) }
            }
        case ("rbac.authorization.k8s.io", "RoleBinding"), ("rbac.authorization.k8s.io", "ClusterRoleBinding"):
            var whole: JSONValue? = body
            forEach("subjects", of: &whole) { subject in
                guard (subject?["apiGroup"]?.stringValue ?? "").isEmpty else { return }
                switch subject?["kind"]?.stringValue {
                case "ServiceAccount": subject?["apiGroup"] = nil  // an empty string is not kept
                case "User", "Group": subject?["apiGroup"] = "rbac.authorization.k8s.io"
                default: break
                }
            }
            if let whole { body = whole }
        case ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"), ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"):
            var whole: JSONValue? = body
            forEach("webhooks", of: &whole) { webhook in fill("scope", "*", inEach: "rules", of: &webhook) }
            if let whole { body = whole }
        default:
            if let path = podSpecs[kind], let pod = body[path: path], isToldOfItself(pod) { fillReferences(inPod: &body[path: path]) }
        }
    }

    /// Where the kinds that have one keep what their pods are.
    private static let podSpecs: [GroupKind: [String]] = {
        let workloads = ["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"].map { GroupKind(group: "apps", kind: $0) }
        let others = [GroupKind(group: "batch", kind: "Job"), GroupKind(group: "", kind: "ReplicationController")]
        var paths = Dictionary(uniqueKeysWithValues: (workloads + others).map { ($0, ["spec", "template", "spec"]) })
        paths[GroupKind(group: "", kind: "Pod")] = ["spec"]
        paths[GroupKind(group: "", kind: "PodTemplate")] = ["template", "spec"]
        paths[GroupKind(group: "batch", kind: "CronJob")] = ["spec", "jobTemplate", "spec", "template", "spec"]
        return paths
    }()

    private static let containerLists = ["containers", "initContainers", "ephemeralContainers"]

    /// Whether a container is told anything of its own pod, as few are.
    private static func isToldOfItself(_ pod: JSONValue) -> Bool {
        let variables = containerLists.lazy.flatMap { pod[$0]?.arrayValue ?? [] }.flatMap { $0["env"]?.arrayValue ?? [] }
        return variables.contains { $0["valueFrom"] != nil }
            || pod["volumes"]?.arrayValue?.contains { $0["downwardAPI"] != nil || $0["projected"] != nil } == true
    }

    /// References to a pod's own fields are one value each to the server, with defaults.
    private static func fillReferences(inPod pod: inout JSONValue?) {
        for list in containerLists {
            forEach(list, of: &pod) { container in
                forEach("env", of: &container) { variable in inside("valueFrom", of: &variable, completeReferences) }
            }
        }
        forEach("volumes", of: &pod) { volume in
            fillReferences(inFilesOf: &volume)
            inside("projected", of: &volume) { projected in forEach("sources", of: &projected, fillReferences(inFilesOf:)) }
        }
    }

    private static func fillReferences(inFilesOf volume: inout JSONValue?) {
        inside("downwardAPI", of: &volume) { files in forEach("items", of: &files, completeReferences) }
    }

    private static func completeReferences(_ place: inout JSONValue?) {
        for (reference, member, value) in [("fieldRef", "apiVersion", "v1"), ("resourceFieldRef", "divisor", "0")] {
            inside(reference, of: &place) { found in
                if found?.objectValue != nil, found?[member]?.isNull ?? true { found?[member] = .string(value) }
            }
        }
    }

    private static func inside(_ key: String, of parent: inout JSONValue?, _ change: (inout JSONValue?) -> Void) {
        guard var member = parent?[key].map(Optional.some) else { return }
        change(&member)
        parent?[key] = member
    }

    private static func fill(_ key: String, _ value: JSONValue, inEach list: String, of parent: inout JSONValue?) {
        forEach(list, of: &parent) { item in
            if item?.objectValue != nil, item?[key]?.isNull ?? true { item?[key] = value }
        }
    }

    private static func forEach(_ list: String, of parent: inout JSONValue?, _ change: (inout JSONValue?) -> Void) {
        guard let items = parent?[list]?.arrayValue else { return }
        parent?[list] = .array(
            items.map { item in
                var changed: JSONValue? = item
                change(&changed)
                return changed ?? item
            })
    }
}
