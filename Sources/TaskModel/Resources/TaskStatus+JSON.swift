import ResourceModel

extension TaskStatus {
    /// The `status` of a `Task` object; what is missing or not understood has its default, so that a status never keeps a task from
    /// being looked at.
    package init(_ status: JSONValue?) {
        self.init()
        guard let status else { return }
        state = status["state"]?.stringValue.flatMap(State.init) ?? .pending
        reason = status["reason"]?.stringValue ?? ""
        message = status["message"]?.stringValue ?? ""
        attempts = status["attempts"]?.integerValue.map(Int.init) ?? 0
        failures = status["failures"]?.integerValue.map(Int.init) ?? 0
        startedBy = status["startedBy"]?.stringValue
        startedAt = Self.time(status["startedAt"])
        finishedAt = Self.time(status["finishedAt"])
        nextAttemptAt = Self.time(status["nextAttemptAt"])
        exitCode = status["exitCode"]?.integerValue.map(Int.init)
        log = status["log"]?.stringValue
        commandsDigest = status["commandsDigest"]?.stringValue
        approvedBy = status["approvedBy"]?.stringValue
        observedGeneration = status["observedGeneration"]?.integerValue
    }

    private static func time(_ value: JSONValue?) -> Double? { value?.stringValue.flatMap { secondsSince1970(rfc3339: $0) } }

    /// Every field, with a null for what is not set: a merge patch of it leaves nothing of an earlier status.
    package var json: JSONValue {
        func value(_ text: String?) -> JSONValue { text.map { $0.isEmpty ? .null : .string($0) } ?? .null }
        func time(_ seconds: Double?) -> JSONValue { seconds.map { .string(rfc3339($0)) } ?? .null }
        return [
            "state": .string(state.rawValue), "reason": value(reason), "message": value(message), "attempts": .integer(Int64(attempts)),
            "failures": .integer(Int64(failures)), "startedBy": value(startedBy),
            "startedAt": time(startedAt), "finishedAt": time(finishedAt), "nextAttemptAt": time(nextAttemptAt),
            "exitCode": exitCode.map { .integer(Int64($0)) } ?? .null, "log": value(log), "commandsDigest": value(commandsDigest),
            "approvedBy": value(approvedBy), "observedGeneration": observedGeneration.map { .integer($0) } ?? .null,
        ]
    }
}
