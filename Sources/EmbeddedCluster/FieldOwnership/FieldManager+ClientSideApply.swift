import ResourceModel

/// What changing from `kubectl apply` to `kubectl apply --server-side` needs ("Upgrading from client-side apply to server-side
/// apply" on the server-side apply page): fields of the last client-side apply are kubectl's, so they are no conflict for it.
extension FieldManager {
    private static let annotation = "kubectl.kubernetes.io/last-applied-configuration"

    /// The fields that the object's last client-side apply set and that still have the value it gave them.
    static func clientSideFields(of live: JSONValue, schema: TypeSchema) -> FieldSet {
        guard let text = live[path: "metadata", "annotations", annotation]?.stringValue,
            let last = try? JSONValue(parsing: Array(text.utf8))  // an annotation that is no JSON frees no field
        else { return FieldSet() }
        let comparison = schema.comparison(from: live, to: last)
        return schema.fieldSet(of: last).difference(comparison.written).difference(comparison.removed)
    }

    /// Keeps the annotation in step, so that a later client-side apply starts from what was applied now.
    static func recordClientSide(_ patch: JSONValue, in object: inout JSONValue) {
        guard object[path: "metadata", "annotations", annotation] != nil else { return }
        var applied = patch
        applied["metadata"]?["annotations"]?[annotation] = nil
        object[path: "metadata", "annotations", annotation] = .string(
            String(decoding: applied.canonicalBytes, as: UTF8.self) + "\n")
    }
}
