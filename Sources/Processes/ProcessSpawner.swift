import CLinux
import Glibc

/// What to start: a program in a session of its own, output appended to a file.
package struct ProcessSpecification: Sendable {
    /// The command and its arguments; the first is looked up in the environment's `PATH`.
    package var arguments: [String]
    package var environment: [(name: String, value: String)]
    package var workingDirectory: String
    /// Gets standard output and standard error.
    package var outputPath: String

    package init(arguments: [String], environment: [(name: String, value: String)], workingDirectory: String, outputPath: String) {
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.outputPath = outputPath
    }
}

/// Why a program could not be started.
package struct SpawnFailure: Error, Sendable, CustomStringConvertible {
    package var program: String
    package var message: String
    /// No directory of `PATH` holds the program.
    package var isMissingProgram = false

    package init(program: String, message: String, isMissingProgram: Bool = false) {
        self.program = program
        self.message = message
        self.isMissingProgram = isMissingProgram
    }

    package var description: String { "cannot start \"\(program)\": \(message)" }
}

package enum ProcessSpawner {
    /// Starts the process. It survives the end of this one: nothing of it hangs on a pipe to us.
    ///
    /// A program whose file is open for writing is tried again for a second; the thread waits.
    package static func spawn(_ specification: ProcessSpecification) throws(SpawnFailure) -> ProcessIdentity {
        let program = specification.arguments.first ?? ""
        let path = try executable(program, specification)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, specification.outputPath, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        posix_spawn_file_actions_addchdir_np(&actions, specification.workingDirectory)
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, linux_spawn_flags())
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)

        var pid: pid_t = 0
        let result = withCStrings(specification.arguments) { arguments in
            withCStrings(specification.environment.map { "\($0.name)=\($0.value)" }) { environment in
                var result = posix_spawn(&pid, path, &actions, &attributes, arguments, environment)
                // A file that we have just written stays open in a child that another thread is starting, until that child runs its own
                // program: microseconds, as a rule (go.dev/issue/22315).
                var pause: UInt32 = 1
                while result == ETXTBSY, pause <= 512 {
                    usleep(pause * 1000)
                    pause *= 2
                    result = posix_spawn(&pid, path, &actions, &attributes, arguments, environment)
                }
                return result
            }
        }
        guard result == 0 else {
            throw SpawnFailure(program: program, message: "\(String(cString: strerror(result))) (\(path), in \(specification.workingDirectory))")
        }
        // A process that is over already keeps its number until it is reaped, so the number is still its own.
        var identity = ProcessIdentity(pid: pid)
        if identity == nil { identity = ProcessIdentity(endedChild: pid) }
        guard let identity else { throw SpawnFailure(program: program, message: "process \(pid) vanished") }
        return identity
    }

    private static func executable(_ program: String, _ specification: ProcessSpecification) throws(SpawnFailure) -> String {
        if program.isEmpty { throw SpawnFailure(program: program, message: "the command is empty") }
        guard SmallFile.exists(specification.workingDirectory) else {
            throw SpawnFailure(program: program, message: "working directory \(specification.workingDirectory) does not exist")
        }
        if program.contains("/") {
            let path = program.hasPrefix("/") ? program : "\(specification.workingDirectory)/\(program)"
            guard SmallFile.exists(path) else { throw SpawnFailure(program: program, message: "no such file: \(path)") }
            return path
        }
        let search = specification.environment.last { $0.name == "PATH" }?.value ?? ""
        for directory in search.split(separator: ":") {
            let path = "\(directory)/\(program)"
            if access(path, X_OK) == 0, !SmallFile.isDirectory(path) { return path }
        }
        throw SpawnFailure(
            program: program,
            message: "no such program on this machine (PATH is \(search))", isMissingProgram: true)
    }

    private static func withCStrings<Result>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        return body(pointers)
    }
}

extension ProcessIdentity {
    /// A child that has ended and was not reaped yet: its start time is still to be read.
    fileprivate init?(endedChild pid: Int32) {
        guard let text = SmallFile.text("/proc/\(pid)/stat") else { return nil }
        self.init(statLine: text)
    }
}
