import KubernetesClient
import ResourceModel
import TaskModel

extension JobTaskRunner {
    /// `job:NAMESPACE/NAME`.
    package func log(of attempt: TaskAttempt) -> String { "job:\(attempt.namespace)/\(JobManifest(attempt: attempt).name)" }

    /// The log of the Job's pod, each line with its time.
    package func output(of log: String, follow: Bool) -> AsyncThrowingStream<String, any Error> {
        AsyncThrowingStream { continuation in
            // Ends with the stream (`onTermination`), not with who made it.
            let task = Task.detached { [self] in
                do {
                    let place = log.hasPrefix("job:") ? log.dropFirst(4).split(separator: "/", omittingEmptySubsequences: false).map(String.init) : []
                    guard place.count == 2 else {
                        throw Problem(code: "task.log", message: "`\(log)` is not the log of a Job: it would be job:NAMESPACE/NAME")
                    }
                    if let pod = try await pod(namespace: place[0], job: place[1], waits: follow) {
                        try await read(pod: pod, namespace: place[0], query: [("follow", follow ? "true" : nil), ("timestamps", "true")]) { continuation.yield($0) }
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    /// The Job's pod, once it has begun; `nil` when there is none, or will not be.
    private func pod(namespace: String, job: String, waits: Bool) async throws -> String? {
        let pods = try await pods()
        for try await event in client.listAndWatch(pods, namespace: namespace, labelSelector: "job-name=\(job)") {
            var seen: [JSONValue] = []
            switch event {
            case .listed(let items, _): seen = items
            case .added(let object), .modified(let object): seen = [object]
            default: break
            }
            if let pod = seen.first(where: { !waits || $0[path: "status", "phase"]?.stringValue != "Pending" }) {
                return pod[path: "metadata", "name"]?.stringValue
            }
            if !waits { return nil }
        }
        return nil
    }

    private func read(pod: String, namespace: String, query: [(String, String?)], _ take: (String) -> Void) async throws {
        let path = "/api/v1/namespaces/\(percentEncoded(namespace))/pods/\(percentEncoded(pod))/log"
        let stream = try await client.rawStream(path: path, query: queryString(query + [("container", "task")]))
        guard stream.status == 200 else {
            let text = String(decoding: try await stream.rest(), as: UTF8.self)
            throw Problem(code: "task.log", message: "the log of pod \(namespace)/\(pod) cannot be read: HTTP status \(stream.status): \(text.prefix(300))")
        }
        for try await line in stream.lines { take(String(decoding: line, as: UTF8.self)) }
    }

    /// - Throws: when the log cannot be read.
    func lastLine(pod: String, namespace: String) async throws -> String? {
        var last: String?
        try await read(pod: pod, namespace: namespace, query: [("tailLines", "1")]) { last = $0 }
        return last
    }
}
