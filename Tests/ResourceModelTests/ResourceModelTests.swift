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
