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

    /// - Parameter comparedLive: what is there, with the ownership that it has when the object is applied.
    init(intent: Intent, live: LiveObject?, comparedLive: LiveObject?) {
        self.init(intent: intent, live: live)
        self.comparedLive = comparedLive
    }

    /// - Parameter respecting: what is ignored is not sent either.
    init(_ pair: Counterparts, live: LiveObject, ignoring ignored: IgnoredFields, respecting: Bool) async throws {
        let sent = respecting ? pair.intent.with(body: try await ignored.respected(in: pair.intent.body, live: live)) : pair.intent
        self.init(intent: sent, live: pair.live)
        self.ignored = ignored
        comparedBody = try await ignored.removed(from: pair.intent.body)
        comparedLive = try await ignored.removed(from: live)
    }
}

extension Applier {
    func counterparts(
        of desired: [Intent], in live: LiveState, ignoring rules: [IgnoreDifferences], options: SyncOptions
    ) async throws -> [Counterparts] {
        var pairs = desired.map { intent in
            let object = live.objects[intent.manifest.id]
            let isTakenOver = Self.ownOptions(intent).clientSideApplyMigration ?? options.clientSideApplyMigration ?? true
            let taken = isTakenOver ? object?.takenOver(annotations: intent.manifest.annotations) : nil
            return Counterparts(intent: intent, live: object, comparedLive: taken ?? object)
        }
        guard !rules.isEmpty else { return pairs }
        let affected = pairs.enumerated().compactMap { index, pair -> (index: Int, pair: Counterparts, live: LiveObject, ignored: IgnoredFields)? in
            guard let object = pair.comparedLive, let ignored = IgnoredFields(rules: rules, live: pair.live ?? object) else { return nil }
            return (index, pair, object, ignored)
        }
        let found = try await concurrently(affected) { item in
            try await Counterparts(
                item.pair, live: item.live, ignoring: item.ignored,
                respecting: Self.ownOptions(item.pair.intent).respectIgnoreDifferences ?? options.respectIgnoreDifferences ?? false)
        }
        for (item, pair) in zip(affected, found) { pairs[item.index] = pair }
        return pairs
    }

    private static func ownOptions(_ intent: Intent) -> SyncOptions {
        SyncOptions(annotation: intent.manifest.annotations[SyncOptions.annotation]?.stringValue ?? "")
    }
}
