import Logging
import ResourceModel
import Synchronization

/// The API server: takes requests, answers as a Kubernetes API server does. Knows nothing of sockets.
package final class APIServer: Sendable {
    let store: ObjectStore
    package let catalog: ResourceCatalog
    let logger: Logger
    let addresses: ServiceAddresses
    let openAPI: OpenAPIDocuments
    /// `127.0.0.1:6443`: what `/api` names.
    let address = Mutex("127.0.0.1:6443")
    /// Where pods' logs are.
    let podLogs: (any PodLogSource)?
    /// Told of each request that comes over the network, before it is carried out and when it is done but not answered. `false`
    /// before: it is not carried out. For trials of what happens when a client, or the connection, dies at that moment.
    package struct RequestObserver: Sendable {
        // In a struct: a function that is itself a mutex's value is wrapped anew at each look at it.
        let observe: @Sendable (APIRequest, _ isDone: Bool) async -> Bool
        package init(_ observe: @escaping @Sendable (APIRequest, _ isDone: Bool) async -> Bool) { self.observe = observe }
    }
    package let observer = Mutex<RequestObserver?>(nil)
    /// Answers a request that comes over the network in the server's place, or leaves it to the server with `nil`. For trials of what
    /// clients do with answers that a healthy server does not give.
    package struct RequestInterceptor: Sendable {
        let answer: @Sendable (APIRequest) async -> APIResponse?
        package init(_ answer: @escaping @Sendable (APIRequest) async -> APIResponse?) { self.answer = answer }
    }
    package let interceptor = Mutex<RequestInterceptor?>(nil)

    init(store: ObjectStore, catalog: ResourceCatalog, podLogs: (any PodLogSource)? = nil, logger: Logger) {
        self.store = store
        self.catalog = catalog
        self.podLogs = podLogs
        self.logger = logger
        addresses = ServiceAddresses(store: store)
        openAPI = OpenAPIDocuments(catalog: catalog)
    }

    /// Answers one request; failures are `Status` answers.
    package func handle(_ request: APIRequest) async -> APIResponse {
        do {
            let response = try await route(request)
            return Presentation.prettified(response, for: request)
        } catch let status as APIStatus {
            return Presentation.prettified(status.response, for: request)
        } catch is CancellationError {
            return APIStatus(code: 499, reason: "", message: "the client went away").response
        } catch {
            logger.error("request failed", metadata: ["path": "\(request.path)", "error": "\(error)"])
            return APIStatus.internalError("\(error)").response
        }
    }

    /// Answers a request that came over the network.
    func handleFromNetwork(_ request: APIRequest) async -> APIResponse {
        if let interceptor = interceptor.withLock({ $0 }), let answer = await interceptor.answer(request) { return answer }
        guard let observer = observer.withLock({ $0 }) else { return await handle(request) }
        guard await observer.observe(request, false) else { return APIStatus(code: 503, reason: "ServiceUnavailable", message: "not carried out").response }
        let response = await handle(request)
        _ = await observer.observe(request, true)
        return response
    }

    private func route(_ request: APIRequest) async throws -> APIResponse {
        let segments = request.segments
        if let open = openEndpoint(segments) { return open }
        guard request.user != nil else { throw APIStatus.unauthorized }
        if let path = ResourcePath(segments) { return try await resource(path, request) }
        return try document(segments, request)
    }

    /// What anyone may read.
    private func openEndpoint(_ segments: [String]) -> APIResponse? {
        switch segments.first {
        case "version" where segments.count == 1: return .json(Self.version)
        case "healthz", "livez", "readyz":
            return .text("ok")
        default: return nil
        }
    }

    static let version: JSONValue = [
        "major": "1", "minor": "36", "gitVersion": "v1.36.0+reconciler", "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z", "goVersion": "none", "compiler": "swift", "platform": "linux/amd64",
    ]

    /// Discovery, OpenAPI and metrics.
    private func document(_ segments: [String], _ request: APIRequest) throws -> APIResponse {
        guard let first = segments.first else { return .json(["paths": ["/api", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]]) }
        guard request.method == "GET" || request.method == "HEAD" else {
            throw first == "api" || first == "apis" ? APIStatus.methodNotAllowed : APIStatus.unknownResource
        }
        let documents = DiscoveryDocuments(catalog: catalog)
        switch (first, segments.count) {
        case ("api", 1), ("apis", 1):
            for version in ["v2", "v2beta1"] where Presentation.accepts(request, "as=APIGroupDiscoveryList", "v=\(version)") {
                var response = APIResponse.json(documents.aggregated(core: first == "api", version: version))
                response.contentType = "application/json;g=apidiscovery.k8s.io;v=\(version);as=APIGroupDiscoveryList"
                return response
            }
            return .json(first == "api" ? documents.apiVersions(server: address.withLock { $0 }) : documents.groupList())
        case ("api", 2): return documents.resourceList(group: "", version: segments[1]).map { .json($0) } ?? .pageNotFound
        case ("apis", 2): return documents.group(named: segments[1]).map { .json($0) } ?? .pageNotFound
        case ("apis", 3):
            return documents.resourceList(group: segments[1], version: segments[2]).map { .json($0) } ?? .pageNotFound
        case ("openapi", _): return openAPI.response(segments, request) ?? .pageNotFound
        case ("metrics", 1):
            return .text("# TYPE reconciler_cluster_revision counter\nreconciler_cluster_revision \(store.revision)\n")
        default: return .pageNotFound
        }
    }

    /// Everything below a resource's path.
    private func resource(_ path: ResourcePath, _ request: APIRequest) async throws -> APIResponse {
        guard let resource = catalog.resource(group: path.group, version: path.version, plural: path.resource) else {
            if !catalog.serves(group: path.group, version: path.version) {
                // A custom resource's group that is gone answers as "not found" for its objects, an unknown one as a missing page.
                throw APIStatus.unknownResource
            }
            throw APIStatus.unknownResource
        }
        if let review = try review(resource, path, request) { return review }
        if resource.isNamespaced, path.namespace == nil, path.name != nil { throw APIStatus.unknownResource }
        if !resource.isNamespaced, path.namespace != nil { throw APIStatus.unknownResource }
        if let name = path.subresource {
            guard let subresource = resource.subresource(name) else { throw APIStatus.unknownResource }
            return try await self.subresource(subresource, of: resource, path, request)
        }
        let verb = Self.verb(request, path)
        guard let verb, resource.verbs.contains(verb) else { throw APIStatus.methodNotAllowed }
        let target = Target(resource: resource, namespace: path.namespace ?? "", name: path.name ?? "")
        switch verb {
        case "get": return try get(target, request)
        case "list": return try list(target, request)
        case "watch": return try watch(target, request)
        case "create": return try await create(target, request)
        case "update": return try await update(target, request)
        case "patch": return try await patch(target, request)
        case "delete": return try await delete(target, request)
        case "deletecollection": return try await deleteCollection(target, request)
        default: throw APIStatus.methodNotAllowed
        }
    }

    private static func verb(_ request: APIRequest, _ path: ResourcePath) -> String? {
        switch (request.method, path.name) {
        case ("GET", .some), ("HEAD", .some): request.flag("watch") && request.parameter("watch") != nil ? "watch" : "get"
        case ("GET", nil), ("HEAD", nil): request.query.contains { $0.name == "watch" } && request.flag("watch") ? "watch" : "list"
        case ("POST", nil): "create"
        case ("PUT", .some): "update"
        case ("PATCH", .some): "patch"
        case ("DELETE", .some): "delete"
        case ("DELETE", nil): "deletecollection"
        default: nil
        }
    }
}

/// The object, or collection (empty name), that a request is about.
struct Target: Sendable {
    var resource: ResourceType
    /// Empty: cluster-scoped, or all namespaces.
    var namespace: String
    var name: String
    var subresource = ""

    var key: ObjectKey { resource.key(namespace: namespace, name: name) }
    func key(name: String) -> ObjectKey { resource.key(namespace: namespace, name: name) }
}

/// Where the logs of a pod's containers come from.
package protocol PodLogSource: Sendable {
    /// The file that holds a container's log, one line an entry, each `TIME TEXT`; `nil` when there is none yet.
    func logFile(namespace: String, pod: String, uid: String, container: String, previous: Bool) -> String?
}
