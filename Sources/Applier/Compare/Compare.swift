import KubernetesClient
import ResourceModel

extension Applier {
    /// What has to happen to each object, declared or owned, so that live is as declared. Reads only: the server's dry run is
    /// asked where the local comparison cannot tell a difference from another spelling.
    ///
    /// - Throws: what the dry run was refused with is kept in the change and comes again at execution; only transport
    ///   failures and cancellation are thrown.
    /// - Parameter hooks: objects that hooks make; none of them is pruned.
    package func changes(from live: LiveState, to desired: [Intent], hooks: Set<ResourceID> = []) async throws -> [Change] {
        var changes: [Change] = []
        changes.reserveCapacity(desired.count)
        var doubtful: [(index: Int, intent: Intent, live: LiveObject)] = []
        let compared = await desired.map { (intent: $0, live: live.objects[$0.manifest.id]) }.concurrentMap { pair in
            pair.live.map { OwnedFieldsComparison.result(intent: pair.intent.body, live: $0, manager: Self.fieldManager) }
        }
        for (intent, result) in zip(desired, compared) {
            let id = intent.manifest.id
            guard let result, let object = live.objects[id] else {
                changes.append(Change(id: id, action: .create, manifest: intent.sent))
                continue
            }
            let action: Change.Action = result.isSame ? .unchanged : .configure
            if !result.isSame, !result.isCertain { doubtful.append((changes.count, intent, object)) }
            changes.append(
                Change(id: id, action: action, fields: withOwners(result.fields, object), manifest: intent.sent, live: object))
        }
        let answers = try await concurrently(doubtful) { item in try await self.dryRun(item.intent, item.live) }
        for (item, change) in zip(doubtful, answers) {
            if let change { changes[item.index] = change }
        }
        let declared = Set(desired.map(\.manifest.id)).union(hooks)
        for id in live.inventory.members.subtracting(declared).sorted() {
            guard let object = live.objects[id], !object.isBeingDeleted else { continue }
            var action = Change.Action.prune
            if id.groupKind == GroupKind(group: "", kind: "Namespace"),
                let use = try await use(ofNamespace: id.name, besides: live.inventory.members.subtracting(declared))
            {
                action = .skip(.namespaceInUse(use))
            }
            changes.append(Change(id: id, action: action, live: object))
        }
        return changes
    }

    /// The change as the server sees it; `nil` when the server refuses the object, which the apply will then report.
    private func dryRun(_ intent: Intent, _ live: LiveObject) async throws -> Change? {
        let resource = try await client.resource(
            for: intent.manifest.id.groupKind, preferring: intent.manifest.groupVersionKind.version)
        let answer: JSONValue
        do {
            answer = try await client.apply(intent.body, as: resource, options: ApplyOptions(dryRun: true)).object
        } catch is APIError {
            return nil
        }
        let predicted = try LiveObject(answer, as: resource)
        let fields = fieldDifferences(from: live.body, to: predicted.body, id: live.id)
        let isSame = fields.isEmpty && ours(predicted) == ours(live)
        return Change(
            id: live.id, action: isSame ? .unchanged : .configure, fields: withOwners(fields, live), manifest: intent.sent,
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
