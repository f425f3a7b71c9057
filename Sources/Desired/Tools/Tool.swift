import ResourceModel
import Subprocess
import SystemPackage

/// One external renderer, run in a scratch directory with an environment of its own: nothing of the caller's settings,
/// kubeconfig, plugins or credentials reaches it.
struct Tool {
    /// `helm template`: what messages call it.
    let title: String
    private let executable: FilePath
    private let configuration: ToolConfiguration

    /// - Throws: a `Problem` that says what to install when the tool is not there.
    static func find(
        _ names: [String], title: String, install: String, for source: ApplicationSource, in configuration: ToolConfiguration
    )
        throws(Problem) -> (tool: Tool, name: String)
    {
        for name in names {
            guard let path = configuration.locate(name) else { continue }
            return (Tool(title: title, executable: path, configuration: configuration), name)
        }
        throw Problem(
            code: "tool.missing",
            message: "\(title) is needed and \(names.map { "`\($0)`" }.joined(separator: " or ")) is not on PATH",
            location: source.location, hint: install)
    }

    /// Runs the tool and gives what it printed.
    /// - Throws: a `Problem` with what the tool said when it fails, takes too long or prints too much.
    func run(_ arguments: [String], in scratch: ScratchDirectory, at directory: FilePath, location: SourceLocation) async throws
        -> [UInt8]
    {
        let home = scratch.path.appending("home").string
        var variables: [Environment.Key: String] = ["PATH": configuration.searchPath, "HOME": home, "LANG": "C.UTF-8"]
        for (name, folder) in [
            "XDG_CACHE_HOME": "cache", "XDG_CONFIG_HOME": "config", "XDG_DATA_HOME": "data", "HELM_CACHE_HOME": "cache/helm",
            "HELM_CONFIG_HOME": "config/helm", "HELM_DATA_HOME": "data/helm", "KUBECONFIG": "no-kubeconfig", "TMPDIR": "tmp",
        ] {
            variables[Environment.Key(stringLiteral: name)] = "\(home)/\(folder)"
        }
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [.gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: .milliseconds(500))]
        let settings = Configuration(
            executable: .path(executable), arguments: Arguments(arguments), environment: .custom(variables),
            workingDirectory: directory,
            platformOptions: options)
        let outcome: Outcome
        do {
            outcome = try await withDeadline(settings)
        } catch let error as SubprocessError where error.code == .outputLimitExceeded {
            throw problem("tool.output-limit", "printed more than \(configuration.outputLimit) bytes", location)
        } catch let error as SubprocessError {
            throw problem("tool.failed", "could not be run: \(error)", location)
        }
        switch outcome {
        case .timedOut:
            throw problem("tool.timeout", "took longer than \(configuration.timeLimit)", location)
        case .finished(let status, let output, let errors):
            guard case .exited(0) = status else {
                throw problem("tool.failed", "failed: \(Self.readable(errors, scratch, status))", location)
            }
            return output
        }
    }

    private enum Outcome: Sendable {
        case finished(TerminationStatus, output: [UInt8], errors: String)
        case timedOut
    }

    private func withDeadline(_ settings: Configuration) async throws -> Outcome {
        let limit = configuration.timeLimit
        let outputLimit = configuration.outputLimit
        return try await withThrowingTaskGroup(of: Outcome.self) { group in
            group.addTask {
                let result = try await Subprocess.run(
                    settings, output: .bytes(limit: outputLimit), error: .string(limit: 4 << 20))
                return .finished(result.terminationStatus, output: result.standardOutput, errors: result.standardError)
            }
            group.addTask {
                try await Task.sleep(for: limit)
                return .timedOut
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { return .timedOut }
            return first
        }
    }

    private func problem(_ code: String, _ message: String, _ location: SourceLocation) -> Problem {
        Problem(code: code, message: "\(title) \(message)", location: location)
    }

    /// What the tool said, with paths of the repository instead of the scratch directory's.
    private static func readable(_ errors: String, _ scratch: ScratchDirectory, _ status: TerminationStatus) -> String {
        var text = errors
        for tree in 0..<scratch.treeCount { text = text.replacing("\(scratch.treeRoot(tree).string)/", with: "") }
        text = text.replacing("\(scratch.path.string)/", with: "")
        // What a tool merely warns of would hide what it failed at, and helm's advice names a flag of its own.
        let lines = text.split(separator: "\n").filter { line in
            !["# warning", "warning:", "use --debug flag"].contains { line.lowercased().hasPrefix($0) }
        }
        if !lines.isEmpty { text = lines.joined(separator: "\n") }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        for prefix in ["Error: ", "error: "] where text.hasPrefix(prefix) { text.removeFirst(prefix.count) }
        return text.isEmpty ? "it said nothing (\(status))" : text
    }
}
