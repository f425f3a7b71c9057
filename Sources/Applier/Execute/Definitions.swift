import KubernetesClient
import ResourceModel

extension Applier {
    private static let definitionKind = GroupKind(group: "apiextensions.k8s.io", kind: "CustomResourceDefinition")

    /// Installs this program's own definitions that the plan's objects need: those that are missing, or are of another version of it.
    /// - Throws: what the server says; a `Problem` when one is not served within 30 s.
    func installDefinitions(for plan: Plan) async throws {
        try await installDefinitions(of: Set(plan.steps.filter { $0.verb != .delete }.map(\.change.id.groupKind)))
    }

    /// Installs this program's own definitions when one of those kinds is among them, as far as they are missing or of another version.
    package func installDefinitions(of kinds: Set<GroupKind>) async throws {
        // All of them together: a controller looks for each kind.
        guard !kinds.isDisjoint(with: definitions.keys) else { return }
        let resource = try await client.resource(for: Self.definitionKind, preferring: "v1")
        for (kind, body) in definitions.sorted(by: { $0.key < $1.key }) {
            do {
                try await install(body, of: kind, resource)
            } catch let error as APIError where error.code == 403 {
                // Whoever may not look at definitions can still use what somebody else has installed.
                guard try await client.apiResources().contains(where: { $0.groupKind == kind }) else { throw error }
                logger.info("the definition of \(kind) is served; whether it is of this version may not be looked at")
            }
        }
    }

    private func install(_ body: JSONValue, of kind: GroupKind, _ resource: APIResource) async throws {
        let name = body[path: "metadata", "name"]?.stringValue ?? ""
        let live = try await client.get(resource, namespace: nil, name: name)
        // The mark is a digest of the definition, so an equal one is this very definition.
        let marks = body[path: "metadata", "annotations"]?.objectValue ?? [:]
        if let live, marks.allSatisfy({ live[path: "metadata", "annotations", $0.key] == $0.value }), isServed(live) { return }
        logger.info("installing the definition of \(kind)")
        _ = try await client.apply(body, as: resource)
        try await waitUntilServed(name, resource, kind)
        await client.forgetDiscovery()
    }

    private func isServed(_ definition: JSONValue) -> Bool { conditions(definition).contains { $0.type == "Established" && $0.isTrue } }

    private func waitUntilServed(_ name: String, _ resource: APIResource, _ kind: GroupKind) async throws {
        let hasCome = try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                for try await event in client.listAndWatch(resource, namespace: nil, fieldSelector: "metadata.name=\(name)") {
                    switch event {
                    case .listed(let objects, _): if objects.contains(where: { self.isServed($0) }) { return true }
                    case .added(let object), .modified(let object): if self.isServed(object) { return true }
                    case .deleted, .bookmark, .interrupted: continue
                    }
                }
                return false
            }
            group.addTask {
                try await Task.sleep(for: .seconds(30))
                return false
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
        guard hasCome else {
            throw Problem(
                code: "definition.not-served", message: "the API server does not serve \(kind) 30 s after its definition was written",
                resource: ResourceID(group: Self.definitionKind.group, kind: Self.definitionKind.kind, namespace: nil, name: name),
                hint: "look at its conditions: kubectl describe crd \(name)")
        }
    }
}
