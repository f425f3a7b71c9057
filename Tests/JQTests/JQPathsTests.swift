import JQ
import ResourceModel
import Testing

@Suite(.timeLimit(.minutes(1)))
struct JQPathsTests {
    private let document: JSONValue = [
        "spec": [
            "containers": [["name": "a", "image": "one"], ["name": "x", "image": "two"]],
            "replicas": 3,
        ],
        "webhooks": [["clientConfig": ["caBundle": "x"]], ["clientConfig": [:]]],
    ]

    @Test(arguments: [
        (".spec.replicas", [["spec", "replicas"]] as [[JSONValue]]),
        (".spec.containers[] | select(.name == \"x\") | .image", [["spec", "containers", 1, "image"]]),
        (".webhooks[]?.clientConfig.caBundle", [["webhooks", 0, "clientConfig", "caBundle"], ["webhooks", 1, "clientConfig", "caBundle"]]),
        (".nothing[]?.here", []),
        (".spec.replicas, .spec.other # a comment", [["spec", "replicas"], ["spec", "other"]]),
    ])
    func selectsPaths(expression: String, expected: [[JSONValue]]) async throws {
        #expect(try await JQPaths(expression).paths(in: document) == expected)
    }

    @Test func tellsWhatIsWrongWithAnExpression() {
        let error = #expect(throws: JQError.self) { try JQPaths(".spec.containers[") }
        #expect(error?.code == "syntax")
        #expect(error?.message.hasPrefix("syntax error") == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("\n") == false)
        #expect(throws: JQError.self) { try JQPaths("nothere(.a)") }
    }

    @Test func tellsWhereADocumentDoesNotFit() async throws {
        let paths = try JQPaths(".missing[].here")
        let error = await #expect(throws: JQError.self) { try await paths.paths(in: document) }
        #expect(error?.code == "evaluation")
        #expect(error?.message.hasPrefix("Cannot iterate over null") == true)
        #expect(try await paths.paths(in: ["missing": [["here": 1]]]) == [["missing", 0, "here"]], "the next document is a new one")
    }

    @Test(arguments: ["def f: f; f", ".a | last(range(1e15))", "[limit(1e12; repeat(1))] | .a"])
    func stopsAnExpressionThatDoesNotEnd(expression: String) async throws {
        let paths = try JQPaths("if .stop then .a else (\(expression)) end")
        let start = ContinuousClock.now
        let error = await #expect(throws: JQError.self) { try await paths.paths(in: document, limit: .milliseconds(200)) }
        #expect(error?.code == "timeout")
        #expect(ContinuousClock.now - start < .seconds(10))
        #expect(try await paths.paths(in: ["stop": true, "a": 1]) == [["a"]], "and can be asked again")
    }

    @Test func manyDocumentsAtOnceAreEachAnswered() async throws {
        let paths = try JQPaths.compiled(".items[] | select(.keep | not)")
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<200 {
                group.addTask {
                    let items = (0..<5).map { JSONValue.object(["keep": .bool($0 != index % 5)]) }
                    return try await paths.paths(in: ["items": .array(items)]) == [["items", .integer(Int64(index % 5))]]
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }
}
