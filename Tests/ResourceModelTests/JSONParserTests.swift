import ResourceModel
import Testing

@Suite struct JSONParserTests {
    /// A generator with a seed, so that a failure can be repeated.
    private struct Seeded: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
            return value ^ (value >> 31)
        }
    }

    private static func text(_ random: inout Seeded) -> String {
        let letters: [String] = ["a", "Z", "7", "\"", "\\", "\n", "\u{1}", "é", "漢", "🙂", "/", " "]
        return (0..<Int.random(in: 0...40, using: &random)).map { _ in letters.randomElement(using: &random) ?? "" }.joined()
    }

    private static func value(_ depth: Int, _ random: inout Seeded) -> JSONValue {
        switch Int.random(in: 0..<(depth > 4 ? 6 : 8), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .integer(Int64.random(in: .min ... .max, using: &random))
        case 3: return .integer(Int64.random(in: -9...9, using: &random))
        case 4: return .number("\(Int64.random(in: -999...999, using: &random)).\(Int.random(in: 1...999, using: &random))e\(Int.random(in: -20...20, using: &random))")
        case 5: return .string(text(&random))
        case 6: return .array((0..<Int.random(in: 0...6, using: &random)).map { _ in value(depth + 1, &random) })
        default:
            return .object(JSONObject((0..<Int.random(in: 0...20, using: &random)).map { .init(key: "\($0)\(text(&random))", value: value(depth + 1, &random)) }))
        }
    }

    @Test func whatIsWrittenIsReadBackTheSame() throws {
        var random = Seeded(state: 42)
        for _ in 0..<2000 {
            let value = Self.value(0, &random)
            let bytes = value.serialized()
            let read = try JSONValue(parsing: bytes)
            #expect(read == value)
            #expect(read.serialized() == bytes)
        }
    }

    @Test func aTextThatEndsEarlyIsNeverAValue() throws {
        var random = Seeded(state: 7)
        for _ in 0..<300 {
            var value = Self.value(0, &random)
            if value.arrayValue == nil, value.objectValue == nil { value = [value] }
            let bytes = value.serialized()
            for length in Set((0..<10).map { _ in Int.random(in: 0..<bytes.count, using: &random) }) {
                #expect(throws: JSONError.self) { try JSONValue(parsing: Array(bytes[..<length])) }
            }
        }
    }

    @Test func damagedTextsNeverCrash() {
        var random = Seeded(state: 99)
        for _ in 0..<2000 {
            var bytes = Self.value(0, &random).serialized()
            for _ in 0..<3 { bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random) }
            _ = try? JSONValue(parsing: bytes)  // only that it returns
        }
    }

    @Test func longStringsThatBeginAndEndAlikeStayApart() throws {
        let texts = (0..<5000).map { "terminationGrace\($0 % 10)\($0 / 10 % 10)\($0 / 100 % 10)\($0 / 1000)PeriodSeconds" }
        let value = JSONValue.array(texts.map { .string($0) })
        #expect(try JSONValue(parsing: value.serialized()) == value)
    }

    /// A long text's containers are looked up by their first bytes, so what begins alike must be told apart, and what is alike may be shared.
    @Test func whatRepeatsInALongTextIsReadAsItWouldBeAlone() throws {
        var random = Seeded(state: 5)
        var kinds: [JSONValue] = (0..<40).map { _ in Self.value(2, &random) }
        for index in 0..<200 {
            kinds.append(["name": "a name that is longer than a slot's key", "value": .integer(Int64(index % 20)), "more": kinds[index % 40]])
        }
        let items = (0..<4000).map { _ in kinds[Int.random(in: 0..<kinds.count, using: &random)] }
        let bytes = JSONValue.array(items).serialized()
        let read = try #require(try JSONValue(parsing: bytes).arrayValue)
        #expect(read.count == items.count)
        for (item, found) in zip(items, read) { #expect(found.serialized() == item.serialized()) }
        for _ in 0..<20 {
            #expect(throws: JSONError.self) { try JSONValue(parsing: Array(bytes[..<Int.random(in: 40_000..<bytes.count, using: &random)])) }
        }
    }

    @Test func aRepeatIsNoWayAroundTheLimitOfNesting() {
        let inner = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
        let deep = String(repeating: "[", count: 801) + inner + String(repeating: "]", count: 801)
        let filler = String(repeating: inner + ",", count: 100)
        #expect(throws: JSONError.self) { try JSONValue(parsing: "[\(filler)\(deep)]") }
    }

    @Test(arguments: [
        ("0", JSONValue.integer(0)), ("-0", .integer(0)), ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
        ("9223372036854775808", .number("9223372036854775808")), ("123456789012345678", .integer(123_456_789_012_345_678)),
        ("1.50", .number("1.50")), ("1E+2", .number("1E+2")),
    ])
    func numbersStayExact(_ text: String, _ expected: JSONValue) throws {
        let value = try JSONValue(parsing: text)
        #expect(value.jsonString == expected.jsonString)
    }

    @Test(arguments: ["", " ", "01", "-", "1.", ".5", "1e", "tru", "nul", "[1,]", "{\"a\":1,}", "{a:1}", "\"\u{1}\"", "\"\\x\"", "[1 2]", "{\"a\" 1}", "1 2", "\0"])
    func whatIsNotJSONIsRefused(_ text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }

    @Test func theLastOfTwoMembersWithOneKeyCounts() throws {
        let many = (0..<30).map { "\"k\($0)\":\($0)" }.joined(separator: ",")
        #expect(try JSONValue(parsing: "{\"a\":1,\"a\":2}") == ["a": 2])
        #expect(try JSONValue(parsing: "{\(many),\"k3\":true}")["k3"] == true)
        #expect(try JSONValue(parsing: "{\(many),\"k3\":true}").objectValue?.count == 30)
    }

    @Test func nestingHasALimit() {
        #expect(throws: Never.self) { try JSONValue(parsing: String(repeating: "[", count: 1000) + String(repeating: "]", count: 1000)) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: String(repeating: "[", count: 1001) + String(repeating: "]", count: 1001)) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: String(repeating: "[", count: 1_000_000)) }
    }
}
