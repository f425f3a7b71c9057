import Glibc
import Logging
import Processes
import ResourceModel

/// The cluster's one node: takes pods, runs each by a `PodWorker`, finds them again after a restart and clears up after them.
actor PodRunner {
    /// What all workers share.
    struct Shared: Sendable {
        let resources: WorkloadResources
        let configuration: WorkloadConfiguration
        let logs: LogFollower
        let addresses: AddressPool
        /// Directory of all pods.
        let root: String
        /// Directory of persistent volume claims.
        let claims: String
    }

    private let shared: Shared
    private var workers: [String: PodWorker] = [:]
    private var tasks: [String: Task<Void, Never>] = [:]
    private var isStopped = false
    private var waiters: [CheckedContinuation<Void, Never>] = []
    private var isFinished = false
    nonisolated let logSource: PodFileLogs

    private var resources: WorkloadResources { shared.resources }
    private var nodeName: String { shared.configuration.nodeName }

    init(resources: WorkloadResources, directory: String, configuration: WorkloadConfiguration) throws {
        let root = directory + "/pods"
        try SmallFile.makeDirectory(root)
        logSource = PodFileLogs(root: root)
        shared = Shared(
            resources: resources, configuration: configuration, logs: LogFollower(limit: configuration.logLimit),
            addresses: try AddressPool(file: directory + "/network"), root: root, claims: directory + "/claims")
    }

    /// Runs pods until `stop()`.
    func run() async {
        await NodeRegistration(resources: resources, name: nodeName).run()
        await clearOrphans()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.watchPods() }
            group.addTask { await self.watchSources(self.shared.resources.configMaps) }
            group.addTask { await self.watchSources(self.shared.resources.secrets) }
        }
    }

    private func watchPods() async {
        while !Task.isCancelled {
            for await change in resources.client.watch(resources.pods) {
                if isStopped { return }
                await handle(change)
            }
            do { try await Task.sleep(for: .milliseconds(500)) } catch { return }
        }
    }

    /// ConfigMaps and Secrets that change are written to the volumes of the pods of their namespace; a pod that waits for one goes on.
    private func watchSources(_ type: ResourceType) async {
        while !Task.isCancelled {
            for await change in resources.client.watch(type) {
                if isStopped { return }
                let namespace = change.object.objectNamespace
                for worker in workers.values where worker.namespace == namespace {
                    await worker.sourceChanged(change.object.objectName)
                }
            }
            do { try await Task.sleep(for: .milliseconds(500)) } catch { return }
        }
    }

    private func handle(_ change: LocalClient.Change) async {
        let pod = change.object
        let uid = pod.objectUID
        if change.kind == .deleted {
            guard let worker = workers[uid] else {
                SmallFile.remove(PodDirectory(root: shared.root, pod: pod).path)
                return
            }
            await worker.vanished()
            return
        }
        let node = pod[path: "spec", "nodeName"]?.stringValue ?? ""
        if node.isEmpty {
            if !pod.objectIsBeingDeleted { await schedule(pod) }
            return
        }
        guard node == nodeName else { return }
        if let worker = workers[uid] { return await worker.update(pod) }
        if pod.podIsFinished, !pod.objectIsBeingDeleted { return }
        let worker = PodWorker(pod: pod, shared: shared)
        workers[uid] = worker
        tasks[uid] = Task {
            await worker.run()
            self.ended(uid)
        }
    }

    private func ended(_ uid: String) {
        workers[uid] = nil
        tasks[uid] = nil
    }

    // MARK: Scheduling

    /// Binds the pod to the node, or says why not.
    private func schedule(_ pod: JSONValue) async {
        if let gates = pod[path: "spec", "schedulingGates"]?.arrayValue, !gates.isEmpty { return }
        let node = resources.client.get(resources.nodes, name: nodeName) ?? [:]
        let wanted = pod[path: "spec", "nodeSelector"]?.objectValue ?? [:]
        do {
            guard wanted.allSatisfy({ node.objectLabels[$0.key] == $0.value }) else {
                let message = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
                var status = pod["status"] ?? [:]
                status["conditions"] = .array(
                    Conditions.setting(
                        "PodScheduled", "False", reason: "Unschedulable", message: message, in: status["conditions"]?.arrayValue ?? [],
                        now: Timestamp.now()))
                if status != pod["status"] {
                    try await resources.setStatus(status, of: pod, resources.pods)
                    resources.events.record(pod, warning: true, "FailedScheduling", message, component: "default-scheduler")
                }
                return
            }
            let binding: JSONValue = [
                "apiVersion": "v1", "kind": "Binding", "metadata": ["name": .string(pod.objectName), "namespace": .string(pod.objectNamespace)],
                "target": ["apiVersion": "v1", "kind": "Node", "name": .string(nodeName)],
            ]
            try await resources.client.bind(binding, pods: resources.pods)
            resources.events.record(
                pod, "Scheduled", "Successfully assigned \(pod.objectNamespace)/\(pod.objectName) to \(nodeName)",
                component: "default-scheduler")
        } catch {
            resources.logger.debug("pod not scheduled", metadata: ["pod": "\(pod.objectName)", "error": "\(error)"])
        }
    }

    // MARK: Start and stop

    /// Stops what is left of pods that no longer exist, and removes their files.
    private func clearOrphans() async {
        let known = Set(resources.client.list(resources.pods).map { PodDirectory(root: shared.root, pod: $0).path })
        for name in SmallFile.names(in: shared.root) {
            let directory = PodDirectory(path: "\(shared.root)/\(name)")
            let isKnown = known.contains(directory.path)
            let state = SmallFile.bytes(directory.state).flatMap { try? JSONValue(parsing: $0) }  // an unreadable state names no process
            if isKnown {
                if let address = state?["podIP"]?.stringValue { shared.addresses.claim(address) }
                continue
            }
            for container in state?["containers"]?.objectValue ?? [:] {
                guard let process = ProcessIdentity(saved: container.value), process.isAlive else { continue }
                process.signalSession(SIGKILL)
                resources.logger.info("stopped a process of a pod that is gone", metadata: ["pod": "\(name)", "pid": "\(process.pid)"])
            }
            if let uid = name.split(separator: "_").last { PodWorker.killStrays(uid: String(uid)) }
            SmallFile.remove(directory.path)
        }
    }

    /// Stops all processes (unless they are to be kept) without touching the pods' objects, and ends `run()`.
    func stop() async {
        if isStopped { return await finished() }
        isStopped = true
        let keeps = shared.configuration.keepsProcesses
        // Not in the caller's task: its cancellation must not leave processes behind.
        await Task { await self.stopWorkers(keepingProcesses: keeps) }.value
        isFinished = true
        for waiter in waiters { waiter.resume() }
        waiters = []
    }

    private func stopWorkers(keepingProcesses keeps: Bool) async {
        // Pods whose processes an earlier cluster kept, and that this one had not yet come to.
        let untaken = keeps ? [] : resources.client.list(resources.pods).filter { pod in
            workers[pod.objectUID] == nil && SmallFile.exists(PodDirectory(root: shared.root, pod: pod).state)
        }
        await withTaskGroup(of: Void.self) { group in
            for worker in workers.values { group.addTask { await worker.shutDown(keepingProcesses: keeps) } }
            for pod in untaken {
                let worker = PodWorker(pod: pod, shared: shared)
                group.addTask { await worker.interrupt() }
            }
        }
    }

    /// Returns when `stop()` is done.
    func finished() async {
        if isFinished || !isStopped { return }
        await withCheckedContinuation { waiters.append($0) }
    }
}

extension LocalClient {
    /// Binds a pod to a node.
    func bind(_ binding: JSONValue, pods: ResourceType) async throws {
        let path = pods.path(namespace: binding.objectNamespace, name: binding.objectName, subresource: "binding")
        let request = APIRequest(
            method: "POST", target: path + "?fieldManager=kube-scheduler", headers: ["content-type": "application/json"],
            body: binding.serialized(), user: UserInfo(name: "system:kube-scheduler", groups: ["system:masters", "system:authenticated"]))
        let response = await server.handle(request)
        guard response.status < 300 else {
            throw APIStatus(code: response.status, reason: "BindingFailed", message: "pod \(binding.objectName) was not bound")
        }
    }
}
