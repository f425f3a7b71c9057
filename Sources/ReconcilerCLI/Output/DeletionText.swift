import Reconciler
import ResourceModel

/// How a deletion is shown.
struct DeletionText {
    let deletion: Deletion

    /// The plan, for people.
    var plan: String {
        let plan = deletion.plan
        let steps = plan.steps.enumerated().map { index, step in
            ["\(index + 1)", step.phase.rawValue, "\(step.wave)", Self.word(step), "\(step.change.id)"]
        }
        let count = "\(plan.steps.count) \(plan.steps.count == 1 ? "step" : "steps")"
        var lines = ["\(plan.application): deletion, cascade \(deletion.cascade.rawValue) (\(deletion.reason)), plan \(plan.id): \(count)"]
        if !steps.isEmpty { lines.append(table(["STEP", "PHASE", "WAVE", "ACTION", "OBJECT"], steps)) }
        lines += skipped
        lines += deletion.notes.map { "note: \($0)" }
        lines += plan.refusals.map { "refused: \($0)" }
        return lines.joined(separator: "\n")
    }

    /// What became of it, for people.
    func result(_ report: SyncReport) -> String {
        var lines = ["\(report.application): \(report.conclusion.rawValue), \(report.message)"]
        for step in report.steps {
            if case .failed(let message) = step.actuation { lines.append("  failed \(step.id): \(message)") }
        }
        return (lines + skipped.map { "  \($0)" }).joined(separator: "\n")
    }

    /// - Parameter report: `nil` when nothing was carried out.
    func json(_ report: SyncReport?) -> JSONValue {
        let plan = deletion.plan
        var value: JSONValue = [
            "application": .string(plan.application), "plan": .string(plan.id), "cascade": .string(deletion.cascade.rawValue),
            "reason": .string(deletion.reason),
            "steps": .array(
                plan.steps.map { step in
                    [
                        "phase": .string(step.phase.rawValue), "wave": .integer(Int64(step.wave)), "action": .string(Self.word(step)),
                        "object": ReconcilerCLI.json(step.change.id),
                    ]
                }),
            "skipped": .array(plan.skipped.map(ReconcilerCLI.json)), "notes": .array(deletion.notes.map(JSONValue.string)),
            "refusals": .array(plan.refusals.map { .string($0.description) }),
        ]
        value["report"] = report.map(ReconcilerCLI.json)
        return value
    }

    private var skipped: [String] {
        deletion.plan.skipped.map { change in
            if case .skip(let reason) = change.action { "skipped \(change.id): \(sentence(reason))" } else { "skipped \(change.id)" }
        }
    }

    private static func word(_ step: PlanStep) -> String {
        switch step.verb {
        case .delete: "delete"
        case .release: "release"
        case .apply, .create, .replace, .recreate: "run hook"
        }
    }
}
