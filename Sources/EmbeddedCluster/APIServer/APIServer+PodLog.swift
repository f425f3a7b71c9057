import Glibc
import ResourceModel

extension APIServer {
    /// What `kubectl logs` reads: the container's log file, from its end or from a moment on, followed when asked.
    func podLog(_ target: Target, _ request: APIRequest) throws -> APIResponse {
        guard let pod = store.object(target.key) else { throw APIStatus.notFound(target.resource, target.name) }
        let spec = pod.body["spec"]
        let names = ["initContainers", "containers"].flatMap { spec?[$0]?.arrayValue ?? [] }.compactMap { $0["name"]?.stringValue }
        let container: String
        if let asked = request.parameter("container") {
            guard names.contains(asked) else {
                throw APIStatus.badRequest("container \(asked) is not valid for pod \(target.name)")
            }
            container = asked
        } else {
            let main = spec?["containers"]?.arrayValue ?? []
            guard main.count == 1, names.count == 1 else {
                throw APIStatus.badRequest(
                    "a container name must be specified for pod \(target.name), choose one of: [\(names.joined(separator: " "))]")
            }
            container = names[0]
        }
        let previous = request.parameter("previous") == "true"
        guard
            let path = podLogs?.logFile(
                namespace: target.namespace, pod: target.name, uid: pod.uid, container: container, previous: previous)
        else {
            let reason = pod.body[path: "status", "containerStatuses"]?.arrayValue?
                .first { $0["name"]?.stringValue == container }?[path: "state", "waiting", "reason"]?.stringValue ?? "ContainerCreating"
            throw APIStatus.badRequest(
                "container \"\(container)\" in pod \"\(target.name)\" is waiting to start: \(reason)")
        }
        let reader = LogReader(
            path: path, tail: request.parameter("tailLines").flatMap(Int.init),
            since: request.parameter("sinceSeconds").flatMap(Int64.init).map { Timestamp.seconds() - $0 }
                ?? request.parameter("sinceTime").flatMap(Timestamp.parse),
            withTimes: request.parameter("timestamps") == "true", limit: request.parameter("limitBytes").flatMap(Int.init))
        let follow = request.parameter("follow") == "true"
        let store = self.store
        let key = target.key
        return APIResponse(
            status: 200, contentType: "text/plain",
            body: .stream { writer in
                var reader = reader
                try await writer.write(try reader.first())
                guard follow else { return }
                while true {
                    let more = try reader.next()
                    if !more.isEmpty {
                        try await writer.write(more)
                        continue
                    }
                    // Followed by looking again: the container's process writes the file, nobody tells us.
                    let phase = store.object(key).map { $0.body[path: "status", "phase"]?.stringValue ?? "" }
                    if phase == nil || phase == "Succeeded" || phase == "Failed" { return }
                    try await Task.sleep(for: .milliseconds(200))
                }
            })
    }
}

/// Reads a log file of lines `TIME TEXT`.
struct LogReader: Sendable {
    let path: String
    let tail: Int?
    let since: Int64?
    let withTimes: Bool
    let limit: Int?
    private var offset: Int = 0

    init(path: String, tail: Int?, since: Int64?, withTimes: Bool, limit: Int?) {
        self.path = path
        self.tail = tail
        self.since = since
        self.withTimes = withTimes
        self.limit = limit
    }

    /// What is there, as far as it is asked for.
    mutating func first() throws -> [UInt8] {
        var lines = try lines()
        if let since {
            lines = Array(lines.drop { line in
                let time = line.prefix { $0 != UInt8(ascii: " ") }
                return (Timestamp.parse(String(decoding: time, as: UTF8.self)) ?? Int64.max) < since
            })
        }
        if let tail, tail >= 0 { lines = Array(lines.suffix(tail)) }
        var output = rendered(lines)
        if let limit, output.count > limit { output = Array(output.prefix(limit)) }
        return output
    }

    /// What has come since the last read.
    mutating func next() throws -> [UInt8] { rendered(try lines()) }

    private func rendered(_ lines: [ArraySlice<UInt8>]) -> [UInt8] {
        var output: [UInt8] = []
        for line in lines {
            if withTimes {
                output.append(contentsOf: line)
            } else if let space = line.firstIndex(of: UInt8(ascii: " ")) {
                output.append(contentsOf: line[(space + 1)...])
            } else {
                output.append(contentsOf: line)
            }
        }
        return output
    }

    /// The whole lines after `offset`, which moves behind them.
    private mutating func lines() throws -> [ArraySlice<UInt8>] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        lseek(file, off_t(offset), SEEK_SET)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = read(file, &chunk, chunk.count)
            if count <= 0 { break }
            bytes.append(contentsOf: chunk[..<count])
        }
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") {
            lines.append(bytes[start...index])
            start = index + 1
        }
        offset += start
        return lines
    }
}
