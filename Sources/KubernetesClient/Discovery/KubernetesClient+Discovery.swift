import HTTPTransport
import ResourceModel

extension KubernetesClient {
    /// How the server serves a kind: in the wanted version if it has it, else in the one it prefers.
    ///
    /// An unknown kind, or version, makes the cache look again, so a CustomResourceDefinition just created is found.
    /// - Throws: `DiscoveryError` when the server does not have the kind, or cannot say.
    package func resource(for kind: GroupKind, preferring version: String? = nil) async throws -> APIResource {
        var (snapshot, generation) = try await discovered()
        if let found = choose(kind, version, snapshot, orPreferred: false) { return found }
        (snapshot, generation) = try await discovered(newerThan: generation)
        if let found = choose(kind, version, snapshot, orPreferred: true) { return found }
        if let why = snapshot.unavailable[kind.group] {
            throw DiscoveryError(
                code: "group-unavailable", message: "the server cannot say what the group \(kind.group) holds: \(why)", groupKind: kind,
                hint: "check the APIService of that group")
        }
        throw DiscoveryError(
            code: "unknown-kind", message: "the server at \(server) has no kind \(kind)", groupKind: kind,
            hint: "install its CustomResourceDefinition first, or check apiVersion and kind")
    }

    /// All that the server serves, each group's preferred version first. From the cache where there is one.
    package func apiResources() async throws -> [APIResource] { try await discovered().0.resources }

    /// Groups that the server could not describe, with its words.
    package func unavailableGroups() async throws -> [String: String] { try await discovered().0.unavailable }

    /// Makes the next lookup ask the server.
    package func forgetDiscovery() async { await discovery.forget() }

    private func choose(_ kind: GroupKind, _ version: String?, _ snapshot: DiscoverySnapshot, orPreferred: Bool) -> APIResource? {
        let candidates = snapshot.candidates(kind)
        guard let version else { return candidates.first }
        return candidates.first { $0.version == version } ?? (orPreferred ? candidates.first : nil)
    }

    private func discovered(newerThan old: Int? = nil) async throws -> (DiscoverySnapshot, Int) {
        try await discovery.current(newerThan: old) { [self] in try await discover() }
    }

    private static let aggregatedAccept =
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
        + "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"

    private func discover() async throws -> DiscoverySnapshot {
        async let core = fetch("/api", accept: Self.aggregatedAccept)
        async let groups = fetch("/apis", accept: Self.aggregatedAccept)
        let (coreAnswer, groupsAnswer) = try await (core, groups)
        if coreAnswer["kind"]?.stringValue == "APIGroupDiscoveryList", groupsAnswer["kind"]?.stringValue == "APIGroupDiscoveryList" {
            var reader = AggregatedDiscovery()
            reader.read(coreAnswer)
            reader.read(groupsAnswer)
            return DiscoverySnapshot(resources: reader.resources, unavailable: reader.unavailable)
        }
        return try await discoverOneByOne()
    }

    /// The way of servers before 1.26 and of those behind some proxies: a request for each group and version.
    private func discoverOneByOne() async throws -> DiscoverySnapshot {
        let core = try await fetch("/api", accept: "application/json")
        let groups = try await fetch("/apis", accept: "application/json")
        var wanted: [(group: String, version: String)] = (core["versions"]?.arrayValue ?? []).compactMap(\.stringValue).map { ("", $0) }
        for group in groups["groups"]?.arrayValue ?? [] {
            guard let name = group["name"]?.stringValue else { continue }
            let preferred = group[path: "preferredVersion", "version"]?.stringValue
            let versions = (group["versions"]?.arrayValue ?? []).compactMap { $0["version"]?.stringValue }
            let ordered = versions.filter { $0 == preferred } + versions.filter { $0 != preferred }
            wanted += ordered.map { (name, $0) }
        }
        return try await withThrowingTaskGroup(of: (Int, Result<[APIResource], APIError>).self) { tasks in
            for (index, entry) in wanted.enumerated() {
                tasks.addTask { [self] in
                    let path = entry.group.isEmpty ? "/api/\(entry.version)" : "/apis/\(entry.group)/\(entry.version)"
                    do {
                        let answer = try await fetch(path, accept: "application/json")
                        return (index, .success(legacyResources(answer, group: entry.group, version: entry.version)))
                    } catch let error as APIError {
                        return (index, .failure(error))
                    }
                }
            }
            var found: [Int: [APIResource]] = [:]
            var unavailable: [String: String] = [:]
            for try await (index, result) in tasks {
                switch result {
                case .success(let resources): found[index] = resources
                case .failure(let error): unavailable[wanted[index].group] = error.message
                }
            }
            return DiscoverySnapshot(resources: wanted.indices.flatMap { found[$0] ?? [] }, unavailable: unavailable)
        }
    }

    private func fetch(_ path: String, accept: String) async throws -> JSONValue {
        let request = APIError.Request(verb: "discover", method: "GET", path: path)
        let response = try await send(Outgoing(request: request, headers: ["Accept": accept], isIdempotent: true))
        return try json(response, for: request)
    }
}

/// Reads an `APIResourceList`: subresources are entries named `deployments/scale`.
func legacyResources(_ list: JSONValue, group: String, version: String) -> [APIResource] {
    var resources: [APIResource] = []
    var subresources: [String: [String]] = [:]
    for entry in list["resources"]?.arrayValue ?? [] {
        guard let name = entry["name"]?.stringValue, let kind = entry["kind"]?.stringValue else { continue }
        if let slash = name.firstIndex(of: "/") {
            subresources[String(name[..<slash]), default: []].append(String(name[name.index(after: slash)...]))
            continue
        }
        resources.append(
            APIResource(
                group: group, version: version, kind: kind, plural: name, singular: entry["singularName"]?.stringValue ?? "",
                shortNames: strings(entry["shortNames"]), categories: strings(entry["categories"]),
                namespaced: entry["namespaced"]?.boolValue ?? false, verbs: strings(entry["verbs"])))
    }
    return resources.map { resource in
        var resource = resource
        resource.subresources = subresources[resource.plural] ?? []
        return resource
    }
}

/// Reads `APIGroupDiscoveryList` (v2 and v2beta1 are alike).
struct AggregatedDiscovery {
    private(set) var resources: [APIResource] = []
    private(set) var unavailable: [String: String] = [:]

    mutating func read(_ list: JSONValue) {
        for item in list["items"]?.arrayValue ?? [] {
            let group = item[path: "metadata", "name"]?.stringValue ?? ""
            for version in item["versions"]?.arrayValue ?? [] {
                guard let name = version["version"]?.stringValue else { continue }
                let entries = version["resources"]?.arrayValue ?? []
                if version["freshness"]?.stringValue == "Stale", entries.isEmpty {
                    unavailable[group] = "its API server cannot be reached"
                }
                for entry in entries { add(entry, group: group, version: name) }
            }
        }
    }

    private mutating func add(_ entry: JSONValue, group: String, version: String) {
        guard let plural = entry["resource"]?.stringValue, let kind = entry[path: "responseKind", "kind"]?.stringValue else { return }
        resources.append(
            APIResource(
                group: group, version: version, kind: kind, plural: plural, singular: entry["singularResource"]?.stringValue ?? "",
                shortNames: strings(entry["shortNames"]), categories: strings(entry["categories"]),
                namespaced: entry["scope"]?.stringValue == "Namespaced", verbs: strings(entry["verbs"]),
                subresources: (entry["subresources"]?.arrayValue ?? []).compactMap { $0["subresource"]?.stringValue }))
    }
}

private func strings(_ value: JSONValue?) -> [String] { (value?.arrayValue ?? []).compactMap(\.stringValue) }
