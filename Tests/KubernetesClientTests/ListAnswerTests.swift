import ResourceModel
import Testing

@testable import KubernetesClient

struct ListAnswerTests {
    private static let head = #"{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"#

    private func answer(_ pages: String...) throws -> ListAnswer {
        var answer = ListAnswer(of: .configMaps, request: APIError.Request(verb: "list", method: "GET", path: "/api/v1/configmaps"))
        for page in pages { _ = try answer.append(Array(page.utf8)) }
        return answer
    }

    /// Items' text, and what is told of them without reading them; `nil` where that is left to the parser.
    @Test(arguments: [
        (#""items":[]}"#, []),
        (#""items":null}"#, []),
        (#""items" : [ ] }"#, nil),
        (#""items": [ { "metadata" : { "uid" : "a" , "resourceVersion" : "1" } } ] }"#, ["a 1"]),
        (#""items":[{"metadata":{"name":"x","labels":{"uid":"no"},"uid":"a","resourceVersion":"1"},"data":{"k":"}],\"{["}}]}"#, ["a 1"]),
        (#""items":[{"data":{"metadata":{"uid":"no"}},"n":[1,[2],{"a":-1.5e3}],"t":true,"z":null,"metadata":{"resourceVersion":"2","uid":"b"}}]}"#, ["b 2"]),
        (#""items":[{"metadata":{"uid":"a","resourceVersion":"1"}},{"metadata":{"uid":"b","resourceVersion":"2"}}]}"#, ["a 1", "b 2"]),
        (#""items":[{"metadata":{"uid":"a"}}]}"#, nil),
        (#""items":[{"metadata":{"uid":"\u0061","resourceVersion":"1"}}]}"#, nil),
        (#""items":[{"metadata":{"uid":1,"resourceVersion":"1"}}]}"#, nil),
        (#""items":[{"metadata":{"uid":"a","resourceVersion":"1"}}"#, nil),
        (#""items":[{"metadata":{"uid":"a","resourceVersion":"1"#, nil),
        (#""items":{}}"#, nil),
        (#""items":[]"#, []),
    ] as [(String, [String]?)])
    func tellsVersionsWithoutReading(_ items: String, _ expected: [String]?) throws {
        let page = Self.head + items
        guard page.contains(#""items":"#) else {
            // Not where it is looked for: the page is read, and must be whole.
            #expect(try answer(page).versions == nil)
            return
        }
        #expect(try answer(page).versions == expected)
    }

    @Test func objectsAreTheSameHoweverTheListIsWritten() throws {
        let item = #"{"metadata":{"name":"x","uid":"a","resourceVersion":"1"},"data":{"\"items\":":"[]"}}"#
        let usual = try answer(Self.head + #""items":[\#(item)]}"#)
        let turned = try answer(#"{"items":[\#(item)],"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"7"}}"#)
        let objects = try usual.objects()
        #expect(objects == (try turned.objects()) && objects[0]["kind"] == "ConfigMap" && objects[0]["apiVersion"] == "v1")
        #expect(usual.digest != nil && turned.digest == nil && turned.versions == nil)
    }

    @Test func theDigestIsOfAllPagesAndOfNothingElse() throws {
        func page(_ items: String, version: String = "7") -> String {
            #"{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"\#(version)","continue":"t"},"items":[\#(items)]}"#
        }
        let one = #"{"metadata":{"uid":"a","resourceVersion":"1"}}"#
        let other = #"{"metadata":{"uid":"b","resourceVersion":"2"}}"#
        #expect(try answer(page(one)).digest == answer(page(one, version: "8")).digest)
        #expect(try answer(page(one)).digest != answer(page(other)).digest)
        #expect(try answer(page(one), page(other)).digest != answer(page(other), page(one)).digest)
        #expect(try answer(page(one), page(other)).versions == ["a 1", "b 2"])
    }

    @Test(arguments: [
        "", "{", "[]", #"{"kind":"Status","metadata":{}}"#, #"{"items":[],"metadata":{}}"#, #"{"metadata":{"resourceVersion":"1"},"items":[}"#,
    ])
    func whatIsNoListIsAnError(_ body: String) throws {
        #expect(throws: MalformedAnswer.self) { try answer(body).objects() }
    }

    @Test func theDigestOfKindsKnowsNoOrder() {
        let kinds = [APIResource.configMaps, .namespaces, APIResource(group: "reconciler.dev", version: "v1alpha1", kind: "Task", plural: "tasks", namespaced: true)]
        let digest = APIResource.digest(of: kinds)
        #expect(digest == APIResource.digest(of: kinds.reversed()))
        var others = [Array(kinds.dropLast()), kinds, kinds]
        others[1][2].namespaced = false
        others[2][2].version = "v1"
        #expect(others.allSatisfy { APIResource.digest(of: $0) != digest })
    }
}
