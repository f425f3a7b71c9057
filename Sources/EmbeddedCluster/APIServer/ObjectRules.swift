import ResourceModel

/// What differs from kind to kind in a write and in a table: built-in kinds have their `KindRules`, custom resources their schema.
enum ObjectRules {
    /// The schema of a resource's objects; `nil` for kinds without one.
    static func schema(of resource: ResourceType) -> TypeSchema? {
        if let custom = resource.custom { return custom.schema }
        return SchemaCatalog.builtIn.schema(for: resource.gvk)
    }

    static let definitions = "apiextensions.k8s.io/customresourcedefinitions"

    /// The object with every default filled in.
    static func defaulted(_ object: JSONValue, of resource: ResourceType) -> JSONValue {
        if let custom = resource.custom { return StructuralSchema.defaulted(object, schema: custom.schema) }
        if resource.storageKey == definitions { return DefinitionRules.defaulted(object) }
        return object
    }

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

    /// Unknown and duplicate fields, worded as the server words them.
    static func fieldProblems(_ body: JSONValue, _ bytes: [UInt8]?, of resource: ResourceType) -> [String] {
        guard let schema = schema(of: resource) else { return [] }
        return FieldValidation.problems(in: body, raw: bytes, schema: schema)
    }

    static func strictMessage(_ problems: [String], of resource: ResourceType) -> String {
        let list = "strict decoding error: " + problems.joined(separator: ", ")
        if resource.custom != nil { return list }
        return "\(resource.kind) in version \"\(resource.version)\" cannot be handled as a \(resource.kind): \(list)"
    }

    static func admittedForCreate(_ object: JSONValue, of resource: ResourceType, server: APIServer, user: UserInfo?) throws -> JSONValue {
        object
    }

    static func preparedForCreate(_ object: JSONValue, of resource: ResourceType) -> JSONValue {
        var object = object
        switch resource.storageKey {
        case "/namespaces":
            object[path: "spec", "finalizers"] = ["kubernetes"]
            object["status"] = ["phase": "Active"]
            object[path: "metadata", "labels", "kubernetes.io/metadata.name"] = object[path: "metadata", "name"]
        case definitions: object = DefinitionRules.preparedForCreate(object)
        default: break
        }
        if resource.custom?.hasStatus ?? false { object["status"] = nil }
        return object
    }

    static func preparedForUpdate(_ new: JSONValue, over old: JSONValue, of resource: ResourceType, subresource: String) -> JSONValue {
        var new = new
        let hasStatus = resource.subresource("status") != nil
        switch subresource {
        case "" where resource.storageKey == definitions: new = DefinitionRules.preparedForUpdate(new, old: old)
        case "" where hasStatus: new["status"] = old["status"]
        case "status":
            var object = old
            object["status"] = new["status"]
            object[path: "metadata", "managedFields"] = new[path: "metadata", "managedFields"]
            object[path: "metadata", "resourceVersion"] = new[path: "metadata", "resourceVersion"]
            if resource.custom == nil {
                for name in ["labels", "annotations", "finalizers", "ownerReferences"] {
                    object[path: "metadata", name] = new[path: "metadata", name]
                }
            }
            new = object
        default: break
        }
        return new
    }

    static func validateCreate(_ object: JSONValue, of resource: ResourceType) -> [FieldCause] {
        if let custom = resource.custom { return StructuralSchema.validated(object, old: nil, schema: custom.schema) }
        if resource.storageKey == definitions { return DefinitionRules.validated(object, old: nil) }
        return []
    }

    static func validateUpdate(_ new: JSONValue, over old: JSONValue, of resource: ResourceType, subresource: String) -> [FieldCause] {
        if let custom = resource.custom { return StructuralSchema.validated(new, old: old, schema: custom.schema) }
        if resource.storageKey == definitions, subresource.isEmpty { return DefinitionRules.validated(new, old: old) }
        return []
    }

    static func warnings(_ object: JSONValue, of resource: ResourceType) -> [String] { [] }

    static func hasGeneration(_ resource: ResourceType) -> Bool {
        if resource.custom != nil { return true }
        return [
            "apps/deployments", "apps/replicasets", "apps/daemonsets", "apps/statefulsets", "batch/jobs", "batch/cronjobs", "/pods",
            "networking.k8s.io/ingresses", "networking.k8s.io/networkpolicies", "policy/poddisruptionbudgets",
            "apiextensions.k8s.io/customresourcedefinitions", "/replicationcontrollers", "networking.k8s.io/ingressclasses",
        ].contains(resource.storageKey)
    }

    /// Whether the change is one that controllers must look at: of anything but metadata and status.
    static func generationMoves(_ new: JSONValue, over old: JSONValue, of resource: ResourceType) -> Bool {
        func rest(_ object: JSONValue) -> [JSONObject.Member] {
            (object.objectValue ?? [:]).members.filter { !["metadata", "apiVersion", "kind"].contains($0.key) }
        }
        let withStatus = resource.custom != nil && resource.custom?.hasStatus == false
        let left = JSONObject(rest(new).filter { withStatus || $0.key != "status" })
        let right = JSONObject(rest(old).filter { withStatus || $0.key != "status" })
        return left != right
    }

    static func tableColumns(_ resource: ResourceType) -> [JSONValue]? { nil }
    static func tableRow(_ resource: ResourceType, _ object: JSONValue, now: Int64) -> [JSONValue]? { nil }
}
