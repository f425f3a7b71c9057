import KubernetesClient
import ResourceModel

/// What is declared of one object beside what is there, in the form that is sent and in the form that is compared.
struct Counterparts: Sendable {
    /// What is sent.
    let intent: Intent
    /// What is there; `nil` when nothing is.
    let live: LiveObject?
    /// `nil` when no difference of this object is ignored: then the compared forms are the same as the others.
    private(set) var ignored: IgnoredFields?
    private(set) var comparedBody: JSONValue
    private(set) var comparedLive: LiveObject?

    init(intent: Intent, live: LiveObject?) {
        self.intent = intent
        self.live = live
        comparedBody = intent.body
        comparedLive = live
    }

    /// - Parameter respecting: what is ignored is not sent either.
    init(intent: Intent, live: LiveObject, ignoring ignored: IgnoredFields, respecting: Bool) async throws {
        let sent = respecting ? intent.with(body: try await ignored.respected(in: intent.body, live: live)) : intent
        self.init(intent: sent, live: live)
        self.ignored = ignored
        comparedBody = try await ignored.removed(from: intent.body)
        comparedLive = try await ignored.removed(from: live)
    }
}

extension Applier {
    func counterparts(
        of desired: [Intent], in live: LiveState, ignoring rules: [IgnoreDifferences], options: SyncOptions
    ) async throws -> [Counterparts] {
        var pairs = desired.map { Counterparts(intent: $0, live: live.objects[$0.manifest.id]) }
        guard !rules.isEmpty else { return pairs }
        let affected = pairs.enumerated().compactMap { index, pair -> (index: Int, intent: Intent, live: LiveObject, ignored: IgnoredFields)? in
            guard let object = pair.live, let ignored = IgnoredFields(rules: rules, live: object) else { return nil }
            return (index, pair.intent, object, ignored)
        }
        let found = try await concurrently(affected) { item in
            let own = SyncOptions(annotation: item.intent.manifest.annotations[SyncOptions.annotation]?.stringValue ?? "")
            return try await Counterparts(
                intent: item.intent, live: item.live, ignoring: item.ignored,
                respecting: own.respectIgnoreDifferences ?? options.respectIgnoreDifferences ?? false)
        }
        for (item, pair) in zip(affected, found) { pairs[item.index] = pair }
        return pairs
    }
}
