import ResourceModel

/// What a person says about a task.
package enum TaskMark: Sendable, Hashable {
    /// Somebody works on it.
    case start
    case done
    case fail(String)
    /// Nobody will do it; a reason.
    case skip(String)
    /// As if nothing had happened yet.
    case reset
    case approve

    /// The reason of a task that somebody began by hand: no runner is behind it, so no controller may take it for interrupted.
    package static let startedByHand = "StartedByHand"
    /// The reason of a task whose end somebody told.
    package static let markedByHand = "MarkedByHand"

    package var word: String {
        switch self {
        case .start: "start"
        case .done: "done"
        case .fail: "fail"
        case .skip: "skip"
        case .reset: "reset"
        case .approve: "approve"
        }
    }

    /// The status after it; `nil` when the task is there already.
    /// - Parameters:
    ///   - person: who says so.
    ///   - now: seconds since 1970-01-01 UTC.
    /// - Throws: a `Refusal` when it makes no sense.
    package func status(after status: TaskStatus, of task: DeclaredTask, run: TaskRun, by person: String, at now: Double) throws(Refusal) -> TaskStatus? {
        if case .approve = self { return try approved(status, task, run, person) }
        if task.isDone { throw refusal(task, "it is ticked in \(task.source)", "untick it there") }
        let isRun = status.state == .running && status.reason != Self.startedByHand
        if isRun {
            let attempt = status.attempts > 0 ? " (attempt \(status.attempts))" : ""
            throw refusal(task, "it is running\(attempt)", "wait for its end; `reconciler tasks logs \(task.id) -f` shows it")
        }
        var result = status
        result.nextAttemptAt = nil
        switch self {
        case .start:
            switch status.state {
            case .running: return nil
            case .succeeded, .failed, .skipped:
                throw refusal(task, "it has \(Self.ending(status.state))", "`reconciler tasks reset \(task.id)` makes it pending again")
            case .pending, .blocked: break
            }
            (result.state, result.reason, result.message) = (.running, Self.startedByHand, "begun by \(person)")
            result.attempts += 1
            (result.startedAt, result.finishedAt, result.exitCode, result.log, result.startedBy) = (now, nil, nil, nil, nil)
            return result
        case .done:
            if status.state == .succeeded { return nil }
            return ended(result, .succeeded, "done by \(person)", now)
        case .fail(let reason):
            if status.state == .succeeded || status.state == .skipped {
                throw refusal(task, "it has \(Self.ending(status.state))", "`reconciler tasks reset \(task.id)` makes it pending again")
            }
            return ended(result, .failed, "\(reason) (\(person))", now)
        case .skip(let reason):
            if status.state == .skipped { return nil }
            if status.state == .succeeded { throw refusal(task, "it has succeeded", "`reconciler tasks reset \(task.id)` makes it pending again") }
            return ended(result, .skipped, reason.isEmpty ? "skipped by \(person)" : "\(reason) (\(person))", now)
        case .reset:
            var fresh = TaskStatus()
            // Attempts are numbered on: each has its own log.
            (fresh.attempts, fresh.observedGeneration) = (status.attempts, status.observedGeneration)
            // A controller says anew what a blocked task waits for.
            return status.state == .pending && status.failures == 0 && status.approvedBy == nil ? nil : fresh
        case .approve: return nil
        }
    }

    private func approved(_ status: TaskStatus, _ task: DeclaredTask, _ run: TaskRun, _ person: String) throws(Refusal) -> TaskStatus? {
        guard run.needsApproval else { throw refusal(task, "it needs no approval", nil) }
        if status.approvedBy != nil { return nil }
        if task.isDone || status.state.isFinal || status.state == .running {
            let what = task.isDone ? "is ticked in \(task.source)" : status.state == .running ? "is running already" : "has \(Self.ending(status.state))"
            throw refusal(task, "it \(what)", nil)
        }
        var result = status
        result.approvedBy = person
        return result
    }

    private func ended(_ status: TaskStatus, _ state: TaskStatus.State, _ message: String, _ now: Double) -> TaskStatus {
        var result = status
        (result.state, result.reason, result.message, result.finishedAt) = (state, Self.markedByHand, message, now)
        // What a run before said is not about this end.
        (result.exitCode, result.commandsDigest) = (nil, nil)
        if status.state != .running { result.startedAt = nil }
        return result
    }

    private static func ending(_ state: TaskStatus.State) -> String {
        switch state {
        case .succeeded: "succeeded"
        case .failed: "failed"
        case .skipped: "been skipped"
        case .pending, .blocked, .running: "not ended"
        }
    }

    private func refusal(_ task: DeclaredTask, _ why: String, _ next: String?) -> Refusal {
        Refusal(code: "task-state", message: "\(word) \(task.id): \(why)\(next.map { "; \($0)" } ?? "")")
    }
}
