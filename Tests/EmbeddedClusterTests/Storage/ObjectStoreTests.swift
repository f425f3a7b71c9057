import ResourceModel
import Testing

@testable import EmbeddedCluster

@Suite struct ObjectStoreTests {
    private static func withStore(
        retention: ObjectStore.Retention = .init(), _ body: (ObjectStore, String) async throws -> Void
    ) async throws {
        try await withScratchDirectory { directory in
            let path = directory + "/objects.sqlite"
            let store = try ObjectStore(path: path, retention: retention)
            try await body(store, path)
            try await store.close()
        }
    }

    private static func key(_ name: String) -> ObjectKey { ObjectKey(resource: "/configmaps", namespace: "default", name: name) }

    private static func body(_ name: String, _ value: Int) -> JSONValue {
        [
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name), "namespace": "default"],
            "data": ["value": .string(String(value))],
        ]
    }

    @Test func aWriteOverAnOlderStateIsRefused() async throws {
        try await Self.withStore { store, _ in
            let first = try store.write(Self.key("a"), over: nil, Self.body("a", 1))
            let second = try store.write(Self.key("a"), over: first, Self.body("a", 2))
            #expect(second.revision > first.revision)
            #expect(throws: StoreConflict.self) { try store.write(Self.key("a"), over: first, Self.body("a", 3)) }
            #expect(throws: StoreConflict.self) { try store.write(Self.key("a"), over: nil, Self.body("a", 3)) }
            #expect(throws: StoreConflict.self) { try store.remove(Self.key("a"), over: first, last: first.body) }
            #expect(store.object(Self.key("a"))?.revision == second.revision)
        }
    }

    @Test func whatWasWrittenIsThereAfterReopeningAndRevisionsGoOn() async throws {
        try await withScratchDirectory { directory in
            let path = directory + "/objects.sqlite"
            let before = try ObjectStore(path: path)
            let kept = try before.write(Self.key("kept"), over: nil, Self.body("kept", 1))
            let gone = try before.write(Self.key("gone"), over: nil, Self.body("gone", 1))
            let removal = try before.remove(Self.key("gone"), over: gone, last: gone.body)
            try await before.durable(removal.revision)
            try await before.close()
            let after = try ObjectStore(path: path)
            #expect(after.objects(of: "/configmaps", namespace: nil).items.map(\.bytes) == [kept.bytes])
            #expect(after.revision > removal.revision)
            try await after.close()
        }
    }

    @Test func aWatchFromACompactedRevisionIsRefused() async throws {
        try await Self.withStore(retention: .init(count: 2, seconds: 600)) { store, _ in
            let first = try store.write(Self.key("a"), over: nil, Self.body("a", 0))
            var last = first
            for value in 1...5 { last = try store.write(Self.key("a"), over: last, Self.body("a", value)) }
            #expect(store.watch("/configmaps", since: first.revision) == nil)
            var changes = try #require(store.watch("/configmaps", since: last.revision - 1)).makeAsyncIterator()
            #expect(await changes.next()?.object.revision == last.revision)
            store.compact()
            #expect(store.watch("/configmaps", since: last.revision - 1) == nil)
            #expect(store.watch("/configmaps", since: last.revision) != nil)
        }
    }

    @Test func aListAndItsWatchLeaveNoGap() async throws {
        try await Self.withStore { store, _ in
            let start = store.revision
            let writer = Task {
                for value in 0..<500 { try store.write(Self.key("n\(value)"), over: nil, Self.body("n\(value)", value)) }
            }
            while store.revision < start + 50 { await Task.yield() }
            let (items, revision, changes) = store.listAndWatch("/configmaps")
            var seen = Set(items.map(\.key.name))
            if seen.count < 500 {
                for await change in changes {
                    #expect(change.object.revision > revision)
                    #expect(seen.insert(change.object.key.name).inserted)
                    if seen.count == 500 { break }
                }
            }
            try await writer.value
            #expect(seen.count == 500)
        }
    }

    @Test func aReaderThatIsTooSlowIsCutOffAndHoldsNobodyUp() async throws {
        try await Self.withStore { store, _ in
            let (_, _, slow) = store.listAndWatch("/configmaps")
            var last = try store.write(Self.key("a"), over: nil, Self.body("a", 0))
            for value in 1...50_001 { last = try store.write(Self.key("a"), over: last, Self.body("a", value)) }
            var count = 0
            for await _ in slow { count += 1 }
            #expect(count == 50_000)
        }
    }

    /// Cancelling a reader once waited for the store while the store waited for that reader's task.
    @Test(.timeLimit(.minutes(1))) func watchesEndWhileObjectsChange() async throws {
        try await Self.withStore { store, _ in
            let writer = Task {
                var last = try store.write(Self.key("a"), over: nil, Self.body("a", 0))
                while !Task.isCancelled {
                    last = try store.write(Self.key("a"), over: last, Self.body("a", 1))
                    await Task.yield()
                }
            }
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        for _ in 0..<500 {
                            let reader = Task { for await _ in store.listAndWatch("/configmaps").changes {} }
                            await Task.yield()
                            reader.cancel()
                            await reader.value
                        }
                    }
                }
            }
            writer.cancel()
            try await writer.value
        }
    }
}
