import ResourceModel

extension TaskStatus {
    /// The status after an attempt ended.
    /// - Parameters:
    ///   - now: seconds since 1970-01-01 UTC.
    ///   - lot: 0 up to 1; draws the part of a pause that is left to chance.
    package func after(_ outcome: TaskOutcome, run: TaskRun, id: String, now: Double, lot: Double) -> TaskStatus {
        var status = self
        status.finishedAt = now.rounded(.down)
        (status.nextAttemptAt, status.exitCode) = (nil, nil)
        let again = "`reconciler tasks reset \(id)` lets it run again"
        switch outcome {
        case .succeeded:
            (status.state, status.reason, status.message, status.exitCode, status.failures) = (.succeeded, "Completed", "", 0, 0)
            return status
        case .failed(let code, let command):
            // POSIX, Shell Command Language 2.8.2.
            let meaning = code == 127 ? ": a program that it names was not found" : code == 126 ? ": a file that it names cannot be run" : ""
            status.fail("Failed", "exit code \(code) of `\(command)`\(meaning)")
            status.exitCode = code
        case .killed(let signal, let command):
            status.fail("Failed", "`\(command)` was ended by signal \(signal)")
            status.exitCode = 128 + signal
        case .timedOut(let seconds, let command):
            status.fail("TimedOut", "`\(command)` was still running after \(Self.text(seconds)) s")
        case .notStarted(let why): status.fail("NotStarted", why)
        case .excessive(let why): status.fail("Excessive", why)
        case .canceled:
            if run.isIdempotent {
                (status.state, status.reason, status.message) = (.pending, "Canceled", "stopped in the middle")
            } else {
                status.fail("Canceled", "stopped in the middle; \(again)")
            }
            return status
        case .interrupted(let why):
            if run.isIdempotent {
                (status.state, status.reason, status.message) = (.pending, "Interrupted", "\(why); it is idempotent and runs again")
            } else {
                status.fail("Interrupted", "\(why), so it may have done its work or not: look, then \(again), or `reconciler tasks done \(id)`")
            }
            return status
        }
        guard status.failures <= run.retry.limit else { return status }
        let next = now + run.retry.pause(before: status.failures + 1, lot: lot)
        status.message = "\(status.message); attempt \(status.failures + 1) of \(run.retry.limit + 1) at \(rfc3339(next))"
        (status.state, status.reason, status.nextAttemptAt) = (.pending, "Retry", next)
        return status
    }

    private mutating func fail(_ reason: String, _ message: String) {
        failures += 1
        (state, self.reason, self.message) = (.failed, reason, message)
    }

    private static func text(_ seconds: Double) -> String { seconds == seconds.rounded() ? "\(Int(seconds))" : "\(seconds)" }
}
