import Logging
import ResourceModel

/// Deletes objects whose owners are gone, and carries out the foreground and orphan policies.
struct GarbageCollector: Sendable {
    let client: LocalClient
    let logger: Logger

    func run() async {
        var graph = OwnerGraph()
        let changes = client.server.store.watchAll()
        for type in client.server.catalog.storedTypes {
            for object in client.server.store.objects(of: type.storageKey, namespace: nil).items { graph.record(object) }
        }
        for key in graph.suspects { await collect(key, &graph) }
        for await event in changes {
            if event.kind == .deleted {
                graph.forget(event.object)
                for dependent in graph.dependents(of: event.object.uid) { await collect(dependent, &graph) }
                // An owner in foreground deletion may have waited for this object.
                for owner in Self.owners(event.object.body) {
                    if let key = graph.key(of: owner["uid"]?.stringValue ?? "") { await advance(key, &graph) }
                }
            } else {
                graph.record(event.object)
                let finalizers = event.object.finalizers
                if event.object.isBeingDeleted, finalizers.contains("foregroundDeletion") || finalizers.contains("orphan") {
                    await advance(event.object.key, &graph)
                } else if event.kind == .added || Self.owners(event.object.body) != Self.owners(event.previous?.body ?? [:]) {
                    await collect(event.object.key, &graph)
                }
            }
        }
    }

    static func owners(_ object: JSONValue) -> [JSONValue] { object[path: "metadata", "ownerReferences"]?.arrayValue ?? [] }

    private func type(_ key: ObjectKey) -> ResourceType? {
        client.server.catalog.storedTypes.first { $0.storageKey == key.resource }
    }

    /// Deletes the object when all its owners are gone (or wait for it); drops references to owners that are gone when others remain.
    private func collect(_ key: ObjectKey, _ graph: inout OwnerGraph) async {
        guard let stored = client.server.store.object(key), let type = type(key) else { return }
        let owners = Self.owners(stored.body)
        guard !owners.isEmpty, !stored.isBeingDeleted else { return }
        var solid: [JSONValue] = []
        var isWaitedFor = false
        for owner in owners {
            guard let uid = owner["uid"]?.stringValue, let ownerKey = graph.key(of: uid), let live = client.server.store.object(ownerKey),
                live.uid == uid
            else { continue }
            // An owner in another namespace is no owner.
            if !ownerKey.namespace.isEmpty, ownerKey.namespace != key.namespace { continue }
            if live.isBeingDeleted, live.finalizers.contains("foregroundDeletion") {
                isWaitedFor = true
            } else {
                solid.append(owner)
            }
        }
        do {
            if solid.isEmpty {
                let policy = stored.finalizers.contains("orphan") ? "Orphan" : isWaitedFor ? "Foreground" : "Background"
                try await client.delete(
                    type, namespace: key.namespace.isEmpty ? nil : key.namespace, name: key.name, uid: stored.uid, propagationPolicy: policy)
            } else if solid.count < owners.count, !isWaitedFor {
                try await client.patch(
                    type, namespace: key.namespace.isEmpty ? nil : key.namespace, name: key.name,
                    ["metadata": ["uid": .string(stored.uid), "ownerReferences": .array(solid)]])
            }
        } catch {
            logger.debug("not collected", metadata: ["object": "\(key)", "error": "\(error)"])
        }
    }

    /// Takes the next step in a foreground or orphaning deletion.
    private func advance(_ key: ObjectKey, _ graph: inout OwnerGraph) async {
        guard let stored = client.server.store.object(key), let type = type(key), stored.isBeingDeleted else { return }
        let finalizers = stored.finalizers
        do {
            if finalizers.contains("orphan") {
                for dependent in graph.dependents(of: stored.uid) {
                    guard let object = client.server.store.object(dependent), let dependentType = self.type(dependent) else { continue }
                    let rest = Self.owners(object.body).filter { $0["uid"]?.stringValue != stored.uid }
                    try await client.patch(
                        dependentType, namespace: dependent.namespace.isEmpty ? nil : dependent.namespace, name: dependent.name,
                        ["metadata": ["ownerReferences": rest.isEmpty ? nil : .array(rest)]])
                }
                try await removeFinalizer("orphan", stored, type)
            } else if finalizers.contains("foregroundDeletion") {
                var blocking = 0
                for dependent in graph.dependents(of: stored.uid) {
                    guard let object = client.server.store.object(dependent) else { continue }
                    let reference = Self.owners(object.body).first { $0["uid"]?.stringValue == stored.uid }
                    if reference?["blockOwnerDeletion"]?.boolValue ?? false { blocking += 1 }
                    await collect(dependent, &graph)
                    if client.server.store.object(dependent)?.uid != object.uid, reference?["blockOwnerDeletion"]?.boolValue ?? false {
                        blocking -= 1
                    }
                }
                if blocking == 0 { try await removeFinalizer("foregroundDeletion", stored, type) }
            }
        } catch {
            logger.debug("deletion not advanced", metadata: ["object": "\(key)", "error": "\(error)"])
        }
    }

    private func removeFinalizer(_ name: String, _ seen: StoredObject, _ type: ResourceType) async throws {
        guard let stored = client.server.store.object(seen.key), stored.uid == seen.uid else { return }
        let rest = stored.finalizers.filter { $0 != name }
        guard rest.count < stored.finalizers.count else { return }
        let namespace = seen.key.namespace.isEmpty ? nil : seen.key.namespace
        try await client.patch(
            type, namespace: namespace, name: seen.key.name,
            ["metadata": ["finalizers": rest.isEmpty ? nil : .array(rest.map(JSONValue.string))]])
    }
}

/// Who owns whom, by uid.
private struct OwnerGraph {
    private var keys: [String: ObjectKey] = [:]
    private var children: [String: Set<ObjectKey>] = [:]
    private var parents: [ObjectKey: [String]] = [:]

    mutating func record(_ object: StoredObject) {
        keys[object.uid] = object.key
        let owners = GarbageCollector.owners(object.body).compactMap { $0["uid"]?.stringValue }
        if let before = parents[object.key], before == owners { return }
        for owner in parents[object.key] ?? [] { children[owner]?.remove(object.key) }
        parents[object.key] = owners.isEmpty ? nil : owners
        for owner in owners { children[owner, default: []].insert(object.key) }
    }

    mutating func forget(_ object: StoredObject) {
        keys[object.uid] = nil
        for owner in parents[object.key] ?? [] { children[owner]?.remove(object.key) }
        parents[object.key] = nil
    }

    func key(of uid: String) -> ObjectKey? { keys[uid] }

    func dependents(of uid: String) -> [ObjectKey] { Array(children[uid] ?? []) }

    /// Objects with owners.
    var suspects: [ObjectKey] { Array(parents.keys) }
}
