import Glibc
import Processes
import ResourceModel
import TestSupport
import Testing

@testable import EmbeddedCluster

/// kubectl and helm with workloads that really run.
@Suite struct KubectlWorkloadTests {
    @Test func rollsOutUndoesAndDeletesADeployment() async throws {
        try await KubectlSession.with { session in
            try await session.kubectl("apply", "-f", "-", input: KubectlSession.deployment("web", replicas: 2))
            let status = try await session.kubectl("rollout", "status", "deployment/web", "--timeout=30s")
            #expect(status.hasSuffix("deployment \"web\" successfully rolled out\n"))
            try await session.kubectl("apply", "-f", "-", input: KubectlSession.deployment("web", replicas: 2, version: "2"))
            try await session.kubectl("rollout", "status", "deployment/web", "--timeout=30s")
            #expect(try await session.kubectl("logs", "deployment/web", "--tail=1").contains("version 2"))
            let history = try await session.kubectl("rollout", "history", "deployment/web")
            #expect(history.contains("1         <none>\n2         <none>\n"))
            try await session.kubectl("rollout", "undo", "deployment/web")
            try await session.kubectl("rollout", "restart", "deployment/web")
            try await session.kubectl("rollout", "status", "deployment/web", "--timeout=30s")
            try await session.kubectl("scale", "deployment/web", "--replicas=1")
            try await session.kubectl("wait", "--for=jsonpath={.status.readyReplicas}=1", "deployment/web", "--timeout=20s")
            #expect(try await session.kubectl("describe", "deployment", "web").contains("Scaled up replica set"))
            let processes = ProcessIdentity.processes(withEnvironment: "KUBERNETES_SERVICE_HOST=127.0.0.1")
            try await session.kubectl("delete", "deployment", "web", "--cascade=foreground", "--timeout=30s")
            #expect(try await session.kubectl("get", "pods,replicasets", "-o", "name") == "")
            #expect(processes.allSatisfy { ProcessIdentity(pid: $0) == nil || !Self.isOurs($0, session) })
        }
    }

    private static func isOurs(_ pid: Int32, _ session: KubectlSession) -> Bool {
        SmallFile.text("/proc/\(pid)/environ")?.contains(session.directory) ?? false
    }

    @Test func logsFollowAndShowThePreviousRun() async throws {
        try await KubectlSession.with { session in
            let pod = """
                apiVersion: v1
                kind: Pod
                metadata: {name: talker}
                spec:
                  terminationGracePeriodSeconds: 1
                  volumes: [{name: work, emptyDir: {}}]
                  containers:
                  - name: main
                    image: none
                    command: [sh, -c, "test -e /work/second && { echo second; exec sleep 600; }; touch /work/second; echo first; exit 1"]
                    volumeMounts: [{name: work, mountPath: /work}]
                """
            try await session.kubectl("apply", "-f", "-", input: pod)
            try await session.kubectl(
                "wait", "--for=jsonpath={.status.containerStatuses[0].restartCount}=1", "pod/talker", "--timeout=20s")
            try await session.kubectl("wait", "--for=condition=Ready", "pod/talker", "--timeout=20s")
            #expect(try await session.kubectl("logs", "talker", "--previous") == "first\n")
            let follower = try await session.tool("kubectl").start(["logs", "-f", "talker"])
            for await line in follower.lines {
                #expect(line == "second")
                break
            }
            follower.signal(SIGTERM)
            _ = try await follower.exit()
            #expect(try await session.refused("logs", "talker", "-c", "nosuch").contains("container nosuch is not valid"))
            #expect(try await session.kubectl("describe", "pod", "talker").contains("Exit Code:    1"))
            try await session.kubectl("delete", "pod", "talker", "--grace-period=0", "--force")
            #expect(try await session.refused("get", "pod", "talker").contains("NotFound"))
        }
    }

    @Test func aDryRunOfADrainEvictsNothingAndARealOneEmptiesTheNode() async throws {
        try await KubectlSession.with { session in
            try await session.kubectl("run", "lone", "--image=none", "--command", "--", "sleep", "600")
            try await session.kubectl("wait", "--for=condition=Ready", "pod/lone", "--timeout=20s")
            try await session.kubectl("drain", "embedded", "--force", "--dry-run=server")
            #expect(try session.exists("v1", "Pod", "lone"))
            #expect(try session.object("v1", "Node", "embedded")[path: "spec", "unschedulable"] == nil)
            try await session.kubectl("drain", "embedded", "--force", "--grace-period=1", "--timeout=30s")
            #expect(try !session.exists("v1", "Pod", "lone"))
            try await session.kubectl("uncordon", "embedded")
        }
    }

    @Test func aNamespaceWithRunningPodsEndsAndOrphansLiveOn() async throws {
        try await KubectlSession.with { session in
            try await session.kubectl("create", "namespace", "shop")
            try await session.kubectl("apply", "-n", "shop", "-f", "-", input: KubectlSession.deployment("web"))
            try await session.kubectl("apply", "-f", "-", input: KubectlSession.deployment("left"))
            try await session.kubectl("rollout", "status", "-n", "shop", "deployment/web", "--timeout=30s")
            try await session.kubectl("rollout", "status", "deployment/left", "--timeout=30s")
            try await session.kubectl("delete", "deployment", "left", "--cascade=orphan")
            try await session.kubectl("delete", "namespace", "shop", "--timeout=30s")
            #expect(try await session.refused("get", "namespace", "shop").contains("NotFound"))
            #expect(try session.client.list(session.client.resource("v1", "Pod"), namespace: "shop").isEmpty)
            let sets = try await session.kubectl(
                "get", "replicasets", "-l", "app=left", "-o", "jsonpath={.items[*].metadata.ownerReferences}")
            #expect(sets == "")
            try await session.kubectl("wait", "--for=condition=Ready", "pod", "-l", "app=left", "--timeout=5s")
            try await session.kubectl("delete", "replicaset", "-l", "app=left", "--cascade=background")
            try await session.kubectl("wait", "--for=delete", "pod", "-l", "app=left", "--timeout=20s")
        }
    }

    @Test func aWatchComesBackAfterTheHistoryWasCompacted() async throws {
        try await KubectlSession.with(controllers: [.garbageCollection]) { session in
            let watcher = try await session.tool("kubectl").start(["get", "configmaps", "-w", "-o", "name"])
            var seen = watcher.lines.makeAsyncIterator()
            try await session.kubectl("create", "configmap", "one")
            while let line = await seen.next(), line != "configmap/one" {}
            let old = try session.object("v1", "ConfigMap", "one")[path: "metadata", "resourceVersion"]?.stringValue ?? ""
            try await session.kubectl("create", "configmap", "two")
            session.cluster.apiServer.store.compact()
            let expired = try await session.kubectl(
                "get", "--raw", "/api/v1/namespaces/default/configmaps?watch=1&resourceVersion=\(old)")
            #expect(
                expired.contains(#""type":"ERROR""#) && expired.contains(#""code":410"#)
                    && expired.contains(#""reason":"Expired""#))
            try await session.kubectl("create", "configmap", "three")
            while let line = await seen.next(), line != "configmap/three" {}
            watcher.signal(SIGTERM)
            _ = try await watcher.exit()
        }
    }

    @Test func putMakesOnlyWhatARealServerLetsItMake() async throws {
        try await KubectlSession.with(controllers: [.garbageCollection]) { session in
            let lease = try session.file(
                "lease.json", #"{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"l"}}"#)
            try await session.kubectl("replace", "--raw", "/apis/coordination.k8s.io/v1/namespaces/default/leases/l", "-f", lease)
            #expect(try session.exists("coordination.k8s.io/v1", "Lease", "l"))
            let map = try session.file("map.json", #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"}}"#)
            let refusal = try await session.refused("replace", "--raw", "/api/v1/namespaces/default/configmaps/m", "-f", map)
            #expect(refusal.contains("NotFound"))
        }
    }

    @Test func helmInstallsUpgradesRollsBackAndUninstalls() async throws {
        try await KubectlSession.with { session in
            try session.file("chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 0.1.0\n")
            try session.file("chart/values.yaml", "replicas: 1\n")
            let template = KubectlSession.deployment("web").replacing("replicas: 1", with: "replicas: {{ .Values.replicas }}")
            try session.file("chart/templates/web.yaml", template)
            let chart = session.directory + "/chart"
            try await session.helm("install", "shop", chart, "--wait", "--timeout", "30s")
            #expect(try await session.helm("list", "-o", "json").contains(#""status":"deployed""#))
            #expect(try await session.helm("get", "manifest", "shop").contains("kind: Deployment"))
            try await session.helm("upgrade", "shop", chart, "--set", "replicas=2", "--wait", "--timeout", "30s")
            #expect(try session.object("apps/v1", "Deployment", "web")[path: "status", "readyReplicas"] == 2)
            try await session.helm("rollback", "shop", "1", "--wait", "--timeout", "30s")
            #expect(try session.object("apps/v1", "Deployment", "web")[path: "spec", "replicas"] == 1)
            #expect(try await session.helm("history", "shop").split(separator: "\n").count == 4)
            try await session.helm("uninstall", "shop", "--wait", "--timeout", "30s")
            #expect(try !session.exists("apps/v1", "Deployment", "web"))
        }
    }
}
