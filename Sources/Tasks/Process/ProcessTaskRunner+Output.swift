import Glibc
import Processes
import TaskModel

extension ProcessTaskRunner {
    /// `process:NAMESPACE/LIST/TASK NAME.UID/ATTEMPT`.
    package func log(of attempt: TaskAttempt) -> String {
        "process:\(attempt.namespace)/\(attempt.list)/\(Self.place(of: attempt))/\(attempt.number)"
    }

    /// Lines with the time at which each was seen, as `LogFollower` stamps them. A log that grew beyond its bound begins in the middle.
    /// With `follow`, waits for an attempt that has not begun yet.
    package func output(of log: String, follow: Bool) -> AsyncThrowingStream<String, any Error> {
        AsyncThrowingStream { continuation in
            // Ends with the stream (`onTermination`), not with who made it.
            let task = Task.detached { [self] in
                do {
                    let files = try files(ofLog: log)
                    var reader = LogReader(base: files.output)
                    while true {
                        let isOver = try files.isOver()
                        // Nobody else may be there to copy what the commands wrote.
                        LogFollower.catchUp(files.output, limit: limits.logBytes, isOver: isOver)
                        while let lines = reader.lines(isOver: isOver || !follow) {
                            for line in lines { continuation.yield(line) }
                        }
                        if isOver || !follow { break }
                        try await Task.sleep(for: .milliseconds(100))
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func files(ofLog log: String) throws -> AttemptFiles {
        let parts = log.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let place = parts.count == 2 ? parts[1].split(separator: "/", omittingEmptySubsequences: false).map(String.init) : []
        guard parts.first == "process", place.count == 4, let number = Int(place[3]) else {
            throw AttemptFiles.NameProblem(description: "`\(log)` is not the log of a process: it would be process:NAMESPACE/LIST/TASK/ATTEMPT")
        }
        return try AttemptFiles(root: directory, namespace: place[0], list: place[1], name: place[2], number: number)
    }
}

extension AttemptFiles {
    /// Nothing more will be written by the attempt's shell.
    fileprivate func isOver() throws -> Bool {
        switch try state() {
        case .unclaimed: false
        case .withdrawn, .finished: true
        case .running(let process, _): process?.isAlive != true
        }
    }
}

/// Reads a log that may be rotated meanwhile.
private struct LogReader {
    private let path: String
    private var hasReadOlder = false
    private var partial: [UInt8] = []
    private var current = Handle(-1)

    private final class Handle: Sendable {
        let file: Int32
        init(_ file: Int32) { self.file = file }
        deinit { if file >= 0 { close(file) } }
    }

    init(base: String) { path = base + ".log" }

    /// The next lines; `nil` when there are none now.
    /// - Parameter isOver: a line without an end is one too.
    mutating func lines(isOver: Bool) -> [String]? {
        if current.file < 0 {
            let older = hasReadOlder ? -1 : open(path + ".1", O_RDONLY | O_CLOEXEC)
            hasReadOlder = true
            current = Handle(older >= 0 ? older : open(path, O_RDONLY | O_CLOEXEC))
            if current.file < 0 { return nil }
        }
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        let count = read(current.file, &chunk, chunk.count)
        if count > 0 {
            partial.append(contentsOf: chunk[..<count])
            var lines = partial.split(separator: 10, omittingEmptySubsequences: false)
            let rest = lines.removeLast()
            let result = lines.map { String(decoding: $0, as: UTF8.self) }
            partial = Array(rest)
            return result
        }
        if moved() {
            current = Handle(open(path, O_RDONLY | O_CLOEXEC))
            return current.file < 0 ? nil : []
        }
        guard isOver, !partial.isEmpty else { return nil }
        defer { partial = [] }
        return [String(decoding: partial, as: UTF8.self)]
    }

    /// The open file is no longer the one of that name.
    private func moved() -> Bool {
        var (mine, named) = (stat(), stat())
        guard fstat(current.file, &mine) == 0, stat(path, &named) == 0 else { return false }
        return mine.st_ino != named.st_ino
    }
}
