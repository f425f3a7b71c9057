import Glibc
import Processes
import TaskModel
import Tasks
import TestSupport

/// A state directory with runners on it; processes that are left end with it.
struct Scratch: Sendable {
    let directory: String

    static func with<Result>(_ body: (Scratch) async throws -> Result) async throws -> Result {
        try await withClusterDirectory { directory in
            try SmallFile.makeDirectory(directory + "/work")
            let scratch = Scratch(directory: directory)
            defer {
                for entry in ProcessTable(markedBy: "RECONCILER_TASK_MARK").entries where entry.mark?.hasPrefix(directory) == true {
                    kill(entry.process.pid, SIGKILL)
                }
            }
            return try await body(scratch)
        }
    }

    var work: String { directory + "/work" }

    func runner(processes: Int = 512, grace: Duration = .milliseconds(300), logBytes: Int64 = 1 << 20, state: String? = nil) -> ProcessTaskRunner {
        var limits = ProcessTaskRunner.Limits()
        limits.processes = processes
        limits.grace = grace
        limits.logBytes = logBytes
        return ProcessTaskRunner(directory: state ?? directory + "/state", limits: limits)
    }

    func attempt(_ commands: String..., task: String = "T1", number: Int = 1, timeout: Double = 60, environment: [String: String] = [:]) -> TaskAttempt {
        TaskAttempt(
            namespace: "default", list: "plan", task: task, name: "plan-" + task.lowercased(), number: number, commands: commands,
            environment: environment, workingDirectory: work, timeoutSeconds: timeout, startedAt: UTCTime.now())
    }

    func path(of attempt: TaskAttempt) -> String {
        "\(directory)/state/default/plan/\(attempt.name)/\(attempt.number)"
    }

    func text(_ name: String) -> String? { SmallFile.text("\(work)/\(name)") }

    /// Returns as soon as a command has made the file.
    func waitForFile(_ name: String) async throws {
        for _ in 0..<2000 where !SmallFile.exists("\(work)/\(name)") { try await Task.sleep(for: .milliseconds(5)) }
    }

    /// The lines of an attempt's output without their times.
    func output(_ runner: ProcessTaskRunner, _ attempt: TaskAttempt, follow: Bool = false) async throws -> [String] {
        var lines: [String] = []
        for try await line in runner.output(of: runner.log(of: attempt), follow: follow) {
            lines.append(line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).dropFirst().joined())
        }
        return lines
    }

    /// Processes that carry the attempt's mark.
    func processes(of attempt: TaskAttempt) -> [ProcessIdentity] {
        let mark = path(of: attempt)
        return ProcessTable(markedBy: "RECONCILER_TASK_MARK").entries.filter { $0.mark == mark }.map(\.process)
    }
}
