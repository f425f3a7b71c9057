import ResourceModel

/// The scale subresource: replicas of Deployments and the like, and of custom resources that say where theirs are.
extension APIServer {
    func scale(_ target: Target, _ verb: String, _ request: APIRequest) async throws -> APIResponse {
        guard let stored = store.object(target.key) else { throw APIStatus.notFound(target.resource, target.name) }
        let live = present(stored, as: target.resource).object
        if verb == "get" { return .json(try scaleObject(live, target)) }

        let options = try WriteOptions(request)
        var main = target
        main.subresource = "scale"
        let path = target.resource.custom?.specReplicasPath ?? ["spec", "replicas"]
        let result = try change(main, options, user: request.user) { live, _ throws(APIStatus) in
            let wanted = try self.scaleAsked(live, target, verb, request)
            guard let replicas = wanted[path: "spec", "replicas"]?.integerValue ?? (wanted["spec"] != nil ? 0 : nil), replicas >= 0 else {
                throw .invalid(
                    group: "autoscaling", kind: "Scale", name: target.name,
                    [.invalid("spec.replicas", wanted[path: "spec", "replicas"] ?? 0, "must be greater than or equal to 0")])
            }
            if let sent = wanted[path: "metadata", "resourceVersion"]?.stringValue, !sent.isEmpty,
                sent != live[path: "metadata", "resourceVersion"]?.stringValue
            {
                throw .modified(target.resource, target.name)
            }
            var new = live
            new[path: path] = .integer(replicas)
            return try self.owned(live, new, main, options)
        }
        if result.didWrite { try await store.durable(result.object.revision) }
        return .json(try scaleObject(present(result.object, as: target.resource).object, target))
    }

    private func scaleAsked(_ live: JSONValue, _ target: Target, _ verb: String, _ request: APIRequest) throws(APIStatus) -> JSONValue {
        if verb == "update" {
            let body = try RequestBody.object(request, of: "Scale")
            try Self.checkName(body, target)
            return body
        }
        let patch: JSONValue
        do throws(JSONError) { patch = try JSONValue(parsing: request.body) } catch { throw .badRequest("error decoding patch: \(error)") }
        // A patch may set replicas that are not there yet.
        let base = (try? scaleObject(live, target)) ?? ["kind": "Scale", "apiVersion": "autoscaling/v1", "spec": [:]]
        do throws(PatchFailure) {
            return RequestBody.mediaType(request) == "application/json-patch+json"
                ? try JSONPatch.apply(patch, to: base) : try MergePatch.apply(patch, to: base)
        } catch {
            throw APIStatus(error)
        }
    }

    private func scaleObject(_ live: JSONValue, _ target: Target) throws(APIStatus) -> JSONValue {
        var metadata: JSONValue = [:]
        for name in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] { metadata[name] = live[path: "metadata", name] }
        var spec: JSONValue = [:]
        var status: JSONValue = ["replicas": 0]
        if let custom = target.resource.custom {
            guard let path = custom.specReplicasPath, let replicas = live[path: path] else {
                let text = "." + (custom.specReplicasPath ?? []).joined(separator: ".")
                throw .internalError("the spec replicas field \"\(text)\" does not exist")
            }
            spec["replicas"] = replicas
            if let path = custom.statusReplicasPath, let replicas = live[path: path] { status["replicas"] = replicas }
            if let path = custom.labelSelectorPath, let selector = live[path: path] { status["selector"] = selector }
        } else {
            if let replicas = live[path: "spec", "replicas"], replicas != 0 { spec["replicas"] = replicas }
            status["replicas"] = live[path: "status", "replicas"] ?? 0
            let selector = live[path: "spec", "selector"]
            if target.resource.kind == "ReplicationController" {
                status["selector"] = .string(LabelSelector(object: ["matchLabels": selector ?? [:]]).text)
            } else {
                status["selector"] = .string(LabelSelector(object: selector).text)
            }
        }
        return ["kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status]
    }
}
