import ResourceModel
import Store

/// How `history` shows attempts and drift.
enum HistoryOutput {
    // MARK: Attempts

    static func list(_ attempts: [RecordedAttempt], as format: HistoryFormat) {
        switch format {
        case .json: Printing.print(.array(attempts.map(json)), as: .json)
        case .yaml: Printing.print(.array(attempts.map(json)), as: .yaml)
        case .csv: print(csv(columns, attempts.map(record)), terminator: "")
        case .table:
            let header = [
                "ID", "STARTED (UTC)", "APPLICATION", "REVISION", "AUTHOR", "COMMIT", "TRIGGER", "CONCLUSION", "WRITES", "SECONDS", "MESSAGE",
            ]
            print(
                table(
                    header,
                    attempts.map { attempt in
                        let report = attempt.report
                        return [
                            "\(attempt.id)", Clocks.text(report.startedAt), report.application, shownCommit(report.revision),
                            authorName(report.revision), cut(report.revision.subject, 50), report.trigger, report.conclusion.rawValue,
                            "\(report.steps.count { $0.actuation != .notReached })", seconds(report), firstLine(outcome(report)) + repeated(attempt),
                        ]
                    }))
        }
    }

    private static func repeated(_ attempt: RecordedAttempt) -> String {
        guard attempt.repeats > 0 else { return "" }
        return " (and \(attempt.repeats) more, the last at \(Clocks.text(attempt.lastFinishedAt)))"
    }

    private static let columns = [
        "id", "application", "startedAt", "finishedAt", "seconds", "trigger", "repository", "ref", "commit", "author", "subject", "plan",
        "conclusion", "message", "sync", "health", "steps", "refusals", "warnings", "fencingToken", "repeats", "lastFinishedAt",
    ]

    private static func record(_ attempt: RecordedAttempt) -> [String] {
        let report = attempt.report
        return [
            "\(attempt.id)", report.application, Clocks.timestamp(report.startedAt), Clocks.timestamp(report.finishedAt), seconds(report),
            report.trigger, report.revision.repository, report.revision.ref, report.revision.commit, report.revision.author,
            report.revision.subject, report.planID, report.conclusion.rawValue, outcome(report), report.sync.rawValue,
            report.health.status.rawValue, "\(report.steps.count)", report.refusals.map(\.description).joined(separator: "; "),
            report.warnings.map(\.description).joined(separator: "; "), report.fencingToken.map { "\($0)" } ?? "", "\(attempt.repeats)",
            Clocks.timestamp(attempt.lastFinishedAt),
        ]
    }

    private static func json(_ attempt: RecordedAttempt) -> JSONValue {
        let report = attempt.report
        var value = ReconcilerCLI.json(report)
        value["id"] = .integer(attempt.id)
        value["startedAt"] = .string(Clocks.timestamp(report.startedAt))
        value["finishedAt"] = .string(Clocks.timestamp(report.finishedAt))
        value["seconds"] = .number(seconds(report))
        value["repeats"] = .integer(Int64(attempt.repeats))
        value["lastFinishedAt"] = .string(Clocks.timestamp(attempt.lastFinishedAt))
        value["warnings"] = .array(report.warnings.map { .string($0.description) })
        if let token = report.fencingToken { value["fencingToken"] = .integer(token) }
        value["steps"] = .array(report.steps.map(json))
        return value
    }

    private static func json(_ step: StepResult) -> JSONValue {
        var value: JSONValue = [
            "object": ReconcilerCLI.json(step.id), "phase": .string(step.phase.rawValue), "wave": .integer(Int64(step.wave)),
            "result": .string(word(step.actuation)), "seconds": .number(thousandths(step.duration)),
        ]
        value["before"] = step.before.map { .string($0) }
        value["after"] = step.after.map { .string($0) }
        value["uid"] = step.uid.map { .string($0) }
        value["resourceVersion"] = step.resourceVersion.map { .string($0) }
        if let health = step.health { value["health"] = ["status": .string(health.status.rawValue), "message": .string(health.message)] }
        return value
    }

    // MARK: One attempt

    static func show(_ attempt: RecordedAttempt, as format: HistoryFormat) throws {
        let report = attempt.report
        switch format {
        case .json: Printing.print(json(attempt), as: .json)
        case .yaml: Printing.print(json(attempt), as: .yaml)
        case .csv:
            let header = ["attempt", "phase", "wave", "group", "kind", "namespace", "name", "result", "before", "after", "seconds", "health"]
            print(
                csv(
                    header,
                    report.steps.map { step in
                        [
                            "\(attempt.id)", step.phase.rawValue, "\(step.wave)", step.id.group, step.id.kind, step.id.namespace ?? "",
                            step.id.name, word(step.actuation), step.before ?? "", step.after ?? "", thousandths(step.duration),
                            step.health?.status.rawValue ?? "",
                        ]
                    }), terminator: "")
        case .table: print(text(attempt))
        }
    }

    private static func text(_ attempt: RecordedAttempt) -> String {
        let report = attempt.report
        let revision = report.revision
        var facts = [
            ("attempt", "\(attempt.id) of \(report.application)"), ("trigger", report.trigger),
            ("started", "\(Clocks.text(report.startedAt)) UTC, \(seconds(report)) s"),
            ("repository", "\(revision.repository) \(revision.ref)"),
        ]
        if !revision.commit.isEmpty {
            facts.append(("commit", "\(revision.commit) \(revision.subject)"))
            facts.append(("author", "\(revision.author), \(Clocks.text(Double(revision.committedAt))) UTC"))
        }
        if !report.planID.isEmpty { facts.append(("plan", report.planID)) }
        facts += [("conclusion", "\(report.conclusion.rawValue): \(report.message)"), ("sync", report.sync.rawValue)]
        facts.append(("health", report.health.status.rawValue + (report.health.message.isEmpty ? "" : ": \(report.health.message)")))
        if let token = report.fencingToken { facts.append(("lease", "\(token)")) }
        if attempt.repeats > 0 {
            facts.append(("repeated", "\(attempt.repeats) times, the last at \(Clocks.text(attempt.lastFinishedAt)) UTC"))
        }
        var lines = facts.map { $0.0 + String(repeating: " ", count: 12 - $0.0.count) + $0.1 }
        lines += report.refusals.map { "refused: \($0)" }
        lines += report.warnings.map { "warning: \($0)" }
        guard !report.steps.isEmpty else { return lines.joined(separator: "\n") }
        let steps = table(
            ["PHASE", "WAVE", "BEFORE", "AFTER", "SECONDS", "OBJECT", "RESULT"],
            report.steps.map { step in
                [
                    step.phase.rawValue, "\(step.wave)", step.before.map { String($0.prefix(12)) } ?? "-",
                    step.after.map { String($0.prefix(12)) } ?? "-", thousandths(step.duration), "\(step.id)", word(step.actuation),
                ]
            })
        return lines.joined(separator: "\n") + "\n\n" + steps
    }

    // MARK: Drift

    static func list(_ drift: [RecordedDrift], as format: HistoryFormat) {
        switch format {
        case .json: Printing.print(.array(drift.map(json)), as: .json)
        case .yaml: Printing.print(.array(drift.map(json)), as: .yaml)
        case .csv:
            let header = [
                "seenAt", "application", "group", "kind", "namespace", "name", "field", "declared", "found", "secret", "owner", "ownerWroteAt",
                "done", "healedBy", "healedAt",
            ]
            print(
                csv(
                    header,
                    drift.map { row in
                        let event = row.event
                        return [
                            Clocks.timestamp(event.seenAt), event.application, event.object.group, event.object.kind,
                            event.object.namespace ?? "", event.object.name, event.path, event.declared?.jsonString ?? "",
                            event.found?.jsonString ?? "", "\(event.isSecret)", event.owner ?? "", event.ownerWroteAt ?? "", done(row),
                            row.healedBy.map { "\($0)" } ?? "", row.healedAt.map(Clocks.timestamp) ?? "",
                        ]
                    }), terminator: "")
        case .table:
            print(
                table(
                    ["SEEN (UTC)", "APPLICATION", "OBJECT", "FIELD", "DECLARED", "FOUND", "OWNER", "WRITTEN (UTC)", "DONE"],
                    drift.map { row in
                        let event = row.event
                        let written = event.ownerWroteAt.map { $0.replacing("T", with: " ").replacing("Z", with: "") }
                        return [
                            Clocks.text(event.seenAt), event.application, "\(event.object)", event.path.isEmpty ? "(whole object)" : event.path,
                            value(event.declared, event), value(event.found, event), event.owner ?? "-", written ?? "-",
                            row.healedBy.map { "healed by attempt \($0)" } ?? "reported",
                        ]
                    }))
        }
    }

    private static func done(_ row: RecordedDrift) -> String { row.healedBy == nil ? "reported" : "healed" }

    private static func value(_ value: JSONValue?, _ event: DriftEvent) -> String {
        event.isSecret ? "<secret>" : cut(shown(value, secret: false), 60)
    }

    private static func json(_ row: RecordedDrift) -> JSONValue {
        let event = row.event
        var value: JSONValue = [
            "id": .integer(row.id), "seenAt": .string(Clocks.timestamp(event.seenAt)), "application": .string(event.application),
            "object": ReconcilerCLI.json(event.object), "field": .string(event.path), "secret": .bool(event.isSecret),
            "owner": event.owner.map { .string($0) } ?? .null, "ownerWroteAt": event.ownerWroteAt.map { .string($0) } ?? .null,
            "done": .string(done(row)),
        ]
        value["declared"] = event.declared
        value["found"] = event.found
        value["healedBy"] = row.healedBy.map { .integer($0) }
        value["healedAt"] = row.healedAt.map { .string(Clocks.timestamp($0)) }
        return value
    }
}

/// The commit for people; `-` where the attempt failed before it was known.
func shownCommit(_ revision: Revision) -> String { revision.commit.isEmpty ? "-" : revision.shortCommit }

/// Seconds with three decimals.
func thousandths(_ seconds: Double) -> String {
    let count = Int((seconds * 1000).rounded())
    let rest = "\(abs(count) % 1000)"
    return "\(count < 0 ? "-" : "")\(abs(count) / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
}
