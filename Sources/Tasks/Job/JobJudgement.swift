import ResourceModel
import TaskModel

/// What a Job and its pods say about an attempt.
enum JobJudgement: Sendable, Hashable {
    case running
    /// No container can be begun now; final when that stays so, at once where trying again cannot help.
    case stuck(String, isFinal: Bool)
    case ended(TaskOutcome)
    /// A command failed; which one the log's last line tells.
    case failed(code: Int, pod: String)

    /// - Parameters:
    ///   - job: `nil` when it is gone.
    ///   - pods: those of the Job that are there.
    init(job: JSONValue?, pods: [JSONValue], attempt: TaskAttempt) {
        let all = attempt.commands.joined(separator: "; ")
        guard let job else {
            self = .ended(.interrupted("its Job was deleted by somebody"))
            return
        }
        let annotations = job[path: "metadata", "annotations"]
        if let end = annotations?[JobManifest.endKey]?.stringValue {
            self = .ended(Self.outcome(ofEnd: end, attempt))
            return
        }
        let conditions = (job[path: "status", "conditions"]?.arrayValue ?? []).filter { $0["status"]?.stringValue == "True" }
        func condition(_ type: String) -> JSONValue? { conditions.first { $0["type"]?.stringValue == type } }
        if condition("Complete") != nil {
            self = .ended(.succeeded)
        } else if let failure = condition("Failed") {
            if failure["reason"]?.stringValue == "DeadlineExceeded" {
                self = .ended(.timedOut(seconds: attempt.timeoutSeconds, command: all))
                return
            }
            self = Self.failure(pods, why: failure["message"]?.stringValue ?? "its Job failed", all)
        } else if job[path: "metadata", "deletionTimestamp"] != nil {
            self = .ended(.interrupted("its Job was deleted by somebody"))
        } else {
            self = Self.stuck(pods) ?? .running
        }
    }

    private static func outcome(ofEnd end: String, _ attempt: TaskAttempt) -> TaskOutcome {
        switch end {
        case "withdrawn", "canceled": .canceled
        case "timedOut": .timedOut(seconds: attempt.timeoutSeconds, command: attempt.commands.joined(separator: "; "))
        default: .notStarted(end.hasPrefix("notStarted: ") ? String(end.dropFirst(12)) : end)
        }
    }

    private static func failure(_ pods: [JSONValue], why: String, _ all: String) -> JobJudgement {
        guard let pod = pods.first(where: { $0[path: "status", "phase"]?.stringValue == "Failed" }) ?? pods.first else {
            return .ended(.interrupted("\(why), and its pod is gone: nobody can tell how it ended"))
        }
        let name = pod[path: "metadata", "name"]?.stringValue ?? ""
        let status = pod[path: "status", "containerStatuses"]?.arrayValue?.first?[path: "state", "terminated"]
        guard let status, let code = status["exitCode"]?.integerValue else {
            let reason = [pod[path: "status", "reason"]?.stringValue, pod[path: "status", "message"]?.stringValue].compactMap { $0 }.joined(separator: ": ")
            return .ended(.interrupted("pod \(name) failed\(reason.isEmpty ? "" : ": \(reason)")"))
        }
        switch status["reason"]?.stringValue {
        case "StartError", "ContainerCannotRun", "RunContainerError":
            return .ended(.notStarted("pod \(name): \(status["message"]?.stringValue ?? "its container could not be started")"))
        case "OOMKilled": return .ended(.killed(signal: 9, command: all))
        default: return .failed(code: Int(code), pod: name)
        }
    }

    private static func stuck(_ pods: [JSONValue]) -> JobJudgement? {
        for pod in pods where pod[path: "metadata", "deletionTimestamp"] == nil {
            guard let waiting = pod[path: "status", "containerStatuses"]?.arrayValue?.first?[path: "state", "waiting"],
                let reason = waiting["reason"]?.stringValue
            else { continue }
            let text = "pod \(pod[path: "metadata", "name"]?.stringValue ?? ""): \(reason)" + (waiting["message"]?.stringValue.map { ": \($0)" } ?? "")
            switch reason {
            case "InvalidImageName", "ErrImageNeverPull": return .stuck(text, isFinal: true)
            case "ErrImagePull", "ImagePullBackOff", "ImageInspectError", "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "RegistryUnavailable":
                return .stuck(text, isFinal: false)
            default: continue
            }
        }
        return nil
    }
}
