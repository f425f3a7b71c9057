import Glibc
import Processes

/// A program that only tells something, run with a deadline.
enum ShortCommand {
    /// Why there is no answer.
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// - Returns: what it wrote to both outputs, 64 KiB at most, and whether it ended with 0.
    /// - Throws: `Failure` when it could not be started, was killed or took too long.
    static func output(
        _ arguments: [String], environment: [String: String], workingDirectory: String, deadline: Duration
    ) async throws(Failure) -> (text: String, isSuccess: Bool) {
        var template = Array("\(environment["TMPDIR"] ?? "/tmp")/reconciler-check-XXXXXX".utf8CString)
        let file = mkstemp(&template)
        guard file >= 0 else { throw Failure(description: "no file for its answer: \(String(cString: strerror(errno)))") }
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
            throw Failure(description: error.message)
        }
        // Cancelled by us once the program has ended, however the caller fares.
        let timer = Task.detached {
            do { try await Task.sleep(for: deadline) } catch { return }  // it ended in time
            process.signalSession(SIGKILL)
        }
        let exit = await ProcessMonitor.shared.exit(of: process)
        timer.cancel()
        guard case .code(let code) = exit else {
            throw Failure(description: exit == .signal(SIGKILL) ? "it was stopped after \(deadline)" : "it ended with \(exit)")
        }
        guard let bytes = SmallFile.bytes(path) else { throw Failure(description: "\(path) is gone") }
        return (String(decoding: bytes.prefix(64 * 1024), as: UTF8.self), code == 0)
    }
}
