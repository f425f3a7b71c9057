import KubernetesClient
import ResourceModel

extension Applier {
    /// What has to happen to each object, declared or owned, so that live is as declared. Reads only: the server's dry run is
    /// asked where the local comparison cannot tell a difference from another spelling.
    ///
    /// - Throws: what the dry run was refused with is kept in the change and comes again at execution; only transport
    ///   failures and cancellation are thrown.
    /// - Parameters:
    ///   - hooks: objects that hooks make; none of them is pruned.
    ///   - ignoring: differences that are none. With the sync option `RespectIgnoreDifferences` they are not sent either.
    package func changes(
        from live: LiveState, to desired: [Intent], hooks: Set<ResourceID> = [], ignoring rules: [IgnoreDifferences] = [],
        options: SyncOptions = SyncOptions()
    ) async throws -> [Change] {
        var changes: [Change] = []
        changes.reserveCapacity(desired.count)
        var doubtful: [(index: Int, pair: Counterparts)] = []
        let pairs = try await counterparts(of: desired, in: live, ignoring: rules, options: options)
        let compared = await pairs.concurrentMap { pair in
            pair.comparedLive.map { OwnedFieldsComparison.result(intent: pair.comparedBody, live: $0, manager: Self.fieldManager) }
        }
        for (pair, result) in zip(pairs, compared) {
            let id = pair.intent.manifest.id
            guard let result, let object = pair.live else {
                changes.append(Change(id: id, action: .create, manifest: pair.intent.sent))
                continue
            }
            let action: Change.Action = result.isSame ? .unchanged : .configure
            if !result.isSame, !result.isCertain { doubtful.append((changes.count, pair)) }
            changes.append(
                Change(id: id, action: action, fields: withOwners(result.fields, object), manifest: pair.intent.sent, live: object))
        }
        for item in doubtful {
            let fields = changes[item.index].fields.map(\.path).joined(separator: ", ")
            logger.debug("in doubt, the server is asked", metadata: ["object": "\(item.pair.intent.manifest.id)", "fields": "\(fields)"])
        }
        let answers = try await concurrently(doubtful) { item in try await self.dryRun(item.pair) }
        for (item, change) in zip(doubtful, answers) {
            if let change { changes[item.index] = change }
        }
        let declared = Set(desired.map(\.manifest.id)).union(hooks)
        for id in live.inventory.members.subtracting(declared).sorted() {
            guard let object = live.objects[id], !object.isBeingDeleted else { continue }
            changes.append(Change(id: id, action: .prune, live: object))
        }
        try await keepWhatIsInUse(&changes) { change in
            let own = SyncOptions(annotation: change.live?.annotations[SyncOptions.annotation]?.stringValue ?? "")
            return (own.prune ?? options.prune ?? .yes) == .yes
        }
        return changes
    }

    /// The change as the server sees it; `nil` when the server refuses the object, which the apply will then report.
    private func dryRun(_ pair: Counterparts) async throws -> Change? {
        guard let live = pair.live, let comparedLive = pair.comparedLive else { return nil }
        let resource = try await client.resource(
            for: pair.intent.manifest.id.groupKind, preferring: pair.intent.manifest.groupVersionKind.version)
        let answer: JSONValue
        do {
            answer = try await client.apply(pair.intent.body, as: resource, options: ApplyOptions(dryRun: true)).object
        } catch is APIError {
            return nil
        }
        var predicted = try LiveObject(answer, as: resource)
        if let ignored = pair.ignored { predicted = try await ignored.removed(from: predicted) }
        let fields = fieldDifferences(from: comparedLive.body, to: predicted.body, id: live.id)
        let isSame = fields.isEmpty && ours(predicted) == ours(comparedLive)
        return Change(
            id: live.id, action: isSame ? .unchanged : .configure, fields: withOwners(fields, live), manifest: pair.intent.sent,
            live: live)
    }

    private func ours(_ object: LiveObject) -> [JSONValue] {
        object.ownership.entries.filter { $0.manager == Self.fieldManager && $0.operation == "Apply" }.map(\.fields)
    }

    /// Names the field's present owner where it is not us.
    private func withOwners(_ fields: [FieldChange], _ live: LiveObject) -> [FieldChange] {
        fields.map { field in
            var field = field
            field.manager = live.ownership.owner(of: field.path, otherThan: Self.fieldManager)?.manager
            return field
        }
    }
}

extension Intent {
    /// The manifest as it is sent: the declared one with its tracking metadata.
    var sent: Manifest {
        var manifest = manifest
        manifest.body = body
        return manifest
    }
}
