import ResourceModel

extension APIServer {
    func subresource(_ subresource: ResourceType.Subresource, of resource: ResourceType, _ path: ResourcePath, _ request: APIRequest)
        async throws -> APIResponse
    {
        let verbs = ["GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "POST": "create", "DELETE": "delete"]
        guard let verb = verbs[request.method], subresource.verbs.contains(verb) else { throw APIStatus.methodNotAllowed }
        let target = Target(
            resource: resource, namespace: path.namespace ?? "", name: path.name ?? "", subresource: subresource.name)
        switch subresource.name {
        case "status", "approval", "ephemeralcontainers", "resize":
            switch verb {
            case "get": return try get(target, request)
            case "update": return try await update(target, request)
            default: return try await patch(target, request)
            }
        case "finalize": return try await update(target, request)
        case "scale": return try await scale(target, verb, request)
        case "log": return try podLog(target, request)
        case "eviction": return try await evict(target, request)
        case "binding": return try await bind(target, request)
        case "token": return try await serviceAccountToken(target, request)
        default:
            throw APIStatus(
                code: 501, reason: "NotImplemented",
                message: "the embedded cluster does not serve \(resource.plural)/\(subresource.name)", details: [:])
        }
    }

    private func evict(_ target: Target, _ request: APIRequest) async throws -> APIResponse {
        let body = try RequestBody.object(request, of: "Eviction")
        var options = DeleteOptions()
        options.gracePeriodSeconds = body[path: "deleteOptions", "gracePeriodSeconds"]?.integerValue
        options.uid = body[path: "deleteOptions", "preconditions", "uid"]?.stringValue
        options.resourceVersion = body[path: "deleteOptions", "preconditions", "resourceVersion"]?.stringValue
        options.propagationPolicy = body[path: "deleteOptions", "propagationPolicy"]?.stringValue
        options.isDryRun =
            request.parameter("dryRun") == "All" || (body[path: "deleteOptions", "dryRun"]?.arrayValue ?? []).contains("All")
        let outcome = try deleteObject(target, options)
        if let revision = outcome.written { try await store.durable(revision) }
        return .json(["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "code": 201], status: 201)
    }

    private func bind(_ target: Target, _ request: APIRequest) async throws -> APIResponse {
        let body = try RequestBody.object(request, of: "Binding")
        let node = body[path: "target", "name"] ?? ""
        let options = try WriteOptions(request)
        let result = try change(target, options, user: request.user) { live, _ throws(APIStatus) in
            if let bound = live[path: "spec", "nodeName"]?.stringValue, !bound.isEmpty {
                throw .conflict(target.resource, target.name, "pod \(target.name) is already assigned to node \"\(bound)\"")
            }
            var pod = live
            pod[path: "spec", "nodeName"] = node
            return pod
        }
        if result.didWrite { try await store.durable(result.object.revision) }
        return .json(["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "code": 201], status: 201)
    }

    private func serviceAccountToken(_ target: Target, _ request: APIRequest) async throws -> APIResponse {
        guard let account = store.object(target.key) else { throw APIStatus.notFound(target.resource, target.name) }
        var body = try RequestBody.object(request, of: "TokenRequest")
        let seconds = body[path: "spec", "expirationSeconds"]?.integerValue ?? 3600
        body["kind"] = "TokenRequest"
        body["apiVersion"] = "authentication.k8s.io/v1"
        body["metadata"] = ["name": .string(target.name), "namespace": .string(target.namespace), "creationTimestamp": .string(Timestamp.now())]
        body[path: "spec", "expirationSeconds"] = .integer(seconds)
        body["status"] = [
            "token": .string("embedded." + UUID.random() + "." + account.uid),
            "expirationTimestamp": .string(Timestamp.string(Timestamp.seconds() + seconds)),
        ]
        return .json(body, status: 201)
    }
}
