import ResourceModel
import Testing

@Suite struct JSONTests {
    @Test(arguments: [
        #"{"a":1,"b":[true,false,null],"c":"x\ny","d":1.50,"e":18446744073709551615}"#, "[]", "{}", #""ü""#, "-0.5e10",
    ])
    func whatIsReadIsWrittenUnchanged(text: String) throws {
        #expect(try JSONValue(parsing: text).jsonString == text)
    }

    @Test(arguments: ["", "{", "[1,", #"{"a""#, #"{"a":}"#, "01", "1.", "tru", #""abc"#, "1 2", "nul", "{\"a\":1,}"])
    func brokenTextIsAnErrorNeverAShorterValue(text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }

    @Test func equalityIgnoresMemberOrderAndNumberSpelling() throws {
        let left = try JSONValue(parsing: #"{"a":1,"b":{"c":2.0,"d":"x"}}"#)
        let right = try JSONValue(parsing: #"{"b":{"d":"x","c":2},"a":1.0}"#)
        #expect(left == right)
        #expect(left.hashValue == right.hashValue)
        #expect(left.canonicalBytes == right.canonicalBytes)
    }

    @Test func settingAPathMakesTheObjectsOnTheWay() {
        var value: JSONValue = [:]
        value[path: "metadata", "labels", "a"] = "b"
        #expect(value == ["metadata": ["labels": ["a": "b"]]])
    }
}

@Suite struct SharedValueTests {
    @Test func aCopyIsChangedWithoutTheOther() {
        let id = ResourceID(group: "", kind: "ConfigMap", namespace: "shop", name: "a")
        let first = Manifest(id: id, apiVersion: "v1", body: ["data": ["key": "one"]], source: SourceLocation(path: "a.yaml", line: 1))
        var second = first
        #expect(second == first && second.hashValue == first.hashValue)
        second.body[path: "data", "key"] = "two"
        second.id.namespace = nil
        #expect(first.body[path: "data", "key"] == "one" && first.id.namespace == "shop")
        #expect(second.body[path: "data", "key"] == "two" && second.id.namespace == nil && second != first)

        let change = Change(id: id, action: .create, manifest: first)
        var changed = change
        changed.manifest?.id.name = "b"
        changed.action = .skip(.notSelected)
        #expect(change.action == .create && change.manifest == first && changed != change)
        #expect(first.body[path: "data", "key"] == "one")
    }
}
