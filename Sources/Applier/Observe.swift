import KubernetesClient
import ResourceModel

extension Applier {
    /// Gives each manifest the identity that it has on this cluster: whether its kind has namespaces is the server's to say.
    ///
    /// A kind or a version that the server does not know passes when its CustomResourceDefinition is among the manifests; a kind also where
    /// `SkipDryRunOnMissingResource=true` says that it may come by the time it is needed. Such a manifest keeps `namespaceIfNamespaced`,
    /// and is taken for a namespaced one.
    /// - Parameter options: the application's; a manifest's own win.
    /// - Throws: `Problems`, one for each unknown kind or version, with file and line.
    package func resolved(_ desired: DesiredState, namespace: String?, options: SyncOptions = SyncOptions()) async throws -> DesiredState {
        let definitions = self.definitions.mapValues { $0[path: "spec", "scope"]?.stringValue != "Cluster" }.merging(
            desired.manifests.compactMap { manifest in manifest.definedKind.map { ($0.kind, $0.namespaced) } }, uniquingKeysWith: { _, new in new })
        var scopes: [GroupVersionKind: Bool] = [:]
        var unknown: Set<GroupVersionKind> = []
        var told: Set<GroupVersionKind> = []
        var problems: [Problem] = []
        var result = desired
        for (index, manifest) in desired.manifests.enumerated() {
            let kind = manifest.groupVersionKind
            if scopes[kind] == nil {
                do {
                    let resource = try await client.resource(for: kind.groupKind, preferring: kind.version)
                    scopes[kind] = resource.namespaced
                    if resource.version != kind.version, definitions[kind.groupKind] == nil {
                        problems.append(
                            Problem(
                                code: "kind.unknown-version",
                                message: "\(client.server) serves no \(kind.kind) in \(kind.apiVersion)", location: manifest.source,
                                resource: manifest.id, hint: "write `apiVersion: \(resource.apiVersion)`"))
                    }
                } catch let error as DiscoveryError where error.code == "unknown-kind" {
                    scopes[kind] = definitions[kind.groupKind] ?? true
                    if definitions[kind.groupKind] == nil { unknown.insert(kind) }
                }
            }
            let isUnknown = unknown.contains(kind)
            if isUnknown {
                let own = SyncOptions(annotation: manifest.annotations[SyncOptions.annotation]?.stringValue ?? "")
                if options.overridden(by: own).skipDryRunOnMissingResource != true, told.insert(kind).inserted {
                    problems.append(
                        Problem(
                            code: "kind.unknown",
                            message: "\(client.server) knows no kind \(kind.kind) in \(kind.apiVersion)", location: manifest.source,
                            resource: manifest.id,
                            hint: "install its CustomResourceDefinition first, declare it in the same application, or correct apiVersion"))
                }
            }
            let namespaced = scopes[kind] ?? true
            let declared = manifest.id.namespace ?? manifest.body[path: "metadata", "namespace"]?.stringValue
            result.manifests[index].id.namespace = namespaced ? (declared ?? namespace ?? "default") : nil
            result.manifests[index].namespaceIfNamespaced = isUnknown ? result.manifests[index].id.namespace : nil
        }
        guard problems.isEmpty else { throw Problems(problems) }
        return result
    }

    /// What is there of what is declared, and everything that the application owns.
    ///
    /// One list a kind finds the owned objects; declared ones that are not among them are looked for one by one, or with one
    /// list of their namespace when they are many. Any failure is thrown: nothing is taken for absent that could not be read.
    ///
    /// - Parameter owned: what was seen of the inventory already; only what the revision adds to that is read.
    package func liveState(of desired: DesiredState, applySet: ApplySet, owned: OwnedState? = nil) async throws -> LiveState {
        let promise = if let owned { owned.promise } else { try await readPromise(of: applySet) }
        let declaredKinds = Set(desired.manifests.map(\.id.groupKind))
        let kinds = declaredKinds.union(promise?.groupKinds ?? [])
        var state = LiveState(
            inventory: Inventory(
                groupKinds: promise?.groupKinds ?? [], namespaces: promise?.namespaces ?? [], completedHooks: promise?.completedHooks,
                completedPreDelete: promise?.completedPreDelete))
        let versions = Dictionary(
            desired.manifests.map { ($0.id.groupKind, $0.groupVersionKind.version) }, uniquingKeysWith: { first, _ in first })
        let resources = try await self.resources(for: kinds, versions: versions, declared: declaredKinds)

        if let promise {
            // Before anything is written elsewhere the promise says so: there is no member outside it.
            let promised = resources.filter { promise.groupKinds.contains($0.key) }
            let lists = try await ownedObjects(promised, namespaces: promise.namespaces, applySet: applySet, known: owned?.lists ?? [:])
            let objects = try await concurrently(Array(lists.values)) { list in
                try list.objects().map { try LiveObject($0, as: list.resource) }
            }
            for object in objects.joined() {
                state.objects[object.id] = object
                if object.isMember(of: applySet.application) { state.inventory.members.insert(object.id) }
            }
        }
        let missing = desired.manifests.filter { state.objects[$0.id] == nil && $0.hook == nil }.map(\.id)
        for object in try await lookUp(missing, resources) { state.objects[object.id] = object }
        return state
    }

    /// What the inventory says the application owns, read before it is known what the application declares.
    ///
    /// - Throws: whatever could not be read.
    package func ownedState(of applySet: ApplySet) async throws -> OwnedState {
        guard let parent = try await readParent(of: applySet) else { return OwnedState(promise: nil, lists: [:]) }
        let promise = try applySet.promise(of: parent)
        let resources = try await resources(for: promise.groupKinds, versions: [:], declared: [])
        return OwnedState(
            promise: promise, parentVersion: Self.version(of: parent), lists: try await ownedObjects(resources, namespaces: promise.namespaces, applySet: applySet, known: [:]),
            hold: try Hold(of: parent, parent: applySet.parent), deletion: try DeletionNote(of: parent, parent: applySet.parent))
    }

    private func readPromise(of applySet: ApplySet) async throws -> ApplySet.Promise? {
        guard let parent = try await readParent(of: applySet) else { return nil }
        return try applySet.promise(of: parent)
    }

    /// `uid resourceVersion`.
    static func version(of object: JSONValue) -> String {
        "\(object["metadata"]?["uid"]?.stringValue ?? "") \(object["metadata"]?["resourceVersion"]?.stringValue ?? "")"
    }

    private func readParent(of applySet: ApplySet) async throws -> JSONValue? {
        try await client.get(.configMaps, namespace: ApplySet.namespace, name: applySet.parent.name)
    }

    /// Kinds that the server does not know are left out: nothing of a declared one can be there before its definition is, and an
    /// owned one went with its definition.
    private func resources(
        for kinds: Set<GroupKind>, versions: [GroupKind: String], declared: Set<GroupKind>
    ) async throws -> [GroupKind: APIResource] {
        var resources: [GroupKind: APIResource] = [:]
        for kind in kinds {
            do {
                resources[kind] = try await client.resource(for: kind, preferring: versions[kind])
            } catch let error as DiscoveryError where error.code == "unknown-kind" {
                logger.debug("kind not served", metadata: ["kind": "\(kind)"])
            }
        }
        return resources
    }

    private func ownedObjects(
        _ resources: [GroupKind: APIResource], namespaces: Set<String>, applySet: ApplySet, known: [OwnedState.Place: ListAnswer]
    ) async throws -> [OwnedState.Place: ListAnswer] {
        // A few namespaces are listed one by one, which needs fewer permissions and reads less; many with one list.
        var lists: [(resource: APIResource, place: OwnedState.Place)] = []
        for resource in resources.values {
            let places: [String?] = resource.namespaced && namespaces.count <= 3 ? namespaces.map { $0 } : [nil]
            lists += places.map { (resource, OwnedState.Place(groupVersionKind: resource.groupVersionKind, namespace: $0)) }
        }
        let options = ListOptions(labelSelector: "\(ApplySet.partOfLabel)=\(applySet.id)")
        let read = try await concurrently(lists.filter { known[$0.place] == nil }) { list in
            (list.place, try await client.answer(listing: list.resource, namespace: list.place.namespace, options: options))
        }
        let wanted = Set(lists.map(\.place))
        return known.filter { wanted.contains($0.key) }.merging(read) { _, new in new }
    }

    /// The health of objects as they are now; nothing for one that is not there.
    package func currentHealth(of ids: [ResourceID], versions: [GroupKind: String]) async throws -> [ResourceID: HealthAssessment] {
        let kinds = Set(ids.map(\.groupKind))
        let objects = try await lookUp(ids, try await resources(for: kinds, versions: versions, declared: kinds))
        return Dictionary(objects.map { ($0.id, health(of: $0.body)) }, uniquingKeysWith: { first, _ in first })
    }

    private func lookUp(_ ids: [ResourceID], _ resources: [GroupKind: APIResource]) async throws -> [LiveObject] {
        struct Place: Hashable {
            var kind: GroupKind
            var namespace: String?
        }
        let places = Dictionary(grouping: ids, by: { Place(kind: $0.groupKind, namespace: $0.namespace) })
        async let many = concurrently(places.filter { $0.value.count > Self.worthAList }.map { ($0.key, $0.value) }) { place, members in
            guard let resource = resources[place.kind] else { return [LiveObject]() }
            let wanted = Set(members)
            return try await client.list(resource, namespace: place.namespace).items.compactMap { item in
                let name = item[path: "metadata", "name"]?.stringValue ?? ""
                let namespace = item[path: "metadata", "namespace"]?.stringValue
                return wanted.contains(resource.id(namespace: namespace, name: name)) ? try LiveObject(item, as: resource) : nil
            }
        }
        let few = try await concurrently(places.values.filter { $0.count <= Self.worthAList }.flatMap(\.self)) { id -> LiveObject? in
            guard let resource = resources[id.groupKind] else { return nil }
            return try await client.get(resource, namespace: id.namespace, name: id.name).map { try LiveObject($0, as: resource) }
        }
        return try await many.flatMap(\.self) + few.compactMap(\.self)
    }

    /// So many objects of one kind and namespace are looked for one by one, which costs about what one list does.
    private static let worthAList = 16
}

/// An application's objects as the inventory found them.
package struct OwnedState: Sendable {
    /// A list of one kind in one version, in one namespace or in all.
    struct Place: Sendable, Hashable {
        var groupVersionKind: GroupVersionKind
        var namespace: String?

        var isTheServersOwn: Bool { groupVersionKind.groupKind.isTheServersOwn }

        /// What tells a list of a custom kind from another, as `OwnedEvidence` takes it; `nil` when that is not known.
        func evidence(of list: ListAnswer) -> String? { list.digest.map { "\(groupVersionKind.version) \(namespace ?? "-") \($0)" } }
    }

    /// The kinds and namespaces that hold members; `nil` when the application has no inventory yet.
    var promise: ApplySet.Promise?
    /// `uid resourceVersion` of the object that keeps it; empty when there is none.
    package var parentVersion = ""
    var lists: [Place: ListAnswer]
    /// What keeps the application from being synced without being asked.
    package var hold: Hold?
    /// What is to become of the objects when the application is no longer declared; `nil`: they stay.
    package var deletion: DeletionNote?

    /// Whether anything was ever synced.
    package var isEmpty: Bool { promise == nil }

    private(set) var knownDigest: String? = nil

    /// Works `digest` out now.
    package mutating func rememberDigest() { knownDigest = digest }

    /// A digest over all that was read; `nil` when nothing was ever synced, or an answer cannot be told apart from others.
    package var digest: String? {
        if let knownDigest { return knownDigest }
        guard promise != nil else { return nil }
        var evidence = OwnedEvidence(inventory: parentVersion)
        for (place, list) in lists {
            let kind = place.groupVersionKind.groupKind
            if place.isTheServersOwn {
                guard let versions = list.versions else { return nil }
                for version in versions { evidence.add(kind, version) }
            } else {
                guard let part = place.evidence(of: list) else { return nil }
                evidence.add(kind, part)
            }
        }
        return evidence.digest
    }

    /// The same but for what controllers report of the objects; `nil` where that cannot be told.
    package func texts() async -> OwnedTexts? { promise == nil ? nil : await OwnedTexts(lists, inventory: parentVersion) }

    /// Lets go of the answers, which nobody needs to read again.
    package mutating func forgetLists() { lists = [:] }
}

extension Manifest {
    /// The kind that a CustomResourceDefinition defines; `nil` for every other manifest.
    var definedKind: (kind: GroupKind, namespaced: Bool)? {
        guard id.groupKind == GroupKind(group: "apiextensions.k8s.io", kind: "CustomResourceDefinition"),
            let group = body[path: "spec", "group"]?.stringValue, let kind = body[path: "spec", "names", "kind"]?.stringValue
        else { return nil }
        return (GroupKind(group: group, kind: kind), body[path: "spec", "scope"]?.stringValue != "Cluster")
    }
}
