import KubernetesClient
import ResourceModel

extension Applier {
    /// Tells once at the beginning, and then whenever, without saying what, that an object which the application owns was changed or deleted in a way that may be drift:
    /// what only the status or the resourceVersion shows is left out. Quick changes come together as one.
    package func ownedObjectChanges(of application: String) -> AsyncThrowingStream<Void, any Error> {
        AsyncThrowingStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let task = Task {
                do {
                    try await self.watchOwned(ApplySet(application: application)) { continuation.yield() }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func watchOwned(_ applySet: ApplySet, onChange: @escaping @Sendable () -> Void) async throws {
        let parentResource = try await client.resource(for: applySet.parent.groupKind, preferring: "v1")
        guard let parent = try await client.get(parentResource, namespace: ApplySet.namespace, name: applySet.parent.name) else { return }
        let promise = try applySet.promise(of: parent)
        let selector = "\(ApplySet.partOfLabel)=\(applySet.id)"
        try await withThrowingTaskGroup(of: Void.self) { group in
            for kind in promise.groupKinds {
                let resource = try await client.resource(for: kind)
                let places: [String?] = resource.namespaced ? promise.namespaces.sorted() : [nil]
                for namespace in places {
                    group.addTask {
                        var seen: [ResourceID: String] = [:]
                        var isFirst = true
                        for try await event in client.listAndWatch(resource, namespace: namespace, labelSelector: selector) {
                            switch event {
                            case .listed(let items, _):
                                let now = try Dictionary(uniqueKeysWithValues: items.map { try fingerprint($0, resource) })
                                // What changed before the watch began nobody else would tell.
                                if isFirst || now != seen { onChange() }
                                seen = now
                                isFirst = false
                            case .added(let item), .modified(let item):
                                let (id, print) = try fingerprint(item, resource)
                                if seen.updateValue(print, forKey: id) != print { onChange() }
                            case .deleted(let item):
                                seen[try fingerprint(item, resource).0] = nil
                                onChange()
                            case .bookmark, .interrupted: break
                            }
                        }
                    }
                }
            }
            // The set of kinds itself may change with the next sync: begin again then.
            group.addTask {
                for try await event in client.watch(
                    parentResource, namespace: ApplySet.namespace,
                    options: WatchOptions(
                        fieldSelector: "metadata.name=\(applySet.parent.name)",
                        resourceVersion: parent[path: "metadata", "resourceVersion"]?.stringValue))
                {
                    if case .deleted = event { return }
                    if let object = event.object, try applySet.promise(of: object) != promise { return }
                }
            }
            try await group.next()
            group.cancelAll()
        }
    }
}

/// What of an object may be drift.
private func fingerprint(_ object: JSONValue, _ resource: APIResource) throws(Problem) -> (ResourceID, String) {
    var live = try LiveObject(object, as: resource)
    live.body["status"] = nil
    live.body[path: "metadata", "resourceVersion"] = nil
    live.body[path: "metadata", "generation"] = nil
    return (live.id, live.body.digest)
}
