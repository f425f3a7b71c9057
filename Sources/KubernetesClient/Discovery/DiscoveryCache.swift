import ResourceModel

/// What a server serves, at one moment.
struct DiscoverySnapshot: Sendable {
    /// In the server's order: groups as listed, each with its preferred version first.
    var resources: [APIResource]
    /// Groups whose resources the server could not tell, with its words: not the same as "has none".
    var unavailable: [String: String]

    private var byKind: [GroupKind: [APIResource]]

    init(resources: [APIResource], unavailable: [String: String]) {
        self.resources = resources
        self.unavailable = unavailable
        byKind = Dictionary(grouping: resources, by: \.groupKind)
    }

    func candidates(_ kind: GroupKind) -> [APIResource] { byKind[kind] ?? [] }
}

/// Remembers the last snapshot and lets one refresh run at a time.
actor DiscoveryCache {
    private var snapshot: DiscoverySnapshot?
    private var generation = 0
    private var refresh: Task<DiscoverySnapshot, any Error>?

    /// The snapshot and its number.
    ///
    /// - Parameter newerThan: a number that is not good enough any more.
    func current(
        newerThan old: Int? = nil, load: @escaping @Sendable () async throws -> DiscoverySnapshot
    ) async throws -> (DiscoverySnapshot, Int) {
        if let snapshot, generation > (old ?? -1) { return (snapshot, generation) }
        let task = refresh ?? Task { try await load() }
        refresh = task
        let result = await task.result
        if refresh == task {
            refresh = nil
            if case .success(let fresh) = result {
                snapshot = fresh
                generation += 1
            }
        }
        return (try result.get(), generation)
    }

    func forget() { snapshot = nil }
}
