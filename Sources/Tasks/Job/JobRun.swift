import KubernetesClient
import Processes
import ResourceModel
import Synchronization
import TaskModel

/// One look after one attempt's Job: from creating or finding it to its end.
final class JobRun: Sendable {
    private enum Event: Sendable {
        case job(JSONValue?)
        case pods([String: JSONValue])
        case canceled
        case deadline
        case stuckTooLong
        case failed(String)
    }

    private let runner: JobTaskRunner
    private let attempt: TaskAttempt
    private let manifest: JobManifest
    private let events: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation
    private let isCanceled = Mutex(false)

    init(runner: JobTaskRunner, attempt: TaskAttempt) {
        self.runner = runner
        self.attempt = attempt
        manifest = JobManifest(attempt: attempt)
        (events, continuation) = AsyncStream.makeStream()
    }

    func cancel() {
        isCanceled.withLock { $0 = true }
        continuation.yield(.canceled)
    }

    private var remaining: Double { attempt.startedAt + attempt.timeoutSeconds - UTCTime.now() }

    func outcome() async -> TaskOutcome {
        do {
            let jobs = try await runner.jobs()
            let pods = try await runner.pods()
            if let refusal = try await claim(jobs) { return refusal }
            return try await watch(jobs, pods)
        } catch let error as APIError where [400, 401, 403, 404, 422].contains(error.code) {
            return .notStarted("\(error)")
        } catch {
            return .interrupted("Job \(attempt.namespace)/\(manifest.name): \(error)")
        }
    }

    /// Makes the Job, or finds it.
    /// - Returns: an outcome when there is nothing to wait for.
    private func claim(_ jobs: APIResource) async throws -> TaskOutcome? {
        var pause = 0.2
        while true {
            do {
                if let found = try await runner.client.get(jobs, namespace: attempt.namespace, name: manifest.name) {
                    let holder = found[path: "metadata", "annotations"]?[JobManifest.attemptKey]?.stringValue ?? ""
                    if holder == manifest.attemptValue { return nil }
                    guard holder.hasPrefix(manifest.attemptName + "/"), remaining > 0, !isCanceled.withLock({ $0 }) else {
                        return .notStarted("Job \(attempt.namespace)/\(manifest.name) is there already and is not this attempt's: delete it, or rename the task")
                    }
                    // Of a Task of this name that is gone, so the cluster is about to delete it.
                    try await removeLeftover(found, jobs)
                } else {
                    if isCanceled.withLock({ $0 }), await runner.withdraw(attempt) { return .canceled }
                    guard let image = attempt.image, !image.isEmpty else { return .notStarted("a Job needs an image: set `image` beside `runner: Job`") }
                    if attempt.commands.isEmpty { return .notStarted("the task has no command") }
                    let isLate = remaining <= 0
                    let object = isLate ? manifest.tombstone(end: "timedOut") : manifest.object(image: image, seconds: Int64(remaining.rounded(.up)))
                    _ = try await runner.client.create(object, as: jobs)
                    return nil
                }
            } catch let error as APIError where error.isAlreadyExists {
                continue
            } catch let error as any ClassifiedError where error.failureKind == .unreachable {
                // Whether it arrived is not known; the name makes trying again safe.
                if remaining <= 0 { return .interrupted("Job \(attempt.namespace)/\(manifest.name): \(error)") }
                try await Task.sleep(for: .seconds(pause))
                pause = min(pause * 2, 10)
            }
        }
    }

    private func removeLeftover(_ job: JSONValue, _ jobs: APIResource) async throws {
        let uid = job[path: "metadata", "uid"]?.stringValue
        do {
            try await runner.client.delete(
                jobs, namespace: attempt.namespace, name: manifest.name, options: DeleteOptions(propagationPolicy: .background, uid: uid))
        } catch let error as APIError where error.isNotFound || error.isConflict {
            return  // gone by itself
        }
        try await Task.sleep(for: .milliseconds(200))
    }

    // MARK: Waiting

    private func watch(_ jobs: APIResource, _ pods: APIResource) async throws -> TaskOutcome {
        let watching = [observeJob(jobs), observePods(pods), deadline()]
        defer { watching.forEach { $0.cancel() } }
        var job: JSONValue?
        var found: [String: JSONValue] = [:]
        var stuck: (why: String, timer: Task<Void, Never>)?
        defer { stuck?.timer.cancel() }
        for await event in events {
            switch event {
            case .canceled: return try await end(jobs, "canceled")
            case .deadline: return try await end(jobs, "timedOut")
            case .stuckTooLong: if let stuck { return try await end(jobs, "notStarted: \(stuck.why)") }
            case .failed(let why): return .interrupted("Job \(attempt.namespace)/\(manifest.name) cannot be watched: \(why)")
            case .job(let seen): job = seen
            case .pods(let seen): found = seen
            }
            if job == nil, case .pods = event { continue }  // not seen yet
            var judgement = JobJudgement(job: job, pods: Array(found.values), attempt: attempt)
            if case .ended(.interrupted) = judgement, job != nil {
                // The Job's end may be seen before its pod's.
                for pod in try await runner.client.list(pods, namespace: attempt.namespace, options: ListOptions(labelSelector: "job-name=\(manifest.name)")).items {
                    found[pod[path: "metadata", "name"]?.stringValue ?? ""] = pod
                }
                judgement = JobJudgement(job: job, pods: Array(found.values), attempt: attempt)
            }
            switch judgement {
            case .running:
                stuck?.timer.cancel()
                stuck = nil
            case .stuck(let why, let isFinal):
                if isFinal { return try await end(jobs, "notStarted: \(why)") }
                if stuck == nil { stuck = (why, timer(runner.startLimit, .stuckTooLong)) } else { stuck?.why = why }
            case .ended(let outcome): return outcome
            case .failed(let code, let pod): return await failure(code, pod)
            }
        }
        return .interrupted("the watch of Job \(attempt.namespace)/\(manifest.name) ended")
    }

    private func timer(_ duration: Duration, _ event: Event) -> Task<Void, Never> {
        let continuation = self.continuation
        return Task.detached {
            do { try await Task.sleep(for: duration) } catch { return }  // no longer wanted
            continuation.yield(event)
        }
    }

    /// The cluster ends the Job in time; this is for a cluster that does not.
    private func deadline() -> Task<Void, Never> { timer(.seconds(max(0, min(remaining, 1e9)) + 30), .deadline) }

    private func observeJob(_ jobs: APIResource) -> Task<Void, Never> {
        let (client, namespace, name, continuation) = (runner.client, attempt.namespace, manifest.name, self.continuation)
        return Task.detached {
            do {
                for try await event in client.listAndWatch(jobs, namespace: namespace, fieldSelector: "metadata.name=\(name)") {
                    switch event {
                    case .listed(let items, _): continuation.yield(.job(items.first))
                    case .added(let object), .modified(let object): continuation.yield(.job(object))
                    case .deleted: continuation.yield(.job(nil))
                    case .bookmark, .interrupted: break
                    }
                }
            } catch is CancellationError {
            } catch { continuation.yield(.failed("\(error)")) }
        }
    }

    private func observePods(_ pods: APIResource) -> Task<Void, Never> {
        let (client, namespace, name, continuation) = (runner.client, attempt.namespace, manifest.name, self.continuation)
        return Task.detached {
            do {
                var known: [String: JSONValue] = [:]
                for try await event in client.listAndWatch(pods, namespace: namespace, labelSelector: "job-name=\(name)") {
                    switch event {
                    case .listed(let items, _):
                        known = Dictionary(items.map { ($0[path: "metadata", "name"]?.stringValue ?? "", $0) }, uniquingKeysWith: { $1 })
                    case .added(let object), .modified(let object): known[object[path: "metadata", "name"]?.stringValue ?? ""] = object
                    // A pod's end is known even if it is deleted at once.
                    case .deleted(let object): known[object[path: "metadata", "name"]?.stringValue ?? ""] = object
                    case .bookmark, .interrupted: continue
                    }
                    continuation.yield(.pods(known))
                }
            } catch is CancellationError {
            } catch { continuation.yield(.failed("\(error)")) }
        }
    }

    // MARK: Ends

    /// Suspends the Job for good, so that its pod is ended and nobody begins the attempt again, and waits for the pod.
    private func end(_ jobs: APIResource, _ why: String) async throws -> TaskOutcome {
        let patch: JSONValue = ["metadata": ["annotations": [JobManifest.endKey: .string(why)]], "spec": ["suspend": true]]
        let ended: JSONValue
        do {
            let before = try await runner.client.get(jobs, namespace: attempt.namespace, name: manifest.name)
            // It may have ended by itself meanwhile.
            switch JobJudgement(job: before, pods: [], attempt: attempt) {
            case .ended(.interrupted): break
            case .ended(let outcome): return outcome
            default: break
            }
            ended = try await runner.client.patch(jobs, namespace: attempt.namespace, name: manifest.name, type: .merge, patch: patch).object
        } catch let error as APIError where error.isNotFound {
            return .interrupted("its Job was deleted by somebody")
        }
        let until = ContinuousClock.now + .seconds(40)
        var last = ended
        while (last[path: "status", "active"]?.integerValue ?? 0) + (last[path: "status", "terminating"]?.integerValue ?? 0) > 0, ContinuousClock.now < until {
            try await Task.sleep(for: .milliseconds(100))
            guard let next = try await runner.client.get(jobs, namespace: attempt.namespace, name: manifest.name) else { break }
            last = next
        }
        if case .ended(let outcome) = JobJudgement(job: ended, pods: [], attempt: attempt) { return outcome }
        return .canceled
    }

    private func failure(_ code: Int, _ pod: String) async -> TaskOutcome {
        var command = attempt.commands.joined(separator: "; ")
        // The last line may be unreadable by now: then all commands are named.
        if let line = try? await runner.lastLine(pod: pod, namespace: attempt.namespace), let number = JobManifest.failedCommand(line),
            attempt.commands.indices.contains(number - 1)
        {
            command = attempt.commands[number - 1]
        }
        return code > 128 && code < 160 ? .killed(signal: code - 128, command: command) : .failed(code: code, command: command)
    }
}
