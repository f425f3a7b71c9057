import ResourceModel

/// The patch formats; stand-ins for those that are still to come.
enum Patches {
    struct Unsupported: Error {}

    static func merge(_ patch: JSONValue, to target: JSONValue) -> JSONValue {
        guard let members = patch.objectValue else { return patch }
        var result: JSONValue = target.objectValue == nil ? [:] : target
        for member in members {
            result[member.key] = member.value.isNull ? nil : merge(member.value, to: result[member.key] ?? .null)
        }
        return result
    }

    static func json(_ patch: JSONValue, to target: JSONValue) throws -> JSONValue { throw Unsupported() }
    static func strategic(_ patch: JSONValue, to target: JSONValue, schema: TypeSchema?) throws -> JSONValue { merge(patch, to: target) }
}
