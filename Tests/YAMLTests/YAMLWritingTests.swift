import ResourceModel
import Testing

@testable import YAML

/// The same numbers on every run (SplitMix64).
struct Dice {
    var state: UInt64

    mutating func roll(_ sides: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(sides))
    }

    mutating func pick<T>(_ choices: [T]) -> T { choices[roll(choices.count)] }
}

/// Values that are hard to write: words and numbers as text, spaces and breaks everywhere, characters YAML treats specially.
struct NastyValues {
    var dice: Dice

    private static let pieces = [
        "a", "b c", "-", "--- ", "...", "#", " #", ": ", ":", "?", "!", "&x", "*x", "|", ">", "%", "@", "`", "\"", "'", "\\", "{", "}",
        "[", "]", ",", "\n", "\n\n", " ", "   ", "\t", "\r", "\r\n", "\u{0}", "\u{7F}", "\u{85}", "\u{A0}", "\u{2028}", "\u{FEFF}",
        "\u{FFFE}", "é", "😀", "<<", "=", "~", "---\n", "\n---\n", "\n...\n", "key: value\n", "- item\n", "\n# comment\n",
    ]
    static let words = [
        "", "y", "N", "yes", "No", "on", "OFF", "true", "False", "null", "~", "Null", "0", "01", "0o7", "0x1F", "0b1", "1_000", "+1", "-1",
        "1.", ".5", "1e3", "1e400", ".inf", "-.INF", ".nan", "1:30", "2001-12-14", "2001-12-14T21:59:43Z", "<<", "=", "-", "- a", "a:",
        "a: b", "a #b", " a", "a ", "#a", "100m", "1Gi", "v1", "/", "_", "e1", "0x", "0o8", "08", "0777", "12345678901234567890", "!x",
        "|", ">", "%x", "@x", "`x", "a\n", "a\n\n", "\na", " a\nb", "a\n b\n", "\n", "\n\n", " \n", "a\n   ", "a\n\t\nb", "\ta\nb",
        "   \na", "a\r\nb\r\n", "--- a", "...", "---", "a\n---\nb\n", "?", "? a", ": a", "[a]", "{a}", "a, b", "a'b", "a\"b", "'", "\"",
    ]

    mutating func text() -> String {
        if dice.roll(2) == 0 { return dice.pick(Self.words) }
        return (0...dice.roll(6)).map { _ in dice.pick(Self.pieces) }.joined()
    }

    mutating func value(depth: Int) -> JSONValue {
        switch dice.roll(depth > 4 ? 6 : 10) {
        case 0: return .null
        case 1: return .bool(dice.roll(2) == 0)
        case 2: return .integer([0, -1, .max, .min, 7, 1 << 53][dice.roll(6)])
        case 3: return .number(dice.pick(["1.5", "-0.25", "1e9", "1E-7", "1e21", "18446744073709551615", "-9223372036854775809"]))
        case 4, 5: return .string(text())
        case 6, 7: return .array((0..<dice.roll(4)).map { _ in value(depth: depth + 1) })
        default:
            var object = JSONObject()
            for _ in 0..<dice.roll(5) { object[text()] = value(depth: depth + 1) }
            return .object(object)
        }
    }
}

@Suite struct YAMLWritingTests {
    @Test func nastyValuesComeBackEqual() throws {
        var nasty = NastyValues(dice: Dice(state: 1))
        for round in 0..<3000 {
            let value: JSONValue = ["v": nasty.value(depth: 0)]
            let text = YAML.string(value)
            let read = try YAML.documents(in: text, path: "round-\(round).yaml").map(\.value)
            #expect(read == [value], "\(value.jsonString) was written as\n\(text)")
        }
    }

    @Test func streamsComeBackDocumentByDocument() throws {
        var nasty = NastyValues(dice: Dice(state: 2))
        let values = (0..<200).map { JSONValue.object(["n": .integer(Int64($0)), "v": nasty.value(depth: 0)]) }
        #expect(try YAML.documents(in: YAML.string(documents: values), path: "x.yaml").map(\.value) == values)
    }

    @Test func longKeysComeBack() throws {
        let value: JSONValue = .object([String(repeating: "k", count: 3000): ["a": 1], "b": [["c": ["d"]], [[1], []]]])
        #expect(try YAML.documents(in: YAML.string(value), path: "x.yaml").map(\.value) == [value])
    }

    @Test func theStyleIsKubectls() throws {
        let value: JSONValue = [
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": ["name": "web", "labels": ["tier": "1", "on": "yes"]],
            "data": ["motd": "hello\nworld\n", "bare": "a\nb", "image": "registry:5000/web:1.2 --flag=x"],
            "list": [["name": "a", "args": ["-v", "--x"]], [], [1, ["z"]]], "empty": [:],
        ]
        #expect(
            YAML.string(value) == """
                apiVersion: v1
                kind: ConfigMap
                metadata:
                  name: web
                  labels:
                    tier: "1"
                    "on": "yes"
                data:
                  motd: |
                    hello
                    world
                  bare: |-
                    a
                    b
                  image: registry:5000/web:1.2 --flag=x
                list:
                - name: a
                  args:
                  - "-v"
                  - "--x"
                - []
                - - 1
                  - - z
                empty: {}

                """)
    }
}
