import Logging
import ResourceModel
import Synchronization

/// Writes Event objects: what `kubectl describe` shows. The same event again only raises the count of the first; events go after an hour.
final class EventRecorder: Sendable {
    private struct Entry: Sendable {
        var object: JSONValue
        var isWarning: Bool
        var reason: String
        var message: String
        var component: String
        var fieldPath: String?
    }

    private struct Known {
        var namespace: String
        var name: String
        var count: Int
        var lastSeen: Int64
    }

    private let client: LocalClient
    private let host: String
    private let entries: AsyncStream<Entry>
    private let continuation: AsyncStream<Entry>.Continuation
    private let logger: Logger
    private static let lifetime: Int64 = 3600

    init(client: LocalClient, host: String, logger: Logger) {
        self.client = client
        self.host = host
        self.logger = logger
        (entries, continuation) = AsyncStream.makeStream(of: Entry.self, bufferingPolicy: .bufferingNewest(10_000))
    }

    /// Notes an event; it is written by `run()`.
    ///
    /// - Parameter fieldPath: the part of the object, such as `spec.containers{web}`.
    func record(
        _ object: JSONValue, warning: Bool = false, _ reason: String, _ message: String, component: String = "kubelet", fieldPath: String? = nil
    ) {
        continuation.yield(
            Entry(object: object, isWarning: warning, reason: reason, message: message, component: component, fieldPath: fieldPath))
    }

    /// Writes events until it is cancelled.
    func run() async {
        guard let events = try? client.resource("v1", "Event") else { return }  // a cluster without Events has none to show
        var known: [String: Known] = [:]
        await expire(events)
        for await entry in entries {
            let key = [entry.object.objectUID, entry.reason, entry.message, entry.fieldPath ?? ""].joined(separator: "\u{0}")
            let now = Timestamp.seconds()
            if known.count > 5000 {
                known = known.filter { now - $0.value.lastSeen < Self.lifetime }
                await expire(events)
            }
            do {
                if var seen = known[key] {
                    seen.count += 1
                    seen.lastSeen = now
                    known[key] = seen
                    try await client.patch(
                        events, namespace: seen.namespace, name: seen.name,
                        ["count": .count(seen.count), "lastTimestamp": .string(Timestamp.string(now))])
                } else {
                    let event = event(entry, now)
                    let namespace = event.objectNamespace
                    try await client.create(events, namespace: namespace, event)
                    known[key] = Known(namespace: namespace, name: event.objectName, count: 1, lastSeen: now)
                }
            } catch {
                known[key] = nil
                logger.debug("event not recorded", metadata: ["reason": "\(entry.reason)", "error": "\(error)"])
            }
        }
    }

    private func expire(_ events: ResourceType) async {
        let oldest = Timestamp.seconds() - Self.lifetime
        for event in client.list(events) {
            let time = event["lastTimestamp"]?.stringValue.flatMap(Timestamp.parse) ?? event.objectCreation
            guard time < oldest else { continue }
            do {
                try await client.delete(events, namespace: event.objectNamespace, name: event.objectName)
            } catch {
                logger.debug("event not removed", metadata: ["error": "\(error)"])
            }
        }
    }

    private func event(_ entry: Entry, _ now: Int64) -> JSONValue {
        let object = entry.object
        let namespace = object.objectNamespace.isEmpty ? "default" : object.objectNamespace
        var involved: JSONValue = [
            "kind": object["kind"] ?? "", "name": .string(object.objectName), "uid": .string(object.objectUID),
            "apiVersion": object["apiVersion"] ?? "",
        ]
        if !object.objectNamespace.isEmpty { involved["namespace"] = .string(object.objectNamespace) }
        if let version = object[path: "metadata", "resourceVersion"] { involved["resourceVersion"] = version }
        if let path = entry.fieldPath { involved["fieldPath"] = .string(path) }
        let suffix = String(UInt64.random(in: (1 << 60)...(UInt64.max >> 1)), radix: 16)
        let time = JSONValue.string(Timestamp.string(now))
        var source: JSONValue = ["component": .string(entry.component)]
        if entry.component == "kubelet" { source["host"] = .string(host) }
        return [
            "apiVersion": "v1", "kind": "Event",
            "metadata": ["name": .string("\(object.objectName).\(suffix)"), "namespace": .string(namespace)],
            "involvedObject": involved, "reason": .string(entry.reason), "message": .string(entry.message),
            "source": source, "firstTimestamp": time, "lastTimestamp": time,
            "count": 1, "type": entry.isWarning ? "Warning" : "Normal", "eventTime": nil,
            "reportingComponent": .string(entry.component), "reportingInstance": .string(host),
        ]
    }
}
