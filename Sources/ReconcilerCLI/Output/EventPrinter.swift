import ResourceModel
import Synchronization
import YAML

/// Prints what goes on to standard error: lines for people, or a line of JSON for each event.
final class EventPrinter: Sendable {
    let asJSON: Bool
    /// What was said last: waiting changes often without changing what is said of it.
    private let last = Mutex("")
    /// Applications whose plan has more than one wave: only their waves are worth a line.
    private let inWaves = Mutex<Set<String>>([])

    init(asJSON: Bool) { self.asJSON = asJSON }

    func print(_ event: SyncEvent) {
        if asJSON {
            tell(event, Self.json(event).jsonString)
        } else if let line = line(event) {
            let isNew = last.withLock { last in
                defer { last = line }
                return last != line
            }
            if isNew { tell(event, line) }
        }
    }

    private func tell(_ event: SyncEvent, _ line: String) {
        if case .stepFinished = event { Terminal.progress(line) } else { Terminal.error(line) }
    }

    private func line(_ event: SyncEvent) -> String? {
        switch event {
        case .fetched(let application, let revision): "\(application): \(revision.shortCommit) \(revision.subject)"
        case .rendered: nil
        case .planned(let plan): planned(plan)
        case .waveStarted(let application, let phase, let wave, let steps):
            inWaves.withLock { $0.contains(application) } ? "\(application): \(phase.rawValue) wave \(wave), \(writes(steps))" : nil
        case .stepFinished(let application, let step): "\(application): \(step.id) \(word(step.actuation))"
        case .waiting(let application, let state):
            state.filter { $0.value.status != .healthy }.sorted { $0.key < $1.key }.first.map {
                "\(application): waiting for \($0.key): \($0.value.status.rawValue)" + ($0.value.message.isEmpty ? "" : " \($0.value.message)")
            }
        case .finished(let report): "\(report.application): \(report.message)"
        case .retrying(let application, let retry, let limit, let pause, let reason):
            "\(application): \(firstLine(reason)); retry \(retry)\(limit.map { " of \($0)" } ?? "") in \(pause.secondsText) s"
        case .restoring(let application, let attempt):
            attempt == 0 ? "\(application): deleting what was made" : "\(application): bringing back what attempt \(attempt) applied"
        }
    }

    private func planned(_ plan: Plan) -> String? {
        guard !plan.steps.isEmpty else { return nil }
        _ = inWaves.withLock { plan.waves.count > 1 ? $0.insert(plan.application).inserted : $0.remove(plan.application) != nil }
        return "\(plan.application): plan \(plan.id), \(writes(plan.steps.count))"
    }

    private static func json(_ event: SyncEvent) -> JSONValue {
        switch event {
        case .fetched(let application, let revision):
            ["event": "fetched", "application": .string(application), "revision": ReconcilerCLI.json(revision)]
        case .rendered(let application, let count):
            ["event": "rendered", "application": .string(application), "manifests": .integer(Int64(count))]
        case .planned(let plan):
            [
                "event": "planned", "application": .string(plan.application), "plan": .string(plan.id),
                "steps": .integer(Int64(plan.steps.count)),
            ]
        case .waveStarted(let application, let phase, let wave, let steps):
            [
                "event": "waveStarted", "application": .string(application), "phase": .string(phase.rawValue),
                "wave": .integer(Int64(wave)), "steps": .integer(Int64(steps)),
            ]
        case .stepFinished(let application, let step):
            [
                "event": "stepFinished", "application": .string(application), "object": ReconcilerCLI.json(step.id),
                "result": .string(word(step.actuation)),
            ]
        case .waiting(let application, let state):
            [
                "event": "waiting", "application": .string(application),
                "objects": .array(
                    state.sorted { $0.key < $1.key }.map {
                        ["object": ReconcilerCLI.json($0.key), "health": .string($0.value.status.rawValue), "message": .string($0.value.message)]
                    }),
            ]
        case .finished(let report): ["event": "finished", "report": ReconcilerCLI.json(report)]
        case .retrying(let application, let retry, let limit, let pause, let reason):
            [
                "event": "retrying", "application": .string(application), "retry": .integer(Int64(retry)),
                "limit": limit.map { .integer(Int64($0)) } ?? .null, "pauseSeconds": .number("\(pause.inSeconds)"), "reason": .string(reason),
            ]
        case .restoring(let application, let attempt):
            ["event": "restoring", "application": .string(application), "attempt": .integer(attempt)]
        }
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
    /// Whole seconds, or with a decimal below ten.
    fileprivate var secondsText: String { inSeconds < 10 ? "\((inSeconds * 10).rounded() / 10)" : "\(Int(inSeconds.rounded()))" }
}

private func writes(_ count: Int) -> String { count == 1 ? "1 write" : "\(count) writes" }

enum Printing {
    /// Prints a value as JSON or YAML.
    static func print(_ value: JSONValue, as format: OutputFormat) {
        switch format {
        case .yaml: Swift.print(YAML.string(value), terminator: "")
        case .json, .table: Swift.print(value.jsonString)
        }
    }
}
