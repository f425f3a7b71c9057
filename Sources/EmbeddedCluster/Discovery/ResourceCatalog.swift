import ResourceModel
import Synchronization

/// The resources that are served: the built-in ones, and those of established CustomResourceDefinitions.
package final class ResourceCatalog: Sendable {
    /// A group with its versions, the preferred one first, and their resources.
    struct Group: Sendable {
        var name: String
        var versions: [(name: String, resources: [ResourceType])]
    }

    private struct State {
        var byPath: [String: ResourceType] = [:]
        var customGroups: [Group] = []
        var generation = 0
    }

    /// The built-in groups in discovery's order; the core group first.
    let builtInGroups: [Group]
    private let state: Mutex<State>

    package init() {
        var groups: [Group] = []
        var state = State()
        for line in "\(BuiltInResources.lines)".split(separator: "\n") {
            let resource = Self.builtIn(line)
            state.byPath[Self.path(resource.group, resource.version, resource.plural)] = resource
            let index = groups.firstIndex { $0.name == resource.group } ?? groups.endIndex
            if index == groups.endIndex { groups.append(Group(name: resource.group, versions: [])) }
            if let version = groups[index].versions.firstIndex(where: { $0.name == resource.version }) {
                groups[index].versions[version].resources.append(resource)
            } else {
                groups[index].versions.append((resource.version, [resource]))
            }
        }
        builtInGroups = groups
        self.state = Mutex(state)
    }

    /// Counts the changes of the custom resources, for caches.
    var generation: Int { state.withLock { $0.generation } }

    /// All groups: built-in, then custom ones by name.
    var groups: [Group] { builtInGroups + state.withLock { $0.customGroups } }

    package func resource(group: String, version: String, plural: String) -> ResourceType? {
        state.withLock { $0.byPath[Self.path(group, version, plural)] }
    }

    /// The resource of a kind, in that version.
    package func resource(for kind: GroupVersionKind) -> ResourceType? {
        groups.first { $0.name == kind.group }?.versions.first { $0.name == kind.version }?.resources
            .first { $0.kind == kind.kind && $0.verbs.contains("get") }
    }

    /// The resource of a kind, in its preferred version.
    func resource(for kind: GroupKind) -> ResourceType? {
        for version in groups.first(where: { $0.name == kind.group })?.versions ?? [] {
            if let match = version.resources.first(where: { $0.kind == kind.kind && $0.verbs.contains("get") }) { return match }
        }
        return nil
    }

    func serves(group: String, version: String) -> Bool {
        groups.contains { $0.name == group && $0.versions.contains { $0.name == version } }
    }

    /// One resource for each stored type: what the namespace and garbage collectors go through.
    var storedTypes: [ResourceType] {
        var seen: Set<String> = []
        return groups.flatMap { $0.versions.flatMap(\.resources) }
            .filter { $0.verbs.contains("list") && $0.verbs.contains("delete") && seen.insert($0.storageKey).inserted }
    }

    /// Replaces the custom resources by those of the established definitions.
    func setCustomResources(_ resources: [ResourceType]) {
        state.withLock { state in
            for (path, resource) in state.byPath where resource.custom != nil { state.byPath[path] = nil }
            var groups: [String: Group] = [:]
            for resource in resources {
                state.byPath[Self.path(resource.group, resource.version, resource.plural)] = resource
                var group = groups[resource.group] ?? Group(name: resource.group, versions: [])
                if let index = group.versions.firstIndex(where: { $0.name == resource.version }) {
                    group.versions[index].resources.append(resource)
                } else {
                    group.versions.append((resource.version, [resource]))
                }
                groups[resource.group] = group
            }
            state.customGroups = groups.values.sorted { $0.name < $1.name }.map { group in
                var group = group
                group.versions.sort { Self.precedes($0.name, $1.name) }
                return group
            }
            state.generation += 1
        }
    }

    private static func path(_ group: String, _ version: String, _ plural: String) -> String { "\(group)/\(version)/\(plural)" }

    private static func builtIn(_ line: Substring) -> ResourceType {
        let words = line.split(separator: " ").map(String.init)
        let gvk = GroupVersionKind(apiVersion: words[0], kind: words[3])
        func list(_ word: String) -> [String] { word == "-" ? [] : word.split(separator: ",").map(String.init) }
        var storageKey = "\(gvk.group)/\(words[1])"
        var storageVersion = gvk.version
        if storageKey == "events.k8s.io/events" { storageKey = "/events" }
        if storageKey == "autoscaling/horizontalpodautoscalers" { storageVersion = "v2" }
        return ResourceType(
            group: gvk.group, version: gvk.version, kind: gvk.kind, listKind: gvk.kind + "List", plural: words[1], singular: words[2],
            shortNames: list(words[6]), categories: list(words[7]), isNamespaced: words[4] == "Namespaced", verbs: verbs(words[5]),
            subresources: words.dropFirst(9).map { word in
                let parts = word.split(separator: ":").map(String.init)
                let kind = parts[1].split(separator: "/").map(String.init)
                return ResourceType.Subresource(
                    name: parts[0], group: kind.count == 3 ? kind[0] : "", version: kind.count == 3 ? kind[1] : "",
                    kind: kind[kind.count - 1], verbs: verbs(parts[2]))
            },
            storageVersionHash: words[8] == "-" ? nil : words[8], storageKey: storageKey, storageVersion: storageVersion)
    }

    private static func verbs(_ letters: String) -> [String] {
        let names: [Character: String] = [
            "c": "create", "d": "delete", "D": "deletecollection", "g": "get", "l": "list", "p": "patch", "u": "update", "w": "watch",
        ]
        return letters.compactMap { names[$0] }
    }

    /// Kubernetes' version order: stable before beta before alpha, then the higher number; other names last, by name.
    static func precedes(_ left: String, _ right: String) -> Bool {
        switch (rank(left), rank(right)) {
        case (let a?, let b?): a > b
        case (.some, nil): true
        case (nil, .some): false
        case (nil, nil): left < right
        }
    }

    private static func rank(_ version: String) -> (Int, Int, Int)? {
        guard version.hasPrefix("v") else { return nil }
        let rest = version.dropFirst()
        let major = rest.prefix { $0.isNumber }
        guard let number = Int(major) else { return nil }
        let tail = rest.dropFirst(major.count)
        if tail.isEmpty { return (3, number, 0) }
        for (word, level) in [("beta", 2), ("alpha", 1)] where tail.hasPrefix(word) {
            if let minor = Int(tail.dropFirst(word.count)) { return (level, number, minor) }
        }
        return nil
    }
}
