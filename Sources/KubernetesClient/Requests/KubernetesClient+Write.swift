import HTTPTransport
import ResourceModel

extension KubernetesClient {
    /// Server-side apply. Creates the object where there is none. Namespace and name are the object's own.
    package func apply(
        _ object: JSONValue, as resource: APIResource, options: ApplyOptions = ApplyOptions()
    ) async throws -> WriteResult {
        let (request, body) = try outgoing("apply", "PATCH", object, resource, subresource: options.subresource)
        let query = queryString([
            ("fieldManager", options.fieldManager), ("force", options.force ? "true" : nil),
            ("dryRun", options.dryRun ? "All" : nil), ("fieldValidation", options.fieldValidation?.rawValue),
        ])
        return try await write(
            Outgoing(
                request: request, query: query, headers: ["Content-Type": "application/apply-patch+yaml"], body: body,
                isIdempotent: true))
    }

    /// Creates the object; 409 `AlreadyExists` where there is one. Its name may be left to the server (`generateName`).
    package func create(
        _ object: JSONValue, as resource: APIResource, options: WriteOptions = WriteOptions()
    ) async throws -> WriteResult {
        let namespace = object[path: "metadata", "namespace"]?.stringValue
        let name = object[path: "metadata", "name"]?.stringValue
        let subresource = options.subresource
        let path = resource.path(namespace: namespace, name: subresource == nil ? nil : name, subresource: subresource)
        let request = APIError.Request(
            verb: "create", method: "POST", path: path, object: resource.id(namespace: namespace, name: name ?? "(generated name)"))
        return try await write(
            Outgoing(
                request: request, query: query(options), headers: ["Content-Type": "application/json"], body: object.serialized(),
                isIdempotent: false))
    }

    /// Replaces the whole object (PUT). With `metadata.resourceVersion` in it, 409 when the object has changed since.
    package func replace(
        _ object: JSONValue, as resource: APIResource, options: WriteOptions = WriteOptions()
    ) async throws -> WriteResult {
        let (request, body) = try outgoing("update", "PUT", object, resource, subresource: options.subresource)
        let isGuarded = object[path: "metadata", "resourceVersion"] != nil
        return try await write(
            Outgoing(
                request: request, query: query(options), headers: ["Content-Type": "application/json"], body: body,
                isIdempotent: !isGuarded))
    }

    /// Patches one object.
    package func patch(
        _ resource: APIResource, namespace: String?, name: String, type: PatchType, patch: JSONValue,
        options: WriteOptions = WriteOptions()
    ) async throws -> WriteResult {
        let request = APIError.Request(
            verb: "patch", method: "PATCH", path: resource.path(namespace: namespace, name: name, subresource: options.subresource),
            object: resource.id(namespace: namespace, name: name))
        return try await write(
            Outgoing(
                request: request, query: query(options), headers: ["Content-Type": type.rawValue], body: patch.serialized(),
                isIdempotent: type == .merge))
    }

    /// Deletes one object. What is not there is an `APIError` with `isNotFound`; a failed precondition is one with `isConflict`.
    @discardableResult
    package func delete(
        _ resource: APIResource, namespace: String?, name: String, options: DeleteOptions = DeleteOptions()
    ) async throws -> DeleteResult {
        let request = APIError.Request(
            verb: "delete", method: "DELETE", path: resource.path(namespace: namespace, name: name),
            object: resource.id(namespace: namespace, name: name))
        guard !name.isEmpty else { throw MalformedAnswer(request: request, message: "no name was given") }
        let response = try await send(
            Outgoing(
                request: request, headers: ["Content-Type": "application/json"], body: body(options).serialized(), isIdempotent: true))
        let answer = try json(response, for: request)
        let isGone = answer["kind"]?.stringValue == "Status" || answer[path: "metadata", "deletionTimestamp"] == nil
        // Spelled out: a bare nil would be a JSON null here.
        return DeleteResult(object: isGone ? Optional<JSONValue>.none : answer, warnings: warnings(response.headers))
    }

    /// Deletes all objects of a kind in a namespace that the selector matches; the selector is required.
    package func deleteCollection(
        _ resource: APIResource, namespace: String?, labelSelector: String, options: DeleteOptions = DeleteOptions()
    ) async throws {
        let request = APIError.Request(verb: "deletecollection", method: "DELETE", path: resource.path(namespace: namespace))
        guard !labelSelector.isEmpty else { throw MalformedAnswer(request: request, message: "no label selector was given") }
        _ = try await send(
            Outgoing(
                request: request, query: queryString([("labelSelector", labelSelector)]),
                headers: ["Content-Type": "application/json"], body: body(options).serialized(), isIdempotent: true))
    }

    private func body(_ options: DeleteOptions) -> JSONValue {
        var body: JSONValue = ["kind": "DeleteOptions", "apiVersion": "v1"]
        if let policy = options.propagationPolicy { body["propagationPolicy"] = .string(policy.rawValue) }
        if let seconds = options.gracePeriodSeconds { body["gracePeriodSeconds"] = .integer(Int64(seconds)) }
        if let uid = options.uid { body[path: "preconditions", "uid"] = .string(uid) }
        if let version = options.resourceVersion { body[path: "preconditions", "resourceVersion"] = .string(version) }
        if options.dryRun { body["dryRun"] = ["All"] }
        return body
    }

    private func query(_ options: WriteOptions) -> String {
        queryString([
            ("fieldManager", options.fieldManager), ("dryRun", options.dryRun ? "All" : nil),
            ("fieldValidation", options.fieldValidation?.rawValue),
        ])
    }

    private func outgoing(
        _ verb: String, _ method: String, _ object: JSONValue, _ resource: APIResource, subresource: String?
    ) throws -> (APIError.Request, [UInt8]) {
        let namespace = object[path: "metadata", "namespace"]?.stringValue
        let name = object[path: "metadata", "name"]?.stringValue ?? ""
        let request = APIError.Request(
            verb: verb, method: method, path: resource.path(namespace: namespace, name: name, subresource: subresource),
            object: resource.id(namespace: namespace, name: name))
        guard !name.isEmpty else {
            throw APIError(code: 422, reason: "Invalid", message: "metadata.name is missing", request: request)
        }
        guard !resource.namespaced || namespace?.isEmpty == false else {
            throw APIError(code: 422, reason: "Invalid", message: "metadata.namespace is missing", request: request)
        }
        return (request, object.serialized())
    }

    private func write(_ outgoing: Outgoing) async throws -> WriteResult {
        let response = try await send(outgoing)
        return WriteResult(
            object: try json(response, for: outgoing.request), warnings: warnings(response.headers), created: response.status == 201,
            text: response.body)
    }
}
