import ResourceModel

/// What a plan brings about beyond its writes. Pure: the same plan, live state and facts give the same answer, in a steady order.
/// - Parameter live: what is there of what the application declares and owns.
package func foreseeableConsequences(of plan: Plan, live: LiveState, facts: ConsequenceFacts = ConsequenceFacts()) -> [Consequence] {
    let reader = PlanReader(plan: plan, live: live)
    return recreations(reader) + podConsequences(reader) + storageConsequences(reader, facts) + networkConsequences(reader)
        + deletionConsequences(reader, facts) + disruptionConsequences(reader, facts) + quotaConsequences(reader, facts)
        + accessConsequences(facts)
}

/// A plan's steps as consequences look at them.
struct PlanReader {
    let plan: Plan
    let live: LiveState
    /// Steps on objects that belong to the application: hooks come and go.
    let steps: [PlanStep]

    init(plan: Plan, live: LiveState) {
        self.plan = plan
        self.live = live
        steps = plan.steps.filter { $0.hook == nil }
    }

    /// Steps that delete what is there, also where it is made anew.
    var removals: [PlanStep] { steps.filter { $0.change.live != nil && ($0.isPrune || $0.isRecreation) } }
    var prunes: [PlanStep] { steps.filter(\.isPrune) }

    /// All objects as they will be: what is written, and what stays.
    var objectsAfter: [(id: ResourceID, body: JSONValue)] {
        let written = Dictionary(steps.map { ($0.change.id, $0.change.manifest?.body) }, uniquingKeysWith: { first, _ in first })
        var result = live.objects.filter { written[$0.key] == nil }.map { (id: $0.key, body: $0.value.body) }
        for (id, body) in written { if let body { result.append((id, body)) } }
        return result.sorted { $0.id < $1.id }
    }
}

extension PlanStep {
    /// Whether the object will be deleted and made anew, as far as a plan can know: asked for, or a forced write of a field that
    /// cannot be changed.
    package var isRecreation: Bool { change.live != nil && (verb == .recreate || (force && !immutableChanges(change).isEmpty)) }
}

/// Objects that are made anew, and writes that the server will refuse because a field cannot be changed.
private func recreations(_ reader: PlanReader) -> [Consequence] {
    var found: [Consequence] = []
    for step in reader.steps where step.change.live != nil {
        let fields = immutableChanges(step.change)
        let list = fields.joined(separator: ", ")
        if step.isRecreation {
            let why = fields.isEmpty ? "as its sync options ask" : "because \(list) cannot be changed"
            found.append(Consequence(code: "recreate", message: "\(step.change.id) is deleted and made anew, \(why)", objects: [step.change.id]))
        } else if !fields.isEmpty, !step.isPrune {
            found.append(
                Consequence(
                    code: "immutable-field",
                    message: "\(step.change.id): the server will refuse to change \(list) (declare the object under another name, or let it be made anew with the annotation argocd.argoproj.io/sync-options: Force=true)",
                    objects: [step.change.id]))
        }
    }
    return found
}

/// Whatever the server would refuse to let this identity do.
private func accessConsequences(_ facts: ConsequenceFacts) -> [Consequence] {
    facts.denied.sorted { $0.key < $1.key }.map { access, reason in
        Consequence(
            code: "permission-missing", message: "not permitted to \(access)" + (reason.isEmpty ? "" : ": \(reason)"), objects: [])
    } + facts.unread.sorted().map { Consequence(code: "not-checked", message: $0, objects: []) }
}
