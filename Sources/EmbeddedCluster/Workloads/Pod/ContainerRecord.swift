import Processes
import ResourceModel

/// How a container ended.
struct ContainerTermination: Sendable, Hashable {
    var exitCode: Int
    var signal: Int?
    /// `Completed`, `Error`, `StartError`, `ContainerStatusUnknown`.
    var reason: String
    var message: String?
    var startedAt: Int64
    var finishedAt: Int64

    init(exitCode: Int, signal: Int? = nil, reason: String, message: String? = nil, startedAt: Int64, finishedAt: Int64) {
        self.exitCode = exitCode
        self.signal = signal
        self.reason = reason
        self.message = message
        self.startedAt = startedAt
        self.finishedAt = finishedAt
    }

    init(_ exit: ProcessExit, startedAt: Int64, finishedAt: Int64) {
        switch exit {
        case .code(let code):
            self.init(exitCode: Int(code), reason: code == 0 ? "Completed" : "Error", startedAt: startedAt, finishedAt: finishedAt)
        case .signal(let signal):
            self.init(
                exitCode: 128 + Int(signal), signal: Int(signal), reason: "Error", startedAt: startedAt, finishedAt: finishedAt)
        case .unknown:
            self.init(
                exitCode: 137, reason: "ContainerStatusUnknown",
                message: "The process ended while the embedded cluster was not running, so its exit code is not known",
                startedAt: startedAt, finishedAt: finishedAt)
        }
    }

    var json: JSONValue {
        var value: JSONValue = ["exitCode": .count(exitCode)]
        if let signal { value["signal"] = .count(signal) }
        value["reason"] = .string(reason)
        if let message { value["message"] = .string(message) }
        value["startedAt"] = .string(Timestamp.string(startedAt))
        value["finishedAt"] = .string(Timestamp.string(finishedAt))
        return value
    }

    init?(json: JSONValue?) {
        guard let json, let code = json["exitCode"]?.integerValue else { return nil }
        self.init(
            exitCode: Int(code), signal: json["signal"]?.integerValue.map(Int.init), reason: json["reason"]?.stringValue ?? "",
            message: json["message"]?.stringValue, startedAt: json["startedAt"]?.stringValue.flatMap(Timestamp.parse) ?? 0,
            finishedAt: json["finishedAt"]?.stringValue.flatMap(Timestamp.parse) ?? 0)
    }
}

/// What a container's part in its pod is.
enum ContainerRole: Sendable, Hashable {
    /// Runs to its end before the next one starts.
    case initial
    /// An init container with `restartPolicy: Always`: runs beside the others.
    case sidecar
    case main
}

/// What is known of a container of a pod.
struct ContainerRecord: Sendable, Hashable {
    enum State: Sendable, Hashable {
        case waiting(reason: String, message: String?)
        case running(since: Int64)
        case terminated(ContainerTermination)
    }

    var name: String
    var image: String
    var role: ContainerRole
    var state: State = .waiting(reason: "PodInitializing", message: nil)
    var last: ContainerTermination?
    var restartCount = 0
    var isReady = false
    /// The startup probe has succeeded, or there is none.
    var isStarted = false
    /// The running process.
    var process: ProcessIdentity?
    /// It was stopped because the cluster stopped, and starts again with it whatever its restart policy says.
    var isInterrupted = false

    var termination: ContainerTermination? { if case .terminated(let value) = state { value } else { nil } }
    var isRunning: Bool { if case .running = state { true } else { false } }

    /// The entry in `containerStatuses`.
    var status: JSONValue {
        var value: JSONValue = [
            "name": .string(name), "image": .string(image), "imageID": "", "restartCount": .count(restartCount),
            "ready": .bool(isReady || (role == .initial && termination?.exitCode == 0)), "started": .bool(isStarted && isRunning),
        ]
        switch state {
        case .waiting(let reason, let message):
            value[path: "state", "waiting"] = ["reason": .string(reason)]
            if let message { value[path: "state", "waiting", "message"] = .string(message) }
        case .running(let since): value[path: "state", "running"] = ["startedAt": .string(Timestamp.string(since))]
        case .terminated(let end): value[path: "state", "terminated"] = end.json
        }
        value["lastState"] = last.map { ["terminated": $0.json] } ?? [:]
        if let process { value["containerID"] = .string("process://\(process.pid)") }
        return value
    }
}

/// The state file: what a later process needs to find the pod's processes again.
extension ContainerRecord {
    var saved: JSONValue {
        var value = status
        if let process {
            value["pid"] = .integer(Int64(process.pid))
            value["startTicks"] = .integer(Int64(process.startTicks))
        }
        value["interrupted"] = .bool(isInterrupted)
        return value
    }

    /// Takes over what was saved.
    mutating func restore(_ saved: JSONValue) {
        restartCount = saved.count("restartCount")
        last = ContainerTermination(json: saved[path: "lastState", "terminated"])
        isInterrupted = saved["interrupted"]?.boolValue ?? false
        isReady = saved["ready"]?.boolValue ?? false
        isStarted = saved["started"]?.boolValue ?? false
        if let end = ContainerTermination(json: saved[path: "state", "terminated"]) {
            state = .terminated(end)
        } else if let since = saved[path: "state", "running", "startedAt"]?.stringValue.flatMap(Timestamp.parse) {
            state = .running(since: since)
        } else if let waiting = saved[path: "state", "waiting"] {
            state = .waiting(reason: waiting["reason"]?.stringValue ?? "", message: waiting["message"]?.stringValue)
        }
        process = ProcessIdentity(saved: saved)
    }
}

extension ProcessIdentity {
    /// From a container's entry in a state file; `nil` when nothing ran.
    init?(saved: JSONValue) {
        guard let pid = saved["pid"]?.integerValue, let ticks = saved["startTicks"]?.integerValue else { return nil }
        self.init(pid: Int32(pid), startTicks: UInt64(ticks))
    }
}
