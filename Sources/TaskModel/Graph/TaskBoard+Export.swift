import ResourceModel

extension TaskBoard {
    /// Everything that is known of one task.
    package func json(_ task: Int) -> JSONValue {
        let declared = tasks[task]
        let status = statuses[task]
        func list(_ texts: [String]) -> JSONValue { .array(texts.map(JSONValue.string)) }
        var value: JSONValue = [
            "id": .string(declared.id), "title": .string(declared.title), "details": .string(declared.details), "phase": text(declared.phase),
            "section": text(declared.section), "priority": text(priority(of: task)?.description), "priorityText": text(priority(of: task)?.text),
            "story": text(story(of: task)), "order": .string(declared.order.rawValue), "parallel": .bool(declared.order == .parallel),
            "estimate": Self.json(declared.estimate), "dependencies": list(declared.dependencies), "done": .bool(declared.isDone),
            "state": .string(status.state.rawValue), "reason": text(status.reason), "message": text(status.message),
            "commands": list(declared.commands), "deliverables": list(declared.deliverables), "acceptance": list(declared.acceptance),
            "risks": list(declared.risks), "source": Self.json(declared.source), "alsoAt": .array(declared.alsoAt.map(Self.json)),
        ]
        if !names.isEmpty {
            value["object"] = .string(names[task])
            value["status"] = status.json
        }
        return value
    }

    /// Title, origin, phases, counts that the documents state about themselves, and the tasks.
    /// - Parameter shown: indexes of tasks.
    package func json(_ shown: [Int]) -> JSONValue {
        [
            "title": .string(title), "origin": .string(origin), "documents": .array(paths.map(JSONValue.string)),
            "phases": .array(phases.map(Self.json)), "tasks": .array(shown.map(json)),
            "counts": .array(
                counts.map {
                    [
                        "subject": .string($0.subject), "stated": .integer(Int64($0.stated)), "found": .integer(Int64($0.found)),
                        "source": Self.json($0.source),
                    ]
                }),
            "warnings": .array(warnings.map { .string($0.description) }),
        ]
    }

    package static func json(_ phase: TaskPhase) -> JSONValue {
        [
            "id": .string(phase.id), "title": .string(phase.title), "priority": text(phase.priority?.description), "story": text(phase.story),
            "purpose": text(phase.purpose), "goal": text(phase.goal), "independentTest": text(phase.independentTest),
            "checkpoint": text(phase.checkpoint), "estimate": json(phase.estimate), "risks": .array(phase.risks.map(JSONValue.string)),
            "deliverables": .array(phase.deliverables.map(JSONValue.string)), "acceptance": .array(phase.acceptance.map(JSONValue.string)),
            "dependencies": phase.dependencies.map { .array($0.map(JSONValue.string)) } ?? .null, "source": json(phase.source),
        ]
    }

    package static func json(_ location: SourceLocation) -> JSONValue { ["path": .string(location.path), "line": .integer(Int64(location.line))] }

    package static func json(_ estimate: TaskEstimate?) -> JSONValue {
        estimate.map { ["text": .string($0.text), "minimumHours": number($0.minimumHours), "hours": number($0.hours)] } ?? .null
    }

    /// Hours with at most three decimals, whole ones without any.
    package static func number(_ value: Double) -> JSONValue {
        let rounded = (value * 1000).rounded() / 1000
        return rounded == rounded.rounded() && abs(rounded) < 1e15 ? .integer(Int64(rounded)) : .number("\(rounded)")
    }

    private static func text(_ text: String?) -> JSONValue { text.flatMap { $0.isEmpty ? nil : .string($0) } ?? .null }
    private func text(_ text: String?) -> JSONValue { Self.text(text) }

    package static let recordHeader = [
        "id", "title", "state", "reason", "phase", "phaseTitle", "section", "priority", "story", "order", "estimate", "estimateHours",
        "dependencies", "commands", "deliverables", "acceptance", "risks", "attempts", "exitCode", "startedAt", "finishedAt", "message", "path",
        "line",
    ]

    /// One row of a table for other programs; several values of one field are separated by line ends.
    package func record(_ task: Int) -> [String] {
        let declared = tasks[task]
        let status = statuses[task]
        return [
            declared.id, declared.title, status.state.rawValue, status.reason, declared.phase ?? "", phase(of: task)?.title ?? "",
            declared.section ?? "", priority(of: task)?.description ?? "", story(of: task) ?? "", declared.order.rawValue,
            declared.estimate?.text ?? "", declared.estimate.map { Self.number($0.hours).jsonString } ?? "",
            declared.dependencies.joined(separator: " "), declared.commands.joined(separator: "\n"), declared.deliverables.joined(separator: "\n"),
            declared.acceptance.joined(separator: "\n"), declared.risks.joined(separator: "\n"), "\(status.attempts)",
            status.exitCode.map { "\($0)" } ?? "", status.startedAt.map(rfc3339) ?? "", status.finishedAt.map(rfc3339) ?? "", status.message,
            declared.source.path, declared.source.line > 0 ? "\(declared.source.line)" : "",
        ]
    }
}
