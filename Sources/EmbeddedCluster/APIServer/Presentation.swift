import ResourceModel

/// How objects are written into answers: plain, as metadata only, or as tables.
enum Presentation: Sendable {
    case plain, table, metadata

    /// What the request's Accept header asks for; the first alternative that is known wins.
    init(_ request: APIRequest) {
        for alternative in (request.headers["accept"] ?? "").split(separator: ",") {
            let words = alternative.split(separator: ";").map { $0.filter { $0 != " " } }
            guard words.first == "application/json" || words.first == "*/*" || words.first == "application/yaml" else { continue }
            if words.contains("as=Table") {
                self = .table
                return
            }
            if words.contains("as=PartialObjectMetadata") || words.contains("as=PartialObjectMetadataList") {
                self = .metadata
                return
            }
            break
        }
        self = .plain
    }

    /// Whether an alternative of the Accept header has all of these words.
    static func accepts(_ request: APIRequest, _ words: String...) -> Bool {
        (request.headers["accept"] ?? "").split(separator: ",").contains { alternative in
            let present = alternative.split(separator: ";").map { String($0.filter { $0 != " " }) }
            return present.first == "application/json" && words.allSatisfy { present.contains($0) }
        }
    }

    /// The answer indented, for people: `?pretty=true`, or a user agent that is a terminal's.
    static func prettified(_ response: APIResponse, for request: APIRequest) -> APIResponse {
        let agent = request.headers["user-agent"] ?? ""
        let isAsked = request.query.contains { $0.name == "pretty" }
        let wants = isAsked ? request.flag("pretty") : ["curl", "Wget", "Mozilla/5.0"].contains { agent.hasPrefix($0) }
        guard wants, response.contentType.hasPrefix("application/json"), case .bytes(let bytes) = response.body,
            let value = try? JSONValue(parsing: bytes)  // what is no JSON stays as it is
        else { return response }
        var response = response
        var output: [UInt8] = []
        indent(value, depth: 0, into: &output)
        output.append(UInt8(ascii: "\n"))
        response.body = .bytes(output)
        return response
    }

    private static func indent(_ value: JSONValue, depth: Int, into output: inout [UInt8]) {
        func line(_ depth: Int) {
            output.append(UInt8(ascii: "\n"))
            output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * depth))
        }
        switch value {
        case .object(let object) where !object.isEmpty:
            output.append(UInt8(ascii: "{"))
            for (index, member) in object.members.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                line(depth + 1)
                output.append(contentsOf: JSONValue.string(member.key).serialized())
                output.append(contentsOf: ": ".utf8)
                indent(member.value, depth: depth + 1, into: &output)
            }
            line(depth)
            output.append(UInt8(ascii: "}"))
        case .array(let items) where !items.isEmpty:
            output.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                line(depth + 1)
                indent(item, depth: depth + 1, into: &output)
            }
            line(depth)
            output.append(UInt8(ascii: "]"))
        default: output.append(contentsOf: value.serialized())
        }
    }

    /// The object's metadata and nothing else.
    static func partial(_ object: JSONValue) -> JSONValue {
        var object = object
        if object["kind"] == "DaemonSet" {
            // The real server's conversion to apps/v1 adds it; metadata is taken before that.
            object["metadata"]?["annotations"]?["deprecated.daemonset.template.generation"] = nil
            if object[path: "metadata", "annotations"]?.objectValue?.members.isEmpty == true { object["metadata"]?["annotations"] = nil }
        }
        return ["kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"] ?? [:]]
    }

    /// One object's answer.
    func response(_ object: JSONValue, bytes: [UInt8]? = nil, of resource: ResourceType, _ request: APIRequest, status: Int = 200)
        -> APIResponse
    {
        switch self {
        case .plain: return APIResponse(status: status, body: .bytes(bytes ?? object.serialized()))
        case .metadata: return .json(Self.partial(object), status: status)
        case .table:
            let table = Table(resource: resource, includeObject: request.parameter("includeObject") ?? "Metadata")
            let version = object[path: "metadata", "resourceVersion"] ?? ""
            return .json(table.document([object], metadata: ["resourceVersion": version]), status: status)
        }
    }
}
