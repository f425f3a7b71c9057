import TaskModel

/// Runs attempts; one on this machine and one through Jobs.
package protocol TaskRunner: Sendable {
    /// Begins the attempt and returns how it ended. An attempt that was begun before, by whichever process, is found again and
    /// never begun a second time. Cancelling the calling task stops the commands and gives `.canceled`.
    func outcome(of attempt: TaskAttempt) async -> TaskOutcome
    /// Takes back an attempt that may never have begun: `true` when it did not and now cannot any more, `false` when it began.
    func withdraw(_ attempt: TaskAttempt) async -> Bool
    /// Where the attempt's output is, as `TaskStatus.log` has it.
    func log(of attempt: TaskAttempt) -> String
    /// The attempt's output so far, oldest first, as lines come; ends with the attempt unless `follow` is false.
    func output(of log: String, follow: Bool) -> AsyncThrowingStream<String, any Error>
}
