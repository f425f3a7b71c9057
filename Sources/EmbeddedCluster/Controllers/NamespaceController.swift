import Logging
import ResourceModel

/// Gives each namespace its service account and root certificate, and empties namespaces that are deleted.
struct NamespaceController: Sendable {
    let client: LocalClient
    /// The cluster's root certificate, PEM; `nil`: namespaces don't get it.
    let rootCertificate: String?
    let logger: Logger

    func run() async {
        guard let namespaces = try? client.resource("v1", "Namespace") else { return }  // built-in: always there
        await withDiscardingTaskGroup { group in
            var emptying: Set<String> = []
            for await change in client.watch(namespaces) {
                guard let name = change.object[path: "metadata", "name"]?.stringValue else { continue }
                let uid = change.object[path: "metadata", "uid"]?.stringValue ?? ""
                if change.kind == .deleted {
                    emptying.remove(uid)
                } else if change.object[path: "metadata", "deletionTimestamp"] == nil {
                    if change.kind == .added { group.addTask { await furnish(name) } }
                } else if !(change.object[path: "spec", "finalizers"]?.arrayValue?.isEmpty ?? true), emptying.insert(uid).inserted {
                    group.addTask { await empty(name, namespaces) }
                }
            }
        }
    }

    private func furnish(_ namespace: String) async {
        do {
            let accounts = try client.resource("v1", "ServiceAccount")
            if client.get(accounts, namespace: namespace, name: "default") == nil {
                try await client.create(
                    accounts, namespace: namespace,
                    ["apiVersion": "v1", "kind": "ServiceAccount", "metadata": ["name": "default", "namespace": .string(namespace)]])
            }
            guard let rootCertificate else { return }
            let maps = try client.resource("v1", "ConfigMap")
            if client.get(maps, namespace: namespace, name: "kube-root-ca.crt") == nil {
                try await client.create(
                    maps, namespace: namespace,
                    [
                        "apiVersion": "v1", "kind": "ConfigMap",
                        "metadata": [
                            "name": "kube-root-ca.crt", "namespace": .string(namespace),
                            "annotations": [
                                "kubernetes.io/description":
                                    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters."
                            ],
                        ],
                        "data": ["ca.crt": .string(rootCertificate)],
                    ])
            }
        } catch {
            // A namespace that is deleted meanwhile, or an object that somebody else made, needs nothing.
            logger.debug("namespace not furnished", metadata: ["namespace": "\(namespace)", "error": "\(error)"])
        }
    }

    /// Deletes everything in the namespace, waits until it is gone, then takes the namespace's own finalizer away.
    private func empty(_ namespace: String, _ namespaces: ResourceType) async {
        let changes = client.server.store.watchAll()
        var iterator = changes.makeAsyncIterator()
        while !Task.isCancelled {
            var remaining = 0
            for type in client.server.catalog.storedTypes where type.isNamespaced {
                for object in client.list(type, namespace: namespace) {
                    remaining += 1
                    guard object[path: "metadata", "deletionTimestamp"] == nil, let name = object[path: "metadata", "name"]?.stringValue else {
                        continue
                    }
                    do {
                        try await client.delete(type, namespace: namespace, name: name)
                        if client.get(type, namespace: namespace, name: name) == nil { remaining -= 1 }
                    } catch {
                        logger.debug("not deleted", metadata: ["object": "\(type.plural) \(namespace)/\(name)", "error": "\(error)"])
                    }
                }
            }
            if remaining == 0 { break }
            // Look again when something in this namespace has gone.
            while let event = await iterator.next() {
                if event.object.key.namespace == namespace, event.kind == .deleted { break }
            }
        }
        for _ in 0..<20 {
            guard var object = client.get(namespaces, name: namespace) else { return }
            object[path: "spec", "finalizers"] = []
            do {
                try await client.update(namespaces, object, subresource: "finalize")
                return
            } catch let status as APIStatus where status.code == 409 {
                continue
            } catch {
                logger.warning("namespace not finalized", metadata: ["namespace": "\(namespace)", "error": "\(error)"])
                return
            }
        }
    }
}
