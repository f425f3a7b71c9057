import ResourceModel
import Testing

@testable import EmbeddedCluster

@Suite struct PatchTests {
    static func json(_ text: String) throws -> JSONValue { try JSONValue(parsing: text) }

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var target: String
        var patch: String
        /// nil: refused.
        var result: String?
        var code = 0
        var testDescription: String { name }
    }

    // RFC 7386, appendix A, where target and patch are objects.
    static let mergeCases: [Case] = [
        Case(name: "replaces", target: #"{"a":"b"}"#, patch: #"{"a":"c"}"#, result: #"{"a":"c"}"#),
        Case(name: "adds", target: #"{"a":"b"}"#, patch: #"{"b":"c"}"#, result: #"{"a":"b","b":"c"}"#),
        Case(name: "removes", target: #"{"a":"b"}"#, patch: #"{"a":null}"#, result: "{}"),
        Case(name: "keeps others", target: #"{"a":"b","b":"c"}"#, patch: #"{"a":null}"#, result: #"{"b":"c"}"#),
        Case(name: "replaces lists", target: #"{"a":[{"b":"c"}]}"#, patch: #"{"a":[1]}"#, result: #"{"a":[1]}"#),
        Case(name: "drops nulls of new maps", target: "{}", patch: #"{"a":{"bb":{"ccc":null}}}"#, result: #"{"a":{"bb":{}}}"#),
        Case(name: "replaces a scalar by a map", target: #"{"a":"x"}"#, patch: #"{"a":{"b":"c"}}"#, result: #"{"a":{"b":"c"}}"#),
        Case(name: "is an object", target: "{}", patch: "[1]", result: nil, code: 400),
    ]

    @Test(arguments: mergeCases) func mergePatch(_ test: Case) throws {
        do throws(PatchFailure) {
            let result = try MergePatch.apply(Self.json(or: test.patch), to: Self.json(or: test.target))
            #expect(result == (try? test.result.map(Self.json)))
        } catch {
            #expect(test.result == nil)
            #expect(error.code == test.code)
        }
    }

    static func json(or text: String) -> JSONValue { (try? json(text)) ?? .null }

    // RFC 6902, appendix A, and what the server is known to answer.
    static let jsonCases: [Case] = [
        Case(
            name: "adds a member", target: #"{"foo":"bar"}"#, patch: #"[{"op":"add","path":"/baz","value":"qux"}]"#,
            result: #"{"baz":"qux","foo":"bar"}"#),
        Case(
            name: "adds an item", target: #"{"foo":["bar","baz"]}"#, patch: #"[{"op":"add","path":"/foo/1","value":"qux"}]"#,
            result: #"{"foo":["bar","qux","baz"]}"#),
        Case(
            name: "appends", target: #"{"foo":["bar"]}"#, patch: #"[{"op":"add","path":"/foo/-","value":["abc"]}]"#,
            result: #"{"foo":["bar",["abc"]]}"#),
        Case(
            name: "removes a member", target: #"{"baz":"qux","foo":"bar"}"#, patch: #"[{"op":"remove","path":"/baz"}]"#,
            result: #"{"foo":"bar"}"#),
        Case(
            name: "removes an item", target: #"{"foo":["bar","qux","baz"]}"#, patch: #"[{"op":"remove","path":"/foo/1"}]"#,
            result: #"{"foo":["bar","baz"]}"#),
        Case(
            name: "replaces", target: #"{"baz":"qux"}"#, patch: #"[{"op":"replace","path":"/baz","value":"boo"}]"#,
            result: #"{"baz":"boo"}"#),
        Case(
            name: "moves", target: #"{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}"#,
            patch: #"[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]"#,
            result: #"{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}"#),
        Case(
            name: "moves an item", target: #"{"foo":["all","grass","cows","eat"]}"#,
            patch: #"[{"op":"move","from":"/foo/1","path":"/foo/3"}]"#, result: #"{"foo":["all","cows","eat","grass"]}"#),
        Case(
            name: "copies", target: #"{"a":{"b":1}}"#, patch: #"[{"op":"copy","from":"/a/b","path":"/c"}]"#,
            result: #"{"a":{"b":1},"c":1}"#),
        Case(name: "tests", target: #"{"a":1}"#, patch: #"[{"op":"test","path":"/a","value":1.0}]"#, result: #"{"a":1}"#),
        Case(name: "fails a test", target: #"{"a":1}"#, patch: #"[{"op":"test","path":"/a","value":2}]"#, result: nil, code: 422),
        Case(name: "removes only what is there", target: "{}", patch: #"[{"op":"remove","path":"/a"}]"#, result: nil, code: 422),
        Case(
            name: "replaces only what is there", target: "{}", patch: #"[{"op":"replace","path":"/a","value":1}]"#, result: nil,
            code: 422),
        Case(
            name: "adds only below what is there", target: "{}", patch: #"[{"op":"add","path":"/a/b","value":1}]"#, result: nil,
            code: 422),
        Case(
            name: "unescapes", target: #"{"/":9,"~1":10}"#,
            patch: #"[{"op":"test","path":"/~01","value":10},{"op":"replace","path":"/~1","value":1}]"#,
            result: #"{"/":1,"~1":10}"#),
        Case(name: "knows its operations", target: "{}", patch: #"[{"op":"spam","path":"/a"}]"#, result: nil, code: 422),
        Case(
            name: "does not move into itself", target: #"{"a":{"b":1}}"#, patch: #"[{"op":"move","from":"/a","path":"/a/b"}]"#,
            result: nil, code: 422),
        Case(
            name: "counts items", target: #"{"a":[1]}"#, patch: #"[{"op":"add","path":"/a/2","value":1}]"#, result: nil, code: 422
        ),
        Case(name: "takes 01, as the server does", target: #"{"a":[1,2]}"#, patch: #"[{"op":"remove","path":"/a/01"}]"#, result: #"{"a":[1]}"#),
        Case(name: "removes from the end", target: #"{"a":[1,2,3]}"#, patch: #"[{"op":"remove","path":"/a/-1"}]"#, result: #"{"a":[1,2]}"#),
        Case(
            name: "changes below the last but one", target: #"{"a":[{"b":1},{"b":2}]}"#, patch: #"[{"op":"replace","path":"/a/-2/b","value":7}]"#,
            result: #"{"a":[{"b":7},{"b":2}]}"#),
        Case(name: "adds at the end", target: #"{"a":[1]}"#, patch: #"[{"op":"add","path":"/a/-1","value":2}]"#, result: #"{"a":[1,2]}"#),
        Case(name: "counts from the end too", target: #"{"a":[1]}"#, patch: #"[{"op":"remove","path":"/a/-2"}]"#, result: nil, code: 422),
        Case(name: "knows no word as an index", target: #"{"a":[1]}"#, patch: #"[{"op":"remove","path":"/a/x"}]"#, result: nil, code: 422),
        Case(name: "is a list", target: "{}", patch: "{}", result: nil, code: 400),
    ]

    @Test(arguments: jsonCases) func jsonPatch(_ test: Case) throws {
        do throws(PatchFailure) {
            let result = try JSONPatch.apply(Self.json(or: test.patch), to: Self.json(or: test.target))
            #expect(result == (try? test.result.map(Self.json)))
            #expect(test.result != nil)
        } catch {
            #expect(test.result == nil)
            #expect(error.code == test.code)
        }
    }

    // On a PodSpec: containers merge by name, finalizers and tolerations as their own rules say.
    static let strategicCases: [Case] = [
        Case(
            name: "merges by key, new items first", target: #"{"containers":[{"name":"a","image":"x"}]}"#,
            patch: #"{"containers":[{"name":"b","image":"y"}]}"#,
            result: #"{"containers":[{"name":"b","image":"y"},{"name":"a","image":"x"}]}"#),
        Case(
            name: "keeps the rest of an item", target: #"{"containers":[{"name":"a","image":"x","tty":true}]}"#,
            patch: #"{"containers":[{"name":"a","image":"y"}]}"#, result: #"{"containers":[{"name":"a","image":"y","tty":true}]}"#
        ),
        Case(
            name: "deletes an item", target: #"{"containers":[{"name":"a"},{"name":"b"}]}"#,
            patch: #"{"containers":[{"$patch":"delete","name":"a"}]}"#, result: #"{"containers":[{"name":"b"}]}"#),
        Case(
            name: "replaces a list", target: #"{"containers":[{"name":"a"},{"name":"b"}]}"#,
            patch: #"{"containers":[{"$patch":"replace"},{"name":"c"}]}"#, result: #"{"containers":[{"name":"c"}]}"#),
        Case(
            name: "replaces a map", target: #"{"nodeSelector":{"a":"1","b":"2"}}"#,
            patch: #"{"nodeSelector":{"$patch":"replace","c":"3"}}"#, result: #"{"nodeSelector":{"c":"3"}}"#),
        Case(
            name: "deletes a map", target: #"{"nodeSelector":{"a":"1"}}"#, patch: #"{"nodeSelector":{"$patch":"delete"}}"#,
            result: #"{"nodeSelector":{}}"#),
        Case(
            name: "removes by null", target: #"{"nodeSelector":{"a":"1","b":"2"}}"#, patch: #"{"nodeSelector":{"a":null}}"#,
            result: #"{"nodeSelector":{"b":"2"}}"#),
        Case(
            name: "replaces atomic lists", target: #"{"tolerations":[{"key":"a"}]}"#, patch: #"{"tolerations":[{"key":"b"}]}"#,
            result: #"{"tolerations":[{"key":"b"}]}"#),
        Case(
            name: "orders by setElementOrder", target: #"{"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]}"#,
            patch: #"{"$setElementOrder/containers":[{"name":"c"},{"name":"a"}],"containers":[{"name":"a","image":"x"}]}"#,
            result: #"{"containers":[{"name":"b"},{"name":"c"},{"name":"a","image":"x"}]}"#),
        Case(
            name: "retains keys of volumes", target: #"{"volumes":[{"name":"v","emptyDir":{}}]}"#,
            patch: #"{"volumes":[{"name":"v","$retainKeys":["name","secret"],"secret":{"secretName":"s"}}]}"#,
            result: #"{"volumes":[{"name":"v","secret":{"secretName":"s"}}]}"#),
        Case(
            name: "clears what it does not retain", target: #"{"volumes":[{"name":"v","emptyDir":{}}]}"#,
            patch: #"{"volumes":[{"name":"v","$retainKeys":["name","secret"],"emptyDir":null,"secret":{"secretName":"s"}}]}"#,
            result: #"{"volumes":[{"name":"v","secret":{"secretName":"s"}}]}"#),
        Case(
            name: "refuses to set what it does not retain", target: #"{"volumes":[{"name":"v"}]}"#,
            patch: #"{"volumes":[{"name":"v","$retainKeys":["name"],"emptyDir":{}}]}"#, result: nil, code: 400),
        Case(
            name: "adds where it deleted", target: #"{"containers":[{"name":"a"},{"name":"b","image":"x"},{"name":"d","image":"y"}]}"#,
            patch: ##"{"$setElementOrder/containers":[{"name":"b"},{"name":"c"}],"containers":[{"name":"c"},{"$patch":"delete","name":"a"}]}"##,
            result: #"{"containers":[{"name":"b","image":"x"},{"name":"d","image":"y"},{"name":"c"}]}"#),
        Case(
            name: "wants merge keys", target: #"{"containers":[{"name":"a"}]}"#, patch: #"{"containers":[{"image":"x"}]}"#,
            result: nil, code: 500),
        Case(
            name: "knows its directives", target: #"{"nodeSelector":{}}"#, patch: #"{"nodeSelector":{"$patch":"spam"}}"#,
            result: nil, code: 500),
        Case(
            name: "drops directives of new maps", target: "{}", patch: #"{"nodeSelector":{"$patch":"merge","a":"1","b":null}}"#,
            result: #"{"nodeSelector":{"a":"1"}}"#),
    ]

    @Test(arguments: strategicCases) func strategicMergePatch(_ test: Case) throws {
        let schema = try #require(SchemaCatalog.builtIn.definition("core.v1.PodSpec"))
        do throws(PatchFailure) {
            let result = try StrategicMergePatch.apply(Self.json(or: test.patch), to: Self.json(or: test.target), schema: schema)
            #expect(result == (try? test.result.map(Self.json)))
            #expect(test.result != nil)
        } catch {
            #expect(test.result == nil)
            #expect(error.code == test.code)
        }
    }

    @Test func deletesFromListsOfPrimitives() throws {
        let schema = try #require(
            SchemaCatalog.builtIn.schema(for: GroupVersionKind(group: "", version: "v1", kind: "ConfigMap")))
        let target = try Self.json(#"{"metadata":{"finalizers":["a","b","c"]}}"#)
        let patch = try Self.json(
            #"{"metadata":{"$deleteFromPrimitiveList/finalizers":["b"],"$setElementOrder/finalizers":["a","c","d"],"finalizers":["d"]}}"#
        )
        let result = try StrategicMergePatch.apply(patch, to: target, schema: schema)
        #expect(result == (try Self.json(#"{"metadata":{"finalizers":["a","c","d"]}}"#)))
    }

    /// Patches that the real server took, on the objects it took them on.
    static let recorded: [RecordedStep] = FieldOwnershipRecordedTests.files.flatMap(Recordings.steps).filter { step in
        step.method == "PATCH" && !step.isApply && step.live != nil && step.subresource.isEmpty
            && step.body["kind"] != "Status" && step.query("dryRun") == nil && step.schema == nil
    }

    @Test(arguments: recorded) func patchesAsTheServerDoes(step: RecordedStep) throws {
        let live = try #require(step.live)
        let patch = step.request["body"] ?? .null
        let schema = try #require(Recordings.schema(for: live))
        var result: JSONValue
        if step.contentType.contains("json-patch") {
            result = try JSONPatch.apply(patch, to: live)
        } else if step.contentType.contains("strategic") {
            result = try StrategicMergePatch.apply(patch, to: live, schema: schema)
        } else {
            result = try MergePatch.apply(patch, to: live)
        }
        result = try BuiltInDecoding.decoded(result, schema: schema)
        #expect((result["data"] ?? .null) == (step.body["data"] ?? .null))
        #expect(result["metadata"]?["labels"] == step.body["metadata"]?["labels"])
        let names = { (object: JSONValue) -> [JSONValue?] in
            let containers = object[path: "spec", "template", "spec", "containers"]?.arrayValue ?? []
            return containers.flatMap { [$0["name"], $0["image"]] + ($0["env"]?.arrayValue ?? []).map { $0["name"] } }
        }
        #expect(names(result) == names(step.body))
        #expect(result["spec"]?["strategy"] == step.body["spec"]?["strategy"])
    }
}
