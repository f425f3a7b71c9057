import ResourceModel

/// What a CustomResourceDefinition's schema makes of an object: defaults, and everything that is wrong with it.
package enum StructuralSchema {
    /// `object` with the schema's defaults filled in. A null takes the default where null is not allowed and one is declared.
    package static func defaulted(_ object: JSONValue, schema: TypeSchema) -> JSONValue {
        switch schema.shape {
        case .map(let map):
            guard case .object(var result) = object else { return object }
            for (name, field) in map.fields.sorted(by: { $0.key < $1.key }) {
                guard let value = field.schema.constraints?.defaultValue else { continue }
                let current = result[name]
                if current == nil || (current?.isNull == true && field.schema.constraints?.isNullable == false) {
                    result[name] = value
                }
            }
            for index in result.members.indices {
                guard let type = map.fields[result[index].key]?.schema ?? map.element, type.hasDefaults else { continue }
                let value = defaulted(result[index].value, schema: type)
                result[index] = .init(key: result[index].key, value: value)
            }
            return .object(result)
        case .list(let list):
            guard case .array(let items) = object, list.element.hasDefaults else { return object }
            return .array(items.map { defaulted($0, schema: list.element) })
        default: return object
        }
    }

    /// Everything that is wrong with a custom resource, in the server's order; empty when nothing is.
    ///
    /// - Parameters:
    ///   - old: the stored object on updates, for transition rules; nil on create.
    ///   - schema: made from the definition's version.
    package static func validated(_ object: JSONValue, old: JSONValue?, schema: TypeSchema) -> [FieldCause] {
        SchemaValidator(schema: schema).causes(in: object, old: old)
    }
}

extension TypeSchema {
    /// Whether something below may have a default; recursion ends because structural schemas are trees.
    fileprivate var hasDefaults: Bool {
        switch shape {
        case .map, .list: constraints != nil
        default: false
        }
    }
}
