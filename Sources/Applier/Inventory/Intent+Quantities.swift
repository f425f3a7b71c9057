import ResourceModel

extension Intent {
    /// Writes the amounts of a built-in kind that are numbers (`cpu: 1`) as strings, as every server answers them. API servers before 1.23
    /// refuse a server-side apply with the number: `expected string, got &value.valueUnstructured{Value:1}`.
    static func spellQuantities(in body: inout JSONValue, kind: GroupKind) {
        guard var spec = body["spec"], !spec.isScalar else { return }
        let names = kind == GroupKind(group: "", kind: "LimitRange") ? limitRangeMaps : quantityMaps
        guard spell(&spec, maps: names) else { return }
        body["spec"] = spec
    }

    private static let quantityMaps: Set<String> = ["limits", "requests", "hard", "capacity", "overhead"]
    private static let limitRangeMaps: Set<String> = ["default", "defaultRequest", "max", "min", "maxLimitRequestRatio"]
    private static let quantities: Set<String> = ["sizeLimit", "divisor", "averageValue"]

    /// Whether anything was changed: most objects hold no such number and are left as they are.
    private static func spell(_ value: inout JSONValue, maps: Set<String>) -> Bool {
        var isChanged = false
        switch value {
        case .object(var members):
            for index in members.indices {
                var member = members[index]
                let wasChanged =
                    if case .object(var amounts) = member.value, maps.contains(member.key) {
                        spell(&amounts, into: &member.value)
                    } else if member.value.isScalar {
                        quantities.contains(member.key) && spellNumber(&member.value)
                    } else {
                        spell(&member.value, maps: maps)
                    }
                guard wasChanged else { continue }
                members[index] = member
                isChanged = true
            }
            if isChanged { value = .object(members) }
        case .array(var items):
            for index in items.indices where !items[index].isScalar && spell(&items[index], maps: maps) { isChanged = true }
            if isChanged { value = .array(items) }
        default: break
        }
        return isChanged
    }

    private static func spell(_ amounts: inout JSONObject, into value: inout JSONValue) -> Bool {
        var isChanged = false
        for index in amounts.indices {
            var amount = amounts[index]
            guard spellNumber(&amount.value) else { continue }
            amounts[index] = amount
            isChanged = true
        }
        if isChanged { value = .object(amounts) }
        return isChanged
    }

    private static func spellNumber(_ value: inout JSONValue) -> Bool {
        switch value {
        case .integer(let number): value = .string("\(number)")
        case .number(let literal): value = .string(literal)
        default: return false
        }
        return true
    }
}
