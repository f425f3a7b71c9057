import ResourceModel
import Testing

@testable import EmbeddedCluster

@Suite struct WorkloadsDeploymentTests {
    private static let now: Int64 = 1_800_000_000

    static func deployment(replicas: Int = 4, _ spec: (inout JSONValue) -> Void = { _ in }, status: JSONValue = [:]) -> JSONValue {
        var object: JSONValue = [
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": ["name": "web", "namespace": "shop", "uid": "d-1", "generation": 1, "annotations": ["note": "kept"]],
            "spec": [
                "replicas": .count(replicas), "selector": ["matchLabels": ["app": "web"]],
                "strategy": ["type": "RollingUpdate", "rollingUpdate": ["maxSurge": "25%", "maxUnavailable": "25%"]],
                "template": ["metadata": ["labels": ["app": "web"]], "spec": ["containers": [["name": "web", "image": "v2"]]]],
            ],
            "status": status,
        ]
        var changed = object["spec"] ?? [:]
        spec(&changed)
        object["spec"] = changed
        return object
    }

    static func set(_ name: String, image: String, size: Int, available: Int? = nil, revision: Int, desired: Int = 4, created: String = "2027-01-01T00:00:00Z")
        -> JSONValue
    {
        [
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": [
                "name": .string(name), "namespace": "shop", "uid": .string("uid-\(name)"), "generation": 1, "creationTimestamp": .string(created),
                "annotations": [
                    "deployment.kubernetes.io/revision": .string("\(revision)"), "deployment.kubernetes.io/desired-replicas": .string("\(desired)"),
                    "deployment.kubernetes.io/max-replicas": .string("\(desired + (desired + 3) / 4)"), "note": "kept",
                ],
            ],
            "spec": [
                "replicas": .count(size),
                "template": [
                    "metadata": ["labels": ["app": "web", "pod-template-hash": "x"]],
                    "spec": ["containers": [["name": "web", "image": .string(image)]]],
                ],
            ],
            "status": [
                "replicas": .count(size), "readyReplicas": .count(available ?? size), "availableReplicas": .count(available ?? size),
                "observedGeneration": 1,
            ],
        ]
    }

    private static func sizes(_ actions: [DeploymentAction]) -> [String: Int] {
        var result: [String: Int] = [:]
        for case .updateReplicaSet(let set, let note) in actions where note != nil { result[set.objectName] = set.count("spec", "replicas") }
        return result
    }

    private static func decide(_ deployment: JSONValue, _ sets: [JSONValue], running: Set<String> = []) -> [DeploymentAction] {
        DeploymentDecision.decide(deployment, replicaSets: sets, running: running, now: now)
    }

    @Test(arguments: [
        (4, "25%", "25%", 1, 1), (3, "25%", "25%", 1, 0), (10, "25%", "25%", 3, 2), (1, "0", "0", 0, 1), (5, "2", "100%", 2, 5),
        (0, "25%", "25%", 0, 0),
    ])
    func roundsSurgeUpAndUnavailabilityDown(replicas: Int, surge: String, unavailable: String, expectedSurge: Int, expectedUnavailable: Int) {
        let state = DeploymentState(
            deployment: Self.deployment(replicas: replicas) {
                $0[path: "strategy", "rollingUpdate"] = ["maxSurge": .string(surge), "maxUnavailable": .string(unavailable)]
            }, replicaSets: [], now: Self.now)
        #expect(state.maxSurge == expectedSurge)
        #expect(state.maxUnavailable == expectedUnavailable)
    }

    @Test func createsTheFirstReplicaSetWithHashRevisionAndWholeSize() throws {
        let actions = Self.decide(Self.deployment(), [])
        guard case .createReplicaSet(let set)? = actions.first else { return #expect(Bool(false), "\(actions)") }
        let hash = try #require(set.objectLabels["pod-template-hash"]?.stringValue)
        #expect(set.objectName == "web-\(hash)")
        #expect(set.count("spec", "replicas") == 4)
        #expect(set[path: "spec", "selector", "matchLabels", "pod-template-hash"]?.stringValue == hash)
        #expect(set.objectAnnotations["deployment.kubernetes.io/revision"]?.stringValue == "1")
        #expect(set.objectAnnotations["note"]?.stringValue == "kept")
        #expect(set.objectController?["uid"]?.stringValue == "d-1")
    }

    @Test func growsTheNewSetByTheSurgeThenShrinksTheOld() {
        let deployment = Self.deployment()
        let first = Self.decide(deployment, [Self.set("old", image: "v1", size: 4, revision: 1)])
        guard case .createReplicaSet(let set)? = first.first else { return #expect(Bool(false), "\(first)") }
        #expect(set.count("spec", "replicas") == 1)
        #expect(set.objectAnnotations["deployment.kubernetes.io/revision"]?.stringValue == "2")
        // 5 pods, 4 available: one may go (minimum 3), although the new one is not available yet.
        let second = Self.decide(
            deployment, [Self.set("old", image: "v1", size: 4, revision: 1), Self.set("new", image: "v2", size: 1, available: 0, revision: 2)])
        #expect(Self.sizes(second) == ["old": 3])
        // 4 pods: the new set may grow to 5 in total.
        let third = Self.decide(
            deployment, [Self.set("old", image: "v1", size: 3, revision: 1), Self.set("new", image: "v2", size: 1, available: 0, revision: 2)])
        #expect(Self.sizes(third) == ["new": 2])
        // 5 pods, 3 available: nothing may go.
        let stuck = Self.decide(
            deployment, [Self.set("old", image: "v1", size: 3, revision: 1), Self.set("new", image: "v2", size: 2, available: 0, revision: 2)])
        #expect(Self.sizes(stuck) == [:])
    }

    @Test func removesOldPodsThatAreNotAvailableFirst() {
        let actions = Self.decide(
            Self.deployment(),
            [Self.set("old", image: "v1", size: 4, available: 2, revision: 1), Self.set("new", image: "v2", size: 1, revision: 2)])
        #expect(Self.sizes(actions) == ["old": 2])
    }

    @Test func recreateWaitsUntilNoOldPodRuns() {
        let deployment = Self.deployment { $0["strategy"] = ["type": "Recreate"] }
        #expect(Self.sizes(Self.decide(deployment, [Self.set("old", image: "v1", size: 4, revision: 1)], running: ["old"])) == ["old": 0])
        let waiting = Self.decide(deployment, [Self.set("old", image: "v1", size: 0, revision: 1)], running: ["old"])
        #expect(!waiting.contains { if case .createReplicaSet = $0 { true } else { false } })
        let ready = Self.decide(deployment, [Self.set("old", image: "v1", size: 0, revision: 1)])
        #expect(ready.contains { if case .createReplicaSet(let set) = $0 { set.count("spec", "replicas") == 4 } else { false } })
    }

    @Test func sharesAScaleAmongSeveralSetsByTheirSizes() {
        let actions = Self.decide(
            Self.deployment(replicas: 10),
            [Self.set("old", image: "v1", size: 3, revision: 1), Self.set("new", image: "v2", size: 2, available: 1, revision: 2)])
        // 13 allowed, 5 there: 3 of 5 and 2 of 5 of the former maximum, the rest to the largest.
        #expect(Self.sizes(actions) == ["old": 8, "new": 5])
    }

    @Test func pausedDeploymentScalesButDoesNotRoll() {
        let deployment = Self.deployment { $0["paused"] = true }
        let actions = Self.decide(deployment, [Self.set("old", image: "v1", size: 4, revision: 1)])
        #expect(Self.sizes(actions) == [:])
        #expect(!actions.contains { if case .createReplicaSet = $0 { true } else { false } })
        guard case .updateStatus(let status)? = actions.last else { return #expect(Bool(false), "\(actions)") }
        let progress = status["conditions"]?.arrayValue?.first { $0["type"]?.stringValue == "Progressing" }
        #expect(progress?["reason"]?.stringValue == "DeploymentPaused")
    }

    @Test func goingBackTakesTheOldSetWithANewRevision() {
        let actions = Self.decide(
            Self.deployment(),
            [Self.set("first", image: "v2", size: 0, revision: 1), Self.set("second", image: "v1", size: 4, revision: 2)])
        let first = actions.compactMap { action -> JSONValue? in
            if case .updateReplicaSet(let set, _) = action, set.objectName == "first" { set } else { nil }
        }.first
        #expect(first?.objectAnnotations["deployment.kubernetes.io/revision"]?.stringValue == "3")
        #expect(first?.objectAnnotations["deployment.kubernetes.io/revision-history"]?.stringValue == "1")
    }

    @Test func deletesOldEmptySetsBeyondTheHistoryLimit() {
        let status: JSONValue = ["observedGeneration": 1, "replicas": 4, "updatedReplicas": 4, "readyReplicas": 4, "availableReplicas": 4]
        let deployment = Self.deployment({ $0["revisionHistoryLimit"] = 1 }, status: status)
        let actions = Self.decide(
            deployment,
            [
                Self.set("a", image: "v0", size: 0, revision: 1), Self.set("b", image: "v1", size: 0, revision: 2),
                Self.set("c", image: "v2", size: 4, revision: 3),
            ])
        #expect(actions.contains(.deleteReplicaSet(name: "a", uid: "uid-a")))
        #expect(!actions.contains(.deleteReplicaSet(name: "b", uid: "uid-b")))
    }

    @Test func reportsProgressCompletionAndTimeOut() {
        func progress(_ actions: [DeploymentAction]) -> JSONValue? {
            for case .updateStatus(let status) in actions {
                return status["conditions"]?.arrayValue?.first { $0["type"]?.stringValue == "Progressing" }
            }
            return nil
        }
        let conditions: JSONValue = [
            [
                "type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated",
                "lastUpdateTime": .string(Timestamp.string(Self.now - 10)), "lastTransitionTime": .string(Timestamp.string(Self.now - 60)),
            ]
        ]
        let stuck = Self.deployment(
            { $0["progressDeadlineSeconds"] = 5 },
            status: ["observedGeneration": 1, "replicas": 4, "updatedReplicas": 4, "unavailableReplicas": 4, "conditions": conditions])
        let late = progress(Self.decide(stuck, [Self.set("new", image: "v2", size: 4, available: 0, revision: 1)]))
        #expect(late?["reason"]?.stringValue == "ProgressDeadlineExceeded")
        #expect(late?["status"]?.stringValue == "False")
        let done = progress(Self.decide(stuck, [Self.set("new", image: "v2", size: 4, revision: 1)]))
        #expect(done?["reason"]?.stringValue == "NewReplicaSetAvailable")
        #expect(done?["lastTransitionTime"]?.stringValue == Timestamp.string(Self.now - 60))
    }

    @Test func settlesOnceNothingIsLeftToDo() {
        let sets = [Self.set("new", image: "v2", size: 4, revision: 1)]
        var deployment = Self.deployment()
        deployment.setAnnotation("deployment.kubernetes.io/revision", "1")
        for _ in 0..<3 {
            for case .updateStatus(let status) in Self.decide(deployment, sets) { deployment["status"] = status }
        }
        #expect(Self.decide(deployment, sets) == [])
    }
}
