/// One attempt to run one task's commands: what a runner is given.
package struct TaskAttempt: Sendable, Hashable {
    package var namespace: String
    package var list: String
    /// The task's id, not its object's name.
    package var task: String
    /// The `Task` object's name, a DNS label.
    package var name: String
    /// The `Task` object's uid: one that was deleted and made again has other attempts.
    package var uid = ""
    /// From 1.
    package var number: Int
    /// Run one after the other, each by `/bin/sh -c`; the first that fails ends the attempt. Variables are put in already.
    package var commands: [String]
    package var environment: [String: String]
    /// Absolute; empty for a Job that declares none.
    package var workingDirectory: String
    package var timeoutSeconds: Double
    /// Seconds since 1970-01-01 UTC; the timeout counts from here, also after a restart.
    package var startedAt: Double
    /// For a Job.
    package var image: String?

    package init(
        namespace: String, list: String, task: String, name: String, number: Int, commands: [String], environment: [String: String],
        workingDirectory: String, timeoutSeconds: Double, startedAt: Double, image: String? = nil
    ) {
        self.namespace = namespace
        self.list = list
        self.task = task
        self.name = name
        self.number = number
        self.commands = commands
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.timeoutSeconds = timeoutSeconds
        self.startedAt = startedAt
        self.image = image
    }
}

/// How an attempt ended.
package enum TaskOutcome: Sendable, Hashable {
    case succeeded
    /// The exit code of the command that failed, with the command.
    case failed(code: Int, command: String)
    case killed(signal: Int, command: String)
    case timedOut(seconds: Double, command: String)
    case canceled
    /// It could not be begun: no such working directory, no image. A sentence.
    case notStarted(String)
    /// It was found again after a restart, and nobody can tell how it ended. A sentence.
    case interrupted(String)
    /// It was stopped for what it did to the machine: processes without end. A sentence.
    case excessive(String)
}
