import ResourceModel

/// JSON merge patch, RFC 7386.
package enum MergePatch {
    /// - Throws: `PatchFailure` when the patch is no object.
    package static func apply(_ patch: JSONValue, to target: JSONValue) throws(PatchFailure) -> JSONValue {
        guard case .object = patch else {
            throw .badRequest(
                "error decoding patch: json: cannot unmarshal \(patch.typeName) into Go value of type map[string]interface {}")
        }
        return merged(target, patch)
    }

    private static func merged(_ target: JSONValue, _ patch: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var result = target.objectValue ?? JSONObject()
        for member in changes.members {
            if member.value.isNull {
                result.removeValue(forKey: member.key)
            } else {
                result[member.key] = merged(result[member.key] ?? .object(JSONObject()), member.value)
            }
        }
        return .object(result)
    }
}
