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
        default: break
        }
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
