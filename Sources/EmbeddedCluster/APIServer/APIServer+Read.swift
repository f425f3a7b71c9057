import ResourceModel

extension APIServer {
    /// The object in the version that is asked for.
    func present(_ stored: StoredObject, as resource: ResourceType) -> (object: JSONValue, bytes: [UInt8]) {
        if stored.body["apiVersion"]?.stringValue == resource.apiVersion { return (stored.body, stored.bytes) }
        let object = Conversion.convert(stored.body, to: resource)
        return (object, object.serialized())
    }

    func get(_ target: Target, _ request: APIRequest) throws -> APIResponse {
        if let text = request.parameter("resourceVersion") { _ = try Self.revision(text, verb: .get) }
        guard let stored = store.object(target.key) else { throw APIStatus.notFound(target.resource, target.name) }
        let (object, bytes) = present(stored, as: target.resource)
        return Presentation(request).response(object, bytes: bytes, of: target.resource, request)
    }

    func list(_ target: Target, _ request: APIRequest) throws -> APIResponse {
        let resource = target.resource
        let filter = try Filter(request, resource)
        let current = store.revision
        if let text = request.parameter("resourceVersion") {
            let asked = try Self.revision(text, verb: .list)
            if asked > current { throw Self.tooLarge(asked, current: current) }
            if request.parameter("resourceVersionMatch") == "Exact", asked != 0, asked < store.compactedRevision {
                throw APIStatus.expired("The provided resource version \(asked) is too old")
            }
        }
        var (items, revision) = store.objects(of: resource.storageKey, namespace: target.namespace.isEmpty ? nil : target.namespace)
        if let text = request.parameter("continue") {
            let token = try ContinueToken(text)
            items = Array(items.drop { $0.key.place <= token.last })
            revision = token.revision
        }
        if !filter.isEmpty { items = items.filter { filter.matches(present($0, as: resource).object) } }
        var metadata: JSONValue = ["resourceVersion": .string(String(revision))]
        if let limit = request.parameter("limit").flatMap(Int.init), limit > 0, items.count > limit {
            let rest = items.count - limit
            items = Array(items.prefix(limit))
            if let last = items.last { metadata["continue"] = .string(ContinueToken(revision: revision, last: last.key.place).text) }
            if filter.isEmpty { metadata["remainingItemCount"] = .integer(Int64(rest)) }
        }
        return listResponse(items.map { present($0, as: resource) }, metadata: metadata, of: resource, request)
    }

    func listResponse(
        _ items: [(object: JSONValue, bytes: [UInt8])], metadata: JSONValue, of resource: ResourceType, _ request: APIRequest
    ) -> APIResponse {
        switch Presentation(request) {
        case .table:
            let table = Table(resource: resource, includeObject: request.parameter("includeObject") ?? "Metadata")
            return .json(table.document(items.map(\.object), metadata: metadata))
        case .metadata:
            return .json([
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
                "items": .array(items.map { Presentation.partial($0.object) }),
            ])
        case .plain:
            // Items of built-in kinds leave kind and apiVersion out: the list says them.
            let skipped =
                resource.custom == nil
                ? #"{"kind":"","apiVersion":"","#.utf8.count + resource.kind.utf8.count + resource.apiVersion.utf8.count : 0
            var output = Array(#"{"kind":"\#(resource.listKind)","apiVersion":"\#(resource.apiVersion)","metadata":"#.utf8)
            output.reserveCapacity(items.reduce(256) { $0 + $1.bytes.count + 1 })
            output.append(contentsOf: metadata.serialized())
            output.append(contentsOf: #","items":["#.utf8)
            for (index, item) in items.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                if skipped > 0 { output.append(UInt8(ascii: "{")) }
                output.append(contentsOf: item.bytes[skipped...])
            }
            output.append(contentsOf: "]}".utf8)
            return APIResponse(status: 200, body: .bytes(output))
        }
    }

    enum RevisionVerb { case get, list, watch }

    static func revision(_ text: String, verb: RevisionVerb) throws -> Int64 {
        if let number = Int64(text), number >= 0 { return number }
        let reason = "resourceVersion: Invalid value: \"\(text)\": strconv.ParseUint: parsing \"\(text)\": invalid syntax"
        switch verb {
        case .watch: throw APIStatus(code: 500, reason: "", message: reason)
        case .get, .list: throw APIStatus.badRequest("invalid resource version: \(reason)")
        }
    }

    static func tooLarge(_ asked: Int64, current: Int64) -> APIStatus {
        APIStatus(
            code: 504, reason: "Timeout", message: "Timeout: Too large resource version: \(asked), current: \(current)",
            details: [
                "causes": [["reason": "ResourceVersionTooLarge", "message": "Too large resource version"]], "retryAfterSeconds": 1,
            ])
    }
}

/// The selectors of a list, watch or collection delete.
struct Filter: Sendable {
    var labels: LabelSelector?
    var fields: FieldSelector?

    init(_ request: APIRequest, _ resource: ResourceType) throws {
        labels = try request.parameter("labelSelector").map { text throws(APIStatus) in try LabelSelector(ofQuery: text) }
        fields = try request.parameter("fieldSelector").map { text throws(APIStatus) in try FieldSelector(parsing: text, for: resource) }
    }

    var isEmpty: Bool { labels == nil && fields == nil }

    func matches(_ object: JSONValue) -> Bool {
        (labels?.matches(object[path: "metadata", "labels"]) ?? true) && (fields?.matches(object) ?? true)
    }
}

/// Where the next page of a list begins.
struct ContinueToken {
    var revision: Int64
    var last: ObjectPlace

    init(revision: Int64, last: ObjectPlace) {
        self.revision = revision
        self.last = last
    }

    init(_ text: String) throws(APIStatus) {
        guard let bytes = Base64.decode(text), let value = try? JSONValue(parsing: bytes),  // any fault is the client's token
            let revision = value["rv"]?.integerValue, let namespace = value["ns"]?.stringValue, let name = value["name"]?.stringValue
        else { throw .badRequest("invalid continue token: continue key is not valid") }
        self.init(revision: revision, last: ObjectPlace(namespace: namespace, name: name))
    }

    var text: String {
        Base64.encode(
            (["v": "meta.k8s.io/v1", "rv": .integer(revision), "ns": .string(last.namespace), "name": .string(last.name)] as JSONValue)
                .serialized())
    }
}
