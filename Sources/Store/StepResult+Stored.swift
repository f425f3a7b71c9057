import Foundation
import ResourceModel

/// The form in which a step's result is stored: an array of its fields, so that a thousand steps are a short text that is quickly
/// made and read.
extension StepResult {
    var stored: JSONValue {
        [
            .string(id.group), .string(id.kind), Self.text(id.namespace), .string(id.name), .string(phase.rawValue), .integer(Int64(wave)),
            actuation.stored, health.map { [.string($0.status.rawValue), .string($0.message)] } ?? .null, Self.text(uid),
            Self.text(resourceVersion), Self.text(before), Self.text(after), .number("\(duration)"),
        ]
    }

    /// - Throws: a `Problem` when the value is not one that `stored` gave.
    init(stored value: JSONValue) throws {
        guard let fields = value.arrayValue, fields.count == 13, let group = fields[0].stringValue, let kind = fields[1].stringValue,
            let name = fields[3].stringValue, let phase = fields[4].stringValue.flatMap(SyncPhase.init), let wave = fields[5].integerValue,
            let duration = fields[12].doubleValue
        else { throw Problem(code: "history.damaged", message: "a step in the history cannot be read: \(value.jsonString)") }
        self.init(
            id: ResourceID(group: group, kind: kind, namespace: fields[2].stringValue, name: name), phase: phase, wave: Int(wave),
            actuation: try Actuation(stored: fields[6]),
            health: fields[7][0]?.stringValue.flatMap(HealthStatus.init).map { HealthAssessment($0, fields[7][1]?.stringValue ?? "") },
            uid: fields[8].stringValue, resourceVersion: fields[9].stringValue, before: fields[10].stringValue,
            after: fields[11].stringValue, duration: duration)
    }

    private static func text(_ value: String?) -> JSONValue { value.map(JSONValue.string) ?? .null }
}

extension StepResult.Actuation {
    fileprivate var stored: JSONValue {
        switch self {
        case .created: "created"
        case .configured: "configured"
        case .recreated: "recreated"
        case .pruned: "pruned"
        case .released: "released"
        case .ran: "ran"
        case .unchanged: "unchanged"
        case .notReached: "notReached"
        case .failed(let message): ["failed", .string(message)]
        case .skipped(let reason):
            // Rare, and its cases hold values of their own.
            ["skipped", .string((try? JSONEncoder().encode(reason)).map { String(decoding: $0, as: UTF8.self) } ?? "")]
        }
    }

    fileprivate init(stored value: JSONValue) throws {
        switch (value.stringValue ?? value[0]?.stringValue, value[1]?.stringValue) {
        case ("created", _): self = .created
        case ("configured", _): self = .configured
        case ("recreated", _): self = .recreated
        case ("pruned", _): self = .pruned
        case ("released", _): self = .released
        case ("ran", _): self = .ran
        case ("unchanged", _): self = .unchanged
        case ("notReached", _): self = .notReached
        case ("failed", let message?): self = .failed(message)
        case ("skipped", let reason?): self = .skipped(try JSONDecoder().decode(SkipReason.self, from: Data(reason.utf8)))
        default: throw Problem(code: "history.damaged", message: "a step's result in the history cannot be read: \(value.jsonString)")
        }
    }
}
