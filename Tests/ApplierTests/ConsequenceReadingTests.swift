import KubernetesClient
import ResourceModel
import Testing

@testable import Applier

/// What a cluster is asked about a plan.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ConsequenceReadingTests {
    private func look(_ session: Session, _ bodies: [JSONValue]) async throws -> (Plan, LiveState) {
        let (changes, desired, live) = try await session.changes(bodies)
        return (planned(changes, desired, live.inventory), live)
    }

    @Test func countsQuotasAndAsksForEachPermissionOnce() async throws {
        try await withSession { session in
            try await session.sync([
                ["apiVersion": "v1", "kind": "ResourceQuota", "metadata": ["name": "few"], "spec": ["hard": ["count/configmaps": "2"]]], configMap("a"),
            ])
            let (plan, live) = try await look(session, [
                ["apiVersion": "v1", "kind": "ResourceQuota", "metadata": ["name": "few"], "spec": ["hard": ["count/configmaps": "2"]]],
                configMap("a", ["key": "other"]), configMap("b"), configMap("c"), configMap("d"),
            ])
            let before = session.client.requestCount["create", default: 0]
            let accesses = try await session.applier.accesses(of: plan)
            #expect(accesses.map(\.description).sorted() == ["create configmaps in \(session.namespace)", "patch configmaps in \(session.namespace)"])
            let consequences = try await session.applier.consequences(of: plan, live: live)
            #expect(session.client.requestCount["create", default: 0] - before == 2, "one review for each access")
            #expect(consequences.map(\.code) == ["quota-exceeded"], "\(consequences)")
            #expect(consequences.first?.message.contains("count/configmaps would be") == true)
        }
    }

    @Test func countsTheObjectsOfADefinitionThatGoes() async throws {
        try await withSession { session in
            let name = session.namespace.replacing("-", with: "")
            let definition: JSONValue = [
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": ["name": .string("things.\(name).example.org")],
                "spec": [
                    "group": .string("\(name).example.org"), "scope": "Namespaced", "names": ["kind": "Thing", "plural": "things"],
                    "versions": [["name": "v1", "served": true, "storage": true, "schema": ["openAPIV3Schema": ["type": "object"]]]],
                ],
            ]
            let thing = { (name: String) -> JSONValue in
                ["apiVersion": .string("\(session.namespace.replacing("-", with: "")).example.org/v1"), "kind": "Thing", "metadata": ["name": .string(name)]]
            }
            try await session.sync([definition, configMap("keep"), thing("x"), thing("y")])
            let (plan, live) = try await look(session, [configMap("keep")])
            let consequences = try await session.applier.consequences(of: plan, live: live)
            #expect(consequences.map(\.code) == ["custom-resources-deleted"] && consequences[0].message.contains("all 2 Thing"), "\(consequences)")
            // Somebody else's keep the definition.
            try await session.other("others").sync([thing("z")])
            let kept = try await look(session, [configMap("keep")]).0
            #expect(kept.skipped.contains { $0.action == .skip(.definitionInUse("\(name).example.org/Thing \(session.namespace)/z")) }, "\(kept.skipped)")
            try await session.other("others").sync([configMap("left")])
            try await session.sync([configMap("keep")])
        }
    }
}

/// The planner, outside of suites that have a method of that name.
private func planned(_ changes: [Change], _ desired: DesiredState, _ inventory: Inventory) -> Plan {
    plan(changes, desired: desired, inventory: inventory, policy: PlanPolicy(prune: true))
}
