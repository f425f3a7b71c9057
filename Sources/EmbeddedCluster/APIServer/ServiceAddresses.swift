import ResourceModel
import Synchronization

/// Gives Services their cluster IPs (10.96.0.0/16) and node ports (30000-32767).
final class ServiceAddresses: Sendable {
    private struct State {
        var addresses: Set<String> = []
        var ports: Set<Int64> = []
        var isLoaded = false
    }

    private let state = Mutex(State())
    private let store: ObjectStore

    init(store: ObjectStore) { self.store = store }

    private func load(_ state: inout State) {
        if state.isLoaded { return }
        state.isLoaded = true
        for service in store.objects(of: "/services", namespace: nil).items { Self.collect(service.body, into: &state) }
    }

    private static func collect(_ service: JSONValue, into state: inout State) {
        for address in service[path: "spec", "clusterIPs"]?.arrayValue ?? [] { state.addresses.insert(address.stringValue ?? "") }
        for port in service[path: "spec", "ports"]?.arrayValue ?? [] {
            if let number = port["nodePort"]?.integerValue { state.ports.insert(number) }
        }
    }

    /// The Service with what is missing filled in; every other object as it is.
    ///
    /// - Parameter keeps: `false` for a dry run.
    func allocated(_ object: JSONValue, over old: JSONValue?, of resource: ResourceType, keeps: Bool) throws(APIStatus) -> JSONValue {
        guard resource.storageKey == "/services" else { return object }
        let result: Result<JSONValue, APIStatus> = state.withLock { state in
            load(&state)
            var trial = state
            do throws(APIStatus) {
                let service = try Self.allocate(object, old, resource, &trial)
                if keeps { state = trial }
                return .success(service)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Takes back what a deleted Service had.
    func release(_ object: JSONValue, of resource: ResourceType) {
        guard resource.storageKey == "/services" else { return }
        state.withLock { state in
            for address in object[path: "spec", "clusterIPs"]?.arrayValue ?? [] { state.addresses.remove(address.stringValue ?? "") }
            for port in object[path: "spec", "ports"]?.arrayValue ?? [] {
                if let number = port["nodePort"]?.integerValue { state.ports.remove(number) }
            }
        }
    }

    private static func allocate(_ object: JSONValue, _ old: JSONValue?, _ resource: ResourceType, _ state: inout State) throws(APIStatus)
        -> JSONValue
    {
        var service = object
        let name = service[path: "metadata", "name"]?.stringValue ?? ""
        let type = service[path: "spec", "type"]?.stringValue ?? "ClusterIP"
        if type == "ExternalName" { return service }
        let before = old?[path: "spec", "clusterIP"]?.stringValue ?? ""
        var address = service[path: "spec", "clusterIP"]?.stringValue ?? ""
        if address.isEmpty { address = before }
        if address.isEmpty {
            repeat { address = "10.96.\(Int.random(in: 0...255)).\(Int.random(in: 1...254))" } while state.addresses.contains(address)
        } else if address != "None", address != before, state.addresses.contains(address) {
            throw .invalid(
                group: "", kind: "Service", name: name,
                [.invalid("spec.clusterIPs", .array([.string(address)]), "failed to allocate IP \(address): provided IP is already allocated")])
        }
        if address != "None" { state.addresses.insert(address) }
        service[path: "spec", "clusterIP"] = .string(address)
        service[path: "spec", "clusterIPs"] = .array([.string(address)])
        if type == "NodePort" || type == "LoadBalancer" { try allocatePorts(&service, old, name, &state) }
        return service
    }

    private static func allocatePorts(_ service: inout JSONValue, _ old: JSONValue?, _ name: String, _ state: inout State) throws(APIStatus) {
        var ports = service[path: "spec", "ports"]?.arrayValue ?? []
        let oldPorts = old?[path: "spec", "ports"]?.arrayValue ?? []
        let mine = Set(oldPorts.compactMap { $0["nodePort"]?.integerValue })
        for index in ports.indices {
            let wanted = ports[index]["nodePort"]?.integerValue ?? 0
            if wanted == 0 {
                let same = oldPorts.first { $0["port"] == ports[index]["port"] && $0["protocol"] == ports[index]["protocol"] }
                var port = same?["nodePort"]?.integerValue ?? 0
                while port == 0 || (same == nil && state.ports.contains(port)) { port = Int64.random(in: 30000...32767) }
                ports[index]["nodePort"] = .integer(port)
                state.ports.insert(port)
            } else {
                if state.ports.contains(wanted), !mine.contains(wanted) {
                    throw .invalid(
                        group: "", kind: "Service", name: name,
                        [.invalid("spec.ports[\(index)].nodePort", .integer(wanted), "provided port is already allocated")])
                }
                state.ports.insert(wanted)
            }
        }
        service[path: "spec", "ports"] = .array(ports)
    }
}
