import ResourceModel

extension APIServer {
    private enum PatchKind { case json, merge, strategic, apply }

    private static func patchKind(_ request: APIRequest, _ resource: ResourceType) throws(APIStatus) -> PatchKind {
        switch RequestBody.mediaType(request) {
        case "application/json-patch+json": return .json
        case "application/merge-patch+json": return .merge
        case "application/strategic-merge-patch+json" where resource.custom == nil: return .strategic
        case "application/apply-patch+yaml": return .apply
        default:
            var accepted = ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"]
            if resource.custom == nil { accepted.insert("application/strategic-merge-patch+json", at: 2) }
            var status = APIStatus.unsupportedMediaType(accepted)
            status.details = [:]
            throw status
        }
    }

    func patch(_ target: Target, _ request: APIRequest) async throws -> APIResponse {
        let options = try WriteOptions(request)
        switch try Self.patchKind(request, target.resource) {
        case .apply: return try await apply(target, request, options)
        case let kind: return try await patch(target, request, options, kind)
        }
    }

    private func patch(_ target: Target, _ request: APIRequest, _ options: WriteOptions, _ kind: PatchKind) async throws -> APIResponse {
        let resource = target.resource
        let patch = try Self.patchBody(request.body, kind)
        let warnings = WarningList()
        let result = try change(target, options, user: request.user) { live, _ throws(APIStatus) in
            var patched = try Self.patched(live, patch, kind, resource)
            guard patched.objectValue != nil else { throw .badRequest("the patch does not make an object") }
            patched["kind"] = .string(resource.kind)
            patched["apiVersion"] = .string(resource.apiVersion)
            try Self.checkName(patched, target)
            let problems = try self.fieldWarnings(patched, kind == .json ? nil : request.body, of: resource, options)
            warnings.set(problems)
            patched = ObjectRules.defaulted(try ObjectRules.decoded(patched, of: resource), of: resource)
            return try self.owned(live, patched, target, options)
        }
        return try await answer(result, target, request, options, warnings: warnings.texts)
    }

    private static func patchBody(_ bytes: [UInt8], _ kind: PatchKind) throws(APIStatus) -> JSONValue {
        do throws(JSONError) { return try JSONValue(parsing: bytes) } catch {
            throw .badRequest("error decoding patch: \(error)")
        }
    }

    private static func patched(_ live: JSONValue, _ patch: JSONValue, _ kind: PatchKind, _ resource: ResourceType) throws(APIStatus)
        -> JSONValue
    {
        do throws(PatchFailure) {
            switch kind {
            case .merge: return try MergePatch.apply(patch, to: live)
            case .json: return try JSONPatch.apply(patch, to: live)
            case .strategic, .apply:
                guard let schema = ObjectRules.schema(of: resource) else { return try MergePatch.apply(patch, to: live) }
                return try StrategicMergePatch.apply(patch, to: live, schema: schema)
            }
        } catch {
            throw APIStatus(error)
        }
    }

    /// Server-side apply: creates the object when it is not there.
    private func apply(_ target: Target, _ request: APIRequest, _ options: WriteOptions) async throws -> APIResponse {
        let resource = target.resource
        var patch = try RequestBody.yaml(request.body, of: resource.kind)
        guard request.parameter("fieldManager") != nil else {
            throw APIStatus.invalid(
                group: "meta.k8s.io", kind: "PatchOptions", name: "", [.required("fieldManager", "is required for apply patch")])
        }
        if patch["kind"]?.stringValue ?? "" == "" || patch["apiVersion"]?.stringValue ?? "" == "" {
            throw APIStatus.badRequest("apiVersion and kind must be set in an apply patch")
        }
        if patch["kind"]?.stringValue != resource.kind, patch["apiVersion"]?.stringValue == resource.apiVersion {
            throw APIStatus(
                code: 500, reason: "",
                message: "failed to create typed patch object: the kind \(patch["kind"]?.stringValue ?? "") is not \(resource.kind)")
        }
        if patch[path: "metadata", "managedFields"]?.isNull ?? true { patch[path: "metadata", "managedFields"] = nil } else {
            throw APIStatus.badRequest("metadata.managedFields must be nil")
        }
        if let name = patch[path: "metadata", "name"]?.stringValue, !name.isEmpty, name != target.name {
            throw APIStatus.badRequest("the name of the object (\(name)) does not match the name on the URL (\(target.name))")
        }
        patch[path: "metadata", "name"] = .string(target.name)
        if resource.isNamespaced {
            if let sent = patch[path: "metadata", "namespace"]?.stringValue, !sent.isEmpty, sent != target.namespace {
                throw APIStatus.badRequest("the namespace of the provided object does not match the namespace sent on the request")
            }
            patch[path: "metadata", "namespace"] = .string(target.namespace)
        }
        let body = patch
        guard store.object(target.key) != nil || !target.subresource.isEmpty else {
            return try await applyNew(body, target, request, options)
        }
        let warnings = WarningList()
        let result = try change(target, options, user: request.user) { live, _ throws(APIStatus) in
            var merged = try self.applied(body, to: live, target, options)
            warnings.set(try self.fieldWarnings(body, request.body, of: resource, options))
            if let sent = body[path: "metadata", "resourceVersion"] { merged[path: "metadata", "resourceVersion"] = sent }
            if let sent = body[path: "metadata", "uid"] { merged[path: "metadata", "uid"] = sent }
            return ObjectRules.defaulted(try ObjectRules.decoded(merged, of: resource), of: resource)
        }
        return try await answer(result, target, request, options, warnings: warnings.texts)
    }

    private func applyNew(_ patch: JSONValue, _ target: Target, _ request: APIRequest, _ options: WriteOptions) async throws -> APIResponse
    {
        if let uid = patch[path: "metadata", "uid"]?.stringValue, !uid.isEmpty {
            throw APIStatus.conflict(
                target.resource, target.name, "uid mismatch: the provided object specified uid \(uid), and no existing object was found")
        }
        var body = try applied(patch, to: nil, target, options)
        let warnings = try fieldWarnings(patch, request.body, of: target.resource, options)
        body[path: "metadata", "resourceVersion"] = nil
        body = try ObjectRules.decoded(body, of: target.resource)
        let result = try createObject(body, target, options, user: request.user) { body throws(APIStatus) in body }
        if !options.isDryRun { try await store.durable(result.revision) }
        let (object, bytes) = present(result, as: target.resource)
        var response = Presentation(request).response(
            options.isDryRun ? Self.withoutRevision(object) : object, bytes: options.isDryRun ? nil : bytes, of: target.resource, request,
            status: 201)
        response.warnings = warnings + ObjectRules.warnings(object, of: target.resource)
        return response
    }

    private func applied(_ patch: JSONValue, to live: JSONValue?, _ target: Target, _ options: WriteOptions) throws(APIStatus) -> JSONValue {
        guard let schema = ObjectRules.schema(of: target.resource) else { throw .internalError("no schema for \(target.resource.gvk)") }
        do throws(ApplyFailure) {
            return try FieldManager.apply(
                patch: patch, to: live, manager: options.manager, force: options.force, schema: schema,
                apiVersion: target.resource.apiVersion, subresource: target.subresource, now: options.now)
        } catch {
            var details: JSONValue?
            if !error.causes.isEmpty { details = ["causes": .array(error.causes.map(\.json))] }
            throw APIStatus(code: error.code, reason: error.reason, message: error.message, details: details)
        }
    }
}

/// Collects the warnings of the last try of a write.
final class WarningList {
    private(set) var texts: [String] = []
    func set(_ texts: [String]) { self.texts = texts }
}
