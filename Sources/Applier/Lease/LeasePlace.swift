import KubernetesClient
import ResourceModel

/// What the server granted.
struct LeaseGrant: Sendable {
    var token: Int64
    var resourceVersion: String
    /// When the request for it was begun.
    var askedAt: ContinuousClock.Instant
}

/// The lease has another holder, or is gone.
struct LeaseTaken: Error {
    var reason: String
}

/// The Lease object of one application and the requests about it; each write is a compare-and-swap.
struct LeasePlace: Sendable {
    let application: String
    let options: LeaseOptions
    let client: KubernetesClient
    let resource: APIResource

    private var name: String { "application-\(application)" }
    private var holder: JSONValue { .string(options.identity.description) }
    private var seconds: JSONValue { .integer(max(1, options.duration.components.seconds)) }
    private static let write = WriteOptions(fieldManager: Applier.fieldManager)

    // MARK: Taking

    /// Takes the lease if nobody has it: one request where what `isFirst` says is right.
    /// - Returns: `nil` when somebody has it.
    func taken(isFirst: Bool) async throws -> LeaseGrant? {
        var mayCreate = isFirst
        for _ in 0..<3 {
            if mayCreate {
                if let grant = try await created() { return grant }
            }
            switch try await takenFree() {
            case .granted(let grant): return grant
            case .held: return nil
            case .absent: mayCreate = true
            }
        }
        return nil
    }

    private enum Answer {
        case granted(LeaseGrant)
        case held, absent
    }

    private func takenFree() async throws -> Answer {
        let now = JSONValue.string(Timestamp.now())
        let operations: [JSONValue] = [
            ["op": "test", "path": "/spec/holderIdentity", "value": ""],
            ["op": "replace", "path": "/spec/holderIdentity", "value": holder],
            ["op": "add", "path": "/spec/leaseDurationSeconds", "value": seconds],
            ["op": "add", "path": "/spec/acquireTime", "value": now], ["op": "add", "path": "/spec/renewTime", "value": now],
        ]
        let asked = ContinuousClock.now
        do {
            let answer = try await client.patch(
                resource, namespace: ApplySet.namespace, name: name, type: .json, patch: .array(operations), options: Self.write)
            return .granted(try grant(answer.object, asked))
        } catch let error as APIError where error.isNotFound {
            return .absent
        } catch let error as APIError where error.isInvalid || error.isConflict {
            return .held  // the test failed
        }
    }

    /// - Returns: `nil` when somebody else made it first.
    private func created() async throws -> LeaseGrant? {
        let asked = ContinuousClock.now
        let body = object(transitions: 1, metadata: ["labels": [ApplySet.applicationLabel: .string(application)]])
        do {
            return try grant(try await client.create(body, as: resource, options: Self.write).object, asked)
        } catch let error as APIError where error.isAlreadyExists {
            return nil
        } catch let error as APIError where error.isNotFound {
            // The namespace is missing: the first sync of the first application.
            let namespaces = try await client.resource(for: GroupKind(group: "", kind: "Namespace"), preferring: "v1")
            do {
                _ = try await client.create(
                    ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(ApplySet.namespace)]], as: namespaces,
                    options: Self.write)
            } catch let error as APIError where error.isAlreadyExists {
                // Another run made it at the same moment.
            }
            do {
                return try grant(try await client.create(body, as: resource, options: Self.write).object, asked)
            } catch let error as APIError where error.isAlreadyExists {
                return nil
            }
        }
    }

    /// Takes over what was seen, if it is still as it was seen.
    /// - Returns: `nil` when it has changed.
    private func takenOver(_ seen: JSONValue) async throws -> LeaseGrant? {
        let transitions = seen[path: "spec", "leaseTransitions"]?.integerValue ?? 0
        let metadata = seen["metadata"] ?? [:]
        let asked = ContinuousClock.now
        do {
            let answer = try await client.replace(object(transitions: transitions + 1, metadata: metadata), as: resource, options: Self.write)
            return try grant(answer.object, asked)
        } catch let error as APIError where error.isConflict || error.isNotFound {
            return nil
        }
    }

    private func object(transitions: Int64, metadata: JSONValue) -> JSONValue {
        let now = JSONValue.string(Timestamp.now())
        var metadata = metadata
        metadata["name"] = .string(name)
        metadata["namespace"] = .string(ApplySet.namespace)
        metadata["managedFields"] = nil
        return [
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata,
            "spec": [
                "holderIdentity": holder, "leaseDurationSeconds": seconds, "acquireTime": now, "renewTime": now,
                "leaseTransitions": .integer(transitions),
            ],
        ]
    }

    private func grant(_ object: JSONValue, _ asked: ContinuousClock.Instant) throws -> LeaseGrant {
        guard let token = object[path: "spec", "leaseTransitions"]?.integerValue,
            let version = object[path: "metadata", "resourceVersion"]?.stringValue
        else {
            throw Problem(
                code: "lease.malformed", message: "the Lease \(ApplySet.namespace)/\(name) has no spec.leaseTransitions",
                hint: "delete it: the next sync makes it anew")
        }
        return LeaseGrant(token: token, resourceVersion: version, askedAt: asked)
    }

    // MARK: Waiting

    /// Waits until the lease is free or its holder has not been heard of for as long as the lease says, and takes it.
    /// - Throws: `LeaseHeld` at the deadline.
    func awaited(until deadline: ContinuousClock.Instant) async throws -> LeaseGrant {
        enum Signal: Sendable {
            case seen(JSONValue?)
            case time
            case failed(any Error)
        }
        let (signals, signal) = AsyncStream.makeStream(of: Signal.self)
        let watch = Task {
            do {
                for try await event in client.listAndWatch(resource, namespace: ApplySet.namespace, fieldSelector: "metadata.name=\(name)") {
                    switch event {
                    case .listed(let items, _): signal.yield(.seen(items.first { $0[path: "metadata", "name"]?.stringValue == name }))
                    case .added(let object), .modified(let object): signal.yield(.seen(object))
                    case .deleted: signal.yield(.seen(nil))
                    case .bookmark, .interrupted: continue
                    }
                }
                signal.finish()
            } catch {
                signal.yield(.failed(error))
            }
        }
        defer { watch.cancel() }
        let start = ContinuousClock.now
        var timer: Task<Void, any Error>?
        func wake(at instant: ContinuousClock.Instant) {
            timer?.cancel()
            timer = Task {
                try await Task.sleep(until: instant, clock: .continuous)
                signal.yield(.time)
            }
        }
        defer { timer?.cancel() }
        wake(at: deadline)
        var seen: JSONValue?
        var expiry = deadline
        for await next in signals {
            switch next {
            case .failed(let error): throw error
            case .seen(nil):
                if let grant = try await created() { return grant }
            case .seen(let object?):
                // Heard of just now, whatever times stand in it.
                seen = object
                expiry = .now + .seconds(object[path: "spec", "leaseDurationSeconds"]?.integerValue ?? 15)
                let holder = object[path: "spec", "holderIdentity"]?.stringValue ?? ""
                let identity = HolderIdentity(holder)
                if holder.isEmpty || identity == options.identity || identity?.isGone == true {
                    if let grant = try await takenOver(object) { return grant }
                }
                wake(at: min(expiry, deadline))
            case .time:
                if .now >= expiry, let object = seen, let grant = try await takenOver(object) { return grant }
                if .now >= deadline {
                    if seen == nil { seen = try await client.get(resource, namespace: ApplySet.namespace, name: name) }
                    throw held(seen, since: start)
                }
                wake(at: deadline)
            }
        }
        throw CancellationError()
    }

    private func held(_ lease: JSONValue?, since start: ContinuousClock.Instant) -> LeaseHeld {
        let holder = lease?[path: "spec", "holderIdentity"]?.stringValue ?? ""
        return LeaseHeld(
            application: application, holder: HolderIdentity(holder)?.summary ?? (holder.isEmpty ? "another run" : holder),
            since: lease?[path: "spec", "acquireTime"]?.stringValue ?? "", waited: start.duration(to: .now))
    }

    // MARK: Keeping and giving back

    /// - Returns: the lease's new resourceVersion.
    /// - Throws: `LeaseTaken` when it is no longer ours.
    func renewed(token: Int64, resourceVersion: String) async throws -> String {
        try await changed(["renewTime": .string(Timestamp.now())], resourceVersion: resourceVersion, token)
    }

    /// Frees the lease, with the next holder's token in it.
    /// - Throws: `LeaseTaken` when it was no longer ours.
    func giveBack(token: Int64, resourceVersion: String) async throws {
        let fields: JSONValue = [
            "holderIdentity": "", "leaseTransitions": .integer(token + 1), "renewTime": .string(Timestamp.now()), "leaseDurationSeconds": 1,
        ]
        _ = try await changed(fields, resourceVersion: resourceVersion, token)
    }

    /// Deletes the lease if it is still as it was seen; another holder's stays.
    func remove(resourceVersion: String) async throws {
        do {
            try await client.delete(
                resource, namespace: ApplySet.namespace, name: name, options: DeleteOptions(resourceVersion: resourceVersion))
        } catch let error as APIError where error.isNotFound || error.isConflict {
            return
        }
    }

    private func changed(_ fields: JSONValue, resourceVersion: String, _ token: Int64) async throws -> String {
        do {
            return try await change(fields, resourceVersion: resourceVersion)
        } catch let error as APIError where error.isConflict {
            // Perhaps an answer of ours was lost: then it is as we left it.
            return try await change(fields, resourceVersion: try await ownVersion(token))
        } catch let error as APIError where error.isNotFound {
            throw LeaseTaken(reason: "somebody deleted it")
        }
    }

    private func ownVersion(_ token: Int64) async throws -> String {
        guard let found = try await client.get(resource, namespace: ApplySet.namespace, name: name) else {
            throw LeaseTaken(reason: "somebody deleted it")
        }
        let other = found[path: "spec", "holderIdentity"]?.stringValue ?? ""
        guard other == options.identity.description, found[path: "spec", "leaseTransitions"]?.integerValue == token,
            let version = found[path: "metadata", "resourceVersion"]?.stringValue
        else {
            throw LeaseTaken(reason: other.isEmpty ? "somebody freed it" : "\(HolderIdentity(other)?.summary ?? other) took it")
        }
        return version
    }

    private func change(_ fields: JSONValue, resourceVersion: String) async throws -> String {
        let patch: JSONValue = ["metadata": ["resourceVersion": .string(resourceVersion)], "spec": fields]
        let answer = try await client.patch(
            resource, namespace: ApplySet.namespace, name: name, type: .merge, patch: patch, options: Self.write)
        return try grant(answer.object, .now).resourceVersion
    }
}
