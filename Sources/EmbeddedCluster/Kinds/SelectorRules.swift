import ResourceModel

/// Label selectors: their form, and whether they select labels.
enum SelectorRules {
    static func validate(_ selector: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        for member in selector.sortedMembers("matchLabels") {
            validator.format(path["matchLabels"], .string(member.key), Names.qualifiedName(member.key))
            validator.format(path["matchLabels"], member.value, Names.labelValue(member.value.stringValue ?? ""))
        }
        for (index, expression) in selector.items("matchExpressions").enumerated() {
            let item = path["matchExpressions"][index]
            let values = expression.items("values")
            switch expression.text("operator") {
            case "In", "NotIn":
                if values.isEmpty { validator.required(item["values"], "must be specified when `operator` is 'In' or 'NotIn'") }
            case "Exists", "DoesNotExist":
                if !values.isEmpty { validator.forbidden(item["values"], "may not be specified when `operator` is 'Exists' or 'DoesNotExist'") }
            default: validator.invalid(item["operator"], expression["operator"] ?? "", "not a valid selector operator")
            }
            validator.format(item["key"], expression["key"] ?? "", Names.qualifiedName(expression.text("key")))
            for (place, value) in values.enumerated() {
                validator.format(item["values"][place], value, Names.labelValue(value.stringValue ?? ""))
            }
        }
    }

    static func isEmpty(_ selector: JSONValue?) -> Bool {
        (selector?["matchLabels"]?.objectValue?.isEmpty ?? true) && (selector?.items("matchExpressions").isEmpty ?? true)
    }

    /// A missing selector matches nothing, an empty one everything.
    static func matches(_ selector: JSONValue?, _ labels: JSONValue?) -> Bool {
        guard let selector else { return false }
        for member in selector["matchLabels"]?.objectValue?.members ?? [] where labels?[member.key] != member.value { return false }
        for expression in selector.items("matchExpressions") {
            let value = labels?[expression.text("key")]
            let isListed = value.map { expression.items("values").contains($0) } ?? false
            let holds: Bool
            switch expression.text("operator") {
            case "In": holds = isListed
            case "NotIn": holds = !isListed
            case "Exists": holds = value != nil
            case "DoesNotExist": holds = value == nil
            default: holds = false
            }
            if !holds { return false }
        }
        return true
    }

    /// The template of a workload: its labels must be what the selector selects, its pods run forever.
    ///
    /// - Parameter claims: volumes that pods get besides those of the template.
    static func template(_ spec: JSONValue, _ path: FieldPath, claims: Set<String> = [], _ validator: inout Validator) {
        let template = spec["template"] ?? [:]
        let labels = template[path: "metadata", "labels"]
        if !matches(spec["selector"], labels) {
            validator.invalid(path["metadata"]["labels"], labels, "`selector` does not match template `labels`")
        }
        PodValidation.template(template, path, claims: claims, &validator)
        let policy = template[path: "spec", "restartPolicy"]
        if let policy, policy != "Always" { validator.notSupported(path["spec"]["restartPolicy"], policy, ["Always"]) }
        if template[path: "spec", "activeDeadlineSeconds"] != nil {
            validator.forbidden(path["spec"]["activeDeadlineSeconds"], "activeDeadlineSeconds in ReplicaSet is not Supported")
        }
    }
}
