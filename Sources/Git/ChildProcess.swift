import CLibGit2
import Glibc

/// A running program in a session of its own, with a socket as its standard input and output. Every wait ends with the operation.
final class ChildProcess {
    /// Why a program did not start: `errno`.
    struct StartFailure: Error {
        var code: Int32
        var isMissing: Bool { code == ENOENT }
        var words: String { String(cString: strerror(code)) }
    }

    private let operation: Operation
    private let process: pid_t
    private var socket: Int32
    /// What it says on its standard error, in memory.
    private var words: Int32
    private var status: Int32?
    private var hasEnded = false

    /// Starts the program `arguments[0]`, looked for on PATH.
    /// - Parameter leavingOut: variables of this process that it must not see.
    init(_ arguments: [String], leavingOut: Set<String> = [], operation: Operation) throws(StartFailure) {
        self.operation = operation
        var pair: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &pair) == 0 else {
            throw StartFailure(code: errno)
        }
        socket = pair[0]
        words = rc_memory_file("child-words")
        _ = fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK)
        let (code, process) = ChildProcess.spawn(arguments, leavingOut, input: pair[1], words: words)
        close(pair[1])
        self.process = process
        guard code == 0 else {
            hasEnded = true
            close(socket)
            close(words)
            socket = -1
            words = -1
            throw StartFailure(code: code)
        }
    }

    deinit { terminate() }

    private static func spawn(_ arguments: [String], _ leavingOut: Set<String>, input: Int32, words: Int32) -> (Int32, pid_t) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, input, 1)
        if words >= 0 { posix_spawn_file_actions_adddup2(&actions, words, 2) }
        rc_close_from(&actions, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Without a terminal of its own nothing can ask for a passphrase there. <spawn.h>: SETSIGDEF 4, SETSIGMASK 8, SETSID 0x80.
        posix_spawnattr_setflags(&attributes, 0x04 | 0x08 | 0x80)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var process: pid_t = 0
        var variables: [UnsafeMutablePointer<CChar>?] = []
        var next = environ
        while let variable = next.pointee {
            let name = String(cString: variable).prefix { $0 != "=" }
            if !leavingOut.contains(String(name)) { variables.append(variable) }
            next += 1
        }
        variables.append(nil)
        let code = posix_spawnp(&process, arguments[0], &actions, &attributes, &pointers, &variables)
        return (code, process)
    }

    /// - Returns: how many bytes; 0 at the end, -1 for a failure or a stopped operation.
    func read(into buffer: UnsafeMutablePointer<CChar>, count: Int) -> Int {
        while true {
            let received = recv(socket, buffer, count, 0)
            if received >= 0 { return received }
            if errno == EINTR { continue }
            guard errno == EAGAIN, operation.wait(for: socket, events: POLLIN) else { return -1 }
        }
    }

    /// Writes everything.
    func write(_ bytes: UnsafePointer<CChar>, count: Int) -> Bool {
        var written = 0
        while written < count {
            let sent = send(socket, bytes + written, count - written, Int32(MSG_NOSIGNAL))
            if sent >= 0 {
                written += sent
            } else if errno != EINTR {
                guard errno == EAGAIN, operation.wait(for: socket, events: POLLOUT) else { return false }
            }
        }
        return true
    }

    /// Tells the program that nothing more comes.
    func finishWriting() { shutdown(socket, Int32(SHUT_WR)) }

    /// Everything that it still prints.
    /// - Returns: nil for a failure or a stopped operation.
    func readToEnd() -> [UInt8]? {
        var result: [UInt8] = []
        var buffer = [CChar](repeating: 0, count: 4_096)
        while true {
            let count = read(into: &buffer, count: buffer.count)
            if count == 0 { return result }
            guard count > 0 else { return nil }
            result += buffer[..<count].map { UInt8(bitPattern: $0) }
        }
    }

    /// Waits a moment for its end, and ends it then.
    /// - Returns: its exit status (nil if it was ended by a signal) and its last words.
    func ending() -> (status: Int32?, words: String) {
        if operation.stopped == nil { reap(withinMilliseconds: 2_000) }
        let text = said()
        terminate()
        return (status, text)
    }

    /// Ends it, and whatever it started, and collects it.
    func terminate() {
        if socket >= 0 { close(socket) }
        socket = -1
        if !hasEnded {
            kill(-process, SIGTERM)
            reap(withinMilliseconds: 500)
            if !hasEnded {
                kill(-process, SIGKILL)
                reap(withinMilliseconds: nil)
            }
        }
        if words >= 0 { close(words) }
        words = -1
    }

    private func reap(withinMilliseconds limit: Int?) {
        var waited = 0
        while !hasEnded {
            var code: Int32 = 0
            let result = waitpid(process, &code, limit == nil ? 0 : WNOHANG)
            if result == process {
                hasEnded = true
                status = code & 0x7f == 0 ? (code >> 8) & 0xff : nil
            } else if result < 0 && errno != EINTR {
                hasEnded = true  // Somebody else collected it.
            } else if let limit {
                if waited >= limit { return }
                usleep(2_000)
                waited += 2
            }
        }
    }

    /// The last 2,000 bytes that it wrote, without ssh's frames of `@`.
    private func said() -> String {
        guard words >= 0 else { return "" }
        let end = Int(lseek(words, 0, SEEK_END))
        guard end > 0 else { return "" }
        var bytes = [UInt8](repeating: 0, count: min(end, 2_000))
        let count = pread(words, &bytes, bytes.count, off_t(end - bytes.count))
        let lines = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
            .split(whereSeparator: \.isNewline).filter { !$0.allSatisfy { $0 == "@" || $0 == " " } }
        return lines.joined(separator: "; ")
    }
}
