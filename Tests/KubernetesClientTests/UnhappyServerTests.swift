import HTTPTransport
import ResourceModel
import Testing

@testable import KubernetesClient

@Suite(.timeLimit(.minutes(1)))
struct UnhappyServerTests {
    @Test func triesAgainWhenTheServerIsBusy() async throws {
        try await withScript { number, _ in
            number < 2 ? .status(number == 0 ? 429 : 503, "TooManyRequests", retryAfter: "0") : .list(["a"])
        } _: { client in
            let list = try await client.list(configMaps, namespace: "x")
            #expect(list.items.count == 1)
            #expect(client.requestCount["list"] == 3)
        }
    }

    /// More often than a failure is tried again: it has not failed, and many others are refused as well.
    @Test func isPatientWithAServerThatHasTooMuchToDo() async throws {
        try await withScript { number, _ in number < 7 ? .status(429, "TooManyRequests", retryAfter: "0") : .list(["a"]) } _: { client in
            let list = try await client.list(configMaps, namespace: "x")
            #expect(list.items.count == 1)
            #expect(client.requestCount["list"] == 8)
        }
        // Not without its word when to come back.
        try await withScript { _, _ in .status(429, "TooManyRequests") } _: { client in
            let error = await #expect(throws: APIError.self) { try await client.list(configMaps, namespace: "x") }
            #expect(error?.code == 429)
            #expect(client.requestCount["list"] == 3)
        }
    }

    /// Those that a server refuses together come back one after the other.
    @Test func theRefusedDoNotComeBackTogether() {
        let policy = RetryPolicy(attempts: 3)
        let delays = (0..<200).map { _ in policy.delay(after: 1, retryAfter: .seconds(1)) }
        #expect(delays.allSatisfy { $0 >= .seconds(1) && $0 <= .seconds(2) })
        #expect(Set(delays.map { $0.components.attoseconds / 100_000_000_000_000_000 }).count > 5)
        #expect(policy.delay(after: 1, retryAfter: .seconds(90)) <= .seconds(31))
        #expect(policy.delay(after: 1, retryAfter: .zero) == .zero && policy.delay(after: 3, retryAfter: .zero) > .zero)
    }

    @Test func givesUpAfterItsAttempts() async throws {
        try await withScript { _, _ in .status(503, "ServiceUnavailable") } _: { client in
            let error = await #expect(throws: APIError.self) { try await client.list(configMaps, namespace: "x") }
            #expect(error?.code == 503 && error?.failureKind == .unreachable)
            #expect(client.requestCount["list"] == 3)
        }
    }

    @Test func aCreateIsRepeatedOnlyWhenTheServerAsksForIt() async throws {
        try await withScript { number, _ in number == 0 ? .status(503, "x", retryAfter: "0") : .status(503, "x") } _: { client in
            await #expect(throws: APIError.self) { try await client.create(configMap("a", "x"), as: configMaps) }
            #expect(client.requestCount["create"] == 2)
        }
    }

    @Test func aListThatExpiresBetweenPagesStartsAgain() async throws {
        try await withScript { _, uri in
            if uri.contains("continue=") { return .status(410, "Expired") }
            return uri.contains("limit=") ? .list(["a"], next: "n") : .list(["a", "b"])
        } _: { client in
            let list = try await client.list(configMaps, namespace: "x")
            #expect(list.items.count == 2)
        }
    }

    @Test func aBrokenListIsAnErrorNeverAShortList() async throws {
        try await withScript { _, uri in
            uri.contains("continue=") ? Answer(body: #"{"kind":"ConfigMapList","items":["#, breaksOff: true) : .list(["a"], next: "n")
        } _: { client in
            let error = await #expect(throws: HTTPError.self) { try await client.list(configMaps, namespace: "x") }
            #expect(error?.code == .interrupted)
        }
        try await withScript { _, _ in Answer(body: "<html>not the API</html>") } _: { client in
            await #expect(throws: MalformedAnswer.self) { try await client.list(configMaps, namespace: "x") }
        }
    }

    @Test func aWatchGoesOnFromTheLastVersionAfterABreak() async throws {
        try await withScript { number, uri in
            switch number {
            case 0: Answer(body: Answer.event("ADDED", "a", 7) + #"{"type":"ADD"#, breaksOff: true)
            case 1 where uri.contains("resourceVersion=7"): Answer(body: Answer.event("MODIFIED", "a", 8))
            case 2 where uri.contains("resourceVersion=8"):
                Answer(body: #"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}"#)
            default: .status(400, "BadRequest")
            }
        } _: { client in
            var names: [String] = []
            for try await event in client.watch(configMaps, namespace: "x", options: WatchOptions(resourceVersion: "6")) {
                switch event {
                case .added: names.append("added")
                case .modified: names.append("modified")
                case .expired: names.append("expired")
                default: names.append("other")
                }
            }
            #expect(names == ["added", "modified", "expired"])
        }
    }

    @Test func listAndWatchListsAgainWhenTheServerLostTheThread() async throws {
        try await withScript { number, uri in
            if uri.contains("watch=true") {
                return number == 1 ? .status(410, "Expired") : Answer(body: Answer.event("ADDED", "c", 9))
            }
            return .list(number == 0 ? ["a"] : ["b"])
        } _: { client in
            var seen: [String] = []
            for try await event in client.listAndWatch(configMaps, namespace: "x") {
                switch event {
                case .listed(let items, _): seen.append("listed \(items.compactMap { $0[path: "metadata", "name"]?.stringValue })")
                case .added(let object): seen.append("added \(object[path: "metadata", "name"]?.stringValue ?? "")")
                default: seen.append("other")
                }
                if seen.count == 3 { break }
            }
            #expect(seen == [#"listed ["a"]"#, #"listed ["b"]"#, "added c"])
        }
    }

    @Test func aWatchThatMayNotIsAnError() async throws {
        try await withScript { _, _ in .status(403, "Forbidden") } _: { client in
            let error = await #expect(throws: APIError.self) {
                for try await _ in client.watch(configMaps, namespace: "x") {}
            }
            #expect(error?.isForbidden == true)
        }
    }

    @Test func discoversOneByOneWhereThereIsNoAggregatedDiscovery() async throws {
        try await withScript { _, uri in
            switch uri {
            case "/api": Answer(body: #"{"kind":"APIVersions","versions":["v1"]}"#)
            case "/apis":
                Answer(
                    body: #"{"kind":"APIGroupList","groups":[{"name":"apps","versions":[{"version":"v1beta1"},{"version":"v1"}],"preferredVersion":{"version":"v1"}},{"name":"broken.example.com","versions":[{"version":"v1"}]}]}"#)
            case "/api/v1":
                Answer(body: #"{"kind":"APIResourceList","resources":[{"name":"configmaps","kind":"ConfigMap","namespaced":true,"verbs":["get"]}]}"#)
            case "/apis/apps/v1", "/apis/apps/v1beta1":
                Answer(
                    body: #"{"kind":"APIResourceList","resources":[{"name":"deployments","kind":"Deployment","namespaced":true,"verbs":["get"]},{"name":"deployments/scale","kind":"Scale","namespaced":true,"verbs":["get"]}]}"#)
            default: .status(503, "ServiceUnavailable")
            }
        } _: { client in
            let deployments = try await client.resource(for: GroupKind(group: "apps", kind: "Deployment"))
            #expect(deployments.version == "v1" && deployments.subresources == ["scale"])
            let older = try await client.resource(for: GroupKind(group: "apps", kind: "Deployment"), preferring: "v1beta1")
            #expect(older.version == "v1beta1")
            let error = await #expect(throws: DiscoveryError.self) {
                try await client.resource(for: GroupKind(group: "broken.example.com", kind: "Anything"))
            }
            #expect(error?.code == "group-unavailable" && error?.failureKind == .unreachable)
        }
    }

    @Test func errorsShowNoCredentials() async throws {
        let access = ClusterAccess(server: "http://127.0.0.1:1", credentials: .token(Redacted("hunter2")))
        let error = await #expect(throws: HTTPError.self) {
            try await KubernetesClient(access: access, retryPolicy: .none).list(configMaps, namespace: "x")
        }
        #expect(String(reflecting: error).contains("hunter2") == false)
    }

    @Test func aRefusalThatShowsAWholeTemplateIsShortened() async throws {
        let dump = String(repeating: "core.Container{Name:\\\"c\\\"} ", count: 400)
        let body = #"{"kind":"Status","status":"Failure","code":422,"reason":"Invalid","message":"Job.batch \"j\" is invalid: spec.template: Invalid value: \#(dump): field is immutable"}"#
        try await withScript { _, _ in Answer(status: 422, body: body) } _: { client in
            let error = await #expect(throws: APIError.self) { try await client.list(configMaps, namespace: "x") }
            let text = error?.description ?? ""
            #expect(text.contains("spec.template: Invalid value") && text.contains("field is immutable") && text.count < 900)
            #expect((error?.message.count ?? 0) > 8000)
        }
    }
}
