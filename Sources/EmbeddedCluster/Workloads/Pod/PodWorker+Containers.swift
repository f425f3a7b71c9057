import Glibc
import Processes
import ResourceModel

extension PodWorker {
    /// Starts a container, watches it and starts it again as its policy says, until it has ended for good or the pod stops.
    func runLoop(_ container: JSONValue) async {
        let name = container["name"]?.stringValue ?? ""
        let role = record(name).role
        var recentRestarts = 0
        if let end = record(name).termination, !record(name).isInterrupted {
            guard RestartPolicy.restarts(role, policy: restartPolicy, exitCode: end.exitCode) else { return }
            restart(name)
        } else if record(name).isInterrupted || (record(name).process != nil && record(name).process?.isAlive != true) {
            interruptedRestart(name)
            if record(name).termination != nil { return }
        }
        var failedStarts = 0
        while !isStopping {
            if record(name).process == nil {
                do {
                    try start(container)
                    failedStarts = 0
                } catch let problem as ContainerProblem {
                    noteProblem(problem, name)
                    await pause(min(.seconds(1) * (1 << min(failedStarts, 8)), .seconds(120)))
                    failedStarts += 1
                    continue
                } catch {
                    let now = Timestamp.seconds()
                    event(name, warning: true, "Failed", "Error: \(error)")
                    change(name) {
                        $0.state = .terminated(
                            ContainerTermination(
                                exitCode: 128, reason: "StartError", message: "\(error)", startedAt: 0, finishedAt: now))
                    }
                }
            }
            if let process = record(name).process {
                await watch(process, container)
                if isFrozen { return }
            }
            guard let end = record(name).termination else { return }
            if isStopping || !RestartPolicy.restarts(role, policy: restartPolicy, exitCode: end.exitCode) { return }
            let policy = RestartPolicy(
                initial: shared.configuration.restartBackoff, maximum: shared.configuration.maximumRestartBackoff)
            if .seconds(end.finishedAt - end.startedAt) > policy.resetAfter, end.startedAt > 0 { recentRestarts = 0 }
            await backOff(name, for: policy.delay(afterRestarts: recentRestarts))
            recentRestarts += 1
            if isStopping { return }
            restart(name)
        }
    }

    /// Makes the record ready for another start.
    private func restart(_ name: String) {
        change(name) {
            $0.last = $0.termination ?? $0.last
            $0.restartCount += 1
            $0.process = nil
            $0.state = .waiting(reason: "ContainerCreating", message: nil)
        }
    }

    /// What ran before this process began has ended meanwhile, or was stopped with the cluster.
    private func interruptedRestart(_ name: String) {
        let now = Timestamp.seconds()
        let before = record(name)
        var since = now
        if case .running(let time) = before.state { since = time }
        let end = ContainerTermination(.unknown, startedAt: since, finishedAt: now)
        if let process = before.process { shared.logs.finish(directory.log(name, before.restartCount)); process.signalSession(SIGKILL) }
        let restarts = before.isInterrupted || RestartPolicy.restarts(before.role, policy: restartPolicy, exitCode: end.exitCode)
        change(name) {
            $0.process = nil
            $0.isReady = false
            $0.isStarted = false
            $0.isInterrupted = false
            if restarts {
                $0.last = end
                $0.restartCount += 1
                $0.state = .waiting(reason: "ContainerCreating", message: nil)
            } else {
                $0.state = .terminated(end)
            }
        }
    }

    private func backOff(_ name: String, for delay: Duration) async {
        let end = ContinuousClock.now + delay
        if delay <= .zero { return }
        let message =
            "back-off \(delay.seconds)s restarting failed container=\(name) pod=\(pod.objectName)_\(namespace)(\(uid))"
        event(name, warning: true, "BackOff", "Back-off restarting failed container \(name) in pod \(pod.objectName)_\(namespace)(\(uid))")
        change(name) {
            $0.last = $0.termination ?? $0.last
            $0.process = nil
            $0.state = .waiting(reason: "CrashLoopBackOff", message: message)
        }
        while !isStopping, ContinuousClock.now < end { await pause(end - ContinuousClock.now) }
    }

    private func noteProblem(_ problem: ContainerProblem, _ name: String) {
        event(name, warning: true, "Failed", "Error: \(problem.message)")
        change(name) { $0.state = .waiting(reason: problem.reason, message: problem.message) }
    }

    func event(_ container: String, warning: Bool = false, _ reason: String, _ message: String) {
        let list = record(container).role == .main ? "containers" : "initContainers"
        shared.resources.events.record(pod, warning: warning, reason, message, fieldPath: "spec.\(list){\(container)}")
    }

    // MARK: One run

    /// - Throws: `ContainerProblem` when the declaration can't be carried out, `SpawnFailure` when the program can't be started.
    private func start(_ container: JSONValue) throws {
        let name = container["name"]?.stringValue ?? ""
        let specification = try specification(of: container)
        let base = directory.log(name, record(name).restartCount)
        if let slash = base.lastIndex(of: "/") { try SmallFile.makeDirectory(String(base[..<slash])) }
        for restart in 0..<max(0, record(name).restartCount - 1) { removeLog(name, restart) }
        shared.logs.follow(base)
        let process: ProcessIdentity
        do {
            process = try ProcessSpawner.spawn(specification)
        } catch {
            shared.logs.finish(base)
            guard error.isMissingProgram else { throw error }
            throw SpawnFailure(
                program: error.program, message: error.message + ". The embedded cluster runs commands of this machine, not images")
        }
        change(name) {
            $0.process = process
            $0.state = .running(since: Timestamp.seconds())
            $0.isStarted = false
            $0.isReady = false
        }
        event(name, "Started", "Started container \(name)")
    }

    private func removeLog(_ name: String, _ restart: Int) {
        let base = directory.log(name, restart)
        guard SmallFile.exists(base + ".log") else { return }
        for suffix in [".log", ".log.1", ".out", ".offset"] { unlink(base + suffix) }
    }

    /// How the container's process is started.
    func specification(of container: JSONValue, command override: [String]? = nil) throws(ContainerProblem) -> ProcessSpecification {
        let name = container["name"]?.stringValue ?? ""
        let command = (container["command"]?.arrayValue ?? []).compactMap(\.stringValue)
        let arguments = (container["args"]?.arrayValue ?? []).compactMap(\.stringValue)
        if command.isEmpty, override == nil {
            throw ContainerProblem(
                reason: "ErrImageNeverPull",
                message: "the embedded cluster runs commands, not images: container \"\(name)\" (image \"\(container["image"]?.stringValue ?? "")\") "
                    + "has no command. Set spec.containers[].command to a program of this machine")
        }
        let mounts = try volumes.mount(container)
        let declared = try ContainerEnvironment.variables(of: container, sources)
        let values = Dictionary(declared.map { ($0.name, $0.value) }, uniquingKeysWith: { _, last in last })
        func prepared(_ text: String) -> String {
            PodVolumes.rewritten(VariableExpansion.expanded(text) { values[$0] }, mounts)
        }
        let root = directory.root(name)
        var environment = Self.inherited
        environment["HOSTNAME"] = spec["hostname"]?.stringValue ?? pod.objectName
        environment["POD_IP"] = podIP
        environment["POD_ROOT"] = root
        for variable in declared { environment[variable.name] = PodVolumes.rewritten(variable.value, mounts) }
        environment["RECONCILER_POD_UID"] = uid
        var workingDirectory = root
        if let declared = container["workingDir"]?.stringValue, !declared.isEmpty { workingDirectory = PodVolumes.rewritten(declared, mounts) }
        return ProcessSpecification(
            arguments: override.map { $0.map { PodVolumes.rewritten($0, mounts) } } ?? (command + arguments).map(prepared),
            environment: environment.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) },
            workingDirectory: workingDirectory, outputPath: directory.log(name, record(name).restartCount) + ".out")
    }

    /// What containers get of this process' environment. Programs beside this binary are found too.
    private static let inherited: [String: String] = {
        var result: [String: String] = [:]
        for name in ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER"] {
            if let value = getenv(name) { result[name] = String(cString: value) }
        }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let length = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = result["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        if length > 0 {
            let binary = String(decoding: buffer[..<length], as: UTF8.self)
            if let slash = binary.lastIndex(of: "/") { result["PATH"] = path + ":" + binary[..<slash] }
        } else {
            result["PATH"] = path
        }
        return result
    }()

    /// Follows a running process to its end.
    private func watch(_ process: ProcessIdentity, _ container: JSONValue) async {
        let name = container["name"]?.stringValue ?? ""
        let base = directory.log(name, record(name).restartCount)
        shared.logs.follow(base)  // after a restart; else it is followed already
        let started = Timestamp.seconds()
        let exit = await withTaskGroup(of: ProcessExit?.self) { group in
            group.addTask { await ProcessMonitor.shared.exit(of: process) }
            group.addTask {
                await self.supervise(container)
                return nil
            }
            while let result = await group.next() {
                if let result {
                    group.cancelAll()
                    return result
                }
            }
            return .unknown
        }
        // How a process ended that an earlier cluster started is unknown too: whoever stops it waits for its record to say so.
        if exit == .unknown, isFrozen, process.isAlive { return }
        process.signalSession(SIGKILL)  // what the container's first process leaves behind ends with it
        shared.logs.finish(base)
        var since = started
        if case .running(let time) = record(name).state { since = time }
        let end = ContainerTermination(exit, startedAt: since, finishedAt: Timestamp.seconds())
        if isFrozen {
            change(name) { $0.process = nil }
            return
        }
        change(name) {
            $0.process = nil
            $0.isReady = false
            $0.isStarted = false
            $0.state = .terminated(end)
        }
    }

    /// The `postStart` hook, then the probes, until the container ends.
    private func supervise(_ container: JSONValue) async {
        let name = container["name"]?.stringValue ?? ""
        if let hook = container[path: "lifecycle", "postStart"], !record(name).isStarted {
            let problem = await perform(hook, container, timeout: .seconds(600))
            if Task.isCancelled { return }
            if let problem {
                event(name, warning: true, "FailedPostStartHook", "PostStartHook failed: \(problem)")
                await kill(container, why: "FailedPostStartHook")
                return
            }
        }
        if let startup = ProbeSpecification(container["startupProbe"], container: container), !record(name).isStarted {
            guard await probe(startup, container, kind: "Startup", onChange: { $0 ? .stop : .kill }) else { return }
        }
        if Task.isCancelled { return }
        let readiness = ProbeSpecification(container["readinessProbe"], container: container)
        change(name) {
            $0.isStarted = true
            if readiness == nil { $0.isReady = true }
        }
        let liveness = ProbeSpecification(container["livenessProbe"], container: container)
        await withTaskGroup(of: Void.self) { group in
            if let readiness {
                group.addTask {
                    _ = await self.probe(readiness, container, kind: "Readiness") { isReady in .ready(isReady) }
                }
            }
            if let liveness {
                group.addTask { _ = await self.probe(liveness, container, kind: "Liveness") { $0 ? .go : .kill } }
            }
        }
    }

    private enum ProbeEffect: Sendable { case go, stop, kill, ready(Bool) }

    /// Probes again and again; `true` when it stopped because it succeeded.
    private func probe(
        _ specification: ProbeSpecification, _ container: JSONValue, kind: String, onChange: @Sendable (Bool) -> ProbeEffect
    ) async -> Bool {
        let name = container["name"]?.stringValue ?? ""
        var counter = ProbeCounter(specification)
        do { try await Task.sleep(for: specification.initialDelay) } catch { return false }
        while !Task.isCancelled {
            let problem = await perform(specification.action, container, timeout: specification.timeout)
            if Task.isCancelled { return false }
            if let problem, !isStopping { event(name, warning: true, "Unhealthy", "\(kind) probe failed: \(problem)") }
            switch counter.record(problem == nil).map(onChange) {
            case .stop: return true
            case .kill:
                event(name, "Killing", "Container \(name) failed \(kind.lowercased()) probe, will be restarted")
                await kill(container, why: kind)
                return false
            case .ready(let isReady): change(name) { $0.isReady = isReady }
            case .go, nil: break
            }
            do { try await Task.sleep(for: specification.period) } catch { return false }
        }
        return false
    }

    // MARK: Hooks and signals

    /// Carries out a hook's or a probe's action; `nil` is success.
    private func perform(_ handler: JSONValue, _ container: JSONValue, timeout: Duration) async -> String? {
        if let seconds = handler[path: "sleep", "seconds"]?.integerValue {
            do { try await Task.sleep(for: .seconds(seconds)) } catch { return "cancelled" }
            return nil
        }
        return await perform(ProbeSpecification.action(handler, container), container, timeout: timeout)
    }

    private func perform(_ action: ProbeSpecification.Action, _ container: JSONValue, timeout: Duration) async -> String? {
        await ProbeRunner(podIP: podIP).result(action, timeout: timeout) { command in
            await self.execute(command, container, timeout: timeout)
        }
    }

    /// Runs a command as the container would; `nil` when it ends with 0, else its code and output.
    private func execute(_ command: [String], _ container: JSONValue, timeout: Duration) async -> String? {
        let name = container["name"]?.stringValue ?? ""
        do {
            var specification = try specification(of: container, command: command)
            let output = "\(directory.container(name))/exec-\(UInt64.random(in: 0...UInt64.max)).txt"
            specification.outputPath = output
            defer { unlink(output) }
            let process = try ProcessSpawner.spawn(specification)
            let guardian = Task {
                do { try await Task.sleep(for: timeout) } catch { return }
                process.signalSession(SIGKILL)
            }
            let exit = await withTaskCancellationHandler {
                await ProcessMonitor.shared.exit(of: process)
            } onCancel: {
                process.signalSession(SIGKILL)
            }
            guardian.cancel()
            if exit == .code(0) { return nil }
            let text = (SmallFile.text(output) ?? "").prefix(1024)
            return text.isEmpty ? "command \(command) ended with \(exit)" : String(text)
        } catch {
            return "\(error)"
        }
    }

    /// Stops the container's process alone: its loop decides what follows.
    private func kill(_ container: JSONValue, why: String) async {
        await stop(container, until: ContinuousClock.now + .seconds(spec.count("terminationGracePeriodSeconds", fallback: 30)))
    }

    /// The `preStop` hook, SIGTERM to the process group, and SIGKILL when the time is over. Returns when the process has ended, or when
    /// this task is cancelled: whoever supervises a container is cancelled by its end, which is noted only after.
    func stop(_ container: JSONValue, until end: ContinuousClock.Instant) async {
        let name = container["name"]?.stringValue ?? ""
        guard let process = record(name).process else { return }
        if let hook = container[path: "lifecycle", "preStop"], end > .now {
            if let problem = await perform(hook, container, timeout: end - .now) {
                event(name, warning: true, "FailedPreStopHook", "PreStopHook failed: \(problem)")
            }
        }
        guard record(name).process == process else { return }
        if end > .now { Glibc.kill(-process.pid, SIGTERM) }
        let killer = Task {
            do { try await Task.sleep(until: end) } catch { return }
            process.signalSession(SIGKILL)
        }
        while record(name).process == process, !Task.isCancelled { await pause(nil) }
        killer.cancel()
    }
}

extension Duration {
    /// Whole seconds, rounded up.
    fileprivate var seconds: Int64 { components.seconds + (components.attoseconds > 0 ? 1 : 0) }
}
