import ResourceModel

/// Where an object stands among the waves of the sync phase, once what it depends on has its place.
struct SyncPlace: Hashable, Comparable, Sendable {
    var wave: Int
    /// Within the wave: 0 for what depends on nothing in it.
    var rank = 0

    static func < (left: SyncPlace, right: SyncPlace) -> Bool { (left.wave, left.rank) < (right.wave, right.rank) }

    /// Just after another one.
    fileprivate var next: SyncPlace { SyncPlace(wave: wave, rank: rank + 1) }
}

/// The order that `config.kubernetes.io/depends-on` asks for beside the waves: an object is written when all that it depends on are
/// healthy, and deleted before them. A dependency in a later wave takes its dependants along into that wave.
struct DependencyOrder: Sendable {
    /// Where each declared object is written that stands elsewhere than in its own wave; all of them where any depends on another.
    let places: [ResourceID: SyncPlace]

    /// - Parameter manifests: without a cycle (`dependencyProblems`).
    init(_ manifests: [Manifest]) {
        var waves: [ResourceID: Int] = [:]
        var dependencies: [ResourceID: [ResourceID]] = [:]
        for manifest in manifests where manifest.hook == nil {
            waves[manifest.id] = manifest.wave
            let named = (try? Dependency.references(in: manifest.annotations)) ?? []  // refused before
            if !named.isEmpty { dependencies[manifest.id] = named }
        }
        places = dependencies.isEmpty ? [:] : Self.places(waves, after: dependencies)
    }

    /// Puts deletions in order: what depends on an object goes before it, in the waves that the steps have already.
    static func orderDeletions(_ steps: inout [PlanStep]) {
        var waves: [ResourceID: Int] = [:]
        var dependants: [ResourceID: [ResourceID]] = [:]
        for step in steps where step.isPrune {
            waves[step.change.id] = step.wave
            for id in (try? Dependency.references(in: step.change.live?.annotations ?? [:])) ?? [] {  // only asked for an order
                dependants[id, default: []].append(step.change.id)
            }
        }
        guard !dependants.isEmpty else { return }
        let places = places(waves, after: dependants)
        for index in steps.indices where steps[index].isPrune {
            guard let place = places[steps[index].change.id] else { continue }
            (steps[index].wave, steps[index].rank) = (place.wave, place.rank)
        }
    }

    /// Each object's place, at or after its own wave and after all of `others`. What lies in a cycle stays where the cycle was met.
    private static func places(_ waves: [ResourceID: Int], after others: [ResourceID: [ResourceID]]) -> [ResourceID: SyncPlace] {
        var places: [ResourceID: SyncPlace] = [:]
        var open: Set<ResourceID> = []
        func place(_ id: ResourceID) -> SyncPlace? {
            if let known = places[id] { return known }
            guard let wave = waves[id], open.insert(id).inserted else { return nil }
            let own = SyncPlace(wave: wave)
            let result = (others[id] ?? []).compactMap { place($0)?.next }.reduce(own, max)
            places[id] = result
            return result
        }
        for id in waves.keys { _ = place(id) }
        return places
    }
}
