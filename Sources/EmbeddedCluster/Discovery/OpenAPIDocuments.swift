import ResourceModel
import Synchronization

/// `/openapi/v2` and `/openapi/v3`: the schemas as kubectl and helm read them, made of the schema facts and the custom resources.
final class OpenAPIDocuments: Sendable {
    private struct Cache {
        var generation = -1
        var documents: [String: [UInt8]] = [:]
    }

    private let catalog: ResourceCatalog
    private let cache = Mutex(Cache())

    init(catalog: ResourceCatalog) { self.catalog = catalog }

    /// - Returns: `nil` when there is no such document.
    func response(_ segments: [String], _ request: APIRequest) -> APIResponse? {
        switch segments.dropFirst().first {
        case "v2" where segments.count == 2:
            let accept = request.headers["accept"] ?? ""
            if accept.contains("proto-openapi.spec.v2") {
                return APIResponse(
                    status: 200, contentType: OpenAPIProtobuf.mediaType,
                    body: .bytes(document("v2.pb") { OpenAPIProtobuf.document(self.v2()) }))
            }
            return APIResponse(status: 200, body: .bytes(document("v2") { self.v2() }))
        case "v3" where segments.count == 2:
            var response = APIResponse.text("")
            response.body = .bytes(index())
            return response
        case "v3":
            let path = segments.dropFirst(2).joined(separator: "/")
            guard let (group, version) = groupVersion(path), catalog.serves(group: group, version: version) else {
                return paths.contains(path) ? .json(Self.empty) : nil
            }
            return APIResponse(status: 200, body: .bytes(document(path) { self.v3(group: group, version: version) }))
        default: return nil
        }
    }

    private static let empty: JSONValue = ["openapi": "3.0.0", "info": ["title": "Kubernetes", "version": "v1.36.0"], "paths": [:]]

    private func document(_ name: String, make: () -> JSONValue) -> [UInt8] { document(name) { make().serialized() } }

    private func document(_ name: String, make: () -> [UInt8]) -> [UInt8] {
        let generation = catalog.generation
        let known = cache.withLock { cache -> [UInt8]? in
            if cache.generation != generation { cache = Cache(generation: generation) }
            return cache.documents[name]
        }
        if let known { return known }
        let bytes = make()
        cache.withLock { if $0.generation == generation { $0.documents[name] = bytes } }
        return bytes
    }

    private var paths: [String] {
        var paths = [".well-known/openid-configuration", "api", "apis", "openid/v1/jwks", "version"]
        for group in catalog.groups {
            if !group.name.isEmpty { paths.append("apis/\(group.name)") }
            for version in group.versions { paths.append(group.name.isEmpty ? "api/\(version.name)" : "apis/\(group.name)/\(version.name)") }
        }
        return paths.sorted()
    }

    private func groupVersion(_ path: String) -> (String, String)? {
        let parts = path.split(separator: "/").map(String.init)
        if parts.count == 2, parts[0] == "api" { return ("", parts[1]) }
        if parts.count == 3, parts[0] == "apis" { return (parts[1], parts[2]) }
        return nil
    }

    private func index() -> [UInt8] {
        document("index") {
            var entries: [JSONObject.Member] = []
            for path in self.paths {
                let content =
                    self.groupVersion(path).map { pair in self.document(path) { self.v3(group: pair.0, version: pair.1) } }
                    ?? Self.empty.serialized()
                // Clients keep a document under its hash.
                let hash = Hash.hex(content)
                entries.append(.init(key: path, value: ["serverRelativeURL": .string("/openapi/v3/\(path)?hash=\(hash)")]))
            }
            return ["paths": .object(JSONObject(entries))]
        }
    }

    // MARK: Documents

    /// The schema facts, with the definitions' names.
    private static let facts: [String: JSONValue] = {
        let bytes = SchemaFacts.json.withUTF8Buffer { Array($0) }
        guard let value = try? JSONValue(parsing: bytes) else { preconditionFailure("SchemaFacts is not JSON") }  // part of the program
        return value.objectValue?.dictionary ?? [:]
    }()

    private func v2() -> JSONValue {
        var definitions = Self.facts.map { JSONObject.Member(key: $0.key, value: $0.value) }.sorted { $0.key < $1.key }
        var paths: [JSONObject.Member] = []
        for group in catalog.groups {
            for version in group.versions {
                for resource in version.resources where resource.verbs.contains("get") {
                    paths += operations(of: resource, isV3: false)
                    if let custom = resource.custom {
                        definitions.append(.init(key: Self.definitionName(resource), value: Self.customSchema(resource, custom, prefix: "#/definitions/")))
                    }
                }
            }
        }
        return [
            "swagger": "2.0", "info": ["title": "Kubernetes", "version": "v1.36.0"], "paths": .object(JSONObject(paths)),
            "definitions": .object(JSONObject(definitions)),
        ]
    }

    private func v3(group: String, version: String) -> JSONValue {
        let resources =
            catalog.groups.first { $0.name == group }?.versions.first { $0.name == version }?.resources ?? []
        var schemas: [String: JSONValue] = [:]
        var paths: [JSONObject.Member] = []
        for (name, fact) in Self.facts {
            let kinds = fact["x-kubernetes-group-version-kind"]?.arrayValue ?? []
            if kinds.contains(where: { $0["group"]?.stringValue == group && $0["version"]?.stringValue == version }) {
                collect(name, into: &schemas)
            }
        }
        for resource in resources where resource.verbs.contains("get") || resource.verbs.contains("create") {
            paths += operations(of: resource, isV3: true)
            if let custom = resource.custom {
                collect("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", into: &schemas)
                schemas[Self.definitionName(resource)] = Self.customSchema(resource, custom, prefix: "#/components/schemas/")
            }
        }
        let members = schemas.sorted { $0.key < $1.key }.map { JSONObject.Member(key: $0.key, value: $0.value) }
        return [
            "openapi": "3.0.0", "info": ["title": "Kubernetes", "version": "v1.36.0"], "paths": .object(JSONObject(paths)),
            "components": ["schemas": .object(JSONObject(members))],
        ]
    }

    private func collect(_ name: String, into schemas: inout [String: JSONValue]) {
        guard schemas[name] == nil, let fact = Self.facts[name] else { return }
        schemas[name] = .null
        var references: [String] = []
        schemas[name] = Self.rewritten(fact, &references)
        for reference in references { collect(reference, into: &schemas) }
    }

    private static func rewritten(_ value: JSONValue, _ references: inout [String]) -> JSONValue {
        switch value {
        case .array(let items): return .array(items.map { rewritten($0, &references) })
        case .object(let object):
            return .object(
                JSONObject(
                    object.members.map { member in
                        guard member.key == "$ref", let text = member.value.stringValue, let name = text.split(separator: "/").last else {
                            return .init(key: member.key, value: rewritten(member.value, &references))
                        }
                        references.append(String(name))
                        return .init(key: "$ref", value: .string("#/components/schemas/\(name)"))
                    }))
        default: return value
        }
    }

    /// `com.example.stable.v1.CronTab`.
    private static func definitionName(_ resource: ResourceType) -> String {
        (resource.group.split(separator: ".").reversed().map(String.init) + [resource.version, resource.kind]).joined(separator: ".")
    }

    private static func customSchema(_ resource: ResourceType, _ custom: CustomResource, prefix: String) -> JSONValue {
        var schema = custom.openAPIV3Schema
        schema[path: "properties", "apiVersion"] = ["type": "string"]
        schema[path: "properties", "kind"] = ["type": "string"]
        schema[path: "properties", "metadata"] = ["$ref": .string(prefix + "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")]
        schema["x-kubernetes-group-version-kind"] = [
            ["group": .string(resource.group), "version": .string(resource.version), "kind": .string(resource.kind)]
        ]
        return schema
    }


    /// The paths of a resource with their operations: what says that the server knows `dryRun` and `fieldValidation`.
    private func operations(of resource: ResourceType, isV3: Bool) -> [JSONObject.Member] {
        let kind: JSONValue = ["group": .string(resource.group), "version": .string(resource.version), "kind": .string(resource.kind)]
        func parameter(_ name: String) -> JSONValue {
            isV3
                ? ["name": .string(name), "in": "query", "schema": ["type": "string", "uniqueItems": true]]
                : ["name": .string(name), "in": "query", "type": "string", "uniqueItems": true]
        }
        func operation(_ action: String, _ parameters: [String]) -> JSONValue {
            var operation: JSONValue = [
                "x-kubernetes-action": .string(action), "x-kubernetes-group-version-kind": kind,
                "responses": ["200": ["description": "OK"]],
            ]
            if !parameters.isEmpty { operation["parameters"] = .array(parameters.map(parameter)) }
            return operation
        }
        let write = ["dryRun", "fieldManager", "fieldValidation"]
        var item: JSONValue = [:]
        if resource.verbs.contains("get") { item["get"] = operation("get", []) }
        if resource.verbs.contains("update") { item["put"] = operation("put", write) }
        if resource.verbs.contains("patch") { item["patch"] = operation("patch", write + ["force"]) }
        if resource.verbs.contains("delete") { item["delete"] = operation("delete", ["dryRun", "gracePeriodSeconds", "propagationPolicy"]) }
        var collection: JSONValue = [:]
        if resource.verbs.contains("list") {
            collection["get"] = operation("list", ["labelSelector", "fieldSelector", "limit", "continue", "resourceVersion", "watch"])
        }
        if resource.verbs.contains("create") { collection["post"] = operation("post", write) }
        let path = resource.path(namespace: "{namespace}")
        var members: [JSONObject.Member] = []
        if !(collection.objectValue ?? [:]).isEmpty { members.append(.init(key: path, value: collection)) }
        if !(item.objectValue ?? [:]).isEmpty { members.append(.init(key: path + "/{name}", value: item)) }
        // kubectl 1.27 explains no kind that it does not find here.
        if isV3, resource.isNamespaced, let list = collection["get"] {
            members.append(.init(key: resource.path(namespace: nil), value: ["get": list]))
        }
        return members
    }
}
