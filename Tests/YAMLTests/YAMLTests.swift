import ResourceModel
import Testing

@testable import YAML

@Suite struct YAMLReadingTests {
    private func values(_ text: String) throws -> [JSONValue] { try YAML.documents(in: text, path: "x.yaml").map(\.value) }

    private func failure(_ text: String) -> YAMLError? {
        #expect(throws: YAMLError.self) { try YAML.documents(in: text, path: "x.yaml") }
    }

    private func failure(_ bytes: [UInt8]) -> YAMLError? {
        #expect(throws: YAMLError.self) { try YAML.documents(in: bytes, path: "x.yaml") }
    }

    @Test func emptyDocumentsAreSkippedAndTheOthersKeepTheirNumber() throws {
        let documents = try YAML.documents(in: "# only this\n---\n---\na: 1\n---\nnull\n--- # b\nb: 2\n...\n", path: "x.yaml")
        #expect(documents.map(\.value) == [["a": 1], ["b": 2]])
        #expect(documents.map(\.location.line) == [4, 8])
        #expect(documents.map(\.location.document) == [1, 3])
        #expect(try values("").isEmpty)
        #expect(try values("# nothing\n").isEmpty)
    }

    @Test func positionsNameTheLineOfEveryNode() throws {
        let text = "a: 1\nb:\n  c/d:\n  - x\n  - w: 1\n    z: &l [1,\n     2]\ne: *l\n"
        let document = try #require(try YAML.documents(in: text, path: "x.yaml").first)
        #expect(
            document.positions == [
                "": 1, "/a": 1, "/b": 2, "/b/c~1d": 3, "/b/c~1d/0": 4, "/b/c~1d/1": 5, "/b/c~1d/1/w": 5, "/b/c~1d/1/z": 6,
                "/b/c~1d/1/z/0": 6, "/b/c~1d/1/z/1": 7, "/e": 8, "/e/0": 6, "/e/1": 7,
            ])
        #expect(document.line(at: ["b", "c/d", "1", "nothing"]) == 5)
    }

    @Test func positionsFollowMembersThroughMerges() throws {
        let text = "base: &b\n  x: {q: 1}\n  w: 2\nv:\n  w: 5\n  <<: *b\n  x: 7\n  p: 8\n"
        let document = try #require(try YAML.documents(in: text, path: "x.yaml").first)
        #expect(document.value["v"] == ["w": 2, "x": 7, "p": 8])
        let positions = document.positions
        #expect(positions["/v"] == 4)
        #expect(positions["/v/w"] == 3)
        #expect(positions["/v/x"] == 7)
        #expect(positions["/v/p"] == 8)
        #expect(positions["/base/x/q"] == 2)
        #expect(positions.count == 9)
    }

    // Each was asked of kubectl 1.36 (annotate --local).
    @Test(arguments: [
        ("b: &b {q: 1, r: 2}\nv: {r: 3, <<: *b}\n", #"{"q":1,"r":2}"#),
        ("b: &b {q: 1, r: 2}\nv: {<<: *b, <<: {z: 1}}\n", #"{"q":1,"r":2,"z":1}"#),
        ("v: {1.5: c, 1: a, 2001-12-14: z, 0x10: d}\n", #"{"1.5":"c","1":"a","2001-12-14":"z","16":"d"}"#),
        ("v: !!set {a, b}\n", #"{"a":null,"b":null}"#),
        ("v: {a:1, b: c:d}\n", #"{"a:1":null,"b":"c:d"}"#),
        ("v: [a b, {c}, ? d]\n", #"["a b",{"c":null},{"d":null}]"#),
        ("v: [0b-101, -0.0, 1e20, 123456.7e3, 1e-7, 1e21]\n", "[-5,0,100000000000000000000,123456700,1e-7,1e21]"),
        ("v: !!timestamp 2001-12-14\n", #""2001-12-14""#),
        ("v: !!binary \"/w==\"\n", "\"\u{FFFD}\""),
    ])
    func oddValuesReadAsKubectlReadsThem(text: String, expected: String) throws {
        #expect(try values(text).first?["v"] == JSONValue(parsing: expected))
    }

    @Test(arguments: [
        "v: !!null x\n", "v: !!timestamp x\n", "v: !!int 1.5\n", "v: &a [*a]\n", "v: {18446744073709551615: a}\n", "v: {[a]: b}\n",
        "v: {{a: 1}: b}\n", "v: {<<: 5}\n", "v: {<<: [1]}\n", "v: !!binary \"!\"\n",
    ])
    func whatKubectlRefusesIsRefused(text: String) { #expect(failure(text) != nil) }

    @Test func aDuplicateKeyIsRefusedWithBothLines() {
        let error = failure("spec:\n  replicas: 1\n  name: x\n  replicas: 2\n")
        #expect(error?.code == .duplicateKey)
        #expect(error?.description == "x.yaml:4:3: duplicate key 'replicas', first on line 2; keep one of the two")
        #expect(error?.problem.location?.line == 4)
        #expect(failure("{1: a, \"1\": b}\n")?.code == .duplicateKey)
        let many = (0..<40).map { "k\($0): 1\n" }.joined()
        #expect(failure(many + "k7: 2\n")?.message.contains("'k7', first on line 8") == true)
    }

    @Test func errorsNameLineAndColumn() {
        #expect(failure("a:\n\tb: 1\n")?.description.contains("tabs cannot indent") == true)
        #expect(failure("a: 1\nb: @x\n").map { [$0.location.line, $0.column] } == [2, 4])
        #expect(failure("a: \"x\nb: 1\n")?.code == .syntax)
        #expect(failure("a: [1, 2\n")?.code == .syntax)
        #expect(failure("a: 1\n'b: 2")?.code == .syntax)
        #expect(failure("a: 1\r\nb: c: d\r\n")?.location.line == 2)
        #expect(failure("%YAML 1.2\n---\na: 1\n")?.message.contains("directives") == true)
        #expect(failure("a: .inf\n")?.code == .value)
    }

    @Test func bytesThatAreNotTextAreRefusedWithTheirPlace() {
        let invalid = failure(Array("a: 1\nb: é".utf8) + [0xFF])
        #expect(invalid?.code == .encoding)
        #expect(invalid.map { [$0.location.line, $0.column] } == [2, 5])
        #expect(failure(Array("a: 1\nb: x".utf8) + [0, 0x63, 0x0A])?.message.contains("U+0") == true)
        #expect(failure(Array("a: é".utf8.dropLast()))?.code == .encoding)
        #expect(failure([0xFF, 0xFE, 0x61, 0])?.message.contains("UTF-16") == true)
        #expect(failure(Array("a: ".utf8) + [0xED, 0xA0, 0x80])?.code == .encoding)
    }

    @Test func nestingAndAliasesAreLimited() throws {
        let open = String(repeating: "[", count: 1000)
        let close = String(repeating: "]", count: 1000)
        #expect(try values("\(open)\(close)\n").count == 1)
        #expect(failure("[\(open)\(close)]\n")?.code == .limit)

        var laughs = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
        for level in 1...9 {
            laughs += "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ") + "]\n"
        }
        #expect(failure(laughs)?.code == .limit)

        // Each alias adds a level, so that no single text is deep.
        var chain = "- &a0 [x]\n"
        for level in 1...1200 { chain += "- &a\(level) [*a\(level - 1)]\n" }
        #expect(failure(chain)?.code == .limit)

        let big = "t: &t \(String(repeating: "x", count: 1 << 20))\nl: [" + Array(repeating: "*t", count: 40).joined(separator: ", ") + "]\n"
        #expect(failure(big)?.code == .limit)
    }

    @Test func jsonIsReadToo() throws {
        #expect(try values("{\n\t\"a\": \"\\ud83d\\ude00\"\n}\n") == [["a": "😀"]])
        #expect(try values("{\"a\": [1, 2.5, null]}") == [["a": [1, 2.5, nil]]])
        #expect(failure("{\"a\": 1") != nil)
    }
}
