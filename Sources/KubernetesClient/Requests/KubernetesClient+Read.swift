import HTTPTransport
import ResourceModel

extension KubernetesClient {
    /// The object, or `nil` when the server says that this object is not there. Any other 404 (an unknown kind, a proxy's page) is
    /// thrown: an error never looks like "absent".
    package func get(
        _ resource: APIResource, namespace: String?, name: String, subresource: String? = nil
    ) async throws -> JSONValue? {
        let path = resource.path(namespace: namespace, name: name, subresource: subresource)
        let request = APIError.Request(verb: "get", method: "GET", path: path, object: resource.id(namespace: namespace, name: name))
        guard !name.isEmpty else { throw MalformedAnswer(request: request, message: "no name was given") }
        do {
            let response = try await send(Outgoing(request: request, isIdempotent: true))
            return try json(response, for: request)
        } catch let error as APIError where error.code == 404 && error.reason == "NotFound" && error.name == name {
            return nil
        }
    }

    /// All objects of a kind in one namespace, or (with `nil`) in all of them, read page by page. When the pages' snapshot expires
    /// on the way, the list starts again; a partial list is never returned.
    package func list(_ resource: APIResource, namespace: String?, options: ListOptions = ListOptions()) async throws -> ObjectList {
        let (answer, version) = try await wholeList(resource, namespace: namespace, options: options)
        return ObjectList(items: try answer.objects(), resourceVersion: version)
    }

    /// The same list, its objects not read yet.
    package func answer(listing resource: APIResource, namespace: String?, options: ListOptions = ListOptions()) async throws -> ListAnswer {
        try await wholeList(resource, namespace: namespace, options: options).answer
    }

    private func wholeList(
        _ resource: APIResource, namespace: String?, options: ListOptions
    ) async throws -> (answer: ListAnswer, resourceVersion: String) {
        do {
            return try await listPages(resource, namespace: namespace, options: options)
        } catch let error as APIError where error.isExpired {
            logger?.debug("\(error.request): the list expired between pages; again, in one piece")
            var whole = options
            whole.pageSize = 0
            return try await listPages(resource, namespace: namespace, options: whole)
        }
    }

    private func listPages(
        _ resource: APIResource, namespace: String?, options: ListOptions
    ) async throws -> (answer: ListAnswer, resourceVersion: String) {
        var token: String?
        var headers = HTTPHeaders()
        if options.metadataOnly {
            headers["Accept"] = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"
        }
        let request = APIError.Request(verb: "list", method: "GET", path: resource.path(namespace: namespace))
        var answer = ListAnswer(of: resource, request: request)
        while true {
            let query = queryString([
                ("labelSelector", options.labelSelector), ("fieldSelector", options.fieldSelector),
                ("limit", options.pageSize > 0 ? "\(options.pageSize)" : nil), ("continue", token),
                // A continue token carries its own version.
                ("resourceVersion", token == nil ? options.resourceVersion : nil),
            ])
            let response = try await send(
                Outgoing(request: request, query: query, headers: headers, isIdempotent: true, deadline: requestDeadline * 2))
            let metadata = try answer.append(response.body)
            token = metadata["continue"]?.stringValue
            if token?.isEmpty ?? true { return (answer, metadata["resourceVersion"]?.stringValue ?? "") }
        }
    }

    /// The server's version, such as `v1.36.0`.
    package func serverVersion() async throws -> String {
        let request = APIError.Request(verb: "discover", method: "GET", path: "/version")
        let value = try json(try await send(Outgoing(request: request, isIdempotent: true)), for: request)
        guard let version = value["gitVersion"]?.stringValue else {
            throw MalformedAnswer(request: request, message: "no gitVersion")
        }
        return version
    }
}
