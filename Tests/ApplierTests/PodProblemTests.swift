import ResourceModel
import Testing

@testable import Applier

@Suite struct PodProblemTests {
    private static func pod(_ status: String) throws -> JSONValue { ["status": try JSONValue(parsing: status)] }

    @Test(arguments: [
        (#"{"containerStatuses":[{"name":"a","state":{"waiting":{"reason":"ErrImagePull","message":"no such image"}}}]}"#, "ErrImagePull: no such image"),
        (
            #"{"containerStatuses":[{"name":"a","state":{"waiting":{"reason":"CrashLoopBackOff","message":"back-off 10s"}},"lastState":{"terminated":{"exitCode":3}}}]}"#,
            "CrashLoopBackOff: container a ended with exit code 3"
        ),
        (#"{"containerStatuses":[{"name":"a","state":{"terminated":{"exitCode":1,"reason":"Error"}}}]}"#, "container a ended with exit code 1"),
        (
            #"{"initContainerStatuses":[{"name":"i","state":{"waiting":{"reason":"CreateContainerConfigError","message":"configmap \"x\" not found"}}}],"containerStatuses":[{"name":"a","state":{"waiting":{"reason":"PodInitializing"}}}]}"#,
            #"CreateContainerConfigError: configmap "x" not found"#
        ),
        (#"{"conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/3 nodes are available"}]}"#, "Unschedulable: 0/3 nodes are available"),
        (#"{"containerStatuses":[{"name":"a","state":{"waiting":{"reason":"ContainerCreating"}}}]}"#, nil),
        (#"{"containerStatuses":[{"name":"a","state":{"terminated":{"exitCode":0}}}]}"#, nil),
        (#"{"containerStatuses":[{"name":"a","state":{"running":{}},"lastState":{"terminated":{"exitCode":3}}}]}"#, nil),
        ("{}", nil),
    ] as [(String, String?)])
    func saysWhatKeepsAPodFromGettingReady(_ status: String, _ expected: String?) throws {
        #expect(podProblem(try Self.pod(status)) == expected)
    }
}
