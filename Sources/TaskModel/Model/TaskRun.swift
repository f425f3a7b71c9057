import ResourceModel

/// How a task's commands are run.
package struct TaskRun: Sendable, Hashable {
    package enum Runner: String, Sendable, Hashable, Codable {
        /// A process of this machine.
        case process = "Process"
        /// A Kubernetes `Job` in the task's namespace.
        case job = "Job"
    }

    package var runner = Runner.process
    /// The Job's image.
    package var image: String?
    /// Absolute, or relative to where the documents' repository is checked out.
    package var workingDirectory: String?
    package var environment: [String: String] = [:]
    /// Put into commands for `${NAME}`, `{{NAME}}` and `<NAME>`.
    package var variables: [String: String] = [:]
    /// Of one attempt, in seconds.
    package var timeoutSeconds: Double = 600
    package var retry = TaskRetry()
    /// A command of it that may have run, or not, is simply run again after a crash.
    package var isIdempotent = false
    /// Somebody must approve it before it runs.
    package var needsApproval = false

    package init() {}
}

/// Attempts after a failed one, with growing pauses.
package struct TaskRetry: Sendable, Hashable {
    /// Attempts beyond the first.
    package var limit = 0
    /// Seconds before the first further attempt; each next pause is `factor` times as long, at most `maximumSeconds`.
    package var seconds: Double = 5
    package var factor: Double = 2
    package var maximumSeconds: Double = 180
    /// The part of a pause that is drawn by lot, 0 to 1.
    package var jitter: Double = 0.2

    package init() {}

    /// Seconds to wait before an attempt.
    /// - Parameters:
    ///   - attempt: 2 for the first further one.
    ///   - lot: 0 up to 1.
    package func pause(before attempt: Int, lot: Double) -> Double {
        var pause = seconds
        for _ in 0..<max(0, min(attempt - 2, 64)) { pause = min(pause * factor, maximumSeconds) }
        return min(pause, maximumSeconds) * (1 - jitter + jitter * lot)
    }
}

/// One task with its place in a list and how it is run: what the `spec` of a `Task` says.
package struct TaskSpec: Sendable, Hashable {
    /// The `TaskList`'s name.
    package var list: String
    /// From 0; the order in which a list is shown and, where nothing else decides, done.
    package var index: Int
    package var task: DeclaredTask
    package var run: TaskRun

    package init(list: String, index: Int, task: DeclaredTask, run: TaskRun = TaskRun()) {
        self.list = list
        self.index = index
        self.task = task
        self.run = run
    }
}
