import ResourceModel

/// The form that an object has after a real API server has read it into Go's types and written it again: nulls and empty lists and maps
/// are gone, as are zero values of fields that are no pointers; struct fields are always there; quantities are canonical.
enum GoForm {
    /// Optional booleans that are plain values in Go: `false` is not written.
    private static let plainBooleans: Set<String> = [
        "hostNetwork", "hostPID", "hostIPC", "tty", "stdin", "stdinOnce", "readOnly", "publishNotReadyAddresses", "unschedulable",
        "paused", "globalDefault", "chapAuthDiscovery", "chapAuthSession", "sslEnabled", "clusterScope", "insecureSkipTLSVerify",
    ]
    /// Optional numbers that are plain values in Go: 0 is not written.
    private static let plainNumbers: Set<String> = [
        "minReadySeconds", "initialDelaySeconds", "hostPort", "nodePort", "healthCheckNodePort", "number", "count", "deprecatedCount",
        "fullyLabeledReplicas", "observedGeneration", "readyReplicas", "unavailableReplicas", "updatedReplicas", "currentReplicas",
        "updatedNumberScheduled", "numberAvailable", "numberUnavailable", "active", "failed", "succeeded", "signal",
    ]
    /// Optional strings that are pointers in Go: the empty string is written.
    private static let pointerStrings: Set<String> = [
        "storageClassName", "volumeAttributesClassName", "ingressClassName", "type", "appProtocol", "runtimeClassName", "holderIdentity",
        "loadBalancerClass", "apiGroup", "timeZone", "name", "hostname", "nodeName", "value", "key",
    ]

    static func normalized(_ object: JSONValue, kind: GroupVersionKind) -> JSONValue {
        guard let schema = SchemaCatalog.builtIn.schema(for: kind) else { return object }
        return normalized(object, schema, inStatus: false)
    }

    /// The object with every quantity in decimal form, so that equal amounts are equal values.
    static func comparable(_ object: JSONValue, kind: GroupVersionKind) -> JSONValue {
        guard let schema = SchemaCatalog.builtIn.schema(for: kind) else { return object }
        return decimal(object, schema)
    }

    private static func decimal(_ value: JSONValue, _ schema: TypeSchema) -> JSONValue {
        switch value {
        case .object(let object):
            return .object(
                JSONObject(
                    object.members.map { member in
                        guard let type = schema.member(member.key) else { return member }
                        return .init(key: member.key, value: decimal(member.value, type))
                    }))
        case .array(let items): return .array(items.map { item in schema.items.map { decimal(item, $0) } ?? item })
        case _ where schema.format == "quantity":
            return Quantity(value).map { .string(Quantity(nanos: $0.nanos).canonical) } ?? value
        default: return value
        }
    }

    private static func normalized(_ value: JSONValue, _ schema: TypeSchema, inStatus: Bool) -> JSONValue {
        switch (schema.shape, value) {
        case (.map(let map), .object(let object)):
            if map.fields.isEmpty, let element = map.element { return freeMap(object, element, inStatus) }
            return structure(object, map, schema, inStatus)
        case (.list(let list), .array(let items)):
            return .array(items.map { normalized($0, list.element, inStatus: inStatus) })
        case (.scalar, _) where schema.format == "quantity":
            return Quantity(value).map { .string($0.roundedUpToMilli.canonical) } ?? value
        default: return value
        }
    }

    private static func freeMap(_ object: JSONObject, _ element: TypeSchema, _ inStatus: Bool) -> JSONValue {
        let isText = if case .scalar(.string) = element.shape { true } else { false }
        return .object(
            JSONObject(
                object.members.compactMap { member in
                    if member.value.isNull { return isText ? .init(key: member.key, value: "") : nil }
                    return .init(key: member.key, value: normalized(member.value, element, inStatus: inStatus))
                }))
    }

    private static func structure(_ object: JSONObject, _ map: TypeSchema.Map, _ schema: TypeSchema, _ inStatus: Bool) -> JSONValue {
        var members: [JSONObject.Member] = []
        members.reserveCapacity(object.count)
        for member in object.members {
            guard let field = map.fields[member.key]?.schema ?? map.element else {
                members.append(member)
                continue
            }
            let isRequired = schema.required.contains(member.key)
            if member.value.isNull { continue }
            let value = normalized(member.value, field, inStatus: inStatus || member.key == "status")
            if !isRequired, isOmitted(value, member.key, field, inStatus) { continue }
            members.append(.init(key: member.key, value: value))
        }
        for (name, field) in map.fields where field.alwaysPresent {
            guard case .map(let inner) = field.schema.shape, !inner.fields.isEmpty || inner.element == nil else { continue }
            if !members.contains(where: { $0.key == name }) {
                members.append(.init(key: name, value: structure([:], inner, field.schema, inStatus)))
            }
        }
        return .object(JSONObject(members))
    }

    private static func isOmitted(_ value: JSONValue, _ name: String, _ schema: TypeSchema, _ inStatus: Bool) -> Bool {
        switch value {
        case .array(let items): return items.isEmpty
        case .object(let object):
            guard object.isEmpty, case .map(let map) = schema.shape else { return false }
            return map.fields.isEmpty && map.element != nil
        case .bool(false): return plainBooleans.contains(name)
        case .integer(0): return plainNumbers.contains(name) || (inStatus && (name == "replicas" || name == "availableReplicas"))
        case .string(""): return !pointerStrings.contains(name)
        default: return false
        }
    }
}
