import ResourceModel

extension APIServer {
    func delete(_ target: Target, _ request: APIRequest) async throws -> APIResponse {
        let options = try RequestBody.deleteOptions(request)
        let outcome = try deleteObject(target, options)
        if !options.isDryRun, let revision = outcome.written { try await store.durable(revision) }
        var warnings: [String] = []
        if target.resource.storageKey == "batch/jobs", options.propagationPolicy == nil, options.orphanDependents == nil {
            warnings.append(
                "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set "
                    + "propagationPolicy=Orphan to suppress this warning")
        }
        if outcome.isGone, !Self.answersWithObject(target.resource) {
            var details: JSONValue = ["name": .string(target.name)]
            if !target.resource.group.isEmpty { details["group"] = .string(target.resource.group) }
            details["kind"] = .string(target.resource.plural)
            details["uid"] = .string(outcome.object.uid)
            return .json(["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "details": details])
        }
        let (object, bytes) = present(outcome.object, as: target.resource)
        var response = Presentation(request).response(object, bytes: bytes, of: target.resource, request)
        response.warnings = warnings
        return response
    }

    /// Kinds whose delete answers with the object even when it is gone at once.
    private static func answersWithObject(_ resource: ResourceType) -> Bool {
        if resource.group == "storage.k8s.io" { return true }
        return [
            "/pods", "/podtemplates", "/persistentvolumeclaims", "/persistentvolumes", "/resourcequotas", "/serviceaccounts", "/services",
        ].contains(resource.storageKey)
    }

    struct DeleteOutcome {
        var object: StoredObject
        var isGone: Bool
        /// The revision to wait for; `nil` when nothing was written.
        var written: Int64?
    }

    /// Deletes an object, or marks it when something has to happen first: finalizers, dependents, a pod's grace period.
    func deleteObject(_ target: Target, _ options: DeleteOptions) throws -> DeleteOutcome {
        let resource = target.resource
        for _ in 0..<100 {
            guard let stored = store.object(target.key) else { throw APIStatus.notFound(resource, target.name) }
            try checkPreconditions(stored, target, options)
            if resource.storageKey == "/namespaces" { try checkNamespaceDelete(stored, target) }
            let marked = marked(stored, target, options)
            let isFinished = Self.isFinished(marked, resource)
            if options.isDryRun {
                return DeleteOutcome(
                    object: StoredObject(key: stored.key, revision: stored.revision, body: isFinished ? stored.body : marked), isGone: isFinished)
            }
            if !isFinished, marked == stored.body { return DeleteOutcome(object: stored, isGone: false) }
            do throws(StoreConflict) {
                if isFinished {
                    // Kinds that answer with the object show when it was deleted; the others' last state is the stored one.
                    let last = Self.answersWithObject(resource) && resource.storageKey == "/pods" ? marked : stored.body
                    let removed = try store.remove(stored.key, over: stored, last: last)
                    addresses.release(stored.body, of: resource)
                    return DeleteOutcome(object: removed, isGone: true, written: removed.revision)
                }
                let written = try store.write(stored.key, over: stored, marked)
                return DeleteOutcome(object: written, isGone: false, written: written.revision)
            } catch {
                continue
            }
        }
        throw APIStatus.modified(resource, target.name)
    }

    private func checkPreconditions(_ stored: StoredObject, _ target: Target, _ options: DeleteOptions) throws {
        let resource = target.resource
        if let uid = options.uid, uid != stored.uid {
            throw APIStatus.conflict(
                resource, target.name,
                "the UID in the precondition (\(uid)) does not match the UID in record (\(stored.uid)). "
                    + "The object might have been deleted and then recreated", kind: resource.kind)
        }
        if let version = options.resourceVersion, version != String(stored.revision) {
            throw APIStatus.conflict(
                resource, target.name,
                "the ResourceVersion in the precondition (\(version)) does not match the ResourceVersion in record (\(stored.revision)). "
                    + "The object might have been modified", kind: resource.kind)
        }
    }

    private func checkNamespaceDelete(_ stored: StoredObject, _ target: Target) throws {
        if ["default", "kube-system", "kube-public"].contains(target.name) {
            throw APIStatus.forbidden(target.resource, target.name, "this namespace may not be deleted")
        }
        if stored.isBeingDeleted, !stored.finalizers.isEmpty || stored.body[path: "spec", "finalizers"] != nil {
            throw APIStatus.conflict(
                target.resource, target.name,
                "The system is ensuring all content is removed from this namespace.  Upon completion, this namespace will "
                    + "automatically be purged by the system.")
        }
    }

    /// The object's state after the delete request: marked as deleted, with the finalizers that the propagation policy asks for.
    private func marked(_ stored: StoredObject, _ target: Target, _ options: DeleteOptions) -> JSONValue {
        let resource = target.resource
        var object = stored.body
        var finalizers = stored.finalizers
        let original = finalizers
        let hasDependents = resource.storageKey != "/namespaces" && resource.storageKey != "apiextensions.k8s.io/customresourcedefinitions"
        if hasDependents {
            let policy = options.propagationPolicy ?? (options.orphanDependents == true ? "Orphan" : options.orphanDependents == false ? "Background" : nil)
            switch policy ?? Self.defaultPolicy(resource, stored) {
            case "Foreground":
                finalizers.removeAll { $0 == "orphan" }
                if !finalizers.contains("foregroundDeletion") { finalizers.append("foregroundDeletion") }
            case "Orphan":
                finalizers.removeAll { $0 == "foregroundDeletion" }
                if !finalizers.contains("orphan") { finalizers.append("orphan") }
            case "Background": finalizers.removeAll { $0 == "orphan" || $0 == "foregroundDeletion" }
            default: break
            }
        }
        if finalizers != original {
            object[path: "metadata", "finalizers"] = finalizers.isEmpty ? nil : .array(finalizers.map(JSONValue.string))
        }
        if resource.storageKey == "/namespaces" {
            if !stored.isBeingDeleted {
                object[path: "metadata", "deletionTimestamp"] = .string(Timestamp.now())
                object[path: "status", "phase"] = "Terminating"
            }
            return object
        }
        if resource.storageKey == "apiextensions.k8s.io/customresourcedefinitions" {
            if !stored.isBeingDeleted {
                object[path: "metadata", "deletionTimestamp"] = .string(Timestamp.now())
                if !finalizers.contains(CustomResourceController.finalizer) { finalizers.append(CustomResourceController.finalizer) }
                object[path: "metadata", "finalizers"] = .array(finalizers.map(JSONValue.string))
                var conditions = object[path: "status", "conditions"]?.arrayValue ?? []
                conditions.append([
                    "type": "Terminating", "status": "True", "lastTransitionTime": .string(Timestamp.now()),
                    "reason": "InstanceDeletionPending",
                    "message": "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
                ])
                object[path: "status", "conditions"] = .array(conditions)
            }
            return object
        }
        let grace = gracePeriod(object, resource, options)
        if !stored.isBeingDeleted {
            object[path: "metadata", "deletionTimestamp"] = .string(Timestamp.string(Timestamp.seconds() + grace))
            object[path: "metadata", "deletionGracePeriodSeconds"] = .integer(grace)
            if let generation = object[path: "metadata", "generation"]?.integerValue, generation > 0 {
                object[path: "metadata", "generation"] = .integer(generation + 1)
            }
        } else if let before = object[path: "metadata", "deletionGracePeriodSeconds"]?.integerValue, grace < before,
            options.gracePeriodSeconds != nil
        {
            object[path: "metadata", "deletionTimestamp"] = .string(Timestamp.string(Timestamp.seconds() + grace))
            object[path: "metadata", "deletionGracePeriodSeconds"] = .integer(grace)
        }
        return object
    }

    /// Dependents of Jobs and ReplicationControllers stay by default, for history's sake; nothing is added to an object that says itself.
    private static func defaultPolicy(_ resource: ResourceType, _ stored: StoredObject) -> String? {
        guard ["batch/jobs", "/replicationcontrollers"].contains(resource.storageKey) else { return nil }
        return stored.finalizers.contains("foregroundDeletion") || stored.finalizers.contains("orphan") ? nil : "Orphan"
    }

    /// Seconds that a pod gets to stop; a pod that never got a node, or that has ended, goes at once.
    private func gracePeriod(_ object: JSONValue, _ resource: ResourceType, _ options: DeleteOptions) -> Int64 {
        guard resource.storageKey == "/pods" else { return 0 }
        if object[path: "spec", "nodeName"]?.stringValue ?? "" == "" { return 0 }
        if ["Succeeded", "Failed"].contains(object[path: "status", "phase"]?.stringValue ?? "") { return 0 }
        return max(0, options.gracePeriodSeconds ?? object[path: "spec", "terminationGracePeriodSeconds"]?.integerValue ?? 30)
    }

    func deleteCollection(_ target: Target, _ request: APIRequest) async throws -> APIResponse {
        let options = try RequestBody.deleteOptions(request)
        let filter = try Filter(request, target.resource)
        let (items, _) = store.objects(of: target.resource.storageKey, namespace: target.namespace.isEmpty ? nil : target.namespace)
        var deleted: [(object: JSONValue, bytes: [UInt8])] = []
        var last: Int64?
        for item in items where filter.isEmpty || filter.matches(present(item, as: target.resource).object) {
            var one = target
            one.namespace = item.key.namespace
            one.name = item.key.name
            do {
                let outcome = try deleteObject(one, options)
                last = outcome.written ?? last
                deleted.append(present(outcome.object, as: target.resource))
            } catch let status as APIStatus where status.code == 404 {
                continue
            }
        }
        if let last, !options.isDryRun { try await store.durable(last) }
        return listResponse(deleted, metadata: ["resourceVersion": .string(String(store.revision))], of: target.resource, request)
    }
}
