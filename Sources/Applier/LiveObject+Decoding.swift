import KubernetesClient
import ResourceModel

extension LiveObject {
    /// Takes an answer of the API server apart.
    /// - Throws: a `Problem` when the object has no name, uid or resourceVersion: then it is not what a server keeps.
    package init(_ object: JSONValue, as resource: APIResource) throws(Problem) {
        guard let metadata = object["metadata"]?.objectValue, let name = metadata["name"]?.stringValue,
            let uid = metadata["uid"]?.stringValue, let version = metadata["resourceVersion"]?.stringValue
        else {
            throw Problem(
                code: "live.malformed", message: "the API server answered with a \(resource.kind) without name, uid or resourceVersion")
        }
        let entries = (metadata["managedFields"]?.arrayValue ?? []).map { entry in
            FieldOwnership.Entry(
                manager: entry["manager"]?.stringValue ?? "", operation: entry["operation"]?.stringValue ?? "",
                apiVersion: entry["apiVersion"]?.stringValue ?? "", time: entry["time"]?.stringValue,
                subresource: entry["subresource"]?.stringValue ?? "", fields: entry["fieldsV1"] ?? [:])
        }
        var body = object
        var bare = metadata
        bare["managedFields"] = nil
        body["metadata"] = .object(bare)
        self.init(
            id: resource.id(namespace: metadata["namespace"]?.stringValue, name: name),
            apiVersion: object["apiVersion"]?.stringValue ?? resource.apiVersion, body: body, uid: uid, resourceVersion: version,
            ownership: FieldOwnership(entries: entries))
    }
}
