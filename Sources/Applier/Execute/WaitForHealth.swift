import KubernetesClient
import ResourceModel

extension Applier {
    /// Watches objects until each is healthy, suspended or degraded, or the time is over; gives each one's last assessment, and for
    /// a workload that is not healthy what keeps a pod of it.
    /// - Parameters:
    ///   - versions: the version in which to read a kind; the server's preferred one where it is missing.
    ///   - deletionFails: all are known to have been there, so that one that is not has been deleted, be it before the watch began: it
    ///     is not waited for any more and is `missing`, with that message.
    package func waitForHealth(
        of ids: [ResourceID], versions: [GroupKind: String], timeout: Duration, deletionFails: Bool = false,
        onChange: @escaping @Sendable ([ResourceID: HealthAssessment]) -> Void
    ) async throws -> [ResourceID: HealthAssessment] {
        guard !ids.isEmpty else { return [:] }
        let tracker = HealthTracker(ids: ids, rule: deletionFails ? .resourceThatStays : .resource)
        try await watch(ids, versions: versions, timeout: timeout) { seen, wanted in
            let isDone = await tracker.see(seen, of: wanted)
            onChange(await tracker.state)
            return isDone
        }
        return await explained(tracker.state)
    }

    /// Watches the objects of hooks until each has ended, or the time is over. One that was deleted counts with its last outcome;
    /// one that was deleted before it had one has failed.
    func waitForHooks(
        _ ids: [ResourceID], versions: [GroupKind: String], timeout: Duration,
        onChange: @escaping @Sendable ([ResourceID: HealthAssessment]) -> Void
    ) async throws -> [ResourceID: HealthAssessment] {
        guard !ids.isEmpty else { return [:] }
        let tracker = HealthTracker(ids: ids, rule: .hook)
        do {
            try await watch(ids, versions: versions, timeout: timeout) { seen, wanted in
                let isDone = await tracker.see(seen, of: wanted)
                onChange(await tracker.state)
                return isDone
            }
        } catch is CancellationError {
            return await tracker.state
        }
        return await tracker.state
    }

    /// Watches objects until they are gone, or replaced by others of the same name, or the time is over.
    /// - Parameter objects: each one's uid.
    /// - Returns: what is still there, with what it waits for.
    @discardableResult
    func waitUntilGone(
        _ objects: [ResourceID: String], versions: [GroupKind: String], timeout: Duration
    ) async throws -> [ResourceID: String] {
        guard !objects.isEmpty else { return [:] }
        let tracker = DeletionTracker(objects)
        try await watch(Array(objects.keys), versions: versions, timeout: timeout) { seen, wanted in await tracker.see(seen, of: wanted) }
        return await tracker.left
    }

    /// Tells `see` what becomes known of the objects until it says that nothing more is wanted, or the time is over.
    /// No polling: one watch for each kind and namespace.
    private func watch(
        _ ids: [ResourceID], versions: [GroupKind: String], timeout: Duration,
        see: @escaping @Sendable (_ seen: [ResourceID: Sighting], _ wanted: Set<ResourceID>) async -> Bool
    ) async throws {
        struct Place: Hashable {
            var kind: GroupKind
            var namespace: String?
        }
        let places = Dictionary(grouping: ids) { Place(kind: $0.groupKind, namespace: $0.namespace) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (place, members) in places {
                let resource = try await client.resource(for: place.kind, preferring: versions[place.kind])
                let wanted = Set(members)
                group.addTask {
                    let name = wanted.count == 1 ? wanted.first.map { "metadata.name=\($0.name)" } : nil
                    for try await event in client.listAndWatch(resource, namespace: place.namespace, fieldSelector: name) {
                        let seen: [ResourceID: Sighting]
                        switch event {
                        case .listed(let items, _):
                            let there = Dictionary(
                                items.map { (identity($0, resource), Sighting.there($0)) }, uniquingKeysWith: { first, _ in first })
                            seen = Dictionary(uniqueKeysWithValues: wanted.map { ($0, there[$0] ?? .absent) })
                        case .added(let item), .modified(let item): seen = [identity(item, resource): .there(item)]
                        case .deleted(let item): seen = [identity(item, resource): .absent]
                        case .bookmark, .interrupted: continue
                        }
                        let ours = seen.filter { wanted.contains($0.key) }
                        if !ours.isEmpty, await see(ours, wanted) { return }
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
    }
}

private struct WaitTimeout: Error {}

/// What a list or a watch says of one object.
private enum Sighting: Sendable {
    case there(JSONValue)
    case absent
}

private func identity(_ object: JSONValue, _ resource: APIResource) -> ResourceID {
    resource.id(
        namespace: object[path: "metadata", "namespace"]?.stringValue, name: object[path: "metadata", "name"]?.stringValue ?? "")
}

private actor HealthTracker {
    enum Rule { case resource, resourceThatStays, hook }

    private(set) var state: [ResourceID: HealthAssessment] = [:]
    private let rule: Rule

    init(ids: [ResourceID], rule: Rule) {
        for id in ids { state[id] = HealthAssessment(.progressing, "not seen yet") }
        self.rule = rule
    }

    /// Whether all of `wanted` have come to rest.
    func see(_ seen: [ResourceID: Sighting], of wanted: Set<ResourceID>) -> Bool {
        for (id, sighting) in seen {
            switch sighting {
            case .there(let object): state[id] = rule == .hook ? hookHealth(object) : health(of: object)
            case .absent: lose(id)
            }
        }
        return wanted.allSatisfy { isAtRest($0) }
    }

    private func lose(_ id: ResourceID) {
        switch rule {
        case .resource: state[id] = HealthAssessment(.missing)
        case .resourceThatStays: state[id] = HealthAssessment(.missing, "was deleted while the sync waited for it")
        case .hook:
            // Gone with its outcome (a time to live): the outcome stays.
            guard !isAtRest(id) else { return }
            state[id] = HealthAssessment(.degraded, "was deleted before it ended")
        }
    }

    /// A hook that is being deleted still has its outcome, or fails without one.
    private func hookHealth(_ object: JSONValue) -> HealthAssessment {
        guard object[path: "metadata", "deletionTimestamp"] != nil else { return health(of: object) }
        var living = object
        living[path: "metadata", "deletionTimestamp"] = nil
        let assessment = health(of: living)
        return assessment.status == .healthy || assessment.status == .degraded
            ? assessment : HealthAssessment(.degraded, "was deleted before it ended")
    }

    private func isAtRest(_ id: ResourceID) -> Bool {
        switch state[id]?.status {
        case .healthy, .degraded: true
        case .suspended: rule != .hook
        case .unknown: rule == .hook
        case .missing: rule == .resourceThatStays
        default: false
        }
    }
}

private actor DeletionTracker {
    private let uids: [ResourceID: String]
    private(set) var left: [ResourceID: String]

    init(_ objects: [ResourceID: String]) {
        uids = objects
        left = objects.mapValues { _ in "" }
    }

    func see(_ seen: [ResourceID: Sighting], of wanted: Set<ResourceID>) -> Bool {
        for (id, sighting) in seen {
            if case .there(let object) = sighting, object[path: "metadata", "uid"]?.stringValue == uids[id] {
                let finalizers = (object[path: "metadata", "finalizers"]?.arrayValue ?? []).compactMap(\.stringValue)
                left[id] = finalizers.isEmpty ? "" : ": it waits for its finalizers \(finalizers.joined(separator: ", "))"
            } else {
                left[id] = nil
            }
        }
        return wanted.allSatisfy { left[$0] == nil }
    }
}
