import Glibc
import Processes
import Synchronization
import TaskModel

/// Runs attempts as processes of this machine.
///
/// An attempt's commands run below a shell in a session of its own (`AttemptScript`), which outlives us and writes down what happens
/// in `DIRECTORY/<namespace>/<list>/<task name>.<uid>/<attempt>/`. That directory alone decides: whoever asks for the attempt, in whichever
/// process, finds the same one run. See docs/task-runners.md.
package final class ProcessTaskRunner: TaskRunner {
    /// What an attempt may take.
    package struct Limits: Sendable {
        /// Bytes of a log before it is rotated; two such are kept.
        package var logBytes: Int64 = 4 << 20
        /// Processes at one time.
        package var processes = 512
        /// From the request to end to the one that cannot be refused.
        package var grace: Duration = .seconds(10)

        package init() {}
    }

    let directory: String
    let limits: Limits
    let logs: LogFollower
    let tables = ProcessTables(markedBy: ProcessTaskRunner.markName)
    let census: ProcessCensus
    private let inherited: [String: String]

    /// The environment variable by which an attempt's processes are found, wherever they went.
    static let markName = "RECONCILER_TASK_MARK"

    /// - Parameters:
    ///   - directory: absolute; made when needed.
    ///   - environment: where `PATH`, `HOME`, `LANG` and `TMPDIR` come from; nothing else of it is handed on.
    package init(directory: String, limits: Limits = Limits(), environment: [String: String] = ProcessTaskRunner.ownEnvironment) {
        self.directory = directory
        self.limits = limits
        logs = LogFollower(limit: limits.logBytes)
        census = ProcessCensus(tables: tables, limit: limits.processes)
        inherited = environment.filter { Self.handedOn.contains($0.key) }
    }

    /// What commands find their programs and their cluster by; everything else of this process' environment, secrets too, stays here.
    private static let handedOn = ["PATH", "HOME", "LANG", "TMPDIR", "KUBECONFIG"]

    /// The variables of this process that commands get.
    package static var ownEnvironment: [String: String] {
        var result: [String: String] = [:]
        for name in handedOn {
            if let value = getenv(name) { result[name] = String(cString: value) }
        }
        return result
    }

    package func outcome(of attempt: TaskAttempt) async -> TaskOutcome {
        let files: AttemptFiles
        do { files = try self.files(of: attempt) } catch { return .notStarted("\(error)") }
        let run = AttemptRun(runner: self, attempt: attempt, files: files)
        // Not a child: what has begun is ended in good order when the caller is cancelled, and that takes time.
        let task = Task.detached { await run.outcome() }
        return await withTaskCancellationHandler { await task.value } onCancel: { run.cancel() }
    }

    package func withdraw(_ attempt: TaskAttempt) async -> Bool {
        do {
            let files = try files(of: attempt)
            // After a restart of the machine the claim itself may be lost: it may have begun.
            if case .unclaimed(intendedBefore: true) = try files.state() { return false }
            if try files.withdraw() { return true }
            if case .withdrawn = try files.state() { return true }
            return false
        } catch {
            return false  // What cannot be claimed may have begun.
        }
    }

    func files(of attempt: TaskAttempt) throws(AttemptFiles.NameProblem) -> AttemptFiles {
        try AttemptFiles(root: directory, namespace: attempt.namespace, list: attempt.list, name: Self.place(of: attempt), number: attempt.number)
    }

    /// A Task that was deleted and made again has other attempts of the same numbers; no object's name holds a dot and a uid.
    static func place(of attempt: TaskAttempt) -> String { attempt.uid.isEmpty ? attempt.name : "\(attempt.name).\(attempt.uid.prefix(8))" }

    /// What an attempt's commands find in their environment.
    func environment(of attempt: TaskAttempt, _ files: AttemptFiles) -> [String: String] {
        var result = ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/", "LANG": "C.UTF-8", "TMPDIR": "/tmp"]
        result.merge(inherited) { $1 }
        result.merge(attempt.environment) { $1 }
        result["RECONCILER_TASK_LIST"] = attempt.list
        result["RECONCILER_TASK_ID"] = attempt.task
        result["RECONCILER_TASK_ATTEMPT"] = "\(attempt.number)"
        result[Self.markName] = files.path
        return result
    }

    /// Starts the shell that claims the attempt.
    func spawn(_ attempt: TaskAttempt, _ files: AttemptFiles) throws(SpawnFailure) -> ProcessIdentity {
        var environment = environment(of: attempt, files)
        let path = environment["PATH"] ?? ""
        environment["PATH"] = "/usr/bin:/bin"  // The shell's own tools; the commands get theirs.
        return try ProcessSpawner.spawn(
            ProcessSpecification(
                arguments: ["/bin/sh", "-c", AttemptScript.text, "reconciler-task", files.path, path] + attempt.commands,
                environment: environment.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) },
                workingDirectory: attempt.workingDirectory, outputPath: files.output + ".out"))
    }
}
