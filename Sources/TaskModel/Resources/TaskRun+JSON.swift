import ResourceModel

extension TaskRun {
    /// Only what differs from the defaults.
    package var json: JSONValue {
        let standard = TaskRun()
        var run: JSONValue = [:]
        if runner != standard.runner { run["runner"] = .string(runner.rawValue) }
        if let image { run["image"] = .string(image) }
        if let workingDirectory { run["workingDirectory"] = .string(workingDirectory) }
        if !environment.isEmpty { run["environment"] = Self.map(environment) }
        if !variables.isEmpty { run["variables"] = Self.map(variables) }
        if timeoutSeconds != standard.timeoutSeconds { run["timeout"] = Self.duration(timeoutSeconds) }
        if retry != standard.retry {
            run["retry"] = [
                "limit": .integer(Int64(retry.limit)),
                "backoff": [
                    "duration": Self.duration(retry.seconds), "factor": .number("\(retry.factor)"), "maxDuration": Self.duration(retry.maximumSeconds),
                    "jitter": .number("\(retry.jitter)"),
                ],
            ]
        }
        if isIdempotent { run["idempotent"] = true }
        if needsApproval { run["approval"] = true }
        return run
    }

    private static func map(_ values: [String: String]) -> JSONValue {
        .object(JSONObject(values.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: .string($0.value)) }))
    }

    private static func duration(_ seconds: Double) -> JSONValue {
        .string(seconds == seconds.rounded() ? "\(Int64(seconds))s" : "\(Int64((seconds * 1000).rounded()))ms")
    }

    /// - Throws: a `Problem` that names the object and the field.
    init(_ reader: TaskFields) throws(Problem) {
        self.init()
        if let text = try reader.string("runner") {
            guard let known = Runner(rawValue: text) else { throw reader.problem("runner", "`\(text)` is no runner", hint: "write Process or Job") }
            runner = known
        }
        image = try reader.string("image")
        if runner == .job, image == nil { throw reader.problem("image", "is missing: a Job needs an image") }
        workingDirectory = try reader.string("workingDirectory")
        environment = try reader.map("environment")
        variables = try reader.map("variables")
        timeoutSeconds = try reader.seconds("timeout") ?? timeoutSeconds
        if timeoutSeconds <= 0 { throw reader.problem("timeout", "must be more than nothing") }
        let retry = try reader.object("retry")
        self.retry.limit = try retry.integer("limit") ?? self.retry.limit
        let backoff = try retry.object("backoff")
        self.retry.seconds = try backoff.seconds("duration") ?? self.retry.seconds
        self.retry.factor = max(1, try backoff.number("factor") ?? self.retry.factor)
        self.retry.maximumSeconds = try backoff.seconds("maxDuration") ?? self.retry.maximumSeconds
        self.retry.jitter = min(1, max(0, try backoff.number("jitter") ?? self.retry.jitter))
        isIdempotent = try reader.bool("idempotent") ?? false
        needsApproval = try reader.bool("approval") ?? false
    }

    /// Reads run options from a place that is no object of the cluster: an Application's source.
    /// - Parameter path: for messages, `spec.source.tasks.run`.
    /// - Throws: a `Problem` without a location.
    package init(_ value: JSONValue, path: String, resource: ResourceID) throws(Problem) {
        self = try TaskRun(TaskFields(value: value, id: resource, path: path))
    }
}
