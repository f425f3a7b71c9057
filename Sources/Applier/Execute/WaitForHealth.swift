import KubernetesClient
import ResourceModel

extension Applier {
    /// Watches objects until each is healthy, suspended or degraded, or the time is over; gives each one's last assessment, and for
    /// a workload that is not healthy what keeps a pod of it.
    /// No polling: one watch for each kind and namespace.
    /// - Parameter versions: the version in which to read a kind; the server's preferred one where it is missing.
    package func waitForHealth(
        of ids: [ResourceID], versions: [GroupKind: String], timeout: Duration,
        onChange: @escaping @Sendable ([ResourceID: HealthAssessment]) -> Void
    ) async throws -> [ResourceID: HealthAssessment] {
        struct Place: Hashable {
            var kind: GroupKind
            var namespace: String?
        }
        let places = Dictionary(grouping: ids) { Place(kind: $0.groupKind, namespace: $0.namespace) }
        guard !places.isEmpty else { return [:] }
        let tracker = HealthTracker(ids: ids)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (place, members) in places {
                let resource = try await client.resource(for: place.kind, preferring: versions[place.kind])
                let wanted = Set(members)
                group.addTask {
                    let name = wanted.count == 1 ? wanted.first.map { "metadata.name=\($0.name)" } : nil
                    for try await event in client.listAndWatch(resource, namespace: place.namespace, fieldSelector: name) {
                        let isDone: Bool
                        switch event {
                        case .listed(let items, _):
                            var seen: [ResourceID: HealthAssessment] = [:]
                            for item in items {
                                let id = identity(item, resource)
                                if wanted.contains(id) { seen[id] = health(of: item) }
                            }
                            for id in wanted where seen[id] == nil { seen[id] = HealthAssessment(.missing) }
                            isDone = await tracker.update(seen, of: wanted)
                        case .added(let item), .modified(let item):
                            let id = identity(item, resource)
                            guard wanted.contains(id) else { continue }
                            isDone = await tracker.update([id: health(of: item)], of: wanted)
                        case .deleted(let item):
                            let id = identity(item, resource)
                            guard wanted.contains(id) else { continue }
                            isDone = await tracker.update([id: HealthAssessment(.missing)], of: wanted)
                        case .bookmark, .interrupted: continue
                        }
                        onChange(await tracker.state)
                        if isDone { return }
                    }
                }
            }
            group.addTask {
                try await Task.sleep(for: timeout)
                throw WaitTimeout()
            }
            do {
                for _ in places { try await group.next() }
                group.cancelAll()
            } catch is WaitTimeout {
                group.cancelAll()
            }
        }
        return await explained(tracker.state)
    }
}

private struct WaitTimeout: Error {}

private func identity(_ object: JSONValue, _ resource: APIResource) -> ResourceID {
    resource.id(
        namespace: object[path: "metadata", "namespace"]?.stringValue, name: object[path: "metadata", "name"]?.stringValue ?? "")
}

private actor HealthTracker {
    private(set) var state: [ResourceID: HealthAssessment] = [:]

    init(ids: [ResourceID]) {
        for id in ids { state[id] = HealthAssessment(.progressing, "not seen yet") }
    }

    /// Whether all of `wanted` have come to rest.
    func update(_ seen: [ResourceID: HealthAssessment], of wanted: Set<ResourceID>) -> Bool {
        for (id, assessment) in seen { state[id] = assessment }
        return wanted.allSatisfy { id in
            switch state[id]?.status {
            case .healthy, .suspended, .degraded: true
            default: false
            }
        }
    }
}
