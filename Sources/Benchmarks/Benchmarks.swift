import CLinux
import Desired
import Git
import Glibc
import ResourceModel
import Store
import YAML

/// The cases of `scripts/bench` that are not a whole process. Prints `NAME VALUE` lines: seconds, or bytes.
///
///     Benchmarks git URL DIRECTORY     # a repository of APPS directories apps/N, two commits on main and before
///     Benchmarks json FILE             # a list of Deployments, as an API server answers
///     Benchmarks journal STEPS DIRECTORY
@main
struct Benchmarks {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        switch (arguments.first, arguments.count) {
        case ("git", 3): try await git(url: CommandLine.arguments[2], directory: CommandLine.arguments[3])
        case ("json", 2): try json(CommandLine.arguments[2])
        case ("journal", 3): try await journal(steps: Int(CommandLine.arguments[2]) ?? 1000, directory: CommandLine.arguments[3])
        default:
            let usage = Array("usage: Benchmarks git URL DIRECTORY | json FILE | journal STEPS DIRECTORY\n".utf8)
            _ = write(STDERR_FILENO, usage, usage.count)
            exit(64)
        }
    }

    /// The shortest of several runs: what the work takes when nothing else disturbs.
    private static func best(of rounds: Int = 7, _ body: () async throws -> Void) async rethrows -> Double {
        let clock = ContinuousClock()
        var best = Duration.seconds(3600)
        for _ in 0..<rounds {
            let start = clock.now
            try await body()
            best = min(best, clock.now - start)
        }
        return Double(best.components.seconds) + Double(best.components.attoseconds) / 1e18
    }

    // MARK: Git

    /// Which of the applications changed between two commits, and what all of them declare.
    private static func git(url: String, directory: String) async throws {
        let mirror = GitMirror(directory: directory, remote: GitRemote(url: url))
        let before = try await mirror.fetch(ref: "before", deadline: .seconds(60))
        let now = try await mirror.fetch(ref: "main", deadline: .seconds(60))
        let names = try await mirror.snapshot(of: now).entries(at: "apps", recursive: false).map(\.path)
        var changed = 0
        // What the applications were at is remembered from when they were synced.
        let was = try await mirror.snapshot(of: before).objectIDs(at: names)
        let finding = try await best {
            let became = try await mirror.snapshot(of: now).objectIDs(at: names)
            changed = zip(was, became).count { $0 != $1 }
        }
        guard changed == 1 else { throw Problem(code: "benchmark", message: "\(changed) of \(names.count) applications changed, not 1") }
        print("changed-apps \(finding)")

        let files = try await mirror.snapshot(of: now).entries(at: "apps", recursive: true).filter { $0.kind == .file }.prefix(1000)
            .map { FileTreeEntry(path: $0.path, kind: .file, objectID: $0.objectID) }
        var documents = 0
        let reading = try await best {
            let parsed = try await GitFileTree(mirror.snapshot(of: now)).contents(of: files) { index, bytes in
                (try? YAML.documents(in: bytes, path: files[index].path))?.count ?? 0  // counted below
            }
            documents = parsed.reduce(0, +)
        }
        guard documents == files.count else { throw Problem(code: "benchmark", message: "\(documents) documents in \(files.count) files") }
        print("read-manifests \(reading)")
    }

    // MARK: JSON

    private static func json(_ path: String) throws {
        let bytes = try contents(of: path)
        let before = Int(linux_allocated_bytes())
        let kept = try (JSONValue(parsing: bytes)["items"]?.arrayValue ?? []).map { item in
            var item = item
            item[path: "metadata", "managedFields"] = nil
            return item
        }
        let bytesKept = withExtendedLifetime(kept) { Int(linux_allocated_bytes()) - before }
        print("json-bytes-kept \(Double(bytesKept) / Double(kept.count))")
        let clock = ContinuousClock()
        var best = Duration.seconds(3600)
        for _ in 0..<5 {
            let start = clock.now
            let value = try JSONValue(parsing: bytes)
            best = min(best, clock.now - start)
            guard value["items"]?.arrayValue?.isEmpty == false else { throw Problem(code: "benchmark", message: "no items in \(path)") }
        }
        let seconds = Double(best.components.attoseconds) / 1e18 + Double(best.components.seconds)
        print("json-bytes-per-second \(Double(bytes.count) / seconds)")
    }

    private static func contents(of path: String) throws -> [UInt8] {
        guard let file = fopen(path, "r") else { throw Problem(code: "file", message: "\(path): \(String(cString: strerror(errno)))") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return bytes
    }

    // MARK: The journal

    /// What keeping a journal adds to a sync: opening it, and noting each outcome.
    private static func journal(steps: Int, directory: String) async throws {
        let store = try HistoryStore(path: directory + "/benchmark.db")
        let ids = (0..<steps).map { ResourceID(group: "apps", kind: "Deployment", namespace: "bench", name: "deployment-\($0)") }
        let revision = Revision(
            repository: "file:///bench", ref: "main", commit: String(repeating: "a", count: 40), author: "", subject: "", committedAt: 0)
        var report = SyncReport(
            application: "bench", revision: revision, planID: "p", trigger: "cli", startedAt: 0, finishedAt: 0, conclusion: .interrupted, message: "",
            sync: .unknown, health: HealthAssessment(.unknown), steps: ids.map { StepResult(id: $0, actuation: .notReached) })
        let clock = ContinuousClock()
        let start = clock.now
        let journal = try await store.begin(report)
        for id in ids { journal.note(StepResult(id: id, actuation: .created, before: nil, after: String(repeating: "b", count: 64)), at: 0) }
        let spent = clock.now - start
        report.conclusion = .succeeded
        try await store.record(report, closing: journal)
        print("journal \(Double(spent.components.seconds) + Double(spent.components.attoseconds) / 1e18)")
    }
}
