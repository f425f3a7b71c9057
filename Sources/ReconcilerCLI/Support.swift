import ArgumentParser
import Glibc
import Logging
import ResourceModel
import Synchronization

enum Log {
    /// `$RECONCILER_LOG_LEVEL`: trace, debug, info, notice, warning (default), error.
    static func bootstrap(default level: Logger.Level = .warning) {
        let level = Environment.value("RECONCILER_LOG_LEVEL").flatMap { Logger.Level(rawValue: $0) } ?? level
        LoggingSystem.bootstrap { label in
            var handler = AfterHeldLines(StreamLogHandler.standardError(label: label))
            handler.logLevel = level
            return handler
        }
    }

    /// Keeps the order of what is told and what is logged.
    private struct AfterHeldLines: LogHandler {
        private var handler: StreamLogHandler

        init(_ handler: StreamLogHandler) { self.handler = handler }

        var logLevel: Logger.Level {
            get { handler.logLevel }
            set { handler.logLevel = newValue }
        }
        var metadata: Logger.Metadata {
            get { handler.metadata }
            set { handler.metadata = newValue }
        }
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { handler[metadataKey: key] }
            set { handler[metadataKey: key] = newValue }
        }

        func log(event: LogEvent) {
            Terminal.flush()
            handler.log(event: event)
        }
    }

    static func logger(_ label: String) -> Logger { Logger(label: label) }
}

enum Clocks {
    /// Seconds since 1970-01-01 UTC.
    static let now: @Sendable () -> Double = {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// `2026-11-21 06:05:00` in UTC.
    static func text(_ seconds: Double) -> String {
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    }
}

enum Person {
    /// Who typed the command: `cli:USER@HOST`.
    static let trigger = "cli:\(name)"

    /// `USER@HOST`.
    static let name: String = {
        let user = getpwuid(geteuid()).flatMap { $0.pointee.pw_name }.map { String(cString: $0) } ?? "\(geteuid())"
        var name = [CChar](repeating: 0, count: 256)
        let host = gethostname(&name, name.count - 1) == 0 ? String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : "localhost"
        return "\(user)@\(host)"
    }()
}

extension Clocks {
    /// `2026-11-21T06:05:00Z` (RFC 3339), for programs.
    static func timestamp(_ seconds: Double) -> String { text(seconds).replacing(" ", with: "T") + "Z" }

    /// The time that `2026-11-21T06:05:00Z` tells, fractions left out; `nil` for text in another form.
    static func seconds(parsing text: String) -> Double? {
        let numbers = text.split { !$0.isNumber }.prefix(6).compactMap { Int32($0) }
        guard text.hasSuffix("Z"), numbers.count == 6 else { return nil }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (numbers[0] - 1900, numbers[1] - 1, numbers[2])
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (numbers[3], numbers[4], numbers[5])
        return Double(timegm(&parts))
    }
}

enum Files {
    static func read(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "r") else { throw failure("read", path) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            bytes += buffer[..<count]
            if count < buffer.count {
                if ferror(file) != 0 { throw failure("read", path) }
                return bytes
            }
        }
    }

    /// Writes a whole file that only its owner may read.
    static func write(_ bytes: [UInt8], to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("write", path) }
        defer { close(file) }
        var start = 0
        while start < bytes.count {
            let count = bytes[start...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("write", path) }
            start += count
        }
    }

    /// A path from the root on, as it stands; symbolic links are not followed.
    static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/") else { return path }
        guard let buffer = getcwd(nil, 0) else { return path }
        defer { free(buffer) }
        let here = String(cString: buffer)
        return path == "." || path.isEmpty ? here : "\(here)/\(path)"
    }

    static func isDirectory(_ path: String) -> Bool {
        var facts = stat()
        return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
    }

    static func makeDirectory(_ path: String) throws {
        var partial = ""
        for component in path.split(separator: "/") {
            partial += "/" + component
            if mkdir(partial, 0o700) != 0, errno != EEXIST { throw failure("make the directory", partial, hint: anotherPlace) }
        }
        var facts = stat()
        if stat(path, &facts) == 0, facts.st_mode & S_IFMT != S_IFDIR {
            throw Problem(code: "file", message: "\(path) is not a directory", hint: anotherPlace)
        }
        if access(path, W_OK | X_OK) != 0 { throw failure("write to", path, hint: anotherPlace) }
    }

    private static let anotherPlace = "choose another state directory with --state-dir or $RECONCILER_STATE_DIR"

    private static func failure(_ verb: String, _ path: String, hint: String? = nil) -> Problem {
        Problem(code: "file", message: "cannot \(verb) \(path): \(String(cString: strerror(errno)))", hint: hint)
    }
}

/// Runs a command's body and ends the process: its errors go to standard error, its exit code is the one of docs/cli.md.
func exiting(_ body: () async throws -> Int32) async throws {
    defer { Terminal.flush() }
    let code: Int32
    do {
        code = try await body()
    } catch let error as ExitCode {
        throw error
    } catch {
        Terminal.error("error: \(error)")
        code = exitCode(for: error)
    }
    // Ends without the libraries' exit handlers: they clean up under the feet of threads that still run (curl's, SQLite's), and
    // one in two runs that failed early crashed there. Everything that must be kept has been written.
    Terminal.flush()
    fflush(nil)
    _exit(code)
}

/// Leaves a value in memory to the end of the process: a large one takes milliseconds to be taken apart, which a process that ends now
/// need not do.
func leaveToTheEnd(_ value: some Sendable) { _ = Unmanaged.passRetained(Left(value)) }

private final class Left<Value: Sendable>: Sendable {
    private let value: Value
    init(_ value: Value) { self.value = value }
}

/// 1 failed, 3 refused, 4 unreachable, 64 usage.
func exitCode(for error: any Error) -> Int32 {
    switch (error as? any ClassifiedError)?.failureKind {
    case .refused: 3
    case .unreachable: 4
    case .usage: 64
    case .failed, nil: error is Refusal ? 3 : 1
    }
}

enum Terminal {
    private static let held = Mutex<[UInt8]>([])
    private static let mostHeld = 16_384  // bytes

    /// Writes one line to standard error, in one piece.
    static func error(_ line: String) {
        held.withLock { lines in
            write(lines + Array((line + "\n").utf8))
            lines = []
        }
    }

    /// One line of a thousand: at once to a person, elsewhere together with the others of a twentieth of a second, since whoever reads a pipe is
    /// woken by each write.
    static func progress(_ line: String) {
        if isInteractive { return error(line) }
        let isFirst = held.withLock { lines in
            let isFirst = lines.isEmpty
            lines += line.utf8
            lines.append(UInt8(ascii: "\n"))
            if lines.count > mostHeld {
                write(lines)
                lines = []
            }
            return isFirst
        }
        if isFirst {
            Task {
                try? await Task.sleep(for: .milliseconds(50))  // woken early is as good
                flush()
            }
        }
    }

    /// Writes the lines that are still held.
    static func flush() {
        held.withLock { lines in
            write(lines)
            lines = []
        }
    }

    private static func write(_ bytes: [UInt8]) {
        var start = 0
        while start < bytes.count {
            let count = bytes[start...].withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else { return }  // nobody reads it
            start += max(0, count)
        }
    }
    static let isInteractive = isatty(STDERR_FILENO) == 1
}

/// `-o`.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable { case table, json, yaml }

/// Columns as wide as their widest cell.
func table(_ header: [String], _ rows: [[String]]) -> String {
    let all = [header] + rows
    let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    return all.map { row in
        let line = row.enumerated().map { column, cell in
            column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count + 3)
        }.joined()
        return String(line[..<(line.lastIndex { $0 != " " }.map(line.index(after:)) ?? line.startIndex)])
    }.joined(separator: "\n")
}
