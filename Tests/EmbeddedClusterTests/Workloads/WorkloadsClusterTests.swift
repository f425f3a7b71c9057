import Glibc
import Logging
import Processes
import ResourceModel
import Testing

@testable import EmbeddedCluster

/// Workloads in a running cluster: real processes.
@Suite struct WorkloadsClusterTests {
    private struct TimedOut: Error, CustomStringConvertible {
        var description: String
    }

    /// The first state of an object that the test accepts (`nil`: it is gone), seen by a watch.
    private static func wait(
        _ client: LocalClient, _ type: ResourceType, _ name: String? = nil, within limit: Duration = .seconds(60), _ what: String,
        until accepts: @escaping @Sendable (JSONValue?) -> Bool
    ) async throws -> JSONValue? {
        try await withThrowingTaskGroup(of: JSONValue?.self) { group in
            group.addTask {
                for await change in client.watch(type) where name == nil || change.object.objectName == name {
                    let object = change.kind == .deleted ? nil : change.object
                    if accepts(object) { return object }
                }
                throw TimedOut(description: "the watch ended before: \(what)")
            }
            group.addTask {
                try await Task.sleep(for: limit)
                throw TimedOut(
                    description: "not within \(limit): \(what). \(client.list(type).map { ($0["status"] ?? [:]).jsonString }.joined(separator: "\n"))")
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    private static func waitUntilNone(_ client: LocalClient, _ type: ResourceType) async throws {
        let changes = client.watch(type)
        if client.list(type).isEmpty { return }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in changes where client.list(type).isEmpty { return } }
            group.addTask {
                try await Task.sleep(for: .seconds(15))
                throw TimedOut(description: "still there: \(client.list(type).map(\.jsonString))")
            }
            try await group.next()
            group.cancelAll()
        }
    }

    private static func withCluster(
        _ body: (LocalClient, WorkloadResources, EmbeddedCluster, String) async throws -> Void
    ) async throws {
        try await withScratchDirectory { directory in
            let cluster = try await EmbeddedCluster.start(directory: directory + "/cluster", workloads: configuration)
            do {
                let client = cluster.client(name: "test")
                let resources = try resources(client)
                try await body(client, resources, cluster, directory)
            } catch {
                try await cluster.stop()
                throw error
            }
            try await cluster.stop()
        }
    }

    private static var configuration: WorkloadConfiguration {
        var configuration = WorkloadConfiguration()
        configuration.restartBackoff = .milliseconds(200)
        configuration.jobBackoffSeconds = 0
        return configuration
    }

    private static func resources(_ client: LocalClient) throws -> WorkloadResources {
        let logger = Logger(label: "test")
        return try WorkloadResources(client: client, events: EventRecorder(client: client, host: "test", logger: logger), logger: logger)
    }

    private static func podSpec(_ script: String, restart: String = "Always", extra: JSONValue = [:]) -> JSONValue {
        var container: JSONValue = ["name": "main", "image": "none", "command": ["sh", "-c", .string(script)]]
        for member in extra.objectValue ?? [:] { container[member.key] = member.value }
        return ["restartPolicy": .string(restart), "terminationGracePeriodSeconds": 2, "containers": [container]]
    }

    private static func deployment(_ name: String, replicas: Int, script: String) -> JSONValue {
        [
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": .string(name), "namespace": "default"],
            "spec": [
                "replicas": .count(replicas), "selector": ["matchLabels": ["app": .string(name)]], "revisionHistoryLimit": 10,
                "progressDeadlineSeconds": 600,
                "strategy": ["type": "RollingUpdate", "rollingUpdate": ["maxSurge": 1, "maxUnavailable": 0]],
                "template": ["metadata": ["labels": ["app": .string(name)]], "spec": podSpec(script)],
            ],
        ]
    }

    private static func log(_ directory: String, _ pod: JSONValue) -> String {
        let source = PodFileLogs(root: directory + "/cluster/pods")
        let path = source.logFile(namespace: "default", pod: pod.objectName, uid: pod.objectUID, container: "main", previous: false)
        return path.flatMap(SmallFile.text) ?? ""
    }

    @Test func deploymentRunsRollsScalesAndEnds() async throws {
        try await Self.withCluster { client, resources, cluster, directory in
            try await client.create(resources.deployments, namespace: "default", Self.deployment("web", replicas: 2, script: "exec sleep 600"))
            _ = try await Self.wait(client, resources.deployments, "web", "two available") { $0?.count("status", "availableReplicas") == 2 }
            let pods = client.list(resources.pods)
            #expect(Set(pods.compactMap { $0[path: "status", "podIP"]?.stringValue }).count == 2)
            #expect(pods.allSatisfy { $0.podPhase == "Running" && $0.podIsReady })

            try await client.patch(
                resources.deployments, namespace: "default", name: "web",
                ["spec": ["template": ["metadata": ["labels": ["version": "2"]]]]])
            let rolled = try await Self.wait(client, resources.deployments, "web", "rolled out") {
                guard let object = $0 else { return false }
                return object.condition("Progressing")?["reason"] == "NewReplicaSetAvailable"
                    && object.count("status", "observedGeneration") == 2 && object.count("status", "updatedReplicas") == 2
                    && object.count("status", "replicas") == 2
            }
            #expect(rolled?.objectAnnotations["deployment.kubernetes.io/revision"]?.stringValue == "2")
            #expect(client.list(resources.replicaSets).count == 2)

            try await client.patch(resources.deployments, namespace: "default", name: "web", ["spec": ["replicas": 3]])
            _ = try await Self.wait(client, resources.deployments, "web", "three available") { $0?.count("status", "availableReplicas") == 3 }

            let before = ProcessIdentity.processes(withEnvironment: "HOSTNAME=" + (client.list(resources.pods).first?.objectName ?? ""))
            #expect(before.count == 1)
            try await client.delete(resources.deployments, namespace: "default", name: "web")
            try await Self.waitUntilNone(client, resources.pods)
            #expect(before.allSatisfy { kill($0, 0) != 0 })
        }
    }

    @Test func jobCompletesAndAFailingOneGivesUp() async throws {
        try await Self.withCluster { client, resources, cluster, directory in
            @Sendable func job(_ name: String, _ script: String, _ spec: JSONValue) -> JSONValue {
                var object: JSONValue = [
                    "apiVersion": "batch/v1", "kind": "Job", "metadata": ["name": .string(name), "namespace": "default"], "spec": spec,
                ]
                object[path: "spec", "template"] = ["spec": Self.podSpec(script, restart: "Never")]
                return object
            }
            try await client.create(
                resources.jobs, namespace: "default",
                job("indexed", "echo index $JOB_COMPLETION_INDEX", ["completions": 2, "parallelism": 2, "completionMode": "Indexed"]))
            try await client.create(resources.jobs, namespace: "default", job("broken", "exit 7", ["backoffLimit": 1]))
            let done = try await Self.wait(client, resources.jobs, "indexed", "complete") { $0?.hasCondition("Complete") ?? false }
            #expect(done?[path: "status", "completedIndexes"]?.stringValue == "0,1")
            let failed = try await Self.wait(client, resources.jobs, "broken", "failed") { $0?.hasCondition("Failed") ?? false }
            #expect(failed?.count("status", "failed") == 2)
            let pod = client.list(resources.pods).first { $0.objectName.hasPrefix("indexed-1") }
            #expect(Self.log(directory, pod ?? [:]).contains("Z index 1\n"))
            let exit = client.list(resources.pods).first { $0.objectName.hasPrefix("broken") }
            #expect(exit?[path: "status", "containerStatuses"]?[0]?[path: "state", "terminated", "exitCode"] == 7)
        }
    }

    @Test func probesHooksVolumesAndRestartsWork() async throws {
        try await Self.withCluster { client, resources, cluster, directory in
            try await client.create(
                resources.configMaps, namespace: "default",
                ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "settings", "namespace": "default"], "data": ["greeting": "hello"]])
            var spec = Self.podSpec(
                "cat /etc/app/greeting; echo; test -e /work/was-here && exec sleep 600; touch /work/was-here; exit 5",
                extra: [
                    "volumeMounts": [["name": "config", "mountPath": "/etc/app"], ["name": "work", "mountPath": "/work"]],
                    "readinessProbe": ["exec": ["command": ["test", "-e", "/work/ready"]], "periodSeconds": 1],
                    "lifecycle": ["postStart": ["exec": ["command": ["touch", "/work/ready"]]]],
                ])
            spec["volumes"] = [["name": "config", "configMap": ["name": "settings"]], ["name": "work", "emptyDir": [:]]]
            spec["initContainers"] = [["name": "first", "image": "none", "command": ["true"]]]
            try await client.create(
                resources.pods, namespace: "default",
                ["apiVersion": "v1", "kind": "Pod", "metadata": ["name": "one", "namespace": "default"], "spec": spec])
            // A hook that comes after its container has ended fails it once more.
            let pod = try await Self.wait(client, resources.pods, "one", "ready after a restart") { pod in
                pod?.podIsReady == true && (pod?.podRestarts ?? 0) >= 1
            }
            let status = pod?[path: "status", "containerStatuses"]?[0]
            #expect(status?[path: "lastState", "terminated", "exitCode"] == 5)
            #expect(pod?[path: "status", "initContainerStatuses"]?[0]?[path: "state", "terminated", "reason"] == "Completed")
            #expect(Self.log(directory, pod ?? [:]).hasSuffix("Z hello\n"))
        }
    }

    @Test func aContainerWithoutCommandSaysWhatToDo() async throws {
        try await Self.withCluster { client, resources, cluster, directory in
            try await client.create(
                resources.pods, namespace: "default",
                [
                    "apiVersion": "v1", "kind": "Pod", "metadata": ["name": "image", "namespace": "default"],
                    "spec": ["containers": [["name": "main", "image": "nginx"]]],
                ])
            let pod = try await Self.wait(client, resources.pods, "image", "waiting") {
                $0?[path: "status", "containerStatuses"]?[0]?[path: "state", "waiting", "reason"] == "ErrImageNeverPull"
            }
            let message = pod?[path: "status", "containerStatuses"]?[0]?[path: "state", "waiting", "message"]?.stringValue
            #expect(message?.contains("runs commands, not images") == true)
            #expect(pod?.podPhase == "Pending")
        }
    }

    @Test func processesAreFoundAgainOrStartedAnew() async throws {
        try await withScratchDirectory { directory in
            func start(keeping: Bool) async throws -> EmbeddedCluster {
                var configuration = Self.configuration
                configuration.keepsProcesses = keeping
                return try await EmbeddedCluster.start(directory: directory + "/cluster", workloads: configuration)
            }
            func processID(_ pod: JSONValue?) -> String? { pod?[path: "status", "containerStatuses"]?[0]?["containerID"]?.stringValue }
            let pod: JSONValue = [
                "apiVersion": "v1", "kind": "Pod", "metadata": ["name": "one", "namespace": "default"],
                "spec": Self.podSpec("while :; do echo tick; sleep 0.1; done"),
            ]
            let first = try await start(keeping: true)
            let pods = try first.client(name: "test").resource("v1", "Pod")
            try await first.client(name: "test").create(pods, namespace: "default", pod)
            let running = try await Self.wait(first.client(name: "test"), pods, "one", "running") { $0?.podIsReady == true }
            try await first.stop()
            let number = processID(running)?.split(separator: "/").last.flatMap { Int32($0) }
            let pid = try #require(number)
            #expect(kill(pid, 0) == 0)

            let second = try await start(keeping: false)
            let same = try await Self.wait(second.client(name: "test"), pods, "one", "still running") { $0?.podIsReady == true }
            #expect(processID(same) == processID(running))
            #expect(same?.podRestarts == 0)
            try await second.stop()
            #expect(ProcessIdentity(pid: pid) == nil)

            let third = try await start(keeping: false)
            let client = third.client(name: "test")
            let anew = try await Self.wait(client, pods, "one", "running again") { $0?.podRestarts == 1 && $0?.podIsReady == true }
            #expect(processID(anew) != processID(running))
            #expect(anew?[path: "status", "podIP"] == running?[path: "status", "podIP"])
            try await client.delete(pods, namespace: "default", name: "one")
            try await Self.waitUntilNone(client, pods)
            try await third.stop()
            let uid = running?.objectUID ?? ""
            let left = ProcessIdentity.processes(withEnvironment: "RECONCILER_POD_UID=" + uid)
            #expect(left.isEmpty)
        }
    }
}
