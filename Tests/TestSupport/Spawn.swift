import Dispatch
import Glibc
import Synchronization

/// Starting programs for fixtures by posix_spawn(3). A fork of the whole test process is slow, and until it has become the
/// program it holds on to every file and lock that other tests close meanwhile.
enum Spawn {
    private static let count = Atomic<Int>(0)

    /// Starts `env` with these arguments, and so a program, in a process group of its own.
    static func start(
        _ command: [String], input: Int32, output: Int32, errors: Int32
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, descriptor) in [input, output, errors].enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
        }
        // Not every file of every test closes by itself: a server must not keep one open. glibc has this since 2.34, for
        // _GNU_SOURCE only, which Swift's importer does not define.
        if let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") {
            typealias CloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
            _ = unsafeBitCast(symbol, to: CloseFrom.self)(&actions, 3)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // POSIX_SPAWN_SETPGROUP 2, SETSIGMASK 8: a dispatch thread blocks signals, and what it starts would ignore SIGTERM.
        posix_spawnattr_setflags(&attributes, 0x02 | 0x08)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        let words = ["env"] + command
        var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var process: pid_t = 0
        let code = posix_spawnp(&process, "env", &actions, &attributes, &pointers, environ)
        guard code == 0 else { throw ScratchRepository.Failure(description: "can't start \(command): \(String(cString: strerror(code)))") }
        return process
    }

    /// Runs a program to its end and returns what it printed.
    /// - Throws: `ScratchRepository.Failure` with what it complained about, unless it exits with 0.
    static func run(_ command: [String], in directory: String, environment: [String: String]) async throws -> String {
        try await offThePool {
            let output = try scratchFile()
            defer { close(output) }
            let errors = try scratchFile()
            defer { close(errors) }
            let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
            defer { close(input) }
            let process = try start(
                ["-C", directory] + environment.map { "\($0.key)=\($0.value)" } + command, input: input, output: output, errors: errors)
            var status: Int32 = 0
            while waitpid(process, &status, 0) < 0 {
                if errno != EINTR { throw ScratchRepository.Failure(description: "lost \(command)") }
            }
            guard status == 0 else {
                throw ScratchRepository.Failure(description: "\(command.joined(separator: " ")): status \(status): \(contents(errors))")
            }
            return contents(output)
        }
    }

    /// Blocking calls keep a thread of their own: the cooperative pool's few are for everybody's tests.
    static func offThePool<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "test.spawn").async { continuation.resume(with: Result { try body() }) }
        }
    }

    /// A file without a name. Not a pipe: another program may inherit its end, and then it never ends.
    private static func scratchFile() throws -> Int32 {
        let path = "/tmp/reconciler-spawn-\(getpid())-\(count.add(1, ordering: .relaxed).newValue)"
        let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw ScratchRepository.Failure(description: "can't make \(path): \(String(cString: strerror(errno)))") }
        unlink(path)
        return file
    }

    private static func contents(_ file: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: max(Int(lseek(file, 0, SEEK_END)), 0))
        let count = pread(file, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    }
}
