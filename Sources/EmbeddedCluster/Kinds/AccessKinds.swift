import ResourceModel

extension KindRules {
    /// ServiceAccount, roles and their bindings.
    static let accessKinds: [KindRules] = [
        KindRules("v1", "ServiceAccount") { rules in
            // `secrets` is left out of this table since 1.36: what is recorded has Name and Age only.
            rules.columns = nil
        },
        role("Role"), role("ClusterRole"), binding("RoleBinding"), binding("ClusterRoleBinding"),
    ]

    private static let group = "rbac.authorization.k8s.io"

    private static func role(_ kind: String) -> KindRules {
        KindRules("\(group)/v1", kind) { rules in
            rules.nameForm = .pathSegment
            rules.isNamespaced = kind == "Role"
            rules.setDefaults = { object in
                if object["rules"] == nil { object["rules"] = .null }
            }
            rules.check = { object, validator in
                for (index, rule) in object.items("rules").enumerated() {
                    let path = FieldPath("rules")[index]
                    if rule.items("verbs").isEmpty { validator.required(path["verbs"], "verbs must contain at least one value") }
                    if !rule.items("nonResourceURLs").isEmpty {
                        if kind == "Role" {
                            validator.invalid(
                                path["nonResourceURLs"], rule["nonResourceURLs"], "namespaced rules cannot apply to non-resource URLs")
                        }
                        if !rule.items("apiGroups").isEmpty || !rule.items("resources").isEmpty {
                            validator.invalid(
                                path["nonResourceURLs"], rule["nonResourceURLs"], "rules cannot apply to both regular resources and non-resource URLs")
                        }
                        continue
                    }
                    if rule.items("apiGroups").isEmpty {
                        validator.required(path["apiGroups"], "resource rules must supply at least one api group")
                    }
                    if rule.items("resources").isEmpty {
                        validator.required(path["resources"], "resource rules must supply at least one resource")
                    }
                }
            }
            rules.columns = [TableText.nameColumn, TableText.createdAtColumn]
            rules.cells = { object, _ in [TableText.name(object), object[path: "metadata", "creationTimestamp"] ?? .null] }
        }
    }

    private static func binding(_ kind: String) -> KindRules {
        KindRules("\(group)/v1", kind) { rules in
            rules.nameForm = .pathSegment
            rules.isNamespaced = kind == "RoleBinding"
            rules.setDefaults = { object in
                object.updateOrMake("roleRef") { $0.setDefault("apiGroup", .string(group)) }
                object.updateItems("subjects") { subject in
                    if subject["kind"] == "ServiceAccount" {
                        if subject["apiGroup"] == "" { subject["apiGroup"] = nil }
                    } else if ["User", "Group"].contains(subject.text("kind")) {
                        subject.setDefault("apiGroup", .string(group))
                    }
                }
            }
            rules.check = { object, validator in validateBinding(object, kind, &validator) }
            rules.checkChange = { new, old, validator in
                if new["roleRef"] != old["roleRef"] {
                    let reference = new["roleRef"] ?? [:]
                    validator.invalid(
                        FieldPath("roleRef"),
                        ["APIGroup": reference["apiGroup"] ?? "", "Kind": reference["kind"] ?? "", "Name": reference["name"] ?? ""],
                        "cannot change roleRef")
                }
            }
            rules.columns = [
                TableText.nameColumn, Column("Role", description: "RoleRef can \(kind == "RoleBinding" ? "reference a Role in the current namespace or a ClusterRole" : "only reference a ClusterRole") in the global namespace. If the RoleRef cannot be resolved, the Authorizer must return an error."),
                TableText.ageColumn, Column("Users", description: "Users in the \(kind == "RoleBinding" ? "roleBinding" : "clusterRoleBinding")", priority: 1),
                Column("Groups", description: "Groups in the \(kind == "RoleBinding" ? "roleBinding" : "clusterRoleBinding")", priority: 1),
                Column("ServiceAccounts", description: "ServiceAccounts in the \(kind == "RoleBinding" ? "roleBinding" : "clusterRoleBinding")", priority: 1),
            ]
            rules.cells = { object, now in
                func names(_ kind: String) -> JSONValue {
                    .string(
                        object.items("subjects").filter { $0["kind"] == .string(kind) }.map { subject in
                            kind == "ServiceAccount" ? "\(subject.text("namespace"))/\(subject.text("name"))" : subject.text("name")
                        }.joined(separator: ", "))
                }
                let reference = object["roleRef"] ?? [:]
                return [
                    TableText.name(object), .string("\(reference.text("kind"))/\(reference.text("name"))"), TableText.ageCell(object, now),
                    names("User"), names("Group"), names("ServiceAccount"),
                ]
            }
        }
    }

    private static func validateBinding(_ object: JSONValue, _ kind: String, _ validator: inout Validator) {
        let reference = object["roleRef"] ?? [:], path = FieldPath("roleRef")
        if reference.text("apiGroup") != group { validator.notSupported(path["apiGroup"], reference["apiGroup"] ?? "", [group]) }
        let kinds = kind == "RoleBinding" ? ["ClusterRole", "Role"] : ["ClusterRole"]
        if !kinds.contains(reference.text("kind")) { validator.notSupported(path["kind"], reference["kind"] ?? "", kinds) }
        if reference.text("name").isEmpty { validator.required(path["name"]) } else {
            validator.format(path["name"], reference["name"], Names.pathSegment(reference.text("name")))
        }
        for (index, subject) in object.items("subjects").enumerated() {
            let item = FieldPath("subjects")[index]
            let name = subject.text("name")
            if name.isEmpty { validator.required(item["name"]) }
            switch subject.text("kind") {
            case "ServiceAccount":
                if !name.isEmpty { validator.format(item["name"], .string(name), Names.dnsSubdomain(name)) }
                if !subject.text("apiGroup").isEmpty { validator.notSupported(item["apiGroup"], subject["apiGroup"], [""]) }
                if kind == "ClusterRoleBinding", subject.text("namespace").isEmpty { validator.required(item["namespace"]) }
            case "User", "Group":
                if subject.text("apiGroup") != group { validator.notSupported(item["apiGroup"], subject["apiGroup"] ?? "", [group]) }
            default: validator.notSupported(item["kind"], subject["kind"] ?? "", ["Group", "ServiceAccount", "User"])
            }
        }
    }
}
