import Foundation
import KubernetesClient
import ResourceModel
import Testing

/// Replays what a real API server was seen to answer, scenario by scenario.
///
/// `RECONCILER_CONFORMANCE=crd,apply/immutable swift test --filter APIConformance` runs parts;
/// `RECONCILER_CONFORMANCE_WORDING=1` also shows where messages are worded differently.
@Suite(.serverUnderTest, .serialized)
struct ConformanceTests {
    @Test(.serialized, arguments: Recording.scenarios)
    func answersAsRecorded(_ scenario: Scenario) async throws {
        let access = try #require(ServerUnderTest.access)
        // The recorder's field manager, where a request names none, is the part of its user agent before the slash.
        let client = KubernetesClient(access: access, retryPolicy: .none, userAgent: "Python-urllib/3.11")
        defer { client.shutDown() }
        let known = Set(Differences.embedded.map(\.place))
        let races = Set(Differences.embedded.filter(\.isRace).map(\.place))
        let tolerated = Set(ServerUnderTest.isEmbedded ? [] : Differences.otherServers.map(\.place))
        for outcome in try await Replay(client: client, scenario: scenario).run() {
            let place = outcome.step.place
            if tolerated.contains(place) { continue }
            if ServerUnderTest.isEmbedded, known.contains(place) {
                if outcome.comparison.matches, !races.contains(place) { Issue.record("\(place) is listed in Differences.swift but matches now: remove it there") }
            } else if !outcome.comparison.matches {
                Issue.record(Comment(rawValue: outcome.text(scenario.name)))
            }
            if ProcessInfo.processInfo.environment["RECONCILER_CONFORMANCE_WORDING"] != nil {
                for text in outcome.comparison.wording { print("wording \(place)\(text)") }
            }
        }
    }
}

/// The suite's own parts.
struct RecordingTests {
    @Test func theWholeRecordingIsThere() {
        #expect(Recording.all.count == 117)
        #expect(Recording.all.flatMap(\.steps).count == 508)
    }

    @Test func knownDifferencesNameRecordedExchangesAndAreFew() {
        let places = Set(Recording.all.flatMap(\.steps).map(\.place))
        for difference in Differences.embedded + Differences.otherServers {
            #expect(places.contains(difference.place), "\(difference.place)")
            #expect(!difference.reason.isEmpty)
        }
        #expect(Differences.embedded.count * 20 < places.count)
    }

    @Test(arguments: [
        ("<uid>", "0b6a7c1e-1111-2222-3333-444455556666", true), ("<rv>", "123", true), ("<rv>", "12a", false), ("<rv>", "", false),
        ("<time>", "2026-01-02T03:04:05Z", true), ("<time>", "yesterday", false), ("gen-<generated>", "gen-x7k2p", true),
        ("gen-<generated>", "x7k2p", false), ("uid (<uid>) and (<uid>).", "uid (a-b) and (c-d).", true),
        ("<none>", "anything", false), ("<ip>", "10.0.0.1", true),
    ])
    func masksMatchTheirKind(_ pattern: String, _ text: String, _ expected: Bool) {
        #expect(Mask.matches(pattern, text) == expected)
    }

    @Test func fieldOwnersAreComparedByNameAndTheirOrderByTheRule() throws {
        func owners(_ list: (manager: String, time: String)...) -> JSONValue {
            ["managedFields": .array(list.map { ["manager": .string($0.manager), "operation": "Update", "time": .string($0.time)] })]
        }
        let recorded = owners(("a", "<time>"), ("b", "<time>"))
        func matches(_ got: JSONValue) -> Bool {
            var comparison = Comparison()
            comparison.compare(recorded, with: got)
            return comparison.matches
        }
        #expect(matches(owners(("a", "2026-01-02T03:04:05Z"), ("b", "2026-01-02T03:04:05Z"))))
        #expect(matches(owners(("b", "2026-01-02T03:04:05Z"), ("a", "2026-01-02T03:04:06Z"))))
        #expect(!matches(owners(("b", "2026-01-02T03:04:05Z"), ("a", "2026-01-02T03:04:05Z"))))
        #expect(!matches(owners(("a", "2026-01-02T03:04:05Z"), ("c", "2026-01-02T03:04:05Z"))))
        #expect(!matches(owners(("a", "2026-01-02T03:04:05Z"))))
    }

    @Test func everyKindOfDifferenceIsFound() throws {
        let recorded = try JSONValue(parsing: #"{"kind":"Status","code":404,"message":"a","details":{"causes":[{"reason":"R","field":"f"}]},"n":1,"s":"<rv>","l":[1,2]}"#)
        var same = Comparison()
        same.compare(recorded, with: try JSONValue(parsing: #"{"kind":"Status","code":404,"message":"b","details":{"causes":[{"field":"f","reason":"R"}]},"n":1.0,"s":"7","l":[1,2]}"#))
        #expect(same.matches)
        #expect(same.wording.count == 1)
        var other = Comparison()
        other.compare(recorded, with: try JSONValue(parsing: #"{"kind":"Status","code":409,"message":"","details":{"causes":[{"field":"g","reason":"R"}]},"n":true,"l":[1],"x":null}"#))
        #expect(Set(other.differences.map { String($0.prefix { $0 != ":" }) }) == [".code", ".message", ".details.causes[0].field", ".n", ".s", ".l", ".l[1]", ".x"])
    }
}
