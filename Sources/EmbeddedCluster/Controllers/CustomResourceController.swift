import Logging
import ResourceModel

/// Serves the resources of CustomResourceDefinitions: accepts their names, establishes them, and cleans up after deleted ones.
struct CustomResourceController: Sendable {
    let client: LocalClient
    let logger: Logger
    static let finalizer = "customresourcecleanup.apiextensions.k8s.io"

    /// Registers the definitions that are established already; to be called before requests are taken.
    func registerEstablished() throws {
        let definitions = try client.resource("apiextensions.k8s.io/v1", "CustomResourceDefinition")
        var resources: [ResourceType] = []
        for definition in client.list(definitions) where Self.condition("Established", of: definition) {
            resources += Self.resources(of: definition)
        }
        client.server.catalog.setCustomResources(resources)
    }

    func run() async {
        guard let definitions = try? client.resource("apiextensions.k8s.io/v1", "CustomResourceDefinition") else { return }  // built-in
        await withDiscardingTaskGroup { group in
            var cleaning: Set<String> = []
            for await change in client.watch(definitions) {
                let uid = change.object[path: "metadata", "uid"]?.stringValue ?? ""
                do {
                    try registerEstablished()
                    if change.kind == .deleted {
                        cleaning.remove(uid)
                        // Its names are free: another definition of the group may have waited for them.
                        let freed = change.object[path: "spec", "group"]
                        for waiting in client.list(definitions) where waiting[path: "spec", "group"] == freed && !Self.condition("NamesAccepted", of: waiting) {
                            group.addTask { await establish(waiting, definitions) }
                        }
                    } else if change.object[path: "metadata", "deletionTimestamp"] != nil {
                        let object = change.object
                        if cleaning.insert(uid).inserted { group.addTask { await cleanUp(object, definitions) } }
                    } else if !Self.condition("Established", of: change.object) || acceptedNames(change.object) != change.object[path: "status", "acceptedNames"] {
                        let object = change.object
                        group.addTask { await establish(object, definitions) }
                    }
                } catch {
                    logger.warning("custom resource not registered", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    private static func condition(_ type: String, of definition: JSONValue) -> Bool {
        definition[path: "status", "conditions"]?.arrayValue?.contains {
            $0["type"]?.stringValue == type && $0["status"]?.stringValue == "True"
        } ?? false
    }

    private func acceptedNames(_ definition: JSONValue) -> JSONValue? { definition[path: "spec", "names"] }

    private func establish(_ seen: JSONValue, _ definitions: ResourceType) async {
        guard let name = seen[path: "metadata", "name"]?.stringValue else { return }
        // As with a real server a new resource is served a moment after its definition was accepted: clients must wait for Established.
        do { try await Task.sleep(for: .milliseconds(50)) } catch { return }
        for _ in 0..<20 {
            guard var definition = client.get(definitions, name: name), definition[path: "metadata", "deletionTimestamp"] == nil else { return }
            let now = Timestamp.now()
            let stored = (definition[path: "spec", "versions"]?.arrayValue ?? []).first { $0["storage"]?.boolValue ?? false }?["name"]
            var storedVersions = definition[path: "status", "storedVersions"]?.arrayValue ?? []
            if let stored, !storedVersions.contains(stored) { storedVersions.append(stored) }
            let others = client.list(definitions).filter { $0[path: "metadata", "name"]?.stringValue != name }
            let names = AcceptedNames(of: definition, among: others)
            let wasEstablished = Self.condition("Established", of: definition)
            let isAccepted = names.conflict == nil
            let before = definition["status"]
            func condition(_ type: String, _ isTrue: Bool, _ reason: String, _ message: String) -> JSONValue {
                let status: JSONValue = isTrue ? "True" : "False"
                let old = before?["conditions"]?.arrayValue?.first { $0["type"] == .string(type) && $0["status"] == status }
                return [
                    "type": .string(type), "status": status, "lastTransitionTime": old?["lastTransitionTime"] ?? .string(now), "reason": .string(reason),
                    "message": .string(message),
                ]
            }
            definition["status"] = [
                "conditions": [
                    condition("NamesAccepted", isAccepted, names.conflict?.reason ?? "NoConflicts", names.conflict?.message ?? "no conflicts found"),
                    isAccepted || wasEstablished
                        ? condition("Established", true, "InitialNamesAccepted", "the initial names have been accepted")
                        : condition("Established", false, "NotAccepted", "not all names are accepted"),
                ],
                "acceptedNames": names.value, "storedVersions": .array(storedVersions),
            ]
            if definition["status"] == before { return }
            do {
                try await client.updateStatus(definitions, definition)
                return
            } catch let status as APIStatus where status.code == 409 {
                continue
            } catch {
                logger.warning("definition not established", metadata: ["name": "\(name)", "error": "\(error)"])
                return
            }
        }
    }

    /// Deletes all objects of a deleted definition, then lets the definition go.
    private func cleanUp(_ definition: JSONValue, _ definitions: ResourceType) async {
        guard let name = definition[path: "metadata", "name"]?.stringValue else { return }
        let changes = client.server.store.watchAll()
        var iterator = changes.makeAsyncIterator()
        if let resource = Self.resources(of: definition).first {
            while !Task.isCancelled {
                let objects = client.list(resource)
                if objects.isEmpty { break }
                for object in objects where object[path: "metadata", "deletionTimestamp"] == nil {
                    guard let item = object[path: "metadata", "name"]?.stringValue else { continue }
                    do {
                        try await client.delete(resource, namespace: object[path: "metadata", "namespace"]?.stringValue, name: item)
                    } catch {
                        logger.debug("not deleted", metadata: ["object": "\(resource.plural) \(item)", "error": "\(error)"])
                    }
                }
                if client.list(resource).isEmpty { break }
                while let event = await iterator.next() {
                    if event.object.key.resource == resource.storageKey, event.kind == .deleted { break }
                }
            }
        }
        do {
            // Reads that follow the delete at once still find the resource served, and their object not found.
            try await Task.sleep(for: .milliseconds(200))
            let rest = (client.get(definitions, name: name)?[path: "metadata", "finalizers"]?.arrayValue ?? []).filter {
                $0 != .string(Self.finalizer)
            }
            try await client.patch(definitions, name: name, ["metadata": ["finalizers": rest.isEmpty ? nil : .array(rest)]])
        } catch {
            logger.debug("definition not finalized", metadata: ["name": "\(name)", "error": "\(error)"])
        }
    }

    /// The resources that a definition's served versions make.
    static func resources(of definition: JSONValue) -> [ResourceType] {
        let spec = definition["spec"] ?? [:]
        let names = spec["names"] ?? [:]
        let group = spec["group"]?.stringValue ?? ""
        let kind = names["kind"]?.stringValue ?? ""
        let plural = names["plural"]?.stringValue ?? ""
        let versions = spec["versions"]?.arrayValue ?? []
        let storage = versions.first { $0["storage"]?.boolValue ?? false }?["name"]?.stringValue ?? ""
        return versions.filter { $0["served"]?.boolValue ?? false }.map { version in
            let custom = CustomResource(definition: definition, version: version)
            var subresources: [ResourceType.Subresource] = []
            if custom.hasStatus {
                subresources.append(.init(name: "status", group: "", version: "", kind: kind, verbs: ["get", "patch", "update"]))
            }
            if custom.hasScale {
                subresources.append(
                    .init(name: "scale", group: "autoscaling", version: "v1", kind: "Scale", verbs: ["get", "patch", "update"]))
            }
            return ResourceType(
                group: group, version: version["name"]?.stringValue ?? "", kind: kind,
                listKind: names["listKind"]?.stringValue ?? kind + "List", plural: plural,
                singular: names["singular"]?.stringValue ?? kind.lowercased(),
                shortNames: names["shortNames"]?.arrayValue?.compactMap(\.stringValue) ?? [],
                categories: names["categories"]?.arrayValue?.compactMap(\.stringValue) ?? [],
                isNamespaced: spec["scope"]?.stringValue == "Namespaced",
                verbs: ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"], subresources: subresources,
                storageVersionHash: nil, storageKey: "\(group)/\(plural)", storageVersion: storage, custom: custom)
        }
    }
}
