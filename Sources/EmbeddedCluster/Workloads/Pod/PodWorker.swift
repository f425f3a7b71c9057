import Glibc
import Logging
import Processes
import ResourceModel

/// Runs one pod: init containers in order, then the others, each in its own loop of start, watch, restart; tells the API how it stands.
///
/// Everything that it knows is in `records`; the state file mirrors them, so that a later process can go on with what still runs.
actor PodWorker {
    nonisolated let uid: String
    nonisolated let namespace: String
    let shared: PodRunner.Shared
    let directory: PodDirectory
    var pod: JSONValue
    /// In the order of the pod's spec: init containers, then the others.
    var records: [ContainerRecord] = []
    var podIP = ""
    /// No container starts any more.
    var isStopping = false
    /// The cluster stops: the pod's object is left as it is.
    var isFrozen = false
    /// The processes go on without this worker, whose state file now belongs to the next one.
    private var isAbandoned = false
    var failure: (reason: String, message: String)?
    private var loops: [String: Task<Void, Never>] = [:]
    private var pauses: [Int: Task<Void, Never>] = [:]
    private var pauseCount = 0
    private var deadline: Task<Void, Never>?
    private var termination: Task<Void, Never>?
    private var terminationGrace: Int64 = .max
    private var publisher: Task<Void, Never>?
    private var isDirty = false
    private var isGone = false

    init(pod: JSONValue, shared: PodRunner.Shared) {
        self.pod = pod
        self.shared = shared
        uid = pod.objectUID
        namespace = pod.objectNamespace
        directory = PodDirectory(root: shared.root, pod: pod)
    }

    var spec: JSONValue { pod["spec"] ?? [:] }
    var restartPolicy: String { spec["restartPolicy"]?.stringValue ?? "Always" }
    var initContainers: [JSONValue] { spec["initContainers"]?.arrayValue ?? [] }
    var containers: [JSONValue] { spec["containers"]?.arrayValue ?? [] }
    var hostIP: String { "127.0.0.1" }

    /// Runs the pod to its end, and until its object is gone if that is being deleted.
    func run() async {
        prepare()
        if pod.objectIsBeingDeleted { startTermination() }
        await work()
        deadline?.cancel()
        await termination?.value
        if isFrozen { return }
        await flush()
        if pod.objectIsBeingDeleted || isGone { await finishDeletion() }
    }

    private func work() async {
        guard await fillVolumes() else { return }
        watchDeadline()
        for container in initContainers {
            if isStopping { return }
            let name = container["name"]?.stringValue ?? ""
            if record(name).role == .sidecar {
                startLoop(container)
                while !record(name).isStarted, !isStopping, record(name).termination == nil || loops[name] != nil { await pause(nil) }
            } else if record(name).termination?.exitCode != 0 || record(name).isInterrupted {
                startLoop(container)
                await loops[name]?.value
                if record(name).termination?.exitCode != 0 {
                    publish()
                    return await stopSidecars()
                }
            }
        }
        if isStopping { return }
        for container in containers { startLoop(container) }
        publish()
        for container in containers { await loops[container["name"]?.stringValue ?? ""]?.value }
        if !isStopping { await stopSidecars() }
        publish()
    }

    private func prepare() {
        for container in initContainers {
            let role: ContainerRole = container["restartPolicy"]?.stringValue == "Always" ? .sidecar : .initial
            records.append(fresh(container, role))
        }
        for container in containers { records.append(fresh(container, .main)) }
        let saved = SmallFile.bytes(directory.state).flatMap { try? JSONValue(parsing: $0) }  // unreadable: as if it had not run
        for index in records.indices {
            if let entry = saved?[path: "containers", records[index].name] { records[index].restore(entry) }
        }
        if let address = saved?["podIP"]?.stringValue {
            podIP = address
            shared.addresses.claim(address)
        } else {
            podIP = spec["hostNetwork"]?.boolValue == true ? hostIP : shared.addresses.take()
        }
    }

    private func fresh(_ container: JSONValue, _ role: ContainerRole) -> ContainerRecord {
        ContainerRecord(
            name: container["name"]?.stringValue ?? "", image: container["image"]?.stringValue ?? "", role: role,
            state: .waiting(reason: initContainers.isEmpty ? "ContainerCreating" : "PodInitializing", message: nil))
    }

    // MARK: Records

    func record(_ name: String) -> ContainerRecord {
        records.first { $0.name == name } ?? ContainerRecord(name: name, image: "", role: .main)
    }

    /// Changes a record, saves and publishes it.
    func change(_ name: String, _ body: (inout ContainerRecord) -> Void) {
        guard let index = records.firstIndex(where: { $0.name == name }) else { return }
        let before = records[index]
        body(&records[index])
        if records[index] == before { return }
        save()
        publish()
        wake()
    }

    func save() {
        if isAbandoned { return }
        var state: JSONValue = ["podIP": .string(podIP), "containers": [:]]
        for record in records { state[path: "containers", record.name] = record.saved }
        do {
            try SmallFile.makeDirectory(directory.path)
            try SmallFile.write(state.serialized(), to: directory.state)
        } catch {
            shared.resources.logger.warning("a pod's state is not saved", metadata: ["pod": "\(pod.objectName)", "error": "\(error)"])
        }
    }

    // MARK: What comes from outside

    /// The pod's object has changed.
    func update(_ object: JSONValue) {
        pod = object
        if object.objectIsBeingDeleted { startTermination() }
    }

    /// The pod's object is gone: nothing may stay.
    func vanished() {
        isGone = true
        isStopping = true
        for record in records { record.process?.signalSession(SIGKILL) }
        wake()
    }

    /// A ConfigMap or Secret of the namespace has changed.
    func sourceChanged(_ name: String) {
        guard !isStopping, spec.jsonString.contains("\"\(name)\"") else { return }
        do {
            try volumes.fill()
        } catch {
            // The pod keeps what it has; one that waits for its volumes tries again and says what is missing.
        }
        wake()
    }

    /// The cluster stops before this worker ran: what its state file says still runs is stopped, and starts anew with the next cluster.
    func interrupt() async {
        isFrozen = true
        isStopping = true
        prepare()
        let running = records.indices.filter { records[$0].process?.isAlive == true }
        for index in running {
            records[index].isInterrupted = true
            if let process = records[index].process { kill(-process.pid, SIGTERM) }
        }
        if running.isEmpty { return }
        save()
        let end = ContinuousClock.now + shutdownGrace
        for process in running.compactMap({ records[$0].process }) {
            let killer = Task {
                do { try await Task.sleep(until: end) } catch { return }
                process.signalSession(SIGKILL)
            }
            _ = await ProcessMonitor.shared.exit(of: process)
            killer.cancel()
            process.signalSession(SIGKILL)
        }
    }

    private var shutdownGrace: Duration {
        min(Duration.seconds(spec.count("terminationGracePeriodSeconds", fallback: 30)), shared.configuration.shutdownGrace)
    }

    /// The cluster stops.
    func shutDown(keepingProcesses: Bool) async {
        isFrozen = true
        isStopping = true
        if keepingProcesses {
            isAbandoned = true
            for loop in loops.values { loop.cancel() }
            for record in records { if let base = logBase(record) { shared.logs.finish(base) } }
            return wake()
        }
        for index in records.indices where records[index].isRunning { records[index].isInterrupted = true }
        save()
        await stopContainers(grace: shutdownGrace)
        wake()
    }

    private func logBase(_ record: ContainerRecord) -> String? {
        record.process == nil ? nil : directory.log(record.name, record.restartCount)
    }

    // MARK: Waiting

    /// Waits until something changes, or for that time.
    func pause(_ duration: Duration?) async {
        pauseCount += 1
        let id = pauseCount
        let task = Task { _ = try? await Task.sleep(for: duration ?? .seconds(3600)) }  // cancelled: woken up
        pauses[id] = task
        await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        pauses[id] = nil
    }

    /// Ends all pauses.
    func wake() { for pause in pauses.values { pause.cancel() } }

    // MARK: Containers

    private func startLoop(_ container: JSONValue) {
        let name = container["name"]?.stringValue ?? ""
        loops[name] = Task {
            await self.runLoop(container)
            self.loopEnded(name)
        }
    }

    private func loopEnded(_ name: String) {
        loops[name] = nil
        wake()
    }

    var volumes: PodVolumes { PodVolumes(directory: directory, sources: sources, claims: shared.claims) }

    var sources: PodSources {
        let resources = shared.resources
        let namespace = self.namespace
        return PodSources(
            pod: pod, podIP: podIP, hostIP: hostIP,
            configMap: { resources.client.get(resources.configMaps, namespace: namespace, name: $0) },
            secret: { resources.client.get(resources.secrets, namespace: namespace, name: $0) })
    }

    /// Tries until the volumes stand; `false` when the pod stops before.
    private func fillVolumes() async -> Bool {
        var delay = Duration.milliseconds(500)
        publish()
        while !isStopping {
            do {
                try volumes.fill()
                return true
            } catch {
                shared.resources.events.record(pod, warning: true, "FailedMount", "\(error)")
                await pause(delay)
                delay = min(delay * 2, .seconds(120))
            }
        }
        return false
    }

    // MARK: Ends

    private func watchDeadline() {
        guard let seconds = spec["activeDeadlineSeconds"]?.integerValue else { return }
        let start = pod[path: "status", "startTime"]?.stringValue.flatMap(Timestamp.parse) ?? Timestamp.seconds()
        deadline = Task {
            do { try await Task.sleep(for: .seconds(max(0, start + seconds - Timestamp.seconds()))) } catch { return }
            await self.deadlineExceeded()
        }
    }

    private func deadlineExceeded() async {
        failure = ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
        shared.resources.events.record(pod, "DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
        isStopping = true
        await stopContainers(grace: .seconds(spec.count("terminationGracePeriodSeconds", fallback: 30)))
        publish()
    }

    /// Stops everything within the grace period of the deletion; a later deletion with a shorter one hastens it.
    private func startTermination() {
        let grace = pod[path: "metadata", "deletionGracePeriodSeconds"]?.integerValue ?? 30
        isStopping = true
        wake()
        guard grace < terminationGrace else { return }
        let isFirst = termination == nil
        terminationGrace = grace
        if isFirst {
            termination = Task { await self.stopContainers(grace: .seconds(grace)) }
        } else {
            Task {
                try await Task.sleep(for: .seconds(grace))
                for record in self.records { record.process?.signalSession(SIGKILL) }
            }
        }
    }

    /// Main containers first, then sidecars, the last one first; returns when no loop runs any more.
    func stopContainers(grace: Duration) async {
        let end = ContinuousClock.now + grace
        for name in containers.compactMap({ $0["name"]?.stringValue }) where record(name).isRunning {
            shared.resources.events.record(pod, "Killing", "Stopping container \(name)", fieldPath: "spec.containers{\(name)}")
        }
        await withTaskGroup(of: Void.self) { group in
            for container in containers { group.addTask { await self.stop(container, until: end) } }
        }
        for container in initContainers.reversed() { await stop(container, until: end) }
        wake()
        for loop in loops.values { await loop.value }
    }

    private func stopSidecars() async {
        let names = Set(records.filter { $0.role == .sidecar }.map(\.name))
        if names.isEmpty { return }
        isStopping = true
        let end = ContinuousClock.now + .seconds(spec.count("terminationGracePeriodSeconds", fallback: 30))
        for container in initContainers.reversed() where names.contains(container["name"]?.stringValue ?? "") {
            await stop(container, until: end)
            await loops[container["name"]?.stringValue ?? ""]?.value
        }
    }

    /// The pod's object may go now: everything has stopped.
    private func finishDeletion() async {
        Self.killStrays(uid: uid)
        if !isGone {
            do {
                try await shared.resources.client.delete(
                    shared.resources.pods, namespace: namespace, name: pod.objectName, uid: uid, gracePeriodSeconds: 0)
            } catch let status as APIStatus where status.code == 404 || status.code == 409 {
                // gone already
            } catch {
                shared.resources.logger.warning("a pod is not removed", metadata: ["pod": "\(pod.objectName)", "error": "\(error)"])
            }
        }
        shared.addresses.release(podIP)
        SmallFile.remove(directory.path)
    }

    /// Kills processes that left their session: they still carry the pod's uid in their environment.
    static func killStrays(uid: String) {
        for pid in ProcessIdentity.processes(withEnvironment: "RECONCILER_POD_UID=\(uid)") { kill(pid, SIGKILL) }
    }

    // MARK: Status

    /// Has the status written soon; changes that come meanwhile go in one write.
    func publish() {
        if isFrozen { return }
        isDirty = true
        if publisher == nil { publisher = Task { await self.publishLoop() } }
    }

    /// Returns when the present status is written.
    private func flush() async {
        publish()
        await publisher?.value
    }

    private func publishLoop() async {
        var failures = 0
        while isDirty, !isFrozen, !isGone, failures < 20 {
            isDirty = false
            let resources = shared.resources
            guard let live = resources.client.get(resources.pods, namespace: namespace, name: pod.objectName), live.objectUID == uid else {
                break
            }
            let count = initContainers.count
            let status = PodStatus(
                pod: live, initContainers: Array(records.prefix(count)), containers: Array(records.dropFirst(count)), podIP: podIP,
                hostIP: hostIP, failure: failure, now: Timestamp.seconds()
            ).status
            if status == live["status"] { continue }
            do {
                try await resources.setStatus(status, of: live, resources.pods)
                failures = 0
            } catch let error as APIStatus where error.code == 404 {
                break
            } catch {
                if isFrozen || Task.isCancelled { break }  // the cluster stops: the next one finds out anew
                isDirty = true
                failures += 1
                if (error as? APIStatus)?.code != 409 {
                    resources.logger.warning("a pod's status is not written", metadata: ["pod": "\(pod.objectName)", "error": "\(error)"])
                    _ = try? await Task.sleep(for: .milliseconds(200) * failures)  // a cancelled wait is a shorter wait
                }
            }
        }
        publisher = nil
    }
}
