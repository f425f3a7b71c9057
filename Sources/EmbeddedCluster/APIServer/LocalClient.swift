import ResourceModel

/// The API in process, for controllers: the same answers as over the socket, reads straight from memory.
package struct LocalClient: Sendable {
    /// A change seen by a watch.
    package struct Change: Sendable {
        package enum Kind: Sendable { case added, modified, deleted }
        package var kind: Kind
        package var object: JSONValue
    }

    package let server: APIServer
    /// The field manager of its writes; the user is `system:NAME`.
    package let name: String

    package init(server: APIServer, name: String) {
        self.server = server
        self.name = name
    }

    /// The resource of a kind (`apps/v1`, `Deployment`).
    ///
    /// - Throws: `APIStatus` 404 when no such kind is served.
    package func resource(_ apiVersion: String, _ kind: String) throws -> ResourceType {
        guard let found = server.catalog.resource(for: GroupVersionKind(apiVersion: apiVersion, kind: kind)) else {
            throw APIStatus.unknownResource
        }
        return found
    }

    /// - Returns: `nil` when there is no such object.
    package func get(_ resource: ResourceType, namespace: String? = nil, name: String) -> JSONValue? {
        server.store.object(resource.key(namespace: namespace, name: name)).map { server.present($0, as: resource).object }
    }

    /// - Parameter namespace: `nil` for all namespaces.
    package func list(_ resource: ResourceType, namespace: String? = nil, selector: LabelSelector = LabelSelector()) -> [JSONValue] {
        server.store.objects(of: resource.storageKey, namespace: namespace).items
            .map { server.present($0, as: resource).object }
            .filter { selector.isEmpty || selector.matches($0[path: "metadata", "labels"]) }
    }

    /// The present objects as `added`, then every change. Ends when the reader falls too far behind, or the server stops.
    package func watch(_ resource: ResourceType) -> AsyncStream<Change> {
        let (items, _, changes) = server.store.listAndWatch(resource.storageKey)
        let server = self.server
        let (stream, continuation) = AsyncStream.makeStream(of: Change.self)
        for item in items { continuation.yield(Change(kind: .added, object: server.present(item, as: resource).object)) }
        let task = Task {
            for await event in changes {
                let kind: Change.Kind =
                    switch event.kind {
                    case .added: .added
                    case .modified: .modified
                    case .deleted: .deleted
                    }
                continuation.yield(Change(kind: kind, object: server.present(event.object, as: resource).object))
            }
            continuation.finish()
        }
        continuation.onTermination = { _ in task.cancel() }
        return stream
    }

    @discardableResult
    package func create(_ resource: ResourceType, namespace: String? = nil, _ object: JSONValue) async throws -> JSONValue {
        try await send("POST", resource.path(namespace: namespace), object)
    }

    /// Replaces the object; with `metadata.resourceVersion` set, only if nobody else changed it (409 otherwise).
    @discardableResult
    package func update(_ resource: ResourceType, _ object: JSONValue, subresource: String? = nil) async throws -> JSONValue {
        try await send("PUT", try path(resource, of: object, subresource), object)
    }

    @discardableResult
    package func updateStatus(_ resource: ResourceType, _ object: JSONValue) async throws -> JSONValue {
        try await update(resource, object, subresource: "status")
    }

    /// A merge patch.
    @discardableResult
    package func patch(
        _ resource: ResourceType, namespace: String? = nil, name: String, _ patch: JSONValue, subresource: String? = nil
    ) async throws -> JSONValue {
        try await send(
            "PATCH", resource.path(namespace: namespace, name: name, subresource: subresource), patch,
            contentType: "application/merge-patch+json")
    }

    /// - Parameter uid: only the object with this uid.
    package func delete(
        _ resource: ResourceType, namespace: String? = nil, name: String, uid: String? = nil, propagationPolicy: String = "Background",
        gracePeriodSeconds: Int64? = nil
    ) async throws {
        var options: JSONValue = ["kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": .string(propagationPolicy)]
        if let uid { options["preconditions"] = ["uid": .string(uid)] }
        if let gracePeriodSeconds { options["gracePeriodSeconds"] = .integer(gracePeriodSeconds) }
        try await send("DELETE", resource.path(namespace: namespace, name: name), options)
    }

    private func path(_ resource: ResourceType, of object: JSONValue, _ subresource: String?) throws -> String {
        guard let name = object[path: "metadata", "name"]?.stringValue else { throw APIStatus.badRequest("the object has no name") }
        return resource.path(namespace: object[path: "metadata", "namespace"]?.stringValue, name: name, subresource: subresource)
    }

    @discardableResult
    private func send(_ method: String, _ path: String, _ body: JSONValue, contentType: String = "application/json") async throws -> JSONValue {
        let request = APIRequest(
            method: method, target: path + "?fieldManager=\(name)", headers: ["content-type": contentType, "user-agent": "\(name)/1"],
            body: body.serialized(), user: UserInfo(name: "system:\(name)", groups: ["system:masters", "system:authenticated"]))
        let response = await server.handle(request)
        guard case .bytes(let bytes) = response.body else { throw APIStatus.internalError("unexpected stream") }
        let value = try JSONValue(parsing: bytes)
        if response.status >= 300 {
            throw APIStatus(
                code: response.status, reason: value["reason"]?.stringValue ?? "", message: value["message"]?.stringValue ?? "",
                details: value["details"])
        }
        return value
    }
}
