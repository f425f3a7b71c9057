import KubernetesClient
import ResourceModel
import Testing
import TestSupport

@testable import Applier

/// `spec.ignoreDifferences` and `RespectIgnoreDifferences` against a real API server.
@Suite(.timeLimit(.minutes(2)))
struct IgnoreDifferencesTests {
    private let options = ExecutionOptions(syncOptions: SyncOptions(annotation: "RespectIgnoreDifferences=true"))

    private func rule(
        _ kind: String, group: String = "", name: String? = nil, pointers: [String] = [], jq: [String] = [], managers: [String] = []
    ) throws -> IgnoreDifferences {
        IgnoreDifferences(
            group: try Glob(group), kind: try Glob(kind), name: name, jsonPointers: pointers.compactMap { JSONPointer($0) },
            jqPathExpressions: jq, managedFieldsManagers: managers)
    }

    private func deployment(replicas: Int? = 1, image: String = "one", sidecar: String = "side", args: [String] = ["a", "b"]) throws -> JSONValue {
        var body = try object(
            """
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: web}
            spec:
              selector: {matchLabels: {app: web}}
              template:
                metadata: {labels: {app: web}}
                spec:
                  containers:
                    - {name: main, image: \(image), args: [\(args.joined(separator: ", "))]}
                    - {name: sidecar, image: \(sidecar)}
            """)
        if let replicas { body[path: "spec", "replicas"] = .integer(Int64(replicas)) }
        return body
    }

    /// Writes as somebody else.
    private func edit(_ session: Session, _ kind: GroupKind, _ name: String, _ patch: JSONValue, as manager: String = "someone") async throws {
        let resource = try await session.client.resource(for: kind)
        _ = try await session.client.patch(
            resource, namespace: session.namespace, name: name, type: .strategicMerge, patch: patch, options: WriteOptions(fieldManager: manager))
    }

    private let deployments = GroupKind(group: "apps", kind: "Deployment")
    private let configMaps = GroupKind(group: "", kind: "ConfigMap")

    private func expectSame(_ session: Session, _ bodies: [JSONValue], ignoring rules: [IgnoreDifferences], _ note: Comment? = nil) async throws {
        let changes = try await session.changes(bodies, ignoring: rules).changes
        #expect(changes.allSatisfy { $0.action == .unchanged }, "\(changes.flatMap(\.fields))")
    }

    @Test func aChangedFieldThatAPointerNamesIsNoDifference() async throws {
        try await withSession { session in
            let body = try deployment()
            try await session.sync([body])
            try await edit(session, deployments, "web", ["spec": ["replicas": 4]])
            #expect(try await session.changes([body]).changes.map(\.action) == [.configure])
            try await expectSame(session, [body], ignoring: [try rule("Deployment", group: "apps", pointers: ["/spec/replicas", "/spec/none/at/all"])])
            for other in [try rule("Deployment", pointers: ["/spec/replicas"]), try rule("Deployment", group: "apps", name: "api", pointers: ["/spec/replicas"])] {
                #expect(try await session.changes([body], ignoring: [other]).changes.map(\.action) == [.configure])
            }
            try await expectSame(session, [body], ignoring: [try rule("*", group: "*", pointers: ["/spec/replicas"])], "globs")
        }
    }

    @Test func onlyWhatIsIgnoredIsIgnored() async throws {
        try await withSession { session in
            var map = configMap("a", ["one": "1", "other": "3"])
            map[path: "metadata", "annotations"] = ["example.org/note": "2"]
            try await session.sync([map])
            try await edit(
                session, configMaps, "a", ["metadata": ["annotations": ["example.org/note": "x"]], "data": ["one": "x", "other": "x"]])
            let rules = [try rule("ConfigMap", pointers: ["/data/one", "/metadata/annotations/example.org~1note"])]
            let changes = try await session.changes([map], ignoring: rules).changes
            #expect(changes[0].fields.map(\.path) == [".data.other"])
            // An ignored field is sent nonetheless when something else is, as in Argo CD.
            try await session.sync([map], ignoring: rules)
            #expect(try await session.live("ConfigMap", "a")?["data"] == ["one": "1", "other": "3"])
        }
    }

    @Test func placesAreThoseOfTheDocumentAsItWas() throws {
        let document: JSONValue = ["m~n": 1, "a/b": ["c": 2], "list": [1, 2, 3], "keep": [:]]
        let paths = ["/m~0n", "/a~1b/c", "/list/0", "/list/1", "/list/9", "/none/at/all"].compactMap { JSONPointer($0)?.path(in: document) }
        #expect(document.removing(paths) == ["list": [3], "keep": [:]])
    }

    @Test func anIgnoredFieldThatIsGoneIsNoDifference() async throws {
        try await withSession { session in
            try await session.sync([configMap("a")])
            try await edit(session, configMaps, "a", ["data": ["key": .null]])
            try await expectSame(session, [configMap("a")], ignoring: [try rule("ConfigMap", pointers: ["/data/key"])])
        }
    }

    @Test func jqSelectsItemsOfLists() async throws {
        try await withSession { session in
            let body = try deployment()
            try await session.sync([body])
            try await edit(session, deployments, "web", ["spec": ["template": ["spec": ["containers": [["name": "sidecar", "image": "injected"]]]]]])
            let expression = ".spec.template.spec.containers[] | select(.name == \"sidecar\") | .image"
            try await expectSame(session, [body], ignoring: [try rule("Deployment", group: "apps", jq: [".spec.nothing[].here", expression])])
            try await edit(session, deployments, "web", ["spec": ["template": ["spec": ["containers": [["name": "main", "image": "other"]]]]]])
            let changes = try await session.changes([body], ignoring: [try rule("Deployment", group: "apps", jq: [expression])]).changes
            #expect(changes[0].fields.map(\.path) == [".spec.template.spec.containers[name=\"main\"].image"])
        }
    }

    @Test func anExpressionWithoutAnEndIsNamed() async throws {
        try await withSession { session in
            try await session.sync([configMap("a")])
            let problem = try await #require(throws: Problem.self) {
                try await session.changes([configMap("a")], ignoring: [try rule("ConfigMap", jq: ["def f: f; f"])])
            }
            #expect(problem.message.contains("`def f: f; f`: took longer than 1 s"))
            #expect(problem.resource?.name == "a")
        }
    }

    @Test func whatATrustedManagerOwnsIsNoDifference() async throws {
        try await withSession { session in
            let body = try deployment()
            try await session.sync([body])
            try await edit(session, deployments, "web", ["spec": ["replicas": 4]], as: "autoscaler")
            try await edit(
                session, deployments, "web", ["spec": ["template": ["spec": ["containers": [["name": "sidecar", "image": "new"]]]]]], as: "autoscaler")
            try await expectSame(session, [body], ignoring: [try rule("Deployment", group: "apps", managers: ["autoscaler"])])
            try await edit(session, deployments, "web", ["spec": ["paused": true, "replicas": 5]], as: "someone")
            let changes = try await session.changes([body], ignoring: [try rule("Deployment", group: "apps", managers: ["autoscaler"])]).changes
            #expect(changes[0].fields.map(\.path) == [".spec.replicas"])
        }
    }

    @Test func respectedFieldsAreNotSent() async throws {
        try await withSession { session in
            try await session.sync([try deployment()])
            try await edit(session, deployments, "web", ["spec": ["replicas": 4]], as: "autoscaler")
            let rules = [try rule("Deployment", group: "apps", pointers: ["/spec/replicas"])]
            let result = try await session.sync([try deployment(image: "two")], options: options, ignoring: rules)
            #expect(result.results.map(\.actuation) == [.configured])
            let live = try #require(try await session.live("Deployment", "web", group: "apps"))
            #expect(live[path: "spec", "replicas"] == 4)
            #expect(live[path: "spec", "template", "spec", "containers"]?[0]?["image"] == "two")
            let ours = live[path: "metadata", "managedFields"]?.arrayValue?.first { $0["manager"] == "reconciler" }
            #expect(ours?[path: "fieldsV1", "f:spec", "f:replicas"] == nil, "the field is another's now")
            let again = try await session.sync([try deployment(image: "two")], options: options, ignoring: rules)
            #expect(again.results.isEmpty, "\(again.plan.steps.map(\.change.fields))")
        }
    }

    @Test func aRespectedFieldThatOnlyWeOwnKeepsItsLiveValue() async throws {
        try await withSession { session in
            try await session.sync([try deployment(replicas: 3, args: ["a", "b"])])
            let rules = [try rule("Deployment", group: "apps", pointers: ["/spec/replicas"], jq: [".spec.template.spec.containers[0].args[1]"])]
            try await session.sync([try deployment(replicas: 7, image: "two", args: ["a", "c"])], options: options, ignoring: rules)
            let live = try #require(try await session.live("Deployment", "web", group: "apps"))
            // Left out, the server would make it 1.
            #expect(live[path: "spec", "replicas"] == 3)
            #expect(live[path: "spec", "template", "spec", "containers"]?[0]?["args"] == ["a", "b"])
            #expect(live[path: "spec", "template", "spec", "containers"]?[0]?["image"] == "two")
        }
    }

    @Test func respectingDoesNotKeepAnObjectFromBeingCreatedWhole() async throws {
        try await withSession { session in
            let rules = [try rule("Deployment", group: "apps", pointers: ["/spec/replicas"])]
            try await session.sync([try deployment(replicas: 3)], options: options, ignoring: rules)
            #expect(try await session.live("Deployment", "web", group: "apps")?[path: "spec", "replicas"] == 3)
        }
    }

    @Test func aRuleForAllAnnotationsLeavesTheObjectOurs() async throws {
        try await withSession { session in
            var map = configMap("a")
            map[path: "metadata", "annotations"] = ["note": "one"]
            try await session.sync([map])
            map[path: "metadata", "annotations", "note"] = "two"
            let rules = [try rule("*", pointers: ["/metadata/annotations", "/metadata/labels", "/metadata"])]
            try await expectSame(session, [map], ignoring: rules)
            map[path: "data", "key"] = "new"
            try await session.sync([map], options: options, ignoring: rules)
            let state = try await session.changes([map], ignoring: rules)
            #expect(state.live.inventory.members.map(\.name) == ["a"])
            #expect(try await session.live("ConfigMap", "a")?[path: "metadata", "annotations", "note"] == "one")
        }
    }

    @Test func anExtraneousObjectThatIsIgnoredIsNoDifferenceAndCanBePruned() async throws {
        try await withSession { session in
            var map = configMap("b")
            map[path: "metadata", "annotations", CompareOptions.annotation] = "ServerSideDiff=true,IgnoreExtraneous"
            try await session.sync([configMap("a"), map])
            let (changes, _, _) = try await session.changes([configMap("a")])
            #expect(changes.map(\.action) == [.unchanged, .prune])
            #expect(changes.filter(\.isDifference).isEmpty)
            #expect(try await !session.changes([map]).changes.filter(\.isDifference).isEmpty, "a has no such annotation")
            try await session.sync([configMap("a")])
            #expect(try await session.live("ConfigMap", "b") == nil)
        }
    }
}
