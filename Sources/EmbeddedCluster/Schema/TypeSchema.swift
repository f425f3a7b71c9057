import ResourceModel

/// How values of one type are merged, owned, patched and checked: a node of a graph that built-in types share.
///
/// A node never changes after its catalog (or `init(structural:)`) has built it.
// @unchecked: `shape` is assigned while the graph is built, before any other thread can see the node.
package final class TypeSchema: @unchecked Sendable {
    package enum Scalar: Sendable, Hashable {
        case string, number, integer, boolean
        /// Quantities and int-or-string: any scalar.
        case any
    }

    package enum Relation: Sendable, Hashable { case atomic, set, map }

    package struct List: Sendable {
        package var element: TypeSchema
        package var relation: Relation
        /// For `.map`, sorted as path elements are.
        package var keys: [String]
    }

    /// Objects: declared fields (a struct), free keys (`element`), or both.
    package struct Map: Sendable {
        package var fields: [String: Field]
        /// `nil`: only declared fields are allowed.
        package var element: TypeSchema?
        package var isAtomic: Bool
    }

    /// A struct's field; what strategic merge knows of it hangs on the field, not on its type.
    package struct Field: Sendable {
        package var schema: TypeSchema
        package var patchStrategy: PatchStrategy = []
        package var patchMergeKey: String?
        /// Go's type has a value here, not a pointer, so the field is never absent: `null` or `{}` on both sides of a compare.
        package var alwaysPresent = false
        /// Go's type has a plain value here and leaves its zero out of JSON.
        package var omitsZero = false
        /// Stands in for a missing list key (`protocol: TCP`).
        package var keyDefault: JSONValue?
    }

    package struct PatchStrategy: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let merge = PatchStrategy(rawValue: 1)
        package static let retainKeys = PatchStrategy(rawValue: 2)
    }

    package enum Shape: Sendable {
        case scalar(Scalar)
        case list(List)
        case map(Map)
        /// Whatever the value is: maps are granular, lists atomic.
        case deduced
        /// Whatever the value is, it is one leaf.
        case opaque
    }

    package internal(set) var shape: Shape
    /// `date-time`, `int32`, `byte`, `quantity`, `int-or-string`, ... or nil.
    package internal(set) var format: String?
    /// The names of required fields.
    package internal(set) var required: [String] = []
    /// What only custom resources' schemas say; nil for built-in types.
    package internal(set) var constraints: SchemaConstraints?
    /// On the root of a custom resource: whether it has a status subresource. Nil for built-in types.
    package internal(set) var hasStatusSubresource: Bool?

    init(_ shape: Shape) { self.shape = shape }

    static let deduced = TypeSchema(.deduced)
    static let opaque = TypeSchema(.opaque)
    static let string = TypeSchema(.scalar(.string))

    /// The field of that name of a struct, or nil.
    package func field(_ name: String) -> Field? {
        if case .map(let map) = shape { map.fields[name] } else { nil }
    }

    /// The type of the member `name`: the declared field's, else the map's element's; nil when neither is declared.
    package func member(_ name: String) -> TypeSchema? {
        switch shape {
        case .map(let map): map.fields[name]?.schema ?? map.element
        case .deduced: self
        case .opaque: self
        default: nil
        }
    }

    /// The type of a list's items.
    package var items: TypeSchema? {
        switch shape {
        case .list(let list): list.element
        case .deduced, .opaque: self
        default: nil
        }
    }
}
