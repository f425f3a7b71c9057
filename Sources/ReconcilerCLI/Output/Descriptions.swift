import Reconciler
import ResourceModel

/// One word for each action, as tables show it.
func word(_ action: Change.Action) -> String {
    switch action {
    case .create: "create"
    case .configure: "configure"
    case .recreate: "recreate"
    case .prune: "prune"
    case .release: "release"
    case .unchanged: "unchanged"
    case .skip: "skip"
    }
}

func sentence(_ reason: SkipReason) -> String {
    switch reason {
    case .sourceUnreadable(let file): "not pruned: \(file) could not be read and may declare it"
    case .pruneDisabled: "no longer in Git; pruning is off (use --prune, or syncPolicy.automated.prune)"
    case .pruneUnconfirmed: "no longer in Git; Prune=confirm waits for approval"
    case .ownedByController(let owner): "owned by \(owner), and goes with it"
    case .ownedByApplication(let owner): "owned by application \(owner)"
    case .namespaceInUse(let detail): "namespace still in use: \(detail) (delete or move these first)"
    case .notSelected: "not selected"
    case .deleteDisabled: "left in place: Delete=false"
    case .keptByHelm: "left in place: helm.sh/resource-policy: keep"
    case .definition:
        "left in place: a definition takes every object of its kind along (Delete=true on it permits that; kubectl delete does it by hand)"
    case .definitionInUse(let detail): "definition still in use: \(detail)"
    }
}

func word(_ actuation: StepResult.Actuation) -> String {
    switch actuation {
    case .created: "created"
    case .configured: "configured"
    case .recreated: "recreated"
    case .pruned: "pruned"
    case .released: "released"
    case .ran: "ran"
    case .unchanged: "unchanged"
    case .skipped(let reason): "skipped: \(sentence(reason))"
    case .failed(let message): "failed: \(message)"
    case .notReached: "not reached"
    }
}

/// New in each process, so that a digest that was shown helps nobody to guess a secret.
private let digestKey = (0..<4).map { _ in String(UInt64.random(in: 0...UInt64.max), radix: 16) }.joined()

/// A field's value as a diff shows it; a secret one as a digest that tells equal from different and nothing else.
func shown(_ value: JSONValue?, secret: Bool) -> String {
    guard let value else { return "(none)" }
    if secret { return "<secret \(JSONValue.array([.string(digestKey), value]).digest.prefix(8))>" }
    let text = value.jsonString
    return text.count > 200 ? String(text.prefix(200)) + "…" : text
}

/// How long an attempt took, in seconds.
func seconds(_ report: SyncReport) -> String {
    "\(((report.finishedAt - report.startedAt) * 1000).rounded() / 1000)"
}

/// The author without the address, for tables.
func authorName(_ revision: Revision) -> String {
    let name = revision.author.prefix { $0 != "<" }
    return name.isEmpty ? revision.author : String(name[..<(name.lastIndex { $0 != " " }.map(name.index(after:)) ?? name.startIndex)])
}

/// What became of an attempt, with its first failure.
func outcome(_ report: SyncReport) -> String {
    guard let failure = report.steps.lazy.compactMap(\.failure).first else { return report.message }
    return "\(report.message): \(failure)"
}

/// A table's cell holds one line.
func firstLine(_ text: String) -> String {
    let lines = text.split(whereSeparator: \.isNewline)
    return (lines.first.map(String.init) ?? "") + (lines.count > 1 ? " (and \(lines.count - 1) more)" : "")
}

func cut(_ text: String, _ limit: Int) -> String { text.count > limit ? String(text.prefix(limit - 1)) + "…" : text }

func json(_ id: ResourceID) -> JSONValue {
    ["group": .string(id.group), "kind": .string(id.kind), "namespace": id.namespace.map { .string($0) } ?? .null, "name": .string(id.name)]
}

func json(_ refusal: Refusal) -> JSONValue {
    var object: JSONValue = ["code": .string(refusal.code), "message": .string(refusal.message), "objects": .array(refusal.objects.map(json))]
    object["permit"] = refusal.permit.map { .string($0) }
    return object
}

func json(_ consequence: Consequence) -> JSONValue {
    [
        "code": .string(consequence.code), "message": .string(consequence.message), "isWarning": .bool(consequence.isWarning),
        "objects": .array(consequence.objects.map(json)),
    ]
}

func json(_ revision: Revision) -> JSONValue {
    [
        "repository": .string(revision.repository), "ref": .string(revision.ref), "commit": .string(revision.commit),
        "author": .string(revision.author), "subject": .string(revision.subject), "committedAt": .integer(revision.committedAt),
    ]
}

func json(_ change: Change) -> JSONValue {
    var object: JSONValue = ["object": json(change.id), "action": .string(word(change.action))]
    if case .skip(let reason) = change.action {
        object["reason"] = .string(sentence(reason))
        object["code"] = .string(reason.code)
        object["permit"] = reason.permit.map { .string($0) }
    }
    if !change.fields.isEmpty {
        object["fields"] = .array(change.fields.map(json))
    }
    if let source = change.manifest?.source { object["source"] = .string(source.description) }
    return object
}

func json(_ field: FieldChange) -> JSONValue {
    var item: JSONValue = ["path": .string(field.path)]
    if field.isSecret {
        item["before"] = .string(shown(field.before, secret: true))
        item["after"] = .string(shown(field.after, secret: true))
    } else {
        item["before"] = field.before
        item["after"] = field.after
    }
    if let manager = field.manager { item["manager"] = .string(manager) }
    return item
}

func json(_ report: SyncReport) -> JSONValue {
    var value: JSONValue = [
        "application": .string(report.application), "revision": json(report.revision), "plan": .string(report.planID),
        "trigger": .string(report.trigger), "startedAt": .string(Clocks.text(report.startedAt)),
        "finishedAt": .string(Clocks.text(report.finishedAt)), "conclusion": .string(report.conclusion.rawValue),
        "message": .string(report.message), "sync": .string(report.sync.rawValue),
        "health": ["status": .string(report.health.status.rawValue), "message": .string(report.health.message)],
        "steps": .array(
            report.steps.map { step in
                ["object": json(step.id), "phase": .string(step.phase.rawValue), "wave": .integer(Int64(step.wave)), "result": .string(word(step.actuation))]
            }),
        "refusals": .array(report.refusals.map { .string($0.description) }),
    ]
    if let selection = report.selection { value["selection"] = .string(selection) }
    return value
}
