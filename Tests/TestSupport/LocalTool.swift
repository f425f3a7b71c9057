import Foundation
import Subprocess
import SystemPackage

/// A program of this machine that a test runs: kubectl, helm, the reconciler itself.
package struct LocalTool: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    package struct Output: Sendable {
        package var status: Int32
        package var text: String
        package var errors: String
    }

    package var path: String
    package var environment: [String: String]

    package init(path: String, environment: [String: String]) {
        self.path = path
        self.environment = environment
    }

    /// A tool that `scripts/test-tools` provides, or the one on `PATH`.
    ///
    /// - Throws: a `Failure` that says what to do when there is none.
    package static func named(_ name: String, environment: [String: String]) throws -> LocalTool {
        let search = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        for directory in [package.path + "/.build/test-tools/bin"] + search.split(separator: ":").map(String.init) {
            let path = "\(directory)/\(name)"
            guard FileManager.default.isExecutableFile(atPath: path) else { continue }
            return LocalTool(
                path: path, environment: environment.merging(["PATH": "\(directory):\(search)"]) { given, _ in given })
        }
        throw Failure(description: "`\(name)` is neither on PATH nor in .build/test-tools/bin: run scripts/test-tools")
    }

    /// The reconciler that was built with these tests.
    package static func reconciler(environment: [String: String]) throws -> LocalTool {
        let name =
            ProcessInfo.processInfo.environment["RECONCILER_BINARY"]
            ?? URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path + "/reconciler"
        guard FileManager.default.isExecutableFile(atPath: name) else {
            throw Failure(description: "no reconciler at \(name): set RECONCILER_BINARY")
        }
        return LocalTool(path: name, environment: environment)
    }

    /// Runs the tool to its end, whatever its exit status; after `limit` it is killed, which is a `Failure`.
    package func run(_ arguments: [String], input: String = "", limit: Duration = .seconds(60)) async throws -> Output {
        let configuration = configuration(arguments)
        return try await withThrowingTaskGroup(of: Output.self) { group in
            group.addTask {
                let result = try await Subprocess.run(
                    configuration, input: .string(input), output: .string(limit: 16 << 20), error: .string(limit: 1 << 20))
                return Output(
                    status: Self.code(result.terminationStatus), text: result.standardOutput, errors: result.standardError)
            }
            group.addTask {
                try await Task.sleep(for: limit)
                throw Failure(description: "\(path) \(arguments.joined(separator: " ")) did not end within \(limit)")
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw Failure(description: "\(path) was not run") }
            return first
        }
    }

    /// Starts the tool and hands out what it prints, line by line. It is to be ended by the test.
    package func start(_ arguments: [String], input: String = "") async throws -> RunningTool {
        let (lines, printed) = AsyncStream.makeStream(of: String.self)
        let (started, begun) = AsyncStream.makeStream(of: Int32.self)
        let configuration = configuration(arguments)
        let task = Task {
            defer {
                printed.finish()
                begun.finish()
            }
            let result = try await Subprocess.run(
                configuration, input: .string(input), output: .sequence, error: .string(limit: 1 << 20)
            ) { execution in
                begun.yield(execution.processIdentifier.value)
                for try await line in execution.standardOutput.strings() {
                    printed.yield(line.hasSuffix("\n") ? String(line.dropLast()) : line)
                }
            }
            return Self.code(result.terminationStatus)
        }
        for await pid in started { return RunningTool(lines: lines, pid: pid, task: task) }
        _ = try await task.value
        throw Failure(description: "\(path) was not started")
    }

    private func configuration(_ arguments: [String]) -> Configuration {
        let variables = Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) })
        return Configuration(executable: .path(FilePath(path)), arguments: Arguments(arguments), environment: .custom(variables))
    }

    private static func code(_ status: TerminationStatus) -> Int32 {
        switch status {
        case .exited(let code): code
        case .signaled(let signal): 128 + signal
        }
    }
}

/// A tool that runs.
package struct RunningTool: Sendable {
    /// What it writes to standard output; for one reader.
    package let lines: AsyncStream<String>
    package let pid: Int32
    fileprivate let task: Task<Int32, any Error>

    package func signal(_ signal: Int32) { kill(pid, signal) }

    /// The exit status; 128 + the signal when one ended it.
    package func exit() async throws -> Int32 { try await task.value }
}
