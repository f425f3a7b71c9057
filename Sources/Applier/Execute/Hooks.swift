import KubernetesClient
import ResourceModel

extension Applier {
    /// What the server says to a write that is not done; `nil` when it would accept it.
    func rehearse(_ step: PlanStep, options: ExecutionOptions) async throws -> String? {
        guard let manifest = step.change.manifest else { return nil }
        let place = "\(manifest.source): "
        do {
            let resource = try await client.resource(for: manifest.id.groupKind, preferring: manifest.groupVersionKind.version)
            _ = try await client.apply(manifest.body, as: resource, options: options.apply(manifest, dryRun: true))
            return nil
        } catch is CancellationError {
            throw CancellationError()
        } catch let error as APIError {
            if step.force && error.isInvalid { return nil }  // it will be recreated
            if isAboutIntruders(error, step) { return nil }
            // A hook's former object goes before the new one comes.
            if step.hook != nil, error.isInvalid, step.hook?.deletePolicies.contains(.beforeHookCreation) == true { return nil }
            return place + "\(error)"
        } catch let error as DiscoveryError {
            let isMissingPermitted = options.options(of: manifest.annotations).skipDryRunOnMissingResource == true
            return isMissingPermitted ? nil : place + "\(error)"
        }
    }

    /// Deletes a hook's object of an earlier run and waits until it is gone. One that is not there is fine.
    func removeHook(_ id: ResourceID, version: String?, options: ExecutionOptions) async throws {
        let resource = try await client.resource(for: id.groupKind, preferring: version)
        guard let object = try await client.get(resource, namespace: id.namespace, name: id.name) else { return }
        let live = try LiveObject(object, as: resource)
        try await delete(hook: live, resource)
        let left = try await waitUntilGone([id: live.uid], versions: [id.groupKind: resource.version], timeout: options.waveTimeout)
        if let message = left[id] {
            throw Problem(
                code: "hook.not-gone", message: "\(id) is still there\(message)", resource: id,
                hint: "see what holds it (kubectl describe), or remove its finalizers")
        }
    }

    /// Takes our finalizer away, and deletes the object if `deleting`. Failures are told and change nothing else: the next run of
    /// the hook removes what is left.
    func letGo(ofHook step: PlanStep, uid: String, deleting: Bool, options: ExecutionOptions) async {
        let id = step.change.id
        do {
            let resource = try await client.resource(for: id.groupKind, preferring: step.change.manifest?.groupVersionKind.version)
            guard let object = try await client.get(resource, namespace: id.namespace, name: id.name) else { return }
            let live = try LiveObject(object, as: resource)
            guard live.uid == uid else { return }
            if deleting { try await delete(hook: live, resource) } else { try await removeFinalizer(of: live, resource) }
        } catch {
            logger.warning("the hook \(id) could not be tidied up: \(error)")
        }
    }

    private func delete(hook live: LiveObject, _ resource: APIResource) async throws {
        do {
            if !live.isBeingDeleted {
                _ = try await client.delete(
                    resource, namespace: live.id.namespace, name: live.id.name,
                    options: DeleteOptions(propagationPolicy: .background, uid: live.uid))
            }
            try await removeFinalizer(of: live, resource)
        } catch let error as APIError where error.isNotFound {
            return
        }
    }

    /// A hook's object that is deleted with its application: only whoever ran it takes its finalizer away.
    func letGoOfHook(_ live: LiveObject, _ resource: APIResource) async throws {
        if Hook(annotations: live.annotations) != nil { try await removeFinalizer(of: live, resource) }
    }

    private func removeFinalizer(of live: LiveObject, _ resource: APIResource) async throws {
        let finalizers = live.body[path: "metadata", "finalizers"]?.arrayValue ?? []
        guard let index = finalizers.firstIndex(of: .string(Hook.finalizer)) else { return }
        let path = "/metadata/finalizers/\(index)"
        do {
            _ = try await client.patch(
                resource, namespace: live.id.namespace, name: live.id.name, type: .json,
                patch: [["op": "test", "path": .string(path), "value": .string(Hook.finalizer)], ["op": "remove", "path": .string(path)]])
        } catch let error as APIError where error.isNotFound {
            return
        }
    }
}
