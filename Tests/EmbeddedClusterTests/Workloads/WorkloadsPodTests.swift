import Glibc
import Processes
import ResourceModel
import TestSupport
import Testing

@testable import EmbeddedCluster

/// A directory that is removed afterwards.
func withScratchDirectory<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    var template = Array("/tmp/workloads-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw SmallFile.Failure(operation: "make", path: "/tmp", code: errno) }
    let path = String(cString: made)
    defer { SmallFile.remove(path) }
    return try await body(path)
}

@Suite struct WorkloadsPodTests {
    @Test(arguments: [
        ("$(A) and $(B)", "1 and $(B)"), ("$$(A)", "$(A)"), ("$$$(A)", "$1"), ("$(A", "$(A"), ("$A $", "$A $"), ("$(A)$(A)", "11"),
    ])
    func expandsVariablesAsKubernetesDoes(text: String, expected: String) {
        #expect(VariableExpansion.expanded(text) { $0 == "A" ? "1" : nil } == expected)
    }

    @Test(arguments: [
        ("/etc/app", "ROOT/etc/app"), ("--config=/etc/app/a.yaml", "--config=ROOT/etc/app/a.yaml"), ("/etc/apple", "/etc/apple"),
        ("cat /etc/app/k; ls /data", "cat ROOT/etc/app/k; ls ROOT/data"), ("/usr/etc/app", "/usr/etc/app"), ("x:/data", "x:ROOT/data"),
    ])
    func findsMountPathsInsideText(text: String, expected: String) {
        let mounts = [(mountPath: "/etc/app", path: "ROOT/etc/app"), (mountPath: "/data", path: "ROOT/data")]
        #expect(PodVolumes.rewritten(text, mounts) == expected)
    }

    private static let pod: JSONValue = [
        "metadata": ["name": "web-1", "namespace": "shop", "uid": "u1", "labels": ["app": "web"]],
        "spec": [
            "volumes": [
                ["name": "config", "configMap": ["name": "settings", "items": [["key": "mode", "path": "sub/mode.txt"]]]],
                ["name": "keys", "secret": ["secretName": "token", "defaultMode": 0o400]],
                ["name": "info", "downwardAPI": ["items": [["path": "name", "fieldRef": ["fieldPath": "metadata.name"]]]]],
                ["name": "work", "emptyDir": [:]],
            ]
        ],
    ]

    private static var sources: PodSources {
        PodSources(
            pod: pod, podIP: "127.9.9.9", hostIP: "127.0.0.1",
            configMap: { $0 == "settings" ? ["data": ["mode": "fast", "level": "3"]] : nil },
            secret: { $0 == "token" ? ["data": ["key": "czNjcmV0"]] : nil })
    }

    @Test func buildsTheEnvironmentInOrder() throws {
        let container: JSONValue = [
            "envFrom": [["prefix": "CFG_", "configMapRef": ["name": "settings"]], ["secretRef": ["name": "gone", "optional": true]]],
            "env": [
                ["name": "IP", "valueFrom": ["fieldRef": ["fieldPath": "status.podIP"]]], ["name": "URL", "value": "http://$(IP)/$(CFG_mode)$(NO)"],
                ["name": "KEY", "valueFrom": ["secretKeyRef": ["name": "token", "key": "key"]]],
                ["name": "SKIPPED", "valueFrom": ["configMapKeyRef": ["name": "settings", "key": "nope", "optional": true]]],
                ["name": "APP", "valueFrom": ["fieldRef": ["fieldPath": "metadata.labels['app']"]]],
                ["name": "MEM", "valueFrom": ["resourceFieldRef": ["resource": "limits.memory", "divisor": "1Mi"]]],
            ],
            "resources": ["limits": ["memory": "64Mi"]],
        ]
        let variables = try ContainerEnvironment.variables(of: container, Self.sources)
        #expect(variables.map { "\($0.name)=\($0.value)" } == [
            "CFG_mode=fast", "CFG_level=3", "IP=127.9.9.9", "URL=http://127.9.9.9/fast$(NO)", "KEY=s3cret", "APP=web", "MEM=64",
        ])
    }

    @Test func namesWhatIsMissing() {
        #expect(throws: ContainerProblem.configuration("secret \"gone\" not found")) {
            try ContainerEnvironment.variables(
                of: ["env": [["name": "A", "valueFrom": ["secretKeyRef": ["name": "gone", "key": "k"]]]]], Self.sources)
        }
        #expect(throws: ContainerProblem.configuration("couldn't find key k in ConfigMap shop/settings")) {
            try ContainerEnvironment.variables(
                of: ["env": [["name": "A", "valueFrom": ["configMapKeyRef": ["name": "settings", "key": "k"]]]]], Self.sources)
        }
    }

    @Test func fillsVolumesAndLinksThemBelowTheRoot() async throws {
        try await withScratchDirectory { root in
            let directory = PodDirectory(root: root, pod: Self.pod)
            let volumes = PodVolumes(directory: directory, sources: Self.sources, claims: root + "/claims")
            try volumes.fill()
            let container: JSONValue = [
                "name": "web",
                "volumeMounts": [
                    ["name": "config", "mountPath": "/etc/app"], ["name": "keys", "mountPath": "/keys/"], ["name": "info", "mountPath": "/info"],
                    ["name": "work", "mountPath": "/work", "subPath": "a/b"],
                ],
            ]
            let mounts = try volumes.mount(container)
            #expect(mounts.count == 4)
            let base = directory.root("web")
            #expect(SmallFile.text(base + "/etc/app/sub/mode.txt") == "fast")
            #expect(SmallFile.text(base + "/keys/key") == "s3cret")
            #expect(SmallFile.text(base + "/info/name") == "web-1")
            #expect(SmallFile.exists(directory.volume("work") + "/a/b"))
            var info = stat()
            stat(base + "/keys/key", &info)
            #expect(info.st_mode & 0o777 == 0o400)
        }
    }

    private static func record(_ name: String, _ state: ContainerRecord.State, ready: Bool = false, role: ContainerRole = .main, last: ContainerTermination? = nil)
        -> ContainerRecord
    {
        var record = ContainerRecord(name: name, image: "i", role: role, state: state, last: last)
        record.isReady = ready
        return record
    }

    private static func ended(_ code: Int) -> ContainerTermination {
        ContainerTermination(exitCode: code, reason: code == 0 ? "Completed" : "Error", startedAt: 1, finishedAt: 2)
    }

    @Test(arguments: [
        ("Always", [ContainerRecord.State.running(since: 1)], "Running"),
        ("Never", [.terminated(ended(0))], "Succeeded"), ("Never", [.terminated(ended(1))], "Failed"),
        ("OnFailure", [.terminated(ended(1))], "Running"), ("OnFailure", [.terminated(ended(0))], "Succeeded"),
        ("Never", [.terminated(ended(0)), .running(since: 1)], "Running"), ("Always", [.terminated(ended(0))], "Running"),
        ("Always", [.waiting(reason: "ContainerCreating", message: nil)], "Pending"),
    ])
    func phaseFollowsTheContainers(policy: String, states: [ContainerRecord.State], expected: String) {
        let status = PodStatus(
            pod: ["spec": ["restartPolicy": .string(policy)]], initContainers: [],
            containers: states.enumerated().map { Self.record("c\($0.offset)", $0.element) }, podIP: "", hostIP: "", failure: nil, now: 1)
        #expect(status.phase == expected)
    }

    @Test func keepsTheTimeOfAConditionThatStays() {
        var pod: JSONValue = ["spec": ["restartPolicy": "Always"]]
        func status(_ now: Int64, ready: Bool) -> JSONValue {
            PodStatus(
                pod: pod, initContainers: [], containers: [Self.record("c", .running(since: 1), ready: ready)], podIP: "127.1.1.1",
                hostIP: "127.0.0.1", failure: nil, now: now
            ).status
        }
        pod["status"] = status(100, ready: false)
        #expect(pod.condition("Ready")?["message"]?.stringValue == "containers with unready status: [c]")
        pod["status"] = status(200, ready: true)
        let initialized = pod.condition("Initialized")?["lastTransitionTime"]?.stringValue
        #expect(initialized == Timestamp.string(100))
        #expect(pod.condition("Ready")?["lastTransitionTime"]?.stringValue == Timestamp.string(200))
        #expect(pod[path: "status", "podIPs"]?[0]?["ip"] == "127.1.1.1")
    }

    @Test func backsOffFromTheSecondRestartOnUpToTheMaximum() {
        let policy = RestartPolicy()
        #expect((0..<8).map { policy.delay(afterRestarts: $0) } == [0, 10, 20, 40, 80, 160, 300, 300].map { Duration.seconds($0) })
    }

    @Test func aProbeNeedsItsThresholds() throws {
        let specification = try #require(ProbeSpecification(["exec": ["command": ["true"]], "failureThreshold": 2], container: [:]))
        var counter = ProbeCounter(specification)
        #expect(counter.record(true) == true)
        #expect(counter.record(false) == nil)
        #expect(counter.record(false) == false)
        #expect(ProbeSpecification(["grpc": ["port": 1]], container: [:])?.action == .unsupported("grpc probes are not supported by the embedded cluster; use httpGet, tcpSocket or exec"))
    }

    // MARK: Processes

    private static func specification(_ script: String, in directory: String) -> ProcessSpecification {
        ProcessSpecification(
            arguments: ["sh", "-c", script], environment: [("PATH", "/usr/bin:/bin"), ("COLOUR", "blue")], workingDirectory: directory,
            outputPath: directory + "/0.out")
    }

    @Test func startsAProcessInASessionOfItsOwnAndSeesHowItEnds() async throws {
        try await withScratchDirectory { directory in
            let process = try ProcessSpawner.spawn(Self.specification("echo $COLOUR; pwd; exit 3", in: directory))
            #expect(await ProcessMonitor.shared.exit(of: process) == .code(3))
            #expect(SmallFile.text(directory + "/0.out") == "blue\n\(directory)\n")
            let sleeper = try ProcessSpawner.spawn(Self.specification("sleep 60 & wait", in: directory))
            #expect(getsid(sleeper.pid) == sleeper.pid)
            sleeper.signalSession(SIGTERM)
            #expect(await ProcessMonitor.shared.exit(of: sleeper) == .signal(SIGTERM))
            // Each member was sent the signal; a busy machine lets the last of them end when its turn comes.
            let end = ContinuousClock.now + .seconds(20)
            while !ProcessIdentity.members(ofSession: sleeper.pid).isEmpty, .now < end { try await Task.sleep(for: .milliseconds(10)) }
            #expect(ProcessIdentity.members(ofSession: sleeper.pid).isEmpty)
            #expect(!sleeper.isAlive)
        }
    }

    @Test func saysWhichProgramIsMissing() async throws {
        try await withScratchDirectory { directory in
            var specification = Self.specification("", in: directory)
            specification.arguments = ["no-such-program"]
            #expect { try ProcessSpawner.spawn(specification) } throws: { "\($0)".contains("no such program on this machine") }
        }
    }

    @Test func waitsForAProgramThatSomebodyStillWrites() async throws {
        try await withScratchDirectory { directory in
            try writeProgram("#!/bin/sh\nexit 4\n", to: directory + "/tool")
            var specification = Self.specification("", in: directory)
            specification.arguments = ["./tool"]
            let writer = open(directory + "/tool", O_WRONLY | O_APPEND | O_CLOEXEC)
            #expect { try ProcessSpawner.spawn(specification) } throws: { "\($0)".contains("Text file busy") }
            // On a thread of its own: this one waits, and the pool has few.
            let isClosing = DedicatedThread.start {
                usleep(50_000)
                close(writer)
            }
            try #require(isClosing)
            let process = try ProcessSpawner.spawn(specification)
            #expect(await ProcessMonitor.shared.exit(of: process) == .code(4))
        }
    }

    @Test func stampsEachLineAndGoesOnWhereItStopped() async throws {
        try await withScratchDirectory { directory in
            let base = directory + "/0"
            let first = LogFollower()
            first.follow(base)
            let process = try ProcessSpawner.spawn(Self.specification("echo one; printf half", in: directory))
            _ = await ProcessMonitor.shared.exit(of: process)
            first.finish(base)
            let again = try ProcessSpawner.spawn(Self.specification("echo two", in: directory))
            _ = await ProcessMonitor.shared.exit(of: again)
            let second = LogFollower()
            second.follow(base)
            second.finish(base)
            let lines = (SmallFile.text(base + ".log") ?? "").split(separator: "\n")
            #expect(lines.map { $0.split(separator: " ").last } == ["one", "half", "two"])
            #expect(lines.allSatisfy { Timestamp.parse(String($0.prefix { $0 != " " })) != nil })
        }
    }

    @Test func rotatesALogBeyondItsLimit() async throws {
        try await withScratchDirectory { directory in
            let follower = LogFollower(limit: 1000)
            follower.follow(directory + "/0")
            let process = try ProcessSpawner.spawn(Self.specification("for i in 1 2 3 4; do head -c 900 /dev/zero | tr '\\0' x; echo; sleep 0.05; done", in: directory))
            _ = await ProcessMonitor.shared.exit(of: process)
            follower.finish(directory + "/0")
            #expect(SmallFile.exists(directory + "/0.log.1"))
        }
    }

    @Test func givesAddressesOnceAndKeepsTheRange() async throws {
        try await withScratchDirectory { directory in
            let pool = try AddressPool(file: directory + "/network")
            let addresses = Set((0..<600).map { _ in pool.take() })
            #expect(addresses.count == 600)
            #expect(addresses.allSatisfy { $0.hasPrefix("127.") && !$0.hasPrefix("127.0.") && !$0.hasSuffix(".0") && !$0.hasSuffix(".255") })
            let again = try AddressPool(file: directory + "/network")
            #expect(addresses.contains(again.take()))
        }
    }
}
