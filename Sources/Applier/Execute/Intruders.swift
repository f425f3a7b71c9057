import KubernetesClient
import ResourceModel

/// Someone changed what a list tells our item by: `kubectl edit` made port 8081 of the Service's port 8080. To the server that is another
/// item, not ours, so applying adds ours beside it, and two ports of one name (or of none) are refused. The stranger has to go in the very
/// write that brings ours back, which an apply does with items that we own and no longer declare.
extension Applier {
    /// Applies once more after the server refused, with such items made ours before.
    ///
    /// - Returns: `nil` when the refusal is not about an item that stands in the place of one of ours.
    func applyOverIntruders(
        _ manifest: Manifest, as resource: APIResource, options: ExecutionOptions, after refusal: APIError
    ) async throws -> WriteResult? {
        let lists = Self.lists(in: refusal)
        guard !lists.isEmpty, let object = try await client.get(resource, namespace: manifest.id.namespace, name: manifest.id.name) else { return nil }
        let live = try LiveObject(object, as: resource)
        guard let taken = live.takingIntruders(in: lists, declared: manifest.body) else { return nil }
        let version = try await writeOwnership(of: taken, as: resource)
        do {
            return try await client.apply(manifest.body, as: resource, options: options.apply(manifest))
        } catch let error as APIError where error.isInvalid {
            // The manifest was refused for its own sake: what is others' stays theirs.
            var before = live
            before.resourceVersion = version ?? live.resourceVersion
            try await writeOwnership(of: before, as: resource)
            throw error
        }
    }

    /// Whether `applyOverIntruders` would get over the refusal.
    func isAboutIntruders(_ refusal: APIError, _ step: PlanStep) -> Bool {
        guard let live = step.change.live, let manifest = step.change.manifest else { return false }
        return live.takingIntruders(in: Self.lists(in: refusal), declared: manifest.body) != nil
    }

    /// The lists in whose items the server found a value twice or not at all: `spec.ports[1].name` is about `spec.ports`.
    private static func lists(in refusal: APIError) -> Set<[String]> {
        guard refusal.isInvalid else { return [] }
        var lists: Set<[String]> = []
        for cause in refusal.causes where ["FieldValueDuplicate", "FieldValueRequired"].contains(cause.reason) {
            guard let end = cause.field.lastIndex(of: "[") else { continue }
            lists.insert(cause.field[..<end].split(separator: ".").map { String($0.prefix { $0 != "[" }) })
        }
        return lists
    }
}

extension LiveObject {
    /// The object as if items of the lists were ours that others wrote and that are not declared, where a declared item is missing; `nil`
    /// when there are none. What another applier owns stays its own.
    ///
    /// - Parameter lists: member names from the top; lists on the way are passed through.
    func takingIntruders(in lists: Set<[String]>, declared: JSONValue) -> LiveObject? {
        guard
            let ours = ownership.entries.firstIndex(where: {
                $0.manager == Applier.fieldManager && $0.operation == "Apply" && $0.subresource.isEmpty
            })
        else { return nil }
        var result = self
        var hasTaken = false
        for list in lists {
            let wanted = Self.items(at: list[...], in: declared)
            let present = Self.items(at: list[...], in: body)
            for index in ownership.entries.indices where index != ours {
                let entry = result.ownership.entries[index]
                guard entry.operation == "Update", entry.subresource.isEmpty, entry.apiVersion == ownership.entries[ours].apiVersion else { continue }
                let parts = FieldSet.split(entry.fields, at: list[...]) { keys in
                    let isDeclared = wanted.contains { Self.item($0, has: keys) }
                    let isMissed = wanted.contains { item in !present.contains { live in keys.allSatisfy { live[$0.key] == item[$0.key] } } }
                    return !isDeclared && isMissed
                }
                guard let taken = parts.taken else { continue }
                hasTaken = true
                result.ownership.entries[index].fields = parts.rest
                result.ownership.entries[ours].fields = FieldSet.union(result.ownership.entries[ours].fields, taken)
            }
        }
        result.ownership.entries.removeAll { $0.fields.objectValue?.isEmpty ?? true }
        return hasTaken ? result : nil
    }

    private static func items(at path: ArraySlice<String>, in value: JSONValue) -> [JSONValue] {
        if case .array(let items) = value { return path.isEmpty ? items : items.flatMap { self.items(at: path, in: $0) } }
        guard let name = path.first, let member = value[name] else { return [] }
        return items(at: path.dropFirst(), in: member)
    }

    /// A declared item may leave a key to the server's default.
    private static func item(_ item: JSONValue, has keys: JSONObject) -> Bool {
        keys.contains { item[$0.key] == $0.value } && keys.allSatisfy { item[$0.key] == nil || item[$0.key] == $0.value }
    }
}

extension FieldSet {
    /// Parts a tree: the items of a keyed list that `takes` wants, with the way to them, and the rest.
    static func split(
        _ tree: JSONValue, at path: ArraySlice<String>, takes: (JSONObject) -> Bool
    ) -> (taken: JSONValue?, rest: JSONValue) {
        var taken = JSONObject()
        var rest = JSONObject()
        for member in tree.objectValue ?? [:] {
            if path.isEmpty {
                if let keys = keys(member.key), takes(keys) { taken[member.key] = member.value } else { rest[member.key] = member.value }
                continue
            }
            let isNext = path.first.map { member.key == "f:\($0)" } ?? false
            guard isNext || member.key.hasPrefix("k:") else {
                rest[member.key] = member.value
                continue
            }
            let parts = split(member.value, at: isNext ? path.dropFirst() : path, takes: takes)
            if let part = parts.taken { taken[member.key] = part }
            if parts.taken == nil || parts.rest.objectValue?.isEmpty == false { rest[member.key] = parts.rest }
        }
        return (taken.isEmpty ? nil : .object(taken), .object(rest))
    }
}
