import ResourceModel

extension APIServer {
    func create(_ target: Target, _ request: APIRequest) async throws -> APIResponse {
        let resource = target.resource
        let options = try WriteOptions(request)
        var body = try RequestBody.object(request, of: resource.kind)
        try checkKind(body, of: resource)
        let warnings = try fieldWarnings(body, RequestBody.mediaType(request) == ProtobufBody.mediaType ? nil : request.body, of: resource, options)
        body = try ObjectRules.decoded(body, of: resource)
        try checkNamespace(&body, target)
        return try await answerCreated(body, target, request, options, warnings: warnings)
    }

    /// Makes the object and answers 201.
    func answerCreated(
        _ body: JSONValue, _ target: Target, _ request: APIRequest, _ options: WriteOptions, warnings: [String]
    ) async throws -> APIResponse {
        let resource = target.resource
        let result = try createObject(body, target, options, user: request.user) { body throws(APIStatus) in
            try self.owned(nil, body, target, options)
        }
        if !options.isDryRun { try await store.durable(result.revision) }
        let (object, bytes) = present(result, as: resource)
        var response = Presentation(request).response(
            options.isDryRun ? Self.withoutRevision(object) : object, bytes: options.isDryRun ? nil : bytes, of: resource, request,
            status: 201)
        response.warnings = warnings + ObjectRules.warnings(object, of: resource)
        return response
    }

    static func withoutRevision(_ object: JSONValue) -> JSONValue {
        var object = object
        object[path: "metadata", "resourceVersion"] = nil
        return object
    }

    /// The way of a new object into the store: defaults, ownership, admission, preparation, validation.
    func createObject(
        _ body: JSONValue, _ target: Target, _ options: WriteOptions, user: UserInfo?,
        ownership: (JSONValue) throws(APIStatus) -> JSONValue
    ) throws -> StoredObject {
        let resource = target.resource
        var object = body
        if let text = object[path: "metadata", "resourceVersion"]?.stringValue, !text.isEmpty, text != "0" {
            throw APIStatus(code: 500, reason: "", message: "resourceVersion should not be set on objects to be created")
        }
        object["kind"] = .string(resource.kind)
        object["apiVersion"] = .string(resource.apiVersion)
        if object["metadata"]?.objectValue == nil { object["metadata"] = [:] }
        let generated = object[path: "metadata", "name"]?.stringValue ?? "" == ""
        let prefix = object[path: "metadata", "generateName"]?.stringValue ?? ""
        if generated, !prefix.isEmpty {
            object[path: "metadata", "name"] = .string(prefix.prefix(58) + Self.randomSuffix())
        }
        object = ObjectRules.defaulted(object, of: resource)
        object = try ownership(object)
        let name = object[path: "metadata", "name"]?.stringValue ?? ""
        try admitToNamespace(target, name: name, isDryRun: options.isDryRun)
        Self.prepareMetadata(&object, of: resource, namespace: target.namespace, now: options.now)
        object = ObjectRules.preparedForCreate(object, of: resource)
        let causes = ObjectRules.validateCreate(object, of: resource)
        if !causes.isEmpty { throw APIStatus.invalid(group: resource.group, kind: resource.kind, name: name, causes) }
        let key = target.key(name: name)
        if store.object(key) != nil { throw APIStatus.alreadyExists(resource, name) }
        object = try addresses.allocated(object, over: nil, of: resource, keeps: !options.isDryRun)
        let stored = Conversion.toStorage(object, of: resource)
        if options.isDryRun { return StoredObject(key: key, revision: 0, body: stored) }
        do throws(StoreConflict) { return try store.write(key, over: nil, stored) } catch { throw APIStatus.alreadyExists(resource, name) }
    }

    private static func prepareMetadata(_ object: inout JSONValue, of resource: ResourceType, namespace: String, now: String) {
        var metadata = object["metadata"] ?? [:]
        metadata["namespace"] = resource.isNamespaced ? .string(namespace) : nil
        metadata["uid"] = .string(UUID.random())
        metadata["creationTimestamp"] = .string(now)
        for name in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion"] { metadata[name] = nil }
        metadata["generation"] = nil
        object["metadata"] = metadata
    }

    static func randomSuffix() -> String {
        let alphabet = Array("bcdfghjklmnpqrstvwxz2456789")
        return String((0..<5).map { _ in alphabet[Int.random(in: 0..<alphabet.count)] })
    }

    // MARK: Checks

    /// The body must be of the resource's kind and version; a body that says neither is taken as such.
    func checkKind(_ body: JSONValue, of resource: ResourceType) throws(APIStatus) {
        let kind = body["kind"]?.stringValue ?? ""
        let apiVersion = body["apiVersion"]?.stringValue ?? ""
        if resource.custom != nil, kind.isEmpty || apiVersion.isEmpty {
            throw .badRequest(
                "Object 'Kind' is missing in '\(body.jsonString.prefix(200))'")
        }
        if !kind.isEmpty, kind != resource.kind || (!apiVersion.isEmpty && apiVersion != resource.apiVersion) {
            let version = apiVersion.isEmpty ? resource.apiVersion : apiVersion
            let sent = version.split(separator: "/").last.map(String.init) ?? version
            if resource.custom != nil || version != resource.apiVersion {
                throw .badRequest(
                    "the API version in the data (\(version)) does not match the expected API version (\(resource.apiVersion))")
            }
            throw .badRequest(
                "\(kind) in version \"\(sent)\" cannot be handled as a \(resource.kind): converting (\(sent).\(kind)) to "
                    + "(\(resource.group.isEmpty ? "core" : resource.group).\(resource.kind)): unknown conversion")
        }
    }

    /// The body's namespace must be the path's; a missing one becomes it.
    func checkNamespace(_ body: inout JSONValue, _ target: Target) throws(APIStatus) {
        guard target.resource.isNamespaced else {
            if let sent = body[path: "metadata", "namespace"]?.stringValue, !sent.isEmpty {
                throw .badRequest("the namespace of the provided object does not match the namespace sent on the request")
            }
            return
        }
        if target.namespace.isEmpty { throw .badRequest("an empty namespace may not be set during creation") }
        let sent = body[path: "metadata", "namespace"]?.stringValue ?? ""
        if !sent.isEmpty, sent != target.namespace {
            throw .badRequest("the namespace of the provided object does not match the namespace sent on the request")
        }
        if body["metadata"]?.objectValue == nil { body["metadata"] = [:] }
        body[path: "metadata", "namespace"] = .string(target.namespace)
    }

    /// Nothing is created in a namespace that is missing or going away.
    private func admitToNamespace(_ target: Target, name: String, isDryRun: Bool) throws(APIStatus) {
        guard target.resource.isNamespaced else { return }
        if target.resource.plural == "localsubjectaccessreviews" { return }
        guard let namespaces = catalog.resource(group: "", version: "v1", plural: "namespaces") else { return }
        guard let namespace = store.object(namespaces.key(namespace: nil, name: target.namespace)) else {
            throw .notFound(namespaces, target.namespace)
        }
        guard namespace.isBeingDeleted else { return }
        throw .forbidden(
            target.resource, name,
            "unable to create new content in namespace \(target.namespace) because it is being terminated",
            causes: [
                [
                    "reason": "NamespaceTerminating", "message": .string("namespace \(target.namespace) is being terminated"),
                    "field": "metadata.namespace",
                ]
            ])
    }

    /// Unknown and duplicate fields: an error when validation is strict, else warnings.
    func fieldWarnings(_ body: JSONValue, _ bytes: [UInt8]?, of resource: ResourceType, _ options: WriteOptions) throws(APIStatus)
        -> [String]
    {
        if options.fieldValidation == "Ignore" { return [] }
        let problems = ObjectRules.fieldProblems(body, bytes, of: resource)
        if options.fieldValidation == "Strict", !problems.isEmpty {
            throw .badRequest(
                ObjectRules.strictMessage(problems, of: resource))
        }
        return problems
    }

    /// The object with `managedFields` as they are after a write that is no apply.
    func owned(_ old: JSONValue?, _ new: JSONValue, _ target: Target, _ options: WriteOptions) throws(APIStatus) -> JSONValue {
        guard let schema = ObjectRules.schema(of: target.resource) else { return new }
        return FieldManager.update(
            from: old, to: new, manager: options.manager, schema: schema, apiVersion: target.resource.apiVersion,
            subresource: target.subresource, now: options.now)
    }
}

/// Random identifiers.
enum UUID {
    /// A version 4 UUID in lower case.
    static func random() -> String {
        var bytes = (0..<16).map { _ in UInt8.random(in: 0...255) }
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = Array("0123456789abcdef".utf8)
        var output: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { output.append(UInt8(ascii: "-")) }
            output.append(digits[Int(byte >> 4)])
            output.append(digits[Int(byte & 15)])
        }
        return String(decoding: output, as: UTF8.self)
    }
}
