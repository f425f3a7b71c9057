import ResourceModel
import Testing

@testable import Applier

struct OwnedEvidenceTests {
    /// What was sent, what the server keeps, and whether every value stands there as it was sent.
    @Test(arguments: [
        (#"{"a":1}"#, #"{"a":1,"b":2}"#, true),
        (#"{"a":1}"#, #"{"a":2}"#, false),
        (#"{"a":1}"#, #"{}"#, false),
        (#"{"a":null}"#, #"{}"#, true),
        (#"{"a":null}"#, #"{"a":1}"#, false),
        (#"{"a":{}}"#, #"{"a":{"x":1}}"#, true),
        (#"{"a":[{"n":1}]}"#, #"{"a":[{"n":1,"protocol":"TCP"}]}"#, true),
        (#"{"a":[{"n":1}]}"#, #"{"a":[{"n":1},{"n":2}]}"#, false),
        (#"{"a":[1,2]}"#, #"{"a":[2,1]}"#, false),
        (#"{"a":"1"}"#, #"{"a":1}"#, false),
        (#"{"a":"100m"}"#, #"{"a":"0.1"}"#, false),
        (#"{"a":[]}"#, #"{}"#, false),
        (#"{"a":1,"b":2,"c":3}"#, #"{"x":0,"c":3,"b":2,"a":1}"#, true),
        (#"{"a":1,"b":2,"c":3}"#, #"{"c":3,"a":1,"b":9}"#, false),
        (#"{"a":1,"b":null,"c":3}"#, #"{"c":3,"a":1}"#, true),
    ])
    func knowsWhatStandsAsItWasSent(_ sent: String, _ live: String, _ expected: Bool) throws {
        #expect(MadeAsDeclared.holds(try JSONValue(parsing: live), try JSONValue(parsing: sent)) == expected)
    }

    @Test func everyPartCounts() {
        let kind = GroupKind(group: "apps", kind: "Deployment")
        func digest(_ inventory: String, _ parts: [(GroupKind, String)]) -> String {
            var evidence = OwnedEvidence(inventory: inventory)
            for (kind, version) in parts { evidence.add(kind, version) }
            return evidence.digest
        }
        let base = digest("a 1", [(kind, "b 2"), (kind, "c 3")])
        #expect(base == digest("a 1", [(kind, "c 3"), (kind, "b 2")]), "the order of answers is nothing")
        let others = [
            digest("a 2", [(kind, "b 2"), (kind, "c 3")]), digest("a 1", [(kind, "b 2")]), digest("a 1", [(kind, "b 2"), (kind, "c 4")]),
            digest("a 1", [(kind, "b 2"), (GroupKind(group: "", kind: "Pod"), "c 3")]), digest("a 1", [(kind, "b 2"), (kind, "c 3"), (kind, "d 4")]),
        ]
        #expect(!others.contains(base) && Set(others).count == others.count)
    }

    @Test func onlyKindsThatServersBringAlongAreTakenByVersion() {
        for group in ["", "apps", "batch", "policy", "networking.k8s.io", "rbac.authorization.k8s.io"] {
            #expect(GroupKind(group: group, kind: "X").isTheServersOwn, "\(group)")
        }
        for group in ["example.org", "gateway.networking.k8s.io", "snapshot.storage.k8s.io", "argoproj.io", "monitoring.coreos.com"] {
            #expect(!GroupKind(group: group, kind: "X").isTheServersOwn, "\(group)")
        }
    }
}
