import Glibc
import Processes

/// A program that only tells something, run with a deadline.
enum ShortCommand {
    /// What it wrote to both outputs, 64 KiB at most; `nil` when it failed, could not be started or took too long.
    static func output(
        _ arguments: [String], environment: [String: String], workingDirectory: String, deadline: Duration
    ) async -> (text: String, isSuccess: Bool)? {
        var template = Array("\(environment["TMPDIR"] ?? "/tmp")/reconciler-check-XXXXXX".utf8CString)
        let file = mkstemp(&template)
        guard file >= 0 else { return nil }
        close(file)
        let path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(path) }
        let process: ProcessIdentity
        do {
            process = try ProcessSpawner.spawn(
                ProcessSpecification(
                    arguments: arguments, environment: environment.map { (name: $0.key, value: $0.value) }, workingDirectory: workingDirectory,
                    outputPath: path))
        } catch {
            return nil  // The caller has looked for the program already; what else there is does not matter to a check.
        }
        // Cancelled by us once the program has ended, however the caller fares.
        let timer = Task.detached {
            do { try await Task.sleep(for: deadline) } catch { return }  // it ended in time
            process.signalSession(SIGKILL)
        }
        let exit = await ProcessMonitor.shared.exit(of: process)
        timer.cancel()
        guard case .code(let code) = exit, let bytes = SmallFile.bytes(path) else { return nil }
        return (String(decoding: bytes.prefix(64 * 1024), as: UTF8.self), code == 0)
    }
}
