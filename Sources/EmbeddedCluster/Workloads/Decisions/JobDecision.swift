import ResourceModel

/// What to do about a Job: a pure function of what is seen.
struct JobDecision: Sendable, Hashable {
    /// Pods to create: completion indexes for Indexed Jobs, `nil` otherwise.
    var create: [Int?] = []
    var delete: [String] = []
    /// The whole status; `nil` when it stays.
    var status: JSONValue?
    /// `ttlSecondsAfterFinished` is over.
    var deletesJob = false
    var wakeUp: Int64?
    /// Event of type, reason, message.
    var events: [JobEvent] = []

    struct JobEvent: Sendable, Hashable {
        var isWarning = false
        var reason: String
        var message: String
    }

    /// - Parameters:
    ///   - pods: the pods that the Job controls.
    ///   - backoff: seconds to wait after the first failed pod; doubles with each failure up to 60 times that.
    static func decide(_ job: JSONValue, pods: [JSONValue], backoff: Int64 = 10, now: Int64) -> JobDecision {
        var step = JobStep(job: job, pods: pods, backoff: backoff, now: now)
        step.run()
        return step.decision
    }
}

/// One look at a Job.
private struct JobStep {
    let job: JSONValue
    let pods: [JSONValue]
    let backoff: Int64
    let now: Int64
    var decision = JobDecision()
    var status: JSONValue
    var conditions: [JSONValue]

    init(job: JSONValue, pods: [JSONValue], backoff: Int64, now: Int64) {
        self.job = job
        self.pods = pods
        self.backoff = backoff
        self.now = now
        status = job["status"] ?? [:]
        conditions = job[path: "status", "conditions"]?.arrayValue ?? []
    }

    private var completions: Int? { job[path: "spec", "completions"]?.integerValue.map(Int.init) }
    private var parallelism: Int { job.count("spec", "parallelism", fallback: 1) }
    private var isIndexed: Bool { job[path: "spec", "completionMode"]?.stringValue == "Indexed" }
    private var isSuspended: Bool { job[path: "spec", "suspend"]?.boolValue ?? false }
    private func has(_ type: String) -> Bool {
        conditions.contains { $0["type"]?.stringValue == type && $0["status"]?.stringValue == "True" }
    }

    mutating func run() {
        if job.objectIsBeingDeleted { return }
        if has("Complete") || has("Failed") { return expire() }
        let active = pods.filter(\.podIsActive)
        let terminating = pods.filter { $0.objectIsBeingDeleted && !$0.podIsFinished }
        let failed = failures
        var completed = CompletedIndexes(job[path: "status", "completedIndexes"]?.stringValue ?? "")
        for pod in pods where pod.podPhase == "Succeeded" {
            if let index = Self.index(of: pod), index < completions ?? 0 { completed.insert(index) }
        }
        let finished = pods.filter { $0.podPhase == "Succeeded" }.count
        let succeeded = isIndexed ? completed.count : max(job.count("status", "succeeded"), finished)

        if !isSuspended, status["startTime"] == nil { status["startTime"] = .string(Timestamp.string(now)) }
        judge(active: active, succeeded: succeeded, failed: failed)
        var activeCount = active.count
        let isEnding = has("FailureTarget") || has("SuccessCriteriaMet")
        if isEnding || isSuspended {
            decision.delete = active.map(\.objectName)
            activeCount = 0
            if isEnding { conclude(isQuiet: active.isEmpty && terminating.isEmpty) }
        } else {
            activeCount += size(active: active, terminating: terminating.count, succeeded: succeeded, completed: completed)
        }
        noteSuspension()

        set("active", activeCount)
        set("ready", active.filter(\.podIsReady).count, keepsZero: true)
        set("terminating", terminating.count + decision.delete.count, keepsZero: true)
        set("succeeded", succeeded)
        set("failed", failed)
        if isIndexed, completed.count > 0 { status["completedIndexes"] = .string(completed.text) }
        status["uncountedTerminatedPods"] = [:]
        status["conditions"] = conditions.isEmpty ? nil : .array(conditions)
        if status != job["status"] { decision.status = status }
    }

    private mutating func set(_ key: String, _ number: Int, keepsZero: Bool = false) {
        status[key] = number > 0 || keepsZero ? .count(number) : nil
    }

    private static func index(of pod: JSONValue) -> Int? {
        pod.objectAnnotations["batch.kubernetes.io/job-completion-index"]?.stringValue.flatMap { Int($0) }
    }

    /// Failed pods; those deleted before they ended count too, unless the Job itself takes them away.
    private var failures: Int {
        let present = pods.filter { $0.podPhase == "Failed" }.count
        return max(job.count("status", "failed"), present)
    }

    // MARK: Ends

    /// Sets the condition that ends the Job, when there is a reason.
    private mutating func judge(active: [JSONValue], succeeded: Int, failed: Int) {
        if has("FailureTarget") || has("SuccessCriteriaMet") { return }
        let limit = job.count("spec", "backoffLimit", fallback: 6)
        let isOnFailure = job[path: "spec", "template", "spec", "restartPolicy"]?.stringValue == "OnFailure"
        let restarts = isOnFailure ? active.filter { $0.podPhase == "Running" || $0.podPhase == "Pending" }.reduce(0) { $0 + $1.podRestarts } : 0
        if failed > limit || (isOnFailure && (limit == 0 ? restarts > 0 : restarts >= limit)) {
            return end("FailureTarget", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
        }
        if let seconds = job[path: "spec", "activeDeadlineSeconds"]?.integerValue, !isSuspended,
            let start = status["startTime"]?.stringValue.flatMap(Timestamp.parse)
        {
            if now >= start + seconds {
                return end("FailureTarget", "DeadlineExceeded", "Job was active longer than specified deadline")
            }
            wake(at: start + seconds)
        }
        if let completions {
            if succeeded >= completions {
                end("SuccessCriteriaMet", "CompletionsReached", "Reached expected number of succeeded pods")
            }
        } else if succeeded > 0, active.isEmpty {
            end("SuccessCriteriaMet", "CompletionsReached", "Reached expected number of succeeded pods")
        }
    }

    private mutating func end(_ type: String, _ reason: String, _ message: String) { setCondition(type, "True", reason, message) }

    private mutating func setCondition(_ type: String, _ status: String, _ reason: String, _ message: String) {
        conditions = Conditions.setting(
            type, status, reason: reason, message: message, in: conditions, now: Timestamp.string(now), extraTime: "lastProbeTime")
    }

    /// Once no pod runs any more: Complete or Failed.
    private mutating func conclude(isQuiet: Bool) {
        guard isQuiet else { return }
        let cause = conditions.first { ["FailureTarget", "SuccessCriteriaMet"].contains($0["type"]?.stringValue ?? "") }
        let reason = cause?["reason"]?.stringValue ?? ""
        let message = cause?["message"]?.stringValue ?? ""
        if has("SuccessCriteriaMet") {
            setCondition("Complete", "True", reason, message)
            status["completionTime"] = .string(Timestamp.string(now))
            decision.events.append(.init(reason: "Completed", message: "Job completed"))
        } else {
            setCondition("Failed", "True", reason, message)
            decision.events.append(.init(isWarning: true, reason: reason, message: message))
        }
        if let seconds = job[path: "spec", "ttlSecondsAfterFinished"]?.integerValue { wake(at: now + seconds) }
    }

    private mutating func noteSuspension() {
        let suspended = conditions.first { $0["type"]?.stringValue == "Suspended" }?["status"]?.stringValue
        if isSuspended, suspended != "True" {
            setCondition("Suspended", "True", "JobSuspended", "Job suspended")
            status["startTime"] = nil
            decision.events.append(.init(reason: "Suspended", message: "Job suspended"))
        } else if !isSuspended, suspended == "True" {
            setCondition("Suspended", "False", "JobResumed", "Job resumed")
            status["startTime"] = .string(Timestamp.string(now))
            decision.events.append(.init(reason: "Resumed", message: "Job resumed"))
        }
    }

    private mutating func expire() {
        guard let seconds = job[path: "spec", "ttlSecondsAfterFinished"]?.integerValue else { return }
        let end = ["Complete", "Failed"].compactMap { type in
            conditions.first { $0["type"]?.stringValue == type && $0["status"]?.stringValue == "True" }
        }.compactMap { $0["lastTransitionTime"]?.stringValue.flatMap(Timestamp.parse) }.first
        guard let end else { return }
        if now >= end + seconds { decision.deletesJob = true } else { wake(at: end + seconds) }
    }

    private mutating func wake(at time: Int64) { decision.wakeUp = min(decision.wakeUp ?? time, time) }

    // MARK: Size

    /// Decides which pods to create or delete; how many the active ones change by.
    private mutating func size(active: [JSONValue], terminating: Int, succeeded: Int, completed: CompletedIndexes) -> Int {
        let wanted: Int
        if let completions {
            wanted = min(parallelism, max(0, completions - succeeded))
        } else {
            wanted = succeeded > 0 ? min(active.count, parallelism) : parallelism
        }
        if active.count > wanted {
            let ranked = active.sorted { PodDeletionOrder(pod: $0) < PodDeletionOrder(pod: $1) }
            decision.delete = ranked.prefix(active.count - wanted).map(\.objectName)
            return wanted - active.count
        }
        var missing = wanted - active.count
        if missing > 0, let start = earliestStart {
            if now < start {
                wake(at: start)
                return 0
            }
        }
        missing = min(missing, 500)
        guard isIndexed else {
            decision.create = Array(repeating: nil, count: max(0, missing))
            return decision.create.count
        }
        let busy = Set(pods.filter { $0.podIsActive || ($0.objectIsBeingDeleted && !$0.podIsFinished) }.compactMap(Self.index))
        let free = (0..<(completions ?? 0)).lazy.filter { !completed.contains($0) && !busy.contains($0) }
        decision.create = free.prefix(max(0, missing)).map { $0 }
        return decision.create.count
    }

    /// When the next pod may start: the more pods failed since the last success, the later.
    private var earliestStart: Int64? {
        func end(_ pod: JSONValue) -> Int64 {
            (pod[path: "status", "containerStatuses"]?.arrayValue ?? []).compactMap {
                $0[path: "state", "terminated", "finishedAt"]?.stringValue.flatMap(Timestamp.parse)
            }.max() ?? pod.objectCreation
        }
        let lastSuccess = pods.filter { $0.podPhase == "Succeeded" }.map(end).max() ?? 0
        let failed = pods.filter { $0.podPhase == "Failed" }.map(end).filter { $0 >= lastSuccess }
        guard let last = failed.max() else { return nil }
        return last + min(backoff * 60, backoff << Int64(min(failed.count - 1, 10)))
    }
}
