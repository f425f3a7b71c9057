import ResourceModel

/// Resource names and amounts.
enum ResourceValidation {
    static let quantityForm = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

    /// The amount of a quantity that is not negative, or what is wrong with it.
    @discardableResult
    static func quantity(_ value: JSONValue, _ path: FieldPath, _ validator: inout Validator) -> Quantity? {
        guard let quantity = Quantity(value) else {
            validator.invalid(path, value, quantityForm)
            return nil
        }
        if quantity.isNegative { validator.invalid(path, .string(quantity.canonical), "must be greater than or equal to 0") }
        return quantity
    }

    /// `resources` of a container or a claim.
    static func requirements(_ resources: JSONValue, _ path: FieldPath, isClaim: Bool = false, _ validator: inout Validator) {
        for member in resources.sortedMembers("limits") {
            let item = path["limits"].key(member.key)
            if !isClaim { containerResource(member.key, item, &validator) }
            quantity(member.value, item, &validator)
        }
        for member in resources.sortedMembers("requests") {
            let item = path["requests"].key(member.key)
            if !isClaim { containerResource(member.key, item, &validator) }
            guard let request = quantity(member.value, item, &validator), let limitValue = resources["limits"]?[member.key],
                let limit = Quantity(limitValue)
            else { continue }
            if !isOvercommitted(member.key), request != limit {
                validator.invalid(path["requests"], .string(request.canonical), "must be equal to \(member.key) limit of \(limit.canonical)")
            } else if request > limit {
                validator.invalid(
                    path["requests"], .string(request.canonical), "must be less than or equal to \(member.key) limit of \(limit.canonical)")
            }
        }
    }

    /// Native resources may be promised more than once; extended ones and huge pages may not.
    private static func isOvercommitted(_ name: String) -> Bool { !name.contains("/") && !name.hasPrefix("hugepages-") }

    private static func containerResource(_ name: String, _ path: FieldPath, _ validator: inout Validator) {
        let problems = Names.qualifiedName(name)
        validator.format(path, .string(name), problems)
        if problems.isEmpty, !name.contains("/"), !["cpu", "memory", "ephemeral-storage"].contains(name), !name.hasPrefix("hugepages-") {
            validator.invalid(path, .string(name), "must be a standard resource for containers")
        }
    }
}
