import Glibc
import ResourceModel
import TaskModel

/// Reads task documents.
enum TaskFiles {
    /// No document of this size is written by hand; what is larger is a mistake, or without end.
    private static let limit = 64 << 20

    /// The tasks of one document, or of several as one list.
    /// - Parameter paths: `-` is standard input.
    /// - Throws: what is wrong with each of them.
    static func document(_ paths: [String]) throws -> TaskDocument {
        var seen: Set<String> = []
        for path in paths where !seen.insert(path).inserted {
            throw UsageError(path == "-" ? "standard input can be read once only" : "\(path) is given twice")
        }
        var documents: [TaskDocument] = []
        var problems: [Problem] = []
        for path in paths {
            do {
                documents.append(try taskDocument(parsing: try bytes(path), path: path == "-" ? "stdin" : path))
            } catch let problem as Problem {
                problems.append(problem)
            } catch let several as Problems {
                problems += several.problems
            }
        }
        guard problems.isEmpty else { throw Problems(problems) }
        return documents.count == 1 ? documents[0] : try merged(documents)
    }

    private static func bytes(_ path: String) throws -> [UInt8] {
        let name = path == "-" ? "standard input" : path
        if Files.isDirectory(path) {
            throw Problem(code: "file", message: "cannot read \(name): it is a directory", hint: "name the documents in it, such as \(path)/*.md")
        }
        let file = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure(name) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(file, &buffer, buffer.count)
            if count == 0 { return bytes }
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw failure(name) }
            bytes += buffer[..<count]
            if bytes.count > limit {
                throw Problem(code: "file", message: "cannot read \(name): it holds more than \(limit >> 20) MB", hint: "name a document of tasks")
            }
        }
    }

    private static func failure(_ name: String) -> Problem {
        Problem(code: "file", message: "cannot read \(name): \(String(cString: strerror(errno)))")
    }
}
