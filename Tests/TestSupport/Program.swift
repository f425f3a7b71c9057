import Foundation
import Subprocess
import Synchronization
import SystemPackage

/// What a program that ran to its end left behind.
package struct Outcome: Sendable {
    /// The exit code, or 128 and the signal's number.
    package var code: Int32
    package var output: String
    package var errors: String
    /// From its start to its end.
    package var duration: Duration

    /// Both streams and the code: for the message of a failed expectation.
    package var description: String { "exit \(code)\n--- stdout\n\(output)--- stderr\n\(errors)" }
}

/// A program of this package, or of the machine, run as a real process.
package struct Program: Sendable {
    package var executable: FilePath
    /// The whole environment: nothing is inherited but `PATH` and `TMPDIR`.
    package var environment: [String: String]
    package var directory: FilePath

    package init(executable: FilePath, environment: [String: String] = [:], directory: FilePath = "/") {
        self.executable = executable
        self.environment = ["PATH": Self.searchPath, "HOME": directory.string, "LANG": "C.UTF-8"].merging(environment) { $1 }
        self.directory = directory
    }

    /// The built `reconciler`: `$RECONCILER_BINARY`, else the one beside the test bundle.
    package static let reconciler: FilePath = built("reconciler", variable: "RECONCILER_BINARY")
    /// The built `demo-web`.
    package static let demoWeb: FilePath = built("demo-web", variable: "RECONCILER_DEMO_WEB")

    /// The built programs, what `scripts/test-tools` fetched, then the caller's `PATH`.
    package static let searchPath: String = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return [
            reconciler.removingLastComponent().string, root.path + "/.build/test-tools/bin",
            ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin",
        ].joined(separator: ":")
    }()

    private static func built(_ name: String, variable: String) -> FilePath {
        if let path = ProcessInfo.processInfo.environment[variable], !path.isEmpty { return FilePath(path) }
        // The test bundle is a program of the build's directory.
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]  // no /proc: as it was called
        return FilePath(bundle).removingLastComponent().appending(name)
    }

    /// Runs it to its end.
    /// - Throws: `ProgramTimeout` after `limit`; the program is killed then.
    package func run(_ arguments: [String], limit: Duration = .seconds(60)) async throws -> Outcome {
        let clock = ContinuousClock()
        let start = clock.now
        let settings = configuration(arguments)
        let result = try await deadline(limit, "\(executable) \(arguments.joined(separator: " "))") {
            try await Subprocess.run(settings, output: .string(limit: 8 << 20), error: .string(limit: 8 << 20))
        }
        return Outcome(
            code: Self.code(result.terminationStatus), output: result.standardOutput, errors: result.standardError,
            duration: start.duration(to: clock.now))
    }

    /// Runs it beside `body`, and ends it with SIGTERM when `body` is through.
    /// - Returns: what `body` returned, and the program's exit code.
    package func whileRunning<Result: Sendable>(
        _ arguments: [String], _ body: @escaping @Sendable (RunningProgram) async throws -> Result
    ) async throws -> (Result, code: Int32) {
        let settings = configuration(arguments)
        let ended = try await Subprocess.run(settings, input: .none, output: .sequence, error: .sequence) { execution in
            let program = RunningProgram(process: execution.processIdentifier.value)
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { for try await line in execution.standardOutput.strings() { program.lines.add(line) } }
                group.addTask {
                    for try await line in execution.standardError.strings() { program.lines.add(line) }
                    program.lines.finish()
                }
                do {
                    let result = try await body(program)
                    program.terminate()
                    try await group.waitForAll()
                    return result
                } catch {
                    kill(program.process, SIGKILL)
                    group.cancelAll()
                    throw error
                }
            }
        }
        return (ended.closureResult, Self.code(ended.terminationStatus))
    }

    private func configuration(_ arguments: [String]) -> Configuration {
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(5))]
        var variables: [Environment.Key: String] = [:]
        for (name, value) in environment { variables[Environment.Key(stringLiteral: name)] = value }
        return Configuration(
            executable: .path(executable), arguments: Arguments(arguments), environment: .custom(variables), workingDirectory: directory,
            platformOptions: options)
    }

    private static func code(_ status: TerminationStatus) -> Int32 {
        switch status {
        case .exited(let code): code
        case .signaled(let signal): 128 + signal
        }
    }
}

/// A program that goes on while a test acts.
package final class RunningProgram: Sendable {
    package let process: Int32
    /// What it printed so far, on both streams.
    package let lines = LineLog()

    init(process: Int32) { self.process = process }

    /// Waits for a line that holds `text`, printed from now on or before.
    /// - Returns: the line.
    @discardableResult
    package func line(containing text: String, within limit: Duration = .seconds(30)) async throws -> String {
        let lines = lines
        do {
            return try await deadline(limit, "waiting for the line `\(text)`") { try await lines.first { $0.contains(text) } }
        } catch {
            throw ProgramTimeout(description: "\(error); printed was:\n\(lines.text)")
        }
    }

    package func terminate() { kill(process, SIGTERM) }

    /// Waits until it has closed its output, which its end does.
    package func ended() async {
        _ = try? await lines.first { _ in false }  // throws when there are no more lines, which is what is waited for
    }
}

/// Lines that come in while others wait for some of them.
package final class LineLog: Sendable {
    private struct State: Sendable {
        var lines: [String] = []
        var isFinished = false
        var waiters: [Int: AsyncStream<Void>.Continuation] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    package var text: String { state.withLock { $0.lines.joined(separator: "\n") } }
    package var count: Int { state.withLock { $0.lines.count } }

    func add(_ line: String) {
        let waiters = state.withLock { state in
            state.lines.append(line)
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.yield() }
    }

    func finish() {
        let waiters = state.withLock { state in
            state.isFinished = true
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.yield() }
    }

    /// The first line, from the beginning, that fits.
    func first(_ fits: @Sendable (String) -> Bool) async throws -> String {
        let (changes, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state in
            state.next += 1
            state.waiters[state.next] = continuation
            return state.next
        }
        defer { _ = state.withLock { $0.waiters.removeValue(forKey: number) } }
        var seen = 0
        while true {
            let (lines, isFinished) = state.withLock { (Array($0.lines[seen...]), $0.isFinished) }
            if let line = lines.first(where: fits) { return line }
            seen += lines.count
            if isFinished { throw ProgramTimeout(description: "the program ended") }
            for await _ in changes { break }
            try Task.checkCancellation()
        }
    }
}

/// Something took too long, or can no longer come.
package struct ProgramTimeout: Error, CustomStringConvertible {
    package var description: String
}

/// Runs `body`, at most for `limit`.
package func deadline<Result: Sendable>(
    _ limit: Duration, _ what: String, _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next(), let result = first else {
            throw ProgramTimeout(description: "\(what): took longer than \(limit)")
        }
        return result
    }
}
