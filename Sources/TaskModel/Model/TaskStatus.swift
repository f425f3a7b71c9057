/// Where a task stands: the `status` of a `Task`.
package struct TaskStatus: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, Codable, CaseIterable {
        /// Could begin, or waits for its turn or a further attempt.
        case pending = "Pending"
        /// Something that is not this task's own doing comes first: a dependency, an approval, a policy, a placeholder's value.
        case blocked = "Blocked"
        case running = "Running"
        case succeeded = "Succeeded"
        case failed = "Failed"
        /// Nobody will do it: somebody said so, or what it needs has failed for good.
        case skipped = "Skipped"

        package var isFinal: Bool { self == .succeeded || self == .failed || self == .skipped }
    }

    package var state = State.pending
    /// A word for programs: `Ticked`, `Completed`, `DependencyFailed`, `Interrupted`, `TimedOut`, `MarkedByHand`. Open.
    package var reason = ""
    /// A sentence: why the state is this one, and what to try.
    package var message = ""
    /// How often it was begun; numbers its attempts and never goes back.
    package var attempts = 0
    /// Attempts that failed since it was reset, or its commands changed; what retries are counted by.
    package var failures = 0
    /// Of the last attempt; seconds since 1970-01-01 UTC.
    package var startedAt: Double?
    package var finishedAt: Double?
    /// The next attempt's earliest begin.
    package var nextAttemptAt: Double?
    package var exitCode: Int?
    /// Where the last attempt's output is: `process:NAMESPACE/LIST/TASK NAME.UID/ATTEMPT`, `job:NAMESPACE/NAME`.
    package var log: String?
    /// Digest of the commands that the last attempt ran; other commands make a task pending again.
    package var commandsDigest: String?
    /// Whose attempt the last one was: the identity of a state directory. Only what can look into it can tell what became of a process.
    package var startedBy: String?
    /// Who approved it.
    package var approvedBy: String?
    /// Of the specification that this status is about.
    package var observedGeneration: Int64?

    package init() {}
}
