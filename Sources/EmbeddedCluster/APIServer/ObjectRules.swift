import ResourceModel

/// What differs from kind to kind in a write and in a table: built-in kinds have their `KindRules`, custom resources their schema,
/// definitions of custom resources rules of their own.
enum ObjectRules {
    private enum Source {
        case custom(CustomResource)
        case definition
        case builtIn(KindRules)
    }

    private static func source(_ resource: ResourceType) -> Source {
        if let custom = resource.custom { return .custom(custom) }
        if resource.storageKey == definitions { return .definition }
        return .builtIn(KindRules.rules(for: resource.gvk))
    }

    /// Where the store keeps CustomResourceDefinitions.
    static let definitions = "apiextensions.k8s.io/customresourcedefinitions"

    /// The schema of a resource's objects; `nil` for kinds without one.
    static func schema(of resource: ResourceType) -> TypeSchema? {
        if let custom = resource.custom { return custom.schema }
        return SchemaCatalog.builtIn.schema(for: resource.gvk)
    }

    // MARK: Reading a body

    /// The object as its type reads it: without fields that the type does not have, quantities in canonical form.
    ///
    /// - Throws: 400 when a value does not fit its type (a string where a number must be).
    static func decoded(_ object: JSONValue, of resource: ResourceType) throws(APIStatus) -> JSONValue {
        if let custom = resource.custom { return FieldValidation.pruned(object, schema: custom.schema) }
        guard let schema = schema(of: resource) else { return object }
        do throws(DecodingFailure) { return try BuiltInDecoding.decoded(object, schema: schema) } catch {
            throw .badRequest(
                "\(resource.kind) in version \"\(resource.version)\" cannot be handled as a \(resource.kind): \(error.message)")
        }
    }

    /// The object with every default filled in.
    static func defaulted(_ object: JSONValue, of resource: ResourceType) -> JSONValue {
        switch source(resource) {
        case .custom(let custom): StructuralSchema.defaulted(object, schema: custom.schema)
        case .definition: DefinitionRules.defaulted(object)
        case .builtIn(let rules): rules.defaulted(object)
        }
    }

    /// Unknown and duplicate fields, worded as the server words them.
    static func fieldProblems(_ body: JSONValue, _ bytes: [UInt8]?, of resource: ResourceType) -> [String] {
        guard let schema = schema(of: resource) else { return [] }
        return FieldValidation.problems(in: body, raw: bytes, schema: schema)
    }

    /// The message of a 400 for strict field validation.
    static func strictMessage(_ problems: [String], of resource: ResourceType) -> String {
        let list = "strict decoding error: " + problems.joined(separator: ", ")
        if resource.custom != nil { return list }
        return "\(resource.kind) in version \"\(resource.version)\" cannot be handled as a \(resource.kind): \(list)"
    }

    // MARK: Before storing

    /// The new object before it is validated and stored.
    static func preparedForCreate(_ object: JSONValue, of resource: ResourceType) -> JSONValue {
        var object = object
        switch source(resource) {
        case .custom(let custom):
            if custom.hasStatus {
                // A default of the status itself is there as soon as the object is read.
                object["status"] = nil
                object["status"] = StructuralSchema.defaulted(object, schema: custom.schema)["status"]
            }
            object[path: "metadata", "generation"] = 1
        case .definition:
            object = DefinitionRules.preparedForCreate(object)
            object[path: "metadata", "generation"] = 1
        case .builtIn(let rules): object = rules.prepareForCreate(object)
        }
        return object
    }

    /// The changed object before it is validated and stored: what this (sub)resource may not write is as it was, the generation counts
    /// changes that controllers must look at.
    static func preparedForUpdate(_ new: JSONValue, over old: JSONValue, of resource: ResourceType, subresource: String) -> JSONValue {
        var new = new
        switch (source(resource), subresource) {
        case (_, "binding"): return new
        case (.builtIn, "finalize"):
            var object = old
            object[path: "spec", "finalizers"] = new[path: "spec", "finalizers"]
            object[path: "metadata", "managedFields"] = new[path: "metadata", "managedFields"]
            return object
        case (.builtIn(let rules), "status"): return rules.prepareForStatusUpdate(new, old)
        case (.builtIn(let rules), _):
            var object = rules.prepareForUpdate(new, old)
            // Quantities that are spelled differently and mean the same are no change.
            if object[path: "metadata", "generation"] != old[path: "metadata", "generation"], let schema = schema(of: resource),
                schema.meansTheSame(object["spec"], old["spec"], field: "spec"), !movedBesidesSpec(object, old)
            {
                object[path: "metadata", "generation"] = old[path: "metadata", "generation"]
            }
            return object
        case (.definition, "status"), (.custom, "status"):
            var object = old
            object["status"] = new["status"]
            for name in ["managedFields", "resourceVersion"] { object[path: "metadata", name] = new[path: "metadata", name] }
            return object
        case (.definition, _): new = DefinitionRules.preparedForUpdate(new, old: old)
        case (.custom(let custom), _): if custom.hasStatus { new["status"] = old["status"] }
        }
        if moved(new, old, withStatus: !(resource.custom?.hasStatus ?? true)) {
            new[path: "metadata", "generation"] = .integer((old[path: "metadata", "generation"]?.integerValue ?? 0) + 1)
        }
        return new
    }

    private static func movedBesidesSpec(_ new: JSONValue, _ old: JSONValue) -> Bool {
        var (left, right) = (new, old)
        left["spec"] = nil
        right["spec"] = nil
        return moved(left, right, withStatus: false)
    }

    /// Whether anything but metadata (and status, where that is a subresource) differs.
    private static func moved(_ new: JSONValue, _ old: JSONValue, withStatus: Bool) -> Bool {
        func rest(_ object: JSONValue) -> JSONObject {
            var object = object.objectValue ?? [:]
            object.removeAll { ["metadata", "apiVersion", "kind"].contains($0.key) || ($0.key == "status" && !withStatus) }
            return object
        }
        return rest(new) != rest(old)
    }

    // MARK: Validation

    /// What is wrong with a new object.
    static func validateCreate(_ object: JSONValue, of resource: ResourceType) -> [FieldCause] {
        switch source(resource) {
        case .builtIn(let rules): return rules.validateCreate(object)
        case .custom(let custom): return nameCauses(object) + StructuralSchema.validated(object, old: nil, schema: custom.schema)
        case .definition: return nameCauses(object) + DefinitionRules.validated(object, old: nil)
        }
    }

    private static func nameCauses(_ object: JSONValue) -> [FieldCause] {
        object[path: "metadata", "name"]?.stringValue ?? "" == ""
            ? [.required("metadata.name", "name or generateName is required")] : ObjectMetaRules.validateCreate(object, nameForm: .subdomain)
    }

    /// What is wrong with a changed object.
    static func validateUpdate(_ new: JSONValue, over old: JSONValue, of resource: ResourceType, subresource: String) -> [FieldCause] {
        if ["finalize", "binding"].contains(subresource) { return [] }
        switch source(resource) {
        case .builtIn(let rules): return subresource == "status" ? [] : rules.validateUpdate(new, old)
        case .custom(let custom):
            return ObjectMetaRules.validateUpdate(new, old) + StructuralSchema.validated(new, old: old, schema: custom.schema)
        case .definition: return subresource.isEmpty ? DefinitionRules.validated(new, old: old) : []
        }
    }

    /// What the server warns about without refusing it.
    static func warnings(_ object: JSONValue, of resource: ResourceType) -> [String] {
        guard case .builtIn(let rules) = source(resource) else { return [] }
        return rules.warnings(object)
    }

    // MARK: Tables

    /// The columns of a built-in kind.
    static func tableColumns(_ resource: ResourceType) -> [JSONValue]? {
        switch source(resource) {
        case .custom: nil
        case .builtIn(let rules): rules.tableColumns.map(\.json)
        case .definition: [TableText.nameColumn.json, definitionColumn]
        }
    }

    private static let definitionColumn: JSONValue = [
        "name": "Created At", "type": "date", "format": "", "priority": 0,
        "description":
            "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
    ]

    /// The cells of a built-in kind's object.
    static func tableRow(_ resource: ResourceType, _ object: JSONValue, now: Int64) -> [JSONValue]? {
        switch source(resource) {
        case .custom: nil
        case .builtIn(let rules): rules.tableRow(object, now: now)
        case .definition: [object[path: "metadata", "name"] ?? "", object[path: "metadata", "creationTimestamp"] ?? .null]
        }
    }
}

extension TypeSchema {
    /// Whether two values of a field are equal when quantities are compared by what they mean.
    fileprivate func meansTheSame(_ left: JSONValue?, _ right: JSONValue?, field name: String) -> Bool {
        member(name).map { $0.meansTheSame(left, right) } ?? (left == right)
    }

    private func meansTheSame(_ left: JSONValue?, _ right: JSONValue?) -> Bool {
        guard let left, let right else { return left == right }
        if left == right { return true }
        if format == "quantity" {
            guard let a = Quantity(left), let b = Quantity(right) else { return false }
            return a == b
        }
        switch (left, right) {
        case (.object(let a), .object(let b)):
            return a.count == b.count && a.members.allSatisfy { meansTheSame($0.value, b[$0.key], field: $0.key) }
        case (.array(let a), .array(let b)):
            guard a.count == b.count, let items else { return false }
            return zip(a, b).allSatisfy { items.meansTheSame($0, $1) }
        default: return false
        }
    }
}
