import Logging
import ResourceModel
import ServiceLifecycle

/// Runs Deployments, ReplicaSets, Jobs, Services' endpoints and pods: the controllers and the one node of an embedded cluster.
package final class WorkloadControllers: Service {
    private struct Key: Hashable, Sendable {
        enum Kind: Sendable { case deployment, replicaSet, job, service }
        var kind: Kind
        var namespace: String
        var name: String

        init(kind: Kind, namespace: String, name: String) {
            self.kind = kind
            self.namespace = namespace
            self.name = name
        }

        init(kind: Kind, _ object: JSONValue) {
            self.init(kind: kind, namespace: object.objectNamespace, name: object.objectName)
        }
    }

    private let resources: WorkloadResources
    private let events: EventRecorder
    private let configuration: WorkloadConfiguration
    private let runner: PodRunner
    private let queue = WorkQueue<Key>()
    private let logger: Logger

    /// - Parameters:
    ///   - directory: absolute; pods' files and the cluster's address range are kept there.
    package init(
        client: LocalClient, directory: String, configuration: WorkloadConfiguration = WorkloadConfiguration(),
        logger: Logger = Logger(label: "workloads")
    ) throws {
        self.logger = logger
        self.configuration = configuration
        events = EventRecorder(client: client, host: configuration.nodeName, logger: logger)
        resources = try WorkloadResources(client: client, events: events, logger: logger)
        runner = try PodRunner(resources: resources, directory: directory, configuration: configuration)
    }

    /// Where `kubectl logs` reads.
    package var podLogs: any PodLogSource { runner.logSource }

    /// Runs until graceful shutdown or cancellation, then stops the pods' processes unless they are to be kept.
    package func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            await runUntilStopped()
        } onCancelOrGracefulShutdown: {
            Task { await self.stop() }
        }
    }

    /// Stops the pods and ends `run`. Safe to call again.
    package func stop() async {
        await queue.close()
        await runner.stop()
    }

    /// Runs until `stop()`.
    func runUntilStopped() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.events.run() }
            group.addTask { await self.watch(self.resources.deployments) { [Key(kind: .deployment, $0.object)] } }
            group.addTask {
                await self.watch(self.resources.replicaSets) { change in
                    [Key(kind: .replicaSet, change.object)] + Self.owner(of: change.object)
                }
            }
            group.addTask { await self.watch(self.resources.jobs) { [Key(kind: .job, $0.object)] } }
            group.addTask { await self.watch(self.resources.services) { [Key(kind: .service, $0.object)] } }
            group.addTask { await self.watch(self.resources.pods) { self.keys(ofPod: $0.object) } }
            group.addTask { await self.runner.run() }
            await queue.run(width: 8, logger: logger) { [self] key in
                if let time = try await look(key) { await queue.add(key, after: .seconds(max(0, time - Timestamp.seconds())) + .milliseconds(20)) }
            }
            await runner.finished()
            group.cancelAll()
        }
    }

    private func look(_ key: Key) async throws -> Int64? {
        switch key.kind {
        case .deployment: return try await DeploymentController(resources: resources).look(namespace: key.namespace, name: key.name)
        case .replicaSet: return try await ReplicaSetController(resources: resources).look(namespace: key.namespace, name: key.name)
        case .job:
            return try await JobController(resources: resources, backoff: configuration.jobBackoffSeconds)
                .look(namespace: key.namespace, name: key.name)
        case .service:
            try await EndpointsController(resources: resources).look(namespace: key.namespace, name: key.name)
            return nil
        }
    }

    /// Adds the keys of every change; lists again when it fell too far behind.
    private func watch(_ type: ResourceType, _ keys: @Sendable (LocalClient.Change) -> [Key]) async {
        while !Task.isCancelled {
            for await change in resources.client.watch(type) {
                for key in keys(change) { await queue.add(key) }
            }
            do { try await Task.sleep(for: .milliseconds(500)) } catch { return }  // the server stops, or this reader was too slow
        }
    }

    private static func owner(of object: JSONValue) -> [Key] {
        guard let owner = object.objectController, let name = owner["name"]?.stringValue else { return [] }
        let kinds: [String: Key.Kind] = ["Deployment": .deployment, "ReplicaSet": .replicaSet, "Job": .job]
        return kinds[owner["kind"]?.stringValue ?? ""].map { [Key(kind: $0, namespace: object.objectNamespace, name: name)] } ?? []
    }

    /// The controllers that a pod concerns: its owner (or whoever might adopt it), the owner's Deployment, and the Services that select it.
    private func keys(ofPod pod: JSONValue) -> [Key] {
        let namespace = pod.objectNamespace
        var keys = Self.owner(of: pod)
        if keys.isEmpty, pod.objectController == nil {
            for set in resources.client.list(resources.replicaSets, namespace: namespace)
            where LabelSelector(object: set[path: "spec", "selector"]).matches(pod[path: "metadata", "labels"]) {
                keys.append(Key(kind: .replicaSet, set))
            }
        }
        if let first = keys.first, first.kind == .replicaSet,
            let set = resources.client.get(resources.replicaSets, namespace: namespace, name: first.name)
        {
            keys += Self.owner(of: set)
        }
        for service in resources.client.list(resources.services, namespace: namespace) {
            guard let selector = service[path: "spec", "selector"]?.objectValue, !selector.isEmpty else { continue }
            if selector.allSatisfy({ pod.objectLabels[$0.key] == $0.value }) { keys.append(Key(kind: .service, service)) }
        }
        return keys
    }
}
