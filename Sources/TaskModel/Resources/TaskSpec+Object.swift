import ResourceModel

extension TaskSpec {
    /// The `Task` object, without a namespace.
    package var object: JSONValue {
        [
            "apiVersion": .string(TaskKinds.apiVersion), "kind": "Task",
            "metadata": [
                "name": .string(TaskKinds.objectName(list: list, id: task.id)), "labels": [TaskKinds.listLabel: .string(list)],
            ],
            "spec": json,
        ]
    }

    private var json: JSONValue {
        var spec: JSONValue = [
            "list": .string(list), "index": .integer(Int64(index)), "id": .string(task.id), "title": .string(task.title),
            "summary": .string(Self.summary(of: task.title)), "order": .string(task.order.rawValue), "done": .bool(task.isDone),
        ]
        func set(_ name: String, _ value: String?) {
            if let value, !value.isEmpty { spec[name] = .string(value) }
        }
        func set(_ name: String, _ values: [String]) {
            if !values.isEmpty { spec[name] = .array(values.map(JSONValue.string)) }
        }
        set("details", task.details)
        set("phase", task.phase)
        set("section", task.section)
        set("priority", task.priority?.text)
        set("story", task.story)
        if let estimate = task.estimate { spec["estimate"] = estimate.json }
        set("dependencies", task.dependencies)
        set("commands", task.commands)
        set("deliverables", task.deliverables)
        set("acceptance", task.acceptance)
        set("risks", task.risks)
        spec["source"] = Self.json(task.source)
        if !task.alsoAt.isEmpty { spec["alsoAt"] = .array(task.alsoAt.map(Self.json)) }
        let run = run.json
        if run != .object([:]) { spec["run"] = run }
        return spec
    }

    private static func json(_ location: SourceLocation) -> JSONValue { ["path": .string(location.path), "line": .integer(Int64(location.line))] }

    /// At most 72 characters of a title, cut at a word.
    private static func summary(of title: String) -> String {
        guard title.count > 72 else { return title }
        let cut = title.prefix(71)
        let end = cut.lastIndex(of: " ") ?? cut.endIndex
        return cut[..<(cut.distance(from: cut.startIndex, to: end) > 36 ? end : cut.endIndex)] + "…"
    }

    /// Reads a `Task` object: one that this program rendered, or one that somebody wrote by hand, with only what is needed (a title).
    /// - Throws: a `Problem` that names the object and the field.
    package init(object: JSONValue) throws(Problem) {
        let name = object[path: "metadata", "name"]?.stringValue ?? ""
        let reader = TaskFields(
            value: object["spec"] ?? [:],
            id: ResourceID(group: TaskKinds.group, kind: "Task", namespace: object[path: "metadata", "namespace"]?.stringValue, name: name))
        let id = try reader.string("id") ?? name
        var task = DeclaredTask(id: id, title: try reader.string("title") ?? id, source: try reader.location("source") ?? SourceLocation(path: "", line: 0))
        task.details = try reader.string("details") ?? ""
        task.phase = try reader.string("phase")
        task.section = try reader.string("section")
        if let text = try reader.string("priority") {
            guard let priority = TaskPriority(text) else { throw reader.problem("priority", "`\(text)` is no priority", hint: "write Critical, High, Medium or Low") }
            task.priority = priority
        }
        task.story = try reader.string("story")
        if let text = try reader.string("order") {
            guard let order = DeclaredTask.Order(rawValue: text) else {
                throw reader.problem("order", "`\(text)` is no order", hint: "write Sequential, Parallel or Declared")
            }
            task.order = order
        } else {
            // By hand, one writes what depends on what.
            task.order = .declared
        }
        task.estimate = try reader.estimate("estimate")
        task.dependencies = try reader.strings("dependencies")
        task.isDone = try reader.bool("done") ?? false
        task.commands = try reader.strings("commands")
        task.deliverables = try reader.strings("deliverables")
        task.acceptance = try reader.strings("acceptance")
        task.risks = try reader.strings("risks")
        for place in reader.value["alsoAt"]?.arrayValue ?? [] {
            if let place = try TaskFields(value: ["at": place], id: reader.id, path: "spec.alsoAt").location("at") { task.alsoAt.append(place) }
        }
        self.init(
            list: try reader.string("list") ?? object[path: "metadata", "labels", TaskKinds.listLabel]?.stringValue ?? TaskKinds.defaultList,
            index: try reader.integer("index") ?? .max, task: task, run: try TaskRun(reader.object("run")))
    }
}

extension TaskEstimate {
    fileprivate var json: JSONValue {
        ["text": .string(text), "minimumHours": .number("\(minimumHours)"), "hours": .number("\(hours)")]
    }
}

/// The fields of one object's `spec`, each read as what it must be.
struct TaskFields {
    let value: JSONValue
    let id: ResourceID
    var path = "spec"

    func problem(_ field: String, _ message: String, hint: String? = nil) -> Problem {
        Problem(code: "task.invalid-field", message: "`\(path).\(field)`: \(message)", resource: id, hint: hint)
    }

    private func read<Value>(_ field: String, _ what: String, _ convert: (JSONValue) -> Value?) throws(Problem) -> Value? {
        guard let member = value[field], !member.isNull else { return nil }
        guard let result = convert(member) else { throw problem(field, "is a \(member.typeName), not \(what)") }
        return result
    }

    func string(_ field: String) throws(Problem) -> String? { try read(field, "a string", \.stringValue) }
    func bool(_ field: String) throws(Problem) -> Bool? { try read(field, "a boolean", \.boolValue) }
    func integer(_ field: String) throws(Problem) -> Int? { try read(field, "an integer") { $0.integerValue.map(Int.init) } }
    func number(_ field: String) throws(Problem) -> Double? { try read(field, "a number", \.doubleValue) }

    func strings(_ field: String) throws(Problem) -> [String] {
        try read(field, "a list of strings") { value in
            value.arrayValue.flatMap { items in
                let texts = items.compactMap(\.stringValue)
                return texts.count == items.count ? texts : nil
            }
        } ?? []
    }

    func map(_ field: String) throws(Problem) -> [String: String] {
        try read(field, "a map of strings") { value in
            value.objectValue.flatMap { members in
                var result: [String: String] = [:]
                for member in members {
                    guard let text = member.value.stringValue else { return nil }
                    result[member.key] = text
                }
                return result
            }
        } ?? [:]
    }

    func object(_ field: String) throws(Problem) -> TaskFields {
        let member: JSONObject? = try read(field, "an object", \.objectValue)
        return TaskFields(value: .object(member ?? [:]), id: id, path: "\(path).\(field)")
    }

    func location(_ field: String) throws(Problem) -> SourceLocation? {
        guard value[field] != nil else { return nil }
        let reader = try object(field)
        return SourceLocation(path: try reader.string("path") ?? "", line: try reader.integer("line") ?? 0)
    }

    /// Seconds of a duration such as `90s` or `1h30m`.
    func seconds(_ field: String) throws(Problem) -> Double? {
        guard let text = try string(field) else { return nil }
        guard let duration = Duration(goNotation: text) else { throw problem(field, "`\(text)` is not a duration", hint: "write 90s, 5m or 1h30m") }
        return Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }

    /// An estimate as this program writes it, or a text such as `4h` or `2-3 days`.
    func estimate(_ field: String) throws(Problem) -> TaskEstimate? {
        guard let member = value[field], !member.isNull else { return nil }
        if let text = member.stringValue {
            if let estimate = TaskEstimate(reading: text) { return estimate }
            guard let hours = try seconds(field).map({ $0 / 3_600 }) else { return nil }
            return TaskEstimate(text: text, minimumHours: hours, hours: hours)
        }
        let reader = try object(field)
        let hours = try reader.number("hours") ?? 0
        return TaskEstimate(text: try reader.string("text") ?? "\(hours)h", minimumHours: try reader.number("minimumHours") ?? hours, hours: hours)
    }
}
