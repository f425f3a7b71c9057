import ResourceModel

extension APIServer {
    func watch(_ target: Target, _ request: APIRequest) throws -> APIResponse {
        let resource = target.resource
        var filter = try Filter(request, resource)
        if !target.name.isEmpty {
            filter.fields = try FieldSelector(parsing: "metadata.name=\(target.name)", for: resource)
        }
        let namespace = target.namespace.isEmpty ? nil : target.namespace
        let bookmarks = request.flag("allowWatchBookmarks") && request.parameter("allowWatchBookmarks") != nil
        let sendsInitial = request.parameter("sendInitialEvents") == "true"
        let asked = try request.parameter("resourceVersion").map { try Self.revision($0, verb: .watch) }
        let seconds = request.parameter("timeoutSeconds").flatMap(Int64.init) ?? Int64.random(in: 1800...3600)
        let encoder = WatchEncoder(server: self, resource: resource, filter: filter, namespace: namespace, request: request)

        var initial: [StoreEvent] = []
        var start = store.revision
        let changes: AsyncStream<StoreEvent>
        if let asked, asked > 0, !sendsInitial {
            if asked > start { throw Self.tooLarge(asked, current: start) }
            guard let stream = store.watch(resource.storageKey, since: asked) else {
                return Self.watchFailure(.expired("too old resource version: \(asked) (\(store.compactedRevision))"))
            }
            changes = stream
            start = asked
        } else if request.parameter("sendInitialEvents") == "false", asked == nil {
            guard let stream = store.watch(resource.storageKey, since: start) else { throw APIStatus.expired("too old resource version") }
            changes = stream
        } else {
            let snapshot = store.listAndWatch(resource.storageKey)
            initial = snapshot.items.map { StoreEvent(kind: .added, object: $0, previous: nil) }
            start = snapshot.revision
            changes = snapshot.changes
        }

        let first = initial
        let from = start
        return APIResponse(
            status: 200,
            body: .stream { [self] writer in
                var encoder = encoder
                var block: [UInt8] = []
                for event in first {
                    if let line = encoder.line(event) { block.append(contentsOf: line) }
                    if block.count > 64 * 1024 {
                        try await writer.write(block)
                        block.removeAll()
                    }
                }
                if sendsInitial, bookmarks { block.append(contentsOf: encoder.bookmark(at: from, endsInitial: true)) }
                try await writer.write(block)  // empty: the head goes out, so that the client knows that the watch stands
                try await stream(changes, from: from, encoder: encoder, bookmarks: bookmarks, for: .seconds(seconds), to: writer)
            })
    }

    private enum WatchInput: Sendable {
        case change(StoreEvent)
        case minute
        case end
    }

    /// Sends changes until the time is over, the reader is cut off or the client is gone.
    private func stream(
        _ changes: AsyncStream<StoreEvent>, from start: Int64, encoder: WatchEncoder, bookmarks: Bool, for duration: Duration,
        to writer: any APIResponseWriter
    ) async throws {
        var encoder = encoder
        let (inputs, continuation) = AsyncStream.makeStream(of: WatchInput.self)
        let feeder = Task {
            for await change in changes { continuation.yield(.change(change)) }
            continuation.yield(.end)
        }
        let clock = Task {
            let end = ContinuousClock.now + duration
            while !Task.isCancelled {
                let next = min(end, ContinuousClock.now + .seconds(60))
                do { try await Task.sleep(until: next) } catch { return }
                continuation.yield(ContinuousClock.now >= end ? .end : .minute)
            }
        }
        defer {
            feeder.cancel()
            clock.cancel()
        }
        var last = start
        for await input in inputs {
            switch input {
            case .change(let event):
                last = event.revision
                if let line = encoder.line(event) { try await writer.write(line) }
            case .minute:
                // Besides telling how far the watch is, the write finds out whether the client is still there.
                if bookmarks { try await writer.write(encoder.bookmark(at: max(last, quietRevision(last)), endsInitial: false)) }
            case .end:
                if bookmarks { try await writer.write(encoder.bookmark(at: last, endsInitial: false)) }
                return
            }
        }
    }

    /// All changes up to the store's revision at this moment have been handed to watchers already; those not yet read from the
    /// stream are newer than `last`, so only `last` is sure.
    private func quietRevision(_ last: Int64) -> Int64 { last }

    private static func watchFailure(_ status: APIStatus) -> APIResponse {
        let line = (["type": "ERROR", "object": status.object] as JSONValue).serialized() + [UInt8(ascii: "\n")]
        return APIResponse(status: 200, body: .bytes(line))
    }
}

/// Writes changes as the lines of a watch.
private struct WatchEncoder: Sendable {
    let server: APIServer
    let resource: ResourceType
    let filter: Filter
    let namespace: String?
    let presentation: Presentation
    let table: Table
    private var hasSentColumns = false

    init(server: APIServer, resource: ResourceType, filter: Filter, namespace: String?, request: APIRequest) {
        self.server = server
        self.resource = resource
        self.filter = filter
        self.namespace = namespace
        presentation = Presentation(request)
        table = Table(resource: resource, includeObject: request.parameter("includeObject") ?? "Metadata")
    }

    /// `nil` when the change does not concern this watch. An object that stops matching looks deleted, one that starts to looks added.
    mutating func line(_ event: StoreEvent) -> [UInt8]? {
        if let namespace, event.object.key.namespace != namespace { return nil }
        let (object, bytes) = server.present(event.object, as: resource)
        if filter.isEmpty { return line(event.kind.rawValue, object, bytes) }
        let matches = filter.matches(object)
        let matched = event.previous.map { filter.matches(server.present($0, as: resource).object) } ?? false
        switch event.kind {
        case .added: return matches ? line("ADDED", object, bytes) : nil
        case .deleted: return matched || (event.previous == nil && matches) ? line("DELETED", object, bytes) : nil
        case .modified:
            switch (matched, matches) {
            case (true, true): return line("MODIFIED", object, bytes)
            case (false, true): return line("ADDED", object, bytes)
            case (true, false):
                guard var last = event.previous.map({ server.present($0, as: resource).object }) else { return nil }
                last[path: "metadata", "resourceVersion"] = object[path: "metadata", "resourceVersion"]
                return line("DELETED", last, last.serialized())
            case (false, false): return nil
            }
        }
    }

    func bookmark(at revision: Int64, endsInitial: Bool) -> [UInt8] {
        var metadata: JSONValue = ["resourceVersion": .string(String(revision)), "creationTimestamp": nil]
        if endsInitial { metadata["annotations"] = ["k8s.io/initial-events-end": "true"] }
        var object: JSONValue = ["kind": .string(resource.kind), "apiVersion": .string(resource.apiVersion), "metadata": metadata]
        switch presentation {
        case .plain: break
        case .metadata:
            object["kind"] = "PartialObjectMetadata"
            object["apiVersion"] = "meta.k8s.io/v1"
        case .table:
            object = table.document([], metadata: ["resourceVersion": .string(String(revision))], withColumns: false)
        }
        return (["type": "BOOKMARK", "object": object] as JSONValue).serialized() + [UInt8(ascii: "\n")]
    }

    private mutating func line(_ type: String, _ object: JSONValue, _ bytes: [UInt8]) -> [UInt8] {
        var output = Array(#"{"type":"\#(type)","object":"#.utf8)
        switch presentation {
        case .plain: output.append(contentsOf: bytes)
        case .metadata: output.append(contentsOf: Presentation.partial(object).serialized())
        case .table:
            let version = object[path: "metadata", "resourceVersion"] ?? ""
            let document = table.document([object], metadata: ["resourceVersion": version], withColumns: !hasSentColumns)
            hasSentColumns = true
            output.append(contentsOf: document.serialized())
        }
        output.append(contentsOf: "}\n".utf8)
        return output
    }
}
