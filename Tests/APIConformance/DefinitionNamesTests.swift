import KubernetesClient
import ResourceModel
import Testing

/// Names that two CustomResourceDefinitions of one group ask for.
@Suite(.serverUnderTest, .serialized, .timeLimit(.minutes(1)))
struct DefinitionNamesTests {
    private func definition(_ group: String, plural: String, kind: String, listKind: String? = nil, shortName: String? = nil) -> JSONValue {
        var names: JSONValue = ["plural": .string(plural), "kind": .string(kind)]
        if let listKind { names["listKind"] = .string(listKind) }
        if let shortName { names["shortNames"] = [.string(shortName)] }
        return [
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": ["name": .string("\(plural).\(group)")],
            "spec": [
                "group": .string(group), "scope": "Namespaced", "names": names,
                "versions": [["name": "v1", "served": true, "storage": true, "schema": ["openAPIV3Schema": ["type": "object"]]]],
            ],
        ]
    }

    @Test(arguments: [
        // Its list kind and its singular clash as well; the last is told.
        ("Thing", nil, nil, "ListKindConflict", "\"ThingList\" is already in use"), ("ThingList", nil, nil, "KindConflict", "\"ThingList\" is already in use"),
        ("Other", "Thing", nil, "ListKindConflict", "\"Thing\" is already in use"), ("Other", nil, "thing", "ShortNamesConflict", "\"thing\" is already in use"),
    ] as [(String, String?, String?, String, String)])
    func theSecondIsNotServedUntilTheFirstIsGone(kind: String, listKind: String?, shortName: String?, reason: String, message: String) async throws {
        let client = KubernetesClient(access: try #require(ServerUnderTest.access))
        defer { client.shutDown() }
        let group = "names\(UInt32.random(in: 0...UInt32.max)).example.com"
        let definitions = try await client.resource(for: GroupKind(group: "apiextensions.k8s.io", kind: "CustomResourceDefinition"))
        _ = try await client.create(definition(group, plural: "things", kind: "Thing"), as: definitions)
        try await reaches(client, definitions, "things.\(group)") { $0["Established"]?["status"] == "True" }
        _ = try await client.create(definition(group, plural: "others", kind: kind, listKind: listKind, shortName: shortName), as: definitions)
        try await reaches(client, definitions, "others.\(group)") {
            $0["NamesAccepted"]?["reason"] == .string(reason) && $0["NamesAccepted"]?["message"] == .string(message) && $0["NamesAccepted"]?["status"] == "False"
                && $0["Established"]?["reason"] == "NotAccepted"
        }
        try await client.delete(definitions, namespace: nil, name: "things.\(group)")
        try await reaches(client, definitions, "others.\(group)") { $0["NamesAccepted"]?["status"] == "True" && $0["Established"]?["status"] == "True" }
        try await client.delete(definitions, namespace: nil, name: "others.\(group)")
    }

    /// Waits until the definition's conditions, by type, are so.
    private func reaches(_ client: KubernetesClient, _ definitions: APIResource, _ name: String, _ fits: ([String: JSONValue]) -> Bool) async throws {
        for try await event in client.listAndWatch(definitions, namespace: nil, fieldSelector: "metadata.name=\(name)") {
            let objects: [JSONValue] = switch event {
            case .listed(let objects, _): objects
            case .added(let object), .modified(let object): [object]
            case .deleted, .bookmark, .interrupted: []
            }
            for object in objects {
                let conditions = (object[path: "status", "conditions"]?.arrayValue ?? []).map { ($0["type"]?.stringValue ?? "", $0) }
                if fits(Dictionary(conditions, uniquingKeysWith: { first, _ in first })) { return }
            }
        }
    }
}
