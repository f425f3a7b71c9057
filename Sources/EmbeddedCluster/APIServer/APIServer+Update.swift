import ResourceModel

extension APIServer {
    func update(_ target: Target, _ request: APIRequest) async throws -> APIResponse {
        let resource = target.resource
        let options = try WriteOptions(request)
        var body = try RequestBody.object(request, of: resource.kind)
        try checkKind(body, of: resource)
        let warnings = try fieldWarnings(body, RequestBody.mediaType(request) == ProtobufBody.mediaType ? nil : request.body, of: resource, options)
        body = try ObjectRules.decoded(body, of: resource)
        try checkNamespace(&body, target)
        body["kind"] = .string(resource.kind)
        body["apiVersion"] = .string(resource.apiVersion)
        try Self.checkName(body, target)
        if store.object(target.key) == nil, target.subresource.isEmpty, Self.isCreatedByUpdate(resource) {
            body[path: "metadata", "resourceVersion"] = nil
            return try await answerCreated(body, target, request, options, warnings: warnings)
        }
        let sent = ObjectRules.defaulted(body, of: resource)
        let result = try change(target, options, user: request.user) { live, _ throws(APIStatus) in
            try self.owned(live, Self.carryingMetadata(sent, from: live), target, options)
        }
        return try await answer(result, target, request, options, warnings: warnings)
    }

    /// Whether a PUT makes the object when there is none: `AllowCreateOnUpdate` of the real server's strategies.
    private static func isCreatedByUpdate(_ resource: ResourceType) -> Bool {
        switch (resource.group, resource.kind) {
        case ("coordination.k8s.io", "Lease"), ("", "Endpoints"), ("", "Service"), ("", "LimitRange"), ("", "Event"),
            ("events.k8s.io", "Event"):
            true
        case ("rbac.authorization.k8s.io", _): true
        default: false
        }
    }

    func answer(
        _ result: WriteOutcome, _ target: Target, _ request: APIRequest, _ options: WriteOptions, warnings: [String], status: Int = 200
    ) async throws -> APIResponse {
        if !options.isDryRun, result.didWrite { try await store.durable(result.object.revision) }
        let (object, bytes) = present(result.object, as: target.resource)
        var response = Presentation(request).response(object, bytes: bytes, of: target.resource, request, status: status)
        response.warnings = warnings + ObjectRules.warnings(object, of: target.resource)
        return response
    }

    /// The name in the body must be that of the path.
    static func checkName(_ body: JSONValue, _ target: Target) throws(APIStatus) {
        guard let name = body[path: "metadata", "name"]?.stringValue, !name.isEmpty else {
            throw .badRequest("the name of the object (based on URL) was undeterminable: name must be provided")
        }
        if name != target.name {
            throw .badRequest("the name of the object (\(name)) does not match the name on the URL (\(target.name))")
        }
    }

    /// What clients may leave out of an update, because they can't change it.
    static func carryingMetadata(_ new: JSONValue, from live: JSONValue) -> JSONValue {
        var new = new
        for name in ["uid", "creationTimestamp"] where new[path: "metadata", name]?.stringValue ?? "" == "" {
            new[path: "metadata", name] = live[path: "metadata", name]
        }
        return new
    }
}

/// What a write made of an object.
struct WriteOutcome: Sendable {
    var object: StoredObject
    /// `false`: nothing changed, or a dry run.
    var didWrite: Bool
}

extension APIServer {
    /// Changes an existing object: computes the new state from the live one, prepares, validates and writes it; again when another
    /// write came between, unless the client named the resource version it saw.
    ///
    /// - Parameter compute: the new state, in the request's version, with its `managedFields`.
    func change(
        _ target: Target, _ options: WriteOptions, user: UserInfo?,
        compute: (_ live: JSONValue, _ stored: StoredObject) throws(APIStatus) -> JSONValue
    ) throws -> WriteOutcome {
        let resource = target.resource
        for _ in 0..<100 {
            guard let stored = store.object(target.key) else { throw APIStatus.notFound(resource, target.name) }
            let live = present(stored, as: resource).object
            let computed = try compute(live, stored)
            let new = try prepared(computed, over: live, stored, target, options, user: user)
            if options.isDryRun {
                let unchanged = Self.isUnchanged(new, live)
                return WriteOutcome(
                    object: unchanged ? stored : StoredObject(key: stored.key, revision: stored.revision, body: Conversion.toStorage(new, of: resource)),
                    didWrite: false)
            }
            if Self.isUnchanged(new, live) {
                // An update that changes nothing can still be the moment when a deleted object may go.
                if !Self.isFinished(new, resource) { return WriteOutcome(object: stored, didWrite: false) }
            }
            let body = Conversion.toStorage(new, of: resource)
            do throws(StoreConflict) {
                let written =
                    Self.isFinished(new, resource)
                    ? try store.remove(stored.key, over: stored, last: body) : try store.write(stored.key, over: stored, body)
                if Self.isFinished(new, resource) { addresses.release(stored.body, of: resource) }
                return WriteOutcome(object: written, didWrite: true)
            } catch {
                continue
            }
        }
        throw APIStatus.modified(resource, target.name)
    }

    private static func isUnchanged(_ new: JSONValue, _ live: JSONValue) -> Bool {
        FieldManager.settled(new, over: live) == live
    }

    /// Whether a deleted object has nothing left to wait for.
    static func isFinished(_ object: JSONValue, _ resource: ResourceType) -> Bool {
        guard object[path: "metadata", "deletionTimestamp"] != nil else { return false }
        guard object[path: "metadata", "finalizers"]?.arrayValue?.isEmpty ?? true else { return false }
        if resource.storageKey == "/namespaces" { return object[path: "spec", "finalizers"]?.arrayValue?.isEmpty ?? true }
        return (object[path: "metadata", "deletionGracePeriodSeconds"]?.integerValue ?? 0) == 0
    }

    /// Checks preconditions, carries over what clients can't change, counts the generation and validates.
    private func prepared(
        _ computed: JSONValue, over live: JSONValue, _ stored: StoredObject, _ target: Target, _ options: WriteOptions, user: UserInfo?
    ) throws -> JSONValue {
        let resource = target.resource
        var new = computed
        var metadata = new["metadata"] ?? [:]
        let old = live["metadata"] ?? [:]
        if let sent = metadata["resourceVersion"]?.stringValue, !sent.isEmpty, sent != "0", sent != String(stored.revision) {
            throw APIStatus.modified(resource, target.name)
        }
        if let uid = metadata["uid"]?.stringValue, !uid.isEmpty, uid != stored.uid {
            guard options.isReplacement else {
                let cause = FieldCause.invalid("metadata.uid", .string(uid), "field is immutable")
                throw APIStatus.invalid(group: resource.group, kind: resource.kind, name: target.name, [cause, cause])
            }
            throw APIStatus.conflict(
                resource, target.name, "Precondition failed: UID in precondition: \(uid), UID in object meta: \(stored.uid)")
        }
        for name in ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink", "generateName"] {
            metadata[name] = old[name]
        }
        metadata["resourceVersion"] = old["resourceVersion"]
        if resource.isNamespaced { metadata["namespace"] = old["namespace"] }
        if metadata["finalizers"]?.arrayValue?.isEmpty ?? false { metadata["finalizers"] = nil }
        for name in ["labels", "annotations"] where metadata[name]?.objectValue?.isEmpty ?? false { metadata[name] = nil }
        new["metadata"] = metadata
        new = ObjectRules.preparedForUpdate(new, over: live, of: resource, subresource: target.subresource)
        let causes = ObjectRules.validateUpdate(new, over: live, of: resource, subresource: target.subresource)
        if !causes.isEmpty { throw APIStatus.invalid(group: resource.group, kind: resource.kind, name: target.name, causes) }
        return try addresses.allocated(new, over: live, of: resource, keeps: !options.isDryRun)
    }
}
