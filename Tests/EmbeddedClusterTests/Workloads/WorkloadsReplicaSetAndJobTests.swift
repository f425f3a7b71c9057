import ResourceModel
import Testing

@testable import EmbeddedCluster

@Suite struct WorkloadsReplicaSetAndJobTests {
    private static let now: Int64 = 1_800_000_000

    private static func pod(_ name: String, phase: String = "Running", ready: Bool = true, index: Int? = nil, cost: String? = nil, ended: Int64 = 0) -> JSONValue {
        var pod: JSONValue = [
            "metadata": ["name": .string(name), "labels": ["app": "web"], "creationTimestamp": "2027-01-01T00:00:00Z"],
            "spec": ["nodeName": "embedded"],
            "status": [
                "phase": .string(phase),
                "conditions": [
                    ["type": "Ready", "status": ready ? "True" : "False", "lastTransitionTime": .string(Timestamp.string(now - 5))]
                ],
            ],
        ]
        if let index { pod.setAnnotation("batch.kubernetes.io/job-completion-index", String(index)) }
        if let cost { pod.setAnnotation("controller.kubernetes.io/pod-deletion-cost", cost) }
        if ended > 0 {
            pod[path: "status", "containerStatuses"] = [
                ["state": ["terminated": ["exitCode": 1, "finishedAt": .string(Timestamp.string(ended))]]]
            ]
        }
        return pod
    }

    private static func set(_ replicas: Int, minReady: Int = 0) -> JSONValue {
        [
            "metadata": ["name": "web", "uid": "r", "generation": 2],
            "spec": [
                "replicas": .count(replicas), "minReadySeconds": .count(minReady), "template": ["metadata": ["labels": ["app": "web"]]],
            ],
        ]
    }

    @Test func createsWhatIsMissingAndIgnoresFinishedPods() {
        let decision = ReplicaSetDecision.decide(Self.set(3), pods: [Self.pod("a"), Self.pod("b", phase: "Failed")], now: Self.now)
        #expect(decision.create == 2)
        #expect(decision.status?["replicas"] == 1)
        #expect(decision.status?["observedGeneration"] == 2)
    }

    @Test func deletesPendingThenUnreadyThenCheapPodsFirst() {
        let pods = [
            Self.pod("dear", cost: "10"), Self.pod("plain"), Self.pod("unready", ready: false), Self.pod("pending", phase: "Pending", ready: false),
        ]
        #expect(ReplicaSetDecision.decide(Self.set(3), pods: pods, now: Self.now).delete == ["pending"])
        #expect(ReplicaSetDecision.decide(Self.set(1), pods: pods, now: Self.now).delete == ["pending", "unready", "plain"])
    }

    @Test func countsPodsAsAvailableAfterMinReadySeconds() {
        let decision = ReplicaSetDecision.decide(Self.set(1, minReady: 10), pods: [Self.pod("a")], now: Self.now)
        #expect(decision.status?["readyReplicas"] == 1)
        #expect(decision.status?["availableReplicas"] == nil)
        #expect(decision.wakeUp == Self.now + 5)
    }

    private static func job(_ spec: JSONValue, status: JSONValue = ["startTime": "2027-01-15T07:00:00Z"]) -> JSONValue {
        ["metadata": ["name": "task", "uid": "j"], "spec": spec, "status": status]
    }

    private static func condition(_ decision: JobDecision, _ type: String) -> JSONValue? {
        decision.status?["conditions"]?.arrayValue?.first { $0["type"]?.stringValue == type }
    }

    @Test func runsAsManyPodsAsParallelismAndCompletionsAllow() {
        let job = Self.job(["completions": 5, "parallelism": 3])
        #expect(JobDecision.decide(job, pods: [], now: Self.now).create.count == 3)
        let late = JobDecision.decide(
            job, pods: (0..<4).map { Self.pod("p\($0)", phase: "Succeeded", ready: false) }, now: Self.now)
        #expect(late.create.count == 1)
        #expect(late.status?["succeeded"] == 4)
        #expect(late.status?["active"] == 1)
    }

    @Test func completesWithBothConditionsOnceNothingRuns() {
        let decision = JobDecision.decide(
            Self.job(["completions": 1, "parallelism": 1]), pods: [Self.pod("a", phase: "Succeeded", ready: false)], now: Self.now)
        #expect(Self.condition(decision, "SuccessCriteriaMet")?["reason"]?.stringValue == "CompletionsReached")
        #expect(Self.condition(decision, "Complete")?["status"]?.stringValue == "True")
        #expect(decision.status?["completionTime"] != nil)
    }

    @Test func waitsLongerAfterEachFailureAndFailsBeyondTheLimit() {
        let job = Self.job(["completions": 1, "parallelism": 1, "backoffLimit": 2])
        let one = JobDecision.decide(job, pods: [Self.pod("a", phase: "Failed", ended: Self.now)], now: Self.now)
        #expect(one.create.isEmpty)
        #expect(one.wakeUp == Self.now + 10)
        let two = JobDecision.decide(
            job, pods: [Self.pod("a", phase: "Failed", ended: Self.now - 30), Self.pod("b", phase: "Failed", ended: Self.now)], now: Self.now)
        #expect(two.wakeUp == Self.now + 20)
        let three = JobDecision.decide(job, pods: ["a", "b", "c"].map { Self.pod($0, phase: "Failed", ended: Self.now) }, now: Self.now)
        #expect(Self.condition(three, "FailureTarget")?["reason"]?.stringValue == "BackoffLimitExceeded")
        #expect(Self.condition(three, "Failed")?["message"]?.stringValue == "Job has reached the specified backoff limit")
        #expect(three.status?["failed"] == 3)
    }

    @Test func stopsItsPodsWhenTheDeadlineIsOverOrItIsSuspended() {
        let late = JobDecision.decide(
            Self.job(["completions": 1, "activeDeadlineSeconds": 1], status: ["startTime": .string(Timestamp.string(Self.now - 2))]),
            pods: [Self.pod("a")], now: Self.now)
        #expect(late.delete == ["a"])
        #expect(Self.condition(late, "FailureTarget")?["reason"]?.stringValue == "DeadlineExceeded")
        #expect(Self.condition(late, "Failed") == nil)
        let suspended = JobDecision.decide(Self.job(["completions": 1, "suspend": true]), pods: [Self.pod("a")], now: Self.now)
        #expect(suspended.delete == ["a"])
        #expect(Self.condition(suspended, "Suspended")?["reason"]?.stringValue == "JobSuspended")
        #expect(suspended.status?["startTime"] == nil)
    }

    @Test func indexedJobRunsEachIndexOnce() {
        let job = Self.job(["completions": 4, "parallelism": 4, "completionMode": "Indexed"])
        let decision = JobDecision.decide(
            job, pods: [Self.pod("a", phase: "Succeeded", index: 0), Self.pod("b", index: 2), Self.pod("c", phase: "Succeeded", index: 1)],
            now: Self.now)
        #expect(decision.create == [3])
        #expect(decision.status?["completedIndexes"]?.stringValue == "0,1")
        let pod = JobController.pod(of: Self.job(["template": ["spec": ["containers": [["name": "c"]]]]]), index: 3)
        #expect(pod[path: "metadata", "generateName"]?.stringValue == "task-3-")
        #expect(pod[path: "spec", "containers"]?[0]?["env"]?[0]?["name"]?.stringValue == "JOB_COMPLETION_INDEX")
    }

    @Test(arguments: ["", "0", "0,1", "0-2", "0-2,4,6-9"])
    func writesCompletedIndexesAsRanges(text: String) { #expect(CompletedIndexes(text).text == text) }

    @Test func expiresAfterItsTimeToLive() {
        let done: JSONValue = [
            "conditions": [["type": "Complete", "status": "True", "lastTransitionTime": .string(Timestamp.string(Self.now - 5))]]
        ]
        #expect(JobDecision.decide(Self.job(["ttlSecondsAfterFinished": 5], status: done), pods: [], now: Self.now).deletesJob)
        #expect(JobDecision.decide(Self.job(["ttlSecondsAfterFinished": 9], status: done), pods: [], now: Self.now).wakeUp == Self.now + 4)
    }

    @Test func endpointsNameReadyPodsAndNamedPorts() throws {
        let service: JSONValue = [
            "metadata": ["name": "web", "namespace": "shop"],
            "spec": ["selector": ["app": "web"], "ports": [["name": "http", "port": 80, "targetPort": "web", "protocol": "TCP"]]],
        ]
        func pod(_ ip: String, ready: Bool) -> JSONValue {
            var pod = Self.pod("p\(ip)", ready: ready)
            pod[path: "status", "podIP"] = .string(ip)
            pod[path: "spec", "containers"] = [["name": "c", "ports": [["name": "web", "containerPort": 8080]]]]
            return pod
        }
        let result = try #require(EndpointsDecision.decide(service: service, pods: [pod("127.1.1.1", ready: true), pod("127.1.1.2", ready: false)]))
        let subset = try #require(result.endpoints["subsets"]?[0])
        #expect(subset["addresses"]?[0]?["ip"] == "127.1.1.1")
        #expect(subset["notReadyAddresses"]?[0]?["ip"] == "127.1.1.2")
        #expect(subset["ports"]?[0]?["port"] == 8080)
        #expect(result.slice["endpoints"]?[1]?[path: "conditions", "ready"] == false)
    }
}
