import ResourceModel

/// What a structural schema demands of a value beyond its type.
package final class SchemaConstraints: Sendable {
    /// The node of `openAPIV3Schema` as the definition has it.
    package let source: JSONObject
    package let defaultValue: JSONValue?
    package let isNullable: Bool
    package let preservesUnknownFields: Bool

    init(_ source: JSONObject) {
        self.source = source
        defaultValue = source["default"]
        isNullable = source["nullable"]?.boolValue == true
        preservesUnknownFields = source["x-kubernetes-preserve-unknown-fields"]?.boolValue == true
    }
}
