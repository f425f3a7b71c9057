import ResourceModel

/// What the `spec` of a `TaskList` says: what tasks share.
package struct TaskListSpec: Sendable, Hashable {
    package var name: String
    package var title: String
    /// The documents that it was made of.
    package var documents: [String] = []
    package var phases: [TaskPhase] = []
    /// Attempts at a time.
    package var parallelism = 4
    /// Nothing of it is begun.
    package var suspended = false
    /// How many tasks the list has; while there are more or fewer, somebody is still writing them. `nil` for one written by hand.
    package var total: Int?

    package init(name: String, title: String) {
        self.name = name
        self.title = title
    }

    /// The `TaskList` object, without a namespace.
    package var object: JSONValue {
        var spec: JSONValue = ["title": .string(title), "parallelism": .integer(Int64(parallelism))]
        if !documents.isEmpty { spec["documents"] = .array(documents.map(JSONValue.string)) }
        if suspended { spec["suspended"] = true }
        if let total { spec["total"] = .integer(Int64(total)) }
        spec["phases"] = .array(phases.map(Self.json))
        return [
            "apiVersion": .string(TaskKinds.apiVersion), "kind": "TaskList",
            "metadata": ["name": .string(name), "labels": [TaskKinds.listLabel: .string(name)]], "spec": spec,
        ]
    }

    private static func json(_ phase: TaskPhase) -> JSONValue {
        var value: JSONValue = ["id": .string(phase.id), "title": .string(phase.title)]
        let texts = [
            ("priority", phase.priority?.text), ("story", phase.story), ("purpose", phase.purpose), ("goal", phase.goal),
            ("independentTest", phase.independentTest), ("checkpoint", phase.checkpoint),
        ]
        for (name, text) in texts {
            if let text, !text.isEmpty { value[name] = .string(text) }
        }
        if let estimate = phase.estimate { value["estimate"] = .string(estimate.text) }
        for (name, texts) in [("risks", phase.risks), ("deliverables", phase.deliverables), ("acceptance", phase.acceptance)] where !texts.isEmpty {
            value[name] = .array(texts.map(JSONValue.string))
        }
        if let dependencies = phase.dependencies { value["dependencies"] = .array(dependencies.map(JSONValue.string)) }
        value["source"] = ["path": .string(phase.source.path), "line": .integer(Int64(phase.source.line))]
        return value
    }

    /// Reads a `TaskList` object.
    /// - Throws: a `Problem` that names the object and the field.
    package init(object: JSONValue) throws(Problem) {
        let name = object[path: "metadata", "name"]?.stringValue ?? ""
        let reader = TaskFields(
            value: object["spec"] ?? [:],
            id: ResourceID(group: TaskKinds.group, kind: "TaskList", namespace: object[path: "metadata", "namespace"]?.stringValue, name: name))
        self.init(name: name, title: try reader.string("title") ?? name)
        documents = try reader.strings("documents")
        parallelism = max(1, try reader.integer("parallelism") ?? parallelism)
        total = try reader.integer("total")
        suspended = try reader.bool("suspended") ?? false
        for (index, value) in (reader.value["phases"]?.arrayValue ?? []).enumerated() {
            let fields = TaskFields(value: value, id: reader.id, path: "spec.phases[\(index)]")
            guard let id = try fields.string("id") else { throw fields.problem("id", "is missing") }
            var phase = TaskPhase(id: id, title: try fields.string("title") ?? id, source: try fields.location("source") ?? SourceLocation(path: "", line: 0))
            phase.priority = try fields.string("priority").flatMap(TaskPriority.init)
            phase.story = try fields.string("story")
            phase.purpose = try fields.string("purpose")
            phase.goal = try fields.string("goal")
            phase.independentTest = try fields.string("independentTest")
            phase.checkpoint = try fields.string("checkpoint")
            phase.estimate = try fields.estimate("estimate")
            phase.risks = try fields.strings("risks")
            phase.deliverables = try fields.strings("deliverables")
            phase.acceptance = try fields.strings("acceptance")
            if value["dependencies"] != nil { phase.dependencies = try fields.strings("dependencies") }
            phases.append(phase)
        }
    }
}

/// The `status` of a `TaskList`: its tasks counted.
package struct TaskListStatus: Sendable, Hashable {
    package var counts: [TaskStatus.State: Int] = [:]
    /// The first phase with a task that has not ended.
    package var phase: String?
    /// A sentence: what failed first, what is waited for.
    package var message = ""
    package var observedGeneration: Int64?

    package init() {}

    package var total: Int { counts.values.reduce(0, +) }
    /// Tasks of which nothing more is to come: succeeded or skipped.
    package var done: Int { counts[.succeeded, default: 0] + counts[.skipped, default: 0] }
    /// `12/51`.
    package var progress: String { "\(done)/\(total)" }

    package var state: TaskStatus.State {
        if counts[.failed, default: 0] > 0 { return .failed }
        if done == total { return .succeeded }
        if counts[.running, default: 0] > 0 { return .running }
        return counts[.pending, default: 0] > 0 ? .pending : .blocked
    }

    /// Every field, with a null for what is not set.
    package var json: JSONValue {
        var value: JSONValue = [
            "state": .string(state.rawValue), "progress": .string(progress), "total": .integer(Int64(total)),
            "phase": phase.map(JSONValue.string) ?? .null, "message": message.isEmpty ? .null : .string(message),
            "observedGeneration": observedGeneration.map { .integer($0) } ?? .null,
        ]
        for state in TaskStatus.State.allCases { value[state.rawValue.lowercased()] = .integer(Int64(counts[state, default: 0])) }
        return value
    }
}
