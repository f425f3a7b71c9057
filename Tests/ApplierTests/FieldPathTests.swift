import ResourceModel
import Testing

@testable import Applier

/// Places in objects, as differences name them.
@Suite struct FieldPathTests {
    private let object: JSONValue = [
        "metadata": ["labels": ["example.org/team": "red"], "finalizers": ["a", "b"]],
        "spec": ["containers": [["name": "x"], ["name": "we]b,\"", "image": "i"]], "ports": [["containerPort": 80, "protocol": "TCP", "name": "http"]]],
    ]

    @Test(arguments: [
        (".metadata.labels.\"example.org/team\"", "red"), (".spec.containers[name=\"we]b,\\\"\"].image", "i"),
        (".metadata.finalizers[\"b\"]", "b"), (".metadata.finalizers[0]", "a"),
        (".spec.ports[containerPort=80,protocol=\"TCP\"].name", "http"),
    ] as [(String, JSONValue)])
    func findsWhatStandsThere(_ path: String, _ value: JSONValue) throws {
        #expect(try #require(FieldPath(path)).value(in: object) == value)
    }

    @Test func knowsAbsentAndOddPlaces() throws {
        #expect(try #require(FieldPath(".spec.containers[name=\"y\"].image")).value(in: object) == nil)
        #expect(FieldPath("spec") == nil && FieldPath(".spec[name=]") == nil && FieldPath(".spec[name=\"x\"") == nil)
    }

    @Test func findsTheNewestOwnerOtherThanUs() throws {
        func entry(_ manager: String, _ time: String, _ fields: JSONValue, subresource: String = "") -> FieldOwnership.Entry {
            FieldOwnership.Entry(manager: manager, operation: "Update", apiVersion: "v1", time: time, subresource: subresource, fields: fields)
        }
        let container: JSONValue = ["f:spec": ["f:containers": ["k:{\"name\":\"web\"}": [".": [:], "f:image": [:], "f:args": [:]]]]]
        let ownership = FieldOwnership(entries: [
            entry("reconciler", "2026-01-01T00:00:03Z", container), entry("kubectl-edit", "2026-01-01T00:00:02Z", container),
            entry("helm", "2026-01-01T00:00:01Z", container), entry("controller", "2026-01-01T00:00:09Z", container, subresource: "status"),
            entry("scaler", "2026-01-01T00:00:05Z", ["f:spec": ["f:replicas": [:]]], subresource: "scale"),
        ])
        func owner(_ path: String) -> String? { ownership.owner(of: path, otherThan: "reconciler")?.manager }
        #expect(owner(".spec.containers[name=\"web\"].image") == "kubectl-edit")
        #expect(owner(".spec.containers[name=\"web\"].args[0]") == "kubectl-edit", "a list that is owned as a whole")
        #expect(owner(".spec.containers[name=\"other\"].image") == nil && owner(".spec.containers[name=\"web\"].env") == nil)
        #expect(owner(".spec.replicas") == "scaler" && owner(".metadata.name") == nil)
    }
}
