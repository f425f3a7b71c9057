import Glibc
import Processes
import TaskModel

/// Looks at the programs of commands before they run: found, which version, what they would touch.
///
/// Only the commands' own words count, and cheap looks at this machine: files, kubeconfigs, `PROGRAM --version` with a deadline, and
/// `docker version`, which asks the daemon. Nothing is written, nothing of a cluster is read.
package struct TaskChecks: Sendable {
    let environment: [String: String]
    let workingDirectory: String
    let deadline: Duration

    /// - Parameters:
    ///   - environment: what the commands will have.
    ///   - workingDirectory: absolute.
    ///   - deadline: for each program that is asked something.
    package init(environment: [String: String], workingDirectory: String, deadline: Duration = .seconds(5)) {
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.deadline = deadline
    }

    /// One check for each simple command of the lines, in order. A line that cannot be read gives one with a problem.
    package func checks(of commands: [String]) async -> [TaskCheck] {
        var result: [TaskCheck] = []
        var versions: [String: Version] = [:]
        for line in commands {
            let reading: ShellReading
            do {
                reading = try ShellReader.reading(line, variables: environment)
            } catch {
                var check = TaskCheck(tool: "sh", command: line)
                check.problems = ["it cannot be looked into: \(error)"]
                result.append(check)
                continue
            }
            for command in reading.commands where !command.words.isEmpty {
                for words in Self.programs(command.words) where !Self.isOfTheShell(words[0].text) {
                    result.append(await check(words, &versions))
                }
            }
        }
        return result
    }

    /// The command itself, or what it runs when it is `env`, `timeout` and the like.
    private static func programs(_ words: [ShellReading.Word], depth: Int = 0) -> [[ShellReading.Word]] {
        if depth > 8 { return [words] }
        switch Wrapping(words) {
        case .words(let inner): return programs(inner.words, depth: depth + 1)
        case .several(let inner): return [words] + inner.filter { !$0.isEmpty }.flatMap { programs($0, depth: depth + 1) }
        case .text(let word):
            // What cannot be read is the policy's to refuse.
            guard word.isKnown, let reading = try? ShellReader.reading(word.text) else { return [words] }
            return reading.commands.filter { !$0.words.isEmpty }.flatMap { programs($0.words, depth: depth + 1) }
        case .opaque where words[0].text == "sudo" && words.count > 1 && !words[1].text.hasPrefix("-"):
            return [words] + programs(Array(words.dropFirst()), depth: depth + 1)
        case .none, .opaque, .unreadable: return [words]
        }
    }

    private static func isOfTheShell(_ name: String) -> Bool {
        [
            ":", ".", "[", "alias", "bg", "break", "cd", "command", "continue", "echo", "eval", "exec", "exit", "export", "false", "fg", "getopts", "hash", "jobs",
            "printf", "pwd", "read", "readonly", "return", "set", "shift", "test", "times", "trap", "true", "type", "ulimit", "umask", "unalias", "unset", "wait",
            "source", "local", "kill",
        ].contains(name)
    }

    private func check(_ words: [ShellReading.Word], _ versions: inout [String: Version]) async -> TaskCheck {
        let texts = words.map(\.text)
        var check = TaskCheck(tool: texts[0], command: texts.joined(separator: " "))
        guard words[0].isKnown else {
            check.problems = ["which program it is is not known before it runs"]
            return check
        }
        check.path = path(of: texts[0])
        let isScript = texts[0].contains("/") || texts[0].hasSuffix(".sh")
        guard let path = check.path else {
            if isScript { await script(texts[0], isRunDirectly: true, &check) } else {
                check.problems = ["\(texts[0]) is not installed: no directory of PATH has it (\(environment["PATH"] ?? "PATH is not set"))"]
            }
            return check
        }
        let name = texts[0].split(separator: "/").last.map(String.init) ?? texts[0]
        if let arguments = Self.versionArguments[name], !(texts[0].contains("/") && !texts[0].hasPrefix("/")) {
            let version = if let known = versions[path] { known } else { await version(path, arguments) }
            versions[path] = version
            switch version {
            case .success(let text): check.version = text
            case .failure(let why): check.problems.append("`\(name) \(arguments.joined(separator: " "))` gave no answer: \(why)")
            }
        }
        let rest = texts.dropFirst()
        switch name {
        case "kubectl": kubectl(rest, &check)
        case "helm": helm(rest, &check)
        case "argocd": argocd(rest, &check)
        case "terraform", "tofu": terraform(rest, &check)
        case "docker", "podman": await docker(name, rest, &check)
        case "make", "gmake": make(rest, &check)
        case "sh", "bash", "dash", "zsh", "ksh", "ash":
            if let file = CommandArguments(rest, valued: ["-o", "-c"]).operands.first, !rest.contains("-c") { await script(file, isRunDirectly: false, &check) }
        default:
            if isScript { await script(texts[0], isRunDirectly: true, &check) }
        }
        return check
    }

    private static let versionArguments: [String: [String]] = [
        "kubectl": ["version", "--client"], "helm": ["version", "--short"], "terraform": ["version"], "tofu": ["version"],
        "argocd": ["version", "--client", "--short"], "docker": ["--version"], "podman": ["--version"], "make": ["--version"], "gmake": ["--version"],
        "git": ["--version"], "bash": ["--version"],
    ]

    /// What a program says of its version, or why it does not.
    private typealias Version = Result<String, ShortCommand.Failure>

    private func version(_ path: String, _ arguments: [String]) async -> Version {
        do {
            let answer = try await output([path] + arguments)
            let lines = answer.text.split(separator: "\n")
            guard answer.isSuccess else { return .failure(ShortCommand.Failure(description: lines.last.map(String.init) ?? "it failed without a word")) }
            guard let line = lines.first(where: { $0.contains(where: \.isNumber) }) else {
                return .failure(ShortCommand.Failure(description: "it names no version"))
            }
            return .success(String(line))
        } catch {
            return .failure(error)
        }
    }

    func output(_ arguments: [String]) async throws(ShortCommand.Failure) -> (text: String, isSuccess: Bool) {
        try await ShortCommand.output(arguments, environment: environment, workingDirectory: workingDirectory, deadline: deadline)
    }

    // MARK: Files

    func path(of program: String) -> String? {
        if program.contains("/") {
            let path = absolute(program)
            return access(path, X_OK) == 0 && !SmallFile.isDirectory(path) ? path : nil
        }
        for directory in (environment["PATH"] ?? "").split(separator: ":") {
            let path = "\(directory)/\(program)"
            if access(path, X_OK) == 0, !SmallFile.isDirectory(path) { return path }
        }
        return nil
    }

    /// Relative to the working directory, or to another one of it.
    func absolute(_ path: String, in directory: String? = nil) -> String {
        if path.hasPrefix("/") { return path }
        if path == "~" || path.hasPrefix("~/") { return (environment["HOME"] ?? "") + path.dropFirst() }
        let base = directory.map { absolute($0) } ?? workingDirectory
        return path.hasPrefix("./") ? "\(base)/\(path.dropFirst(2))" : "\(base)/\(path)"
    }

    func exists(_ path: String, in directory: String? = nil) -> Bool { SmallFile.exists(absolute(path, in: directory)) }
}
