import ResourceModel
import Testing

@testable import EmbeddedCluster

/// Field ownership beyond the recordings: sets of paths, conflicts of several managers, caps, odd managedFields.
@Suite struct FieldOwnershipTests {
    static let deployment = GroupVersionKind(group: "apps", version: "v1", kind: "Deployment")

    static func json(_ text: String) throws -> JSONValue { try JSONValue(parsing: text) }
    static func set(_ text: String) throws -> FieldSet { try FieldSet(fieldsV1: json(text)) }

    static func map(_ data: JSONValue, labels: JSONValue? = nil) -> JSONValue {
        var object: JSONValue = ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "a"], "data": data]
        if let labels { object["metadata"]?["labels"] = labels }
        return object
    }

    static var configMap: TypeSchema {
        SchemaCatalog.builtIn.schema(for: GroupVersionKind(group: "", version: "v1", kind: "ConfigMap")) ?? .deduced
    }

    static func apply(
        _ patch: JSONValue, to live: JSONValue?, _ manager: String, force: Bool = false, now: String = "2024-01-01T00:00:00Z",
        schema: TypeSchema = configMap
    ) throws(ApplyFailure) -> JSONValue {
        try FieldManager.apply(
            patch: patch, to: live, manager: manager, force: force, schema: schema,
            apiVersion: patch["apiVersion"]?.stringValue ?? "", subresource: "", now: now)
    }

    static func update(_ new: JSONValue, from old: JSONValue?, _ manager: String, now: String = "2024-01-01T00:00:00Z")
        -> JSONValue
    {
        FieldManager.update(
            from: old, to: new, manager: manager, schema: configMap, apiVersion: "v1", subresource: "", now: now)
    }

    static func stored(_ object: JSONValue) -> JSONValue {
        var object = object
        object["metadata"]?["uid"] = "u"
        return object
    }

    static func managers(_ object: JSONValue) -> [String] {
        (object["metadata"]?["managedFields"]?.arrayValue ?? []).compactMap { $0["manager"]?.stringValue }
    }

    @Test(arguments: [
        #"{"f:a":{}}"#, #"{"f:a":{".":{},"f:b":{}}}"#,
        #"{"f:l":{"k:{\"a\":1,\"b\":\"x\"}":{".":{},"f:a":{}},"v:3":{},"v:\"s\"":{},"i:4":{}}}"#,
        #"{"f:metadata":{"f:annotations":{"f:a.b/c":{}}}}"#, #"{"f:":{}}"#,
    ])
    func fieldsV1GoesRoundUnchanged(text: String) throws { #expect(try Self.set(text).fieldsV1.jsonString == text) }

    @Test func fieldsV1IsWrittenInTheServersOrder() throws {
        let text = #"{"v:\"b\"":{},"i:2":{},"f:b":{},"k:{\"n\":\"z\"}":{},"f:a":{"f:z":{},".":{}},"k:{\"n\":\"a\"}":{}}"#
        #expect(
            try Self.set(text).fieldsV1.jsonString
                == #"{"f:a":{".":{},"f:z":{}},"f:b":{},"k:{\"n\":\"a\"}":{},"k:{\"n\":\"z\"}":{},"v:\"b\"":{},"i:2":{}}"#)
    }

    @Test(arguments: ["[]", #"{"x":{}}"#, #"{"f:a":1}"#, #"{"k:[1]":{}}"#, #"{"v:oops":{}}"#, #"{"i:x":{}}"#])
    func refusesWhatIsNoFieldsV1(text: String) throws {
        #expect(throws: FieldsV1Error.self) { try Self.set(text) }
    }

    @Test func setsAreSetsOfPaths() throws {
        let a = try Self.set(#"{"f:a":{".":{},"f:b":{},"f:c":{}},"f:d":{}}"#)
        let b = try Self.set(#"{"f:a":{".":{},"f:b":{}},"f:e":{}}"#)
        #expect(a.union(b) == (try Self.set(#"{"f:a":{".":{},"f:b":{},"f:c":{}},"f:d":{},"f:e":{}}"#)))
        #expect(a.difference(b) == (try Self.set(#"{"f:a":{"f:c":{}},"f:d":{}}"#)))
        #expect(a.intersection(b) == (try Self.set(#"{"f:a":{".":{},"f:b":{}}}"#)))
        #expect(a.recursiveDifference(b) == (try Self.set(#"{"f:d":{}}"#)))
        #expect(a.difference(a).isEmpty)
        #expect(a.contains([.field("a"), .field("c")]))
        #expect(!a.contains([.field("a"), .field("x")]))
        #expect(a.paths.count == 4)
    }

    @Test func anApplyThatChangesNothingReturnsTheLiveObject() throws {
        let live = Self.stored(try Self.apply(Self.map(["x": "1"]), to: nil, "m"))
        #expect(try Self.apply(Self.map(["x": "1"]), to: live, "m", now: "2025-01-01T00:00:00Z") == live)
    }

    @Test func timeMovesOnlyWhenTheObjectChanges() throws {
        let live = Self.stored(try Self.apply(Self.map(["x": "1", "y": "1"]), to: nil, "m"))
        let shared = try Self.apply(Self.map(["x": "1"]), to: live, "n", now: "2025-01-01T00:00:00Z")
        let entries = shared["metadata"]?["managedFields"]?.arrayValue ?? []
        #expect(entries.map { $0["manager"] } == ["n", "m"])
        #expect(entries.map { $0["time"] } == [nil, "2024-01-01T00:00:00Z"])
        let changed = try Self.apply(Self.map(["x": "2", "y": "1"]), to: live, "m", now: "2025-01-01T00:00:00Z")
        #expect(changed["metadata"]?["managedFields"]?[0]?["time"] == "2025-01-01T00:00:00Z")
    }

    @Test func conflictsNameEveryManagerAndField() throws {
        var live = Self.stored(try Self.apply(Self.map(["x": "1", "y": "1"]), to: nil, "m1"))
        var edited = live
        edited["data"]?["z"] = "1"
        live = Self.update(edited, from: live, "editor")
        let failure = #expect(throws: ApplyFailure.self) {
            try Self.apply(Self.map(["x": "2", "y": "2", "z": "2"]), to: live, "m2")
        }
        #expect(failure?.code == 409)
        #expect(failure?.causes.map(\.field) == [".data.z", ".data.x", ".data.y"])
        #expect(
            failure?.message
                == "Apply failed with 3 conflicts: conflicts with \"editor\" using v1:\n- .data.z\nconflicts with \"m1\":\n- .data.x\n- .data.y"
        )
        let forced = try Self.apply(Self.map(["x": "2", "y": "2", "z": "2"]), to: live, "m2", force: true)
        #expect(Self.managers(forced) == ["m2"])
    }

    @Test func givingUpTheLastFieldOfAMapRemovesTheMap() throws {
        let live = Self.stored(try Self.apply(Self.map(["x": "1"], labels: ["l": "1"]), to: nil, "m"))
        let result = try Self.apply(["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "a"]], to: live, "m")
        #expect(result["data"] == nil)
        #expect(result["metadata"] == ["name": "a", "uid": "u"])
    }

    @Test func givingUpAContainerRemovesItsDefaultsToo() throws {
        let schema = try #require(SchemaCatalog.builtIn.schema(for: Self.deployment))
        func patch(_ names: [String]) -> JSONValue {
            [
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "a"],
                "spec": ["template": ["spec": ["containers": .array(names.map { ["name": .string($0), "image": "i"] })]]],
            ]
        }
        var live = Self.stored(try Self.apply(patch(["a", "b"]), to: nil, "m", schema: schema))
        let defaulted = (live[path: "spec", "template", "spec", "containers"]?.arrayValue ?? []).map { item in
            var item = item
            item["imagePullPolicy"] = "Always"
            return item
        }
        live[path: "spec", "template", "spec", "containers"] = .array(defaulted)
        let result = try Self.apply(patch(["b"]), to: live, "m", schema: schema)
        #expect(
            result[path: "spec", "template", "spec", "containers"] == [["name": "b", "image": "i", "imagePullPolicy": "Always"]])
    }

    @Test func appliedOrderOfSharedItemsWins() throws {
        let schema = try #require(SchemaCatalog.builtIn.definition("core.v1.PodSpec"))
        func pod(_ names: String...) -> JSONValue { ["containers": .array(names.map { ["name": .string($0)] })] }
        #expect(schema.merged(pod("a", "b", "c"), with: pod("c", "a")) == pod("b", "c", "a"))
        #expect(schema.merged(pod("a", "b"), with: pod("n", "b")) == pod("a", "n", "b"))
        #expect(schema.merged(pod("a"), with: pod("b")) == pod("a", "b"))
    }

    @Test func ownersOfFieldsThatBecomeAtomicKeepTheWhole() throws {
        func schema(_ mapType: String) -> TypeSchema {
            TypeSchema(
                structural: [
                    "type": "object",
                    "properties": [
                        "m": ["type": "object", "x-kubernetes-map-type": .string(mapType), "additionalProperties": ["type": "string"]]
                    ],
                ])
        }
        func patch(_ value: JSONValue) -> JSONValue { ["apiVersion": "g/v1", "kind": "K", "metadata": ["name": "a"], "m": value] }
        let live = Self.stored(try Self.apply(patch(["a": "1"]), to: nil, "m1", schema: schema("granular")))
        #expect(live["metadata"]?["managedFields"]?[0]?["fieldsV1"] == ["f:m": ["f:a": [:]]])
        let failure = #expect(throws: ApplyFailure.self) {
            try Self.apply(patch(["b": "1"]), to: live, "m2", schema: schema("atomic"))
        }
        #expect(failure?.causes.map(\.field) == [".m"])
    }

    @Test func atMostTenUpdatesAreKeptApart() throws {
        var live = Self.stored(Self.update(Self.map(["k0": "v"]), from: nil, "m0", now: "2024-01-01T00:00:00Z"))
        for number in 1...14 {
            var next = live
            next["data"]?["k\(number)"] = "v"
            live = Self.update(next, from: live, "m\(number)", now: "2024-01-01T00:\(number < 10 ? "0" : "")\(number):00Z")
        }
        #expect(Self.managers(live).count == 10)
        #expect(Self.managers(live).first == "ancient-changes")
        let fields = try Self.set(live["metadata"]?["managedFields"]?[0]?["fieldsV1"]?.jsonString ?? "")
        #expect(fields.contains([.field("data"), .field("k0")]) && fields.contains([.field("data"), .field("k5")]))
    }

    @Test func anUntrackedObjectStaysUntrackedUntilItIsApplied() throws {
        let live = Self.stored(Self.map(["x": "1"]))
        var edited = live
        edited["data"]?["x"] = "2"
        let updated = Self.update(edited, from: live, "editor")
        #expect(Self.managers(updated) == [])
        #expect(Self.managers(try Self.apply(Self.map(["y": "1"]), to: updated, "m")) == ["m", "before-first-apply"])
        let failure = #expect(throws: ApplyFailure.self) { try Self.apply(Self.map(["x": "1"]), to: updated, "m") }
        #expect(failure?.message == "Apply failed with 1 conflict: conflict with \"before-first-apply\" using v1: .data.x")
    }

    @Test func managedFieldsThatCannotBeReadAreKeptFromTheLiveObject() throws {
        let live = Self.stored(try Self.apply(Self.map(["x": "1"]), to: nil, "m"))
        var broken = live
        broken["metadata"]?["managedFields"] = [["manager": "z", "operation": "Nonsense"]]
        #expect(Self.managers(Self.update(broken, from: live, "e")) == ["m"])
        var emptied = live
        emptied["metadata"]?["managedFields"] = []
        #expect(Self.managers(Self.update(emptied, from: live, "e")) == ["m"])
    }

    @Test func aWriteThatOnlyMovesTimesIsNone() throws {
        let old = Self.stored(try Self.apply(Self.map(["x": "1"]), to: nil, "m"))
        var new = old
        new[path: "metadata", "managedFields"] =
            Self.stored(
                try Self.apply(Self.map(["x": "1"]), to: nil, "m", now: "2025-01-01T00:00:00Z"))["metadata"]?["managedFields"]
        #expect(FieldManager.settled(new, over: old) == old)
        new["data"]?["x"] = "2"
        #expect(FieldManager.settled(new, over: old) == new)
    }

    @Test func anotherSpellingOfAQuantityIsNoWrite() throws {
        let schema = try #require(SchemaCatalog.builtIn.schema(for: Self.deployment))
        let patch: JSONValue = [
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "a"],
            "spec": [
                "template": ["spec": ["containers": [["name": "a", "resources": ["limits": ["cpu": "1000m", "memory": "1024Mi"]]]]]]
            ],
        ]
        let live = Self.stored(
            try BuiltInDecoding.decoded(try Self.apply(patch, to: nil, "m", schema: schema), schema: schema))
        let again = try BuiltInDecoding.decoded(
            try Self.apply(patch, to: live, "m", now: "2025-01-01T00:00:00Z", schema: schema), schema: schema)
        #expect(again["spec"] == live["spec"])
        #expect(again != live)
        #expect(FieldManager.settled(again, over: live) == live)
    }

    @Test func aBodyOfTheWrongTypeIsRefusedWithEveryPlace() throws {
        let failure = #expect(throws: ApplyFailure.self) {
            try Self.apply(
                ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "a"], "data": ["k": 1], "oops": 1], to: nil, "m")
        }
        #expect(failure?.code == 500)
        #expect(failure?.message.contains(".data.k: expected string") == true)
        #expect(failure?.message.contains(".oops: field not declared in schema") == true)
    }

    /// An update may bring what an apply may not: two items of one key.
    @Test func itemsOfOneKeyAreOwnedAsAWhole() throws {
        let schema = try #require(SchemaCatalog.builtIn.definition("core.v1.Container"))
        let one: JSONValue = ["env": [["name": "a", "value": "1"], ["name": "b", "value": "2"]]]
        let two: JSONValue = ["env": [["name": "a", "value": "1"], ["name": "a", "value": "3"], ["name": "b", "value": "2"]]]
        let item = try Self.set(#"{"f:env":{"k:{\"name\":\"a\"}":{}}}"#)
        let whole = try Self.set(#"{"f:env":{"k:{\"name\":\"a\"}":{".":{},"f:name":{},"f:value":{}}}}"#)
        let doubled = schema.comparison(from: one, to: two)
        #expect(doubled.added == item && doubled.removed == whole && doubled.modified.isEmpty)
        let single = schema.comparison(from: two, to: one)
        #expect(single.added == whole && single.removed == item && single.modified.isEmpty)
        let other: JSONValue = ["env": [["name": "a", "value": "4"], ["name": "a", "value": "3"], ["name": "b", "value": "2"]]]
        let changed = schema.comparison(from: two, to: other)
        #expect(changed.modified == item && changed.added.isEmpty && changed.removed.isEmpty)
        #expect(schema.comparison(from: [:], to: ["env": two["env"]!]).added.fieldsV1["f:env"]?[#"k:{"name":"a"}"#] == [:])
    }

    @Test func anItemMayLackOneOfSeveralKeysButNotAll() throws {
        let schema = try #require(SchemaCatalog.builtIn.definition("core.v1.Container"))
        let ports: JSONValue = ["ports": [["name": "web", "protocol": "TCP"], ["containerPort": 80]]]
        let more: JSONValue = ["ports": [["containerPort": 80, "name": "http"]]]
        #expect(schema.merged(ports, with: more)["ports"] == [["name": "web", "protocol": "TCP"], ["containerPort": 80, "name": "http"]])
        let owned = schema.fieldSet(of: ports).fieldsV1["f:ports"]
        #expect(owned?[#"k:{"protocol":"TCP"}"#]?["f:name"] == [:] && owned?[#"k:{"containerPort":80,"protocol":"TCP"}"#]?["f:containerPort"] == [:])

        let pod = try #require(SchemaCatalog.builtIn.schema(for: GroupVersionKind(group: "", version: "v1", kind: "Pod")))
        let failure = #expect(throws: ApplyFailure.self) {
            try Self.apply(
                ["apiVersion": "v1", "kind": "Pod", "metadata": ["name": "a"], "spec": ["containers": [["image": "x"]]]], to: nil, "m", schema: pod)
        }
        #expect(failure?.message.contains(#"omits all key fields ["name"]"#) == true)
    }

    @Test func theVersionMustBeTheRequests() throws {
        let failure = #expect(throws: ApplyFailure.self) {
            try FieldManager.apply(
                patch: Self.map([:]), to: nil, manager: "m", force: false, schema: Self.configMap, apiVersion: "v2",
                subresource: "",
                now: "")
        }
        #expect(failure?.code == 400)
    }
}
