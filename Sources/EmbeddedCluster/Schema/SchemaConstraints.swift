import ResourceModel

/// What a structural schema demands of a value beyond its type.
package struct SchemaConstraints: Sendable {
    /// The node of `openAPIV3Schema`, without the parts that other nodes carry.
    package var source: JSONObject
}
