import HTTPTransport
import KubernetesClient
import ResourceModel
import TestSupport
import Testing

/// Against a real API server: the embedded one, or the one of `RECONCILER_TEST_KUBECONFIG`.
@Suite(.timeLimit(.minutes(2)))
struct ClientTests {
    @Test func looksKindsUp() async throws {
        try await withClient { client, _ in
            let deployments = try await client.resource(for: GroupKind(group: "apps", kind: "Deployment"))
            #expect(deployments.plural == "deployments" && deployments.version == "v1" && deployments.namespaced)
            #expect(deployments.subresources.contains("scale") && deployments.verbs.contains("patch"))
            let maps = try await client.resource(for: GroupKind(group: "", kind: "ConfigMap"), preferring: "v1")
            #expect(maps.path(namespace: "a", name: "b") == "/api/v1/namespaces/a/configmaps/b")
            let before = client.requestCount["discover"] ?? 0
            let error = await #expect(throws: DiscoveryError.self) {
                try await client.resource(for: GroupKind(group: "nosuch.example.com", kind: "Nothing"))
            }
            #expect(error?.code == "unknown-kind")
            // Looked again before it said no.
            #expect((client.requestCount["discover"] ?? 0) > before)
            #expect(try await client.serverVersion().hasPrefix("v1."))
        }
    }

    @Test func findsAKindThatWasDefinedMeanwhile() async throws {
        try await withClient { client, _ in
            let group = "client\(UInt32.random(in: 0...UInt32.max)).example.com"
            let kind = GroupKind(group: group, kind: "Gadget")
            await #expect(throws: DiscoveryError.self) { try await client.resource(for: kind) }
            let definitions = try await client.resource(for: GroupKind(group: "apiextensions.k8s.io", kind: "CustomResourceDefinition"))
            let schema: JSONValue = ["type": "object", "x-kubernetes-preserve-unknown-fields": true]
            let version: JSONValue = ["name": "v1", "served": true, "storage": true, "schema": ["openAPIV3Schema": schema]]
            _ = try await client.apply(
                [
                    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                    "metadata": ["name": .string("gadgets.\(group)")],
                    "spec": [
                        "group": .string(group), "names": ["plural": "gadgets", "kind": "Gadget"], "scope": "Namespaced", "versions": [version],
                    ],
                ], as: definitions)
            let events = client.watch(
                definitions, namespace: nil, options: WatchOptions(fieldSelector: "metadata.name=gadgets.\(group)"))
            for try await event in events {
                let conditions = event.object?[path: "status", "conditions"]?.arrayValue ?? []
                if conditions.contains(where: { $0["type"] == "Established" && $0["status"] == "True" }) { break }
            }
            #expect(try await client.resource(for: kind).plural == "gadgets")
            try await client.delete(definitions, namespace: nil, name: "gadgets.\(group)")
        }
    }

    @Test func absentIsNilOnlyForTheObjectItself() async throws {
        try await withClient { client, namespace in
            let absent = try await client.get(configMaps, namespace: namespace, name: "absent")
            #expect(absent == nil)
            let nothing = APIResource(group: "", version: "v1", kind: "Nothing", plural: "nothings", namespaced: true)
            let error = await #expect(throws: APIError.self) { try await client.get(nothing, namespace: namespace, name: "absent") }
            #expect(error?.code == 404)
            let group = APIResource(group: "nosuch.example.com", version: "v1", kind: "Nothing", plural: "nothings", namespaced: true)
            await #expect(throws: APIError.self) { try await client.get(group, namespace: namespace, name: "absent") }
        }
    }

    @Test func appliesAndReportsConflictsWithTheirFields() async throws {
        try await withClient { client, namespace in
            let first = try await client.apply(configMap("a", namespace, ["k": "1"]), as: configMaps)
            #expect(first.created)
            let again = try await client.apply(configMap("a", namespace, ["k": "1"]), as: configMaps)
            #expect(!again.created)
            #expect(again.object[path: "metadata", "resourceVersion"] == first.object[path: "metadata", "resourceVersion"])
            let dry = try await client.apply(
                configMap("a", namespace, ["k": "2"]), as: configMaps, options: ApplyOptions(fieldManager: "other", dryRun: true))
            #expect(dry.object[path: "data", "k"] == "2")
            #expect(try await client.get(configMaps, namespace: namespace, name: "a")?[path: "data", "k"] == "1")
            let error = await #expect(throws: APIError.self) {
                try await client.apply(
                    configMap("a", namespace, ["k": "2"]), as: configMaps, options: ApplyOptions(fieldManager: "other", force: false))
            }
            #expect(error?.isFieldConflict == true)
            #expect(error?.causes.first?.field == ".data.k")
            #expect(error?.request.object == ResourceID(group: "", kind: "ConfigMap", namespace: namespace, name: "a"))
            #expect(error?.hint != nil)
            #expect(client.requestCount["apply"] == 4)
        }
    }

    @Test func createsReplacesAndPatches() async throws {
        try await withClient { client, namespace in
            let created = try await client.create(configMap("a", namespace, ["k": "1"]), as: configMaps)
            #expect(created.created)
            let exists = await #expect(throws: APIError.self) { try await client.create(configMap("a", namespace), as: configMaps) }
            #expect(exists?.isAlreadyExists == true && exists?.isConflict == false)
            var object = created.object
            object[path: "data", "k"] = "2"
            #expect(try await client.replace(object, as: configMaps).object[path: "data", "k"] == "2")
            let stale = await #expect(throws: APIError.self) { try await client.replace(object, as: configMaps) }
            #expect(stale?.isConflict == true)
            let merged = try await client.patch(
                configMaps, namespace: namespace, name: "a", type: .merge, patch: ["data": ["k": nil, "l": "3"]])
            #expect(merged.object["data"] == ["l": "3"])
            let patched = try await client.patch(
                configMaps, namespace: namespace, name: "a", type: .json,
                patch: [["op": "replace", "path": "/data/l", "value": "4"]])
            #expect(patched.object[path: "data", "l"] == "4")
        }
    }

    @Test func serverWarningsArePassedOn() async throws {
        try await withClient { client, namespace in
            var object = configMap("a", namespace)
            object["bogus"] = 1
            let result = try await client.create(object, as: configMaps, options: WriteOptions(fieldValidation: .warn))
            #expect(result.warnings == [#"unknown field "bogus""#])
            let error = await #expect(throws: APIError.self) {
                try await client.create(object, as: configMaps, options: WriteOptions(fieldValidation: .strict))
            }
            #expect(error?.code == 400)
        }
    }

    @Test func listsAllPages() async throws {
        try await withClient { client, namespace in
            for index in 0..<7 { _ = try await client.create(configMap("p\(index)", namespace, labels: ["p": "1"]), as: configMaps) }
            let before = client.requestCount["list"] ?? 0
            let list = try await client.list(
                configMaps, namespace: namespace, options: ListOptions(labelSelector: "p=1", pageSize: 3))
            #expect(list.items.compactMap { $0[path: "metadata", "name"]?.stringValue } == (0..<7).map { "p\($0)" })
            #expect(list.items.allSatisfy { $0["kind"] == "ConfigMap" && $0["apiVersion"] == "v1" })
            #expect(!list.resourceVersion.isEmpty)
            #expect((client.requestCount["list"] ?? 0) - before == 3)
        }
    }

    @Test func deletesOnlyWhatThePreconditionsName() async throws {
        try await withClient { client, namespace in
            let object = try await client.create(configMap("a", namespace), as: configMaps).object
            let uid = try #require(object[path: "metadata", "uid"]?.stringValue)
            let error = await #expect(throws: APIError.self) {
                try await client.delete(
                    configMaps, namespace: namespace, name: "a", options: DeleteOptions(uid: "00000000-0000-0000-0000-000000000000"))
            }
            #expect(error?.isConflict == true)
            let result = try await client.delete(
                configMaps, namespace: namespace, name: "a",
                options: DeleteOptions(
                    propagationPolicy: .background, uid: uid, resourceVersion: object[path: "metadata", "resourceVersion"]?.stringValue))
            #expect(result.object == nil)
            let gone = await #expect(throws: APIError.self) { try await client.delete(configMaps, namespace: namespace, name: "a") }
            #expect(gone?.isNotFound == true)
        }
    }

    @Test func aDeletedObjectWithAFinalizerIsStillThere() async throws {
        try await withClient { client, namespace in
            var object = configMap("a", namespace)
            object[path: "metadata", "finalizers"] = ["example.com/hold"]
            _ = try await client.create(object, as: configMaps)
            let result = try await client.delete(configMaps, namespace: namespace, name: "a")
            #expect(result.object?[path: "metadata", "deletionTimestamp"] != nil)
            _ = try await client.patch(
                configMaps, namespace: namespace, name: "a", type: .merge, patch: ["metadata": ["finalizers": nil]])
            #expect(try await client.get(configMaps, namespace: namespace, name: "a") == nil)
        }
    }

    @Test func watchesFromAListOn() async throws {
        try await withClient { client, namespace in
            let version = try await client.list(configMaps, namespace: namespace).resourceVersion
            var events = client.watch(
                configMaps, namespace: namespace, options: WatchOptions(labelSelector: "w", resourceVersion: version)
            ).makeAsyncIterator()
            _ = try await client.create(configMap("a", namespace, labels: ["w": "1"]), as: configMaps)
            _ = try await client.apply(configMap("a", namespace, ["x": "1"], labels: ["w": "1"]), as: configMaps)
            try await client.delete(configMaps, namespace: namespace, name: "a")
            var seen: [String] = []
            while seen.count < 3, let event = try await events.next() {
                switch event {
                case .added: seen.append("added")
                case .modified: seen.append("modified")
                case .deleted: seen.append("deleted")
                case .bookmark: break
                case .expired: seen.append("expired")
                }
            }
            #expect(seen == ["added", "modified", "deleted"])
        }
    }

    @Test func goesOnWatchingWhenTheServerEndsTheConnection() async throws {
        try await withClient { client, namespace in
            let version = try await client.list(configMaps, namespace: namespace).resourceVersion
            var events = client.watch(
                configMaps, namespace: namespace,
                options: WatchOptions(labelSelector: "w", resourceVersion: version, timeout: .seconds(1))
            ).makeAsyncIterator()
            let next = Task { () -> String? in
                while let event = try await events.next() {
                    if let name = event.object?[path: "metadata", "name"]?.stringValue { return name }
                }
                return nil
            }
            while (client.requestCount["watch"] ?? 0) < 2 { try await Task.sleep(for: .milliseconds(20)) }
            _ = try await client.create(configMap("late", namespace, labels: ["w": "1"]), as: configMaps)
            #expect(try await next.value == "late")
        }
    }

    @Test func saysThatAnOldVersionHasExpired() async throws {
        try await withClient { client, namespace in
            var events = client.watch(configMaps, namespace: namespace, options: WatchOptions(resourceVersion: "1")).makeAsyncIterator()
            guard case .expired? = try await events.next() else { return #expect(Bool(false), "not expired") }
            #expect(try await events.next() == nil)
        }
    }

    @Test func listAndWatchStartsWithWhatIsThere() async throws {
        try await withClient { client, namespace in
            _ = try await client.create(configMap("a", namespace, labels: ["w": "1"]), as: configMaps)
            var events = client.listAndWatch(configMaps, namespace: namespace, labelSelector: "w=1").makeAsyncIterator()
            guard case .listed(let items, _)? = try await events.next() else { return #expect(Bool(false), "no list") }
            #expect(items.count == 1)
            _ = try await client.create(configMap("b", namespace, labels: ["w": "1"]), as: configMaps)
            while let event = try await events.next() {
                if case .bookmark = event { continue }
                guard case .added(let object) = event else { return #expect(Bool(false), "\(event)") }
                #expect(object[path: "metadata", "name"] == "b")
                break
            }
        }
    }

    @Test func anUnreachableServerIsUnreachable() async throws {
        let client = KubernetesClient(
            access: ClusterAccess(server: "https://127.0.0.1:1"), retryPolicy: RetryPolicy(attempts: 2, firstDelay: .milliseconds(1)))
        let error = await #expect(throws: HTTPError.self) { try await client.list(configMaps, namespace: nil) }
        #expect(error?.failureKind == .unreachable)
    }
}
