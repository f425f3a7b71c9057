import JQ
import KubernetesClient
import ResourceModel

/// The fields of one object whose differences are ignored (`spec.ignoreDifferences`).
struct IgnoredFields: Sendable {
    private let id: ResourceID
    private let rules: [IgnoreDifferences]
    /// What the trusted managers own live.
    private let trusted: [JSONValue]

    /// `nil` when no rule speaks of the object.
    init?(rules: [IgnoreDifferences], live: LiveObject) {
        let rules = rules.filter { $0.matches(live.id) }
        guard !rules.isEmpty else { return nil }
        self.id = live.id
        self.rules = rules
        let managers = Set(rules.flatMap(\.managedFieldsManagers))
        trusted = live.ownership.entries.filter { managers.contains($0.manager) }.map(\.fields)
    }

    /// The ignored places of one form of the object. What identifies the object and says who it belongs to is never ignored.
    ///
    /// - Throws: `Problem` when a jq expression takes too long. One that does not fit the object selects nothing of it, as in Argo CD.
    func paths(in body: JSONValue) async throws -> [DocumentPath] {
        var paths = trusted.flatMap { FieldSet.paths($0, in: body) }
        for rule in rules {
            paths += rule.jsonPointers.compactMap { $0.path(in: body) }
            for expression in rule.jqPathExpressions {
                do {
                    for path in try await JQPaths.compiled(expression).paths(in: body) { paths += path.documentPaths(in: body) }
                } catch let error where error.code == "evaluation" {
                    continue
                } catch {
                    throw Problem(
                        code: "ignore-differences.jq", message: "spec.ignoreDifferences: \(error)", resource: id,
                        hint: "make the expression simpler, or use jsonPointers")
                }
            }
        }
        return paths.filter { !Self.protected.contains($0) }
    }

    private static let protected: Set<DocumentPath> = [
        [.name("apiVersion")], [.name("kind")], [.name("metadata")], [.name("metadata"), .name("name")],
        [.name("metadata"), .name("namespace")],
        [.name("metadata"), .name("labels"), .name(ApplySet.partOfLabel)],
        [.name("metadata"), .name("annotations"), .name(TrackingID.annotation)],
    ]

    /// The object without the ignored places, in body and in ownership.
    func removed(from live: LiveObject) async throws -> LiveObject {
        var result = live
        let paths = try await paths(in: live.body)
        result.body = Self.keepingTracking(live.body, without: paths)
        for index in result.ownership.entries.indices {
            result.ownership.entries[index].fields = FieldSet.removing(paths, from: live.ownership.entries[index].fields, of: live.body)
        }
        return result
    }

    func removed(from body: JSONValue) async throws -> JSONValue {
        Self.keepingTracking(body, without: try await paths(in: body))
    }

    /// A rule that names all labels or annotations leaves ours.
    private static func keepingTracking(_ body: JSONValue, without paths: [DocumentPath]) -> JSONValue {
        var result = body.removing(paths)
        for (map, key) in [("labels", ApplySet.partOfLabel), ("annotations", TrackingID.annotation)] {
            guard let value = body[path: "metadata", map, key], result[path: "metadata", map, key] == nil else { continue }
            result[path: "metadata", map, key] = value
        }
        return result
    }

    /// What is sent where ignored fields are to be respected: ignored fields that others own, or that the server filled in, are left
    /// out; one that only we own goes as it is live, because leaving it out would remove it.
    func respected(in intent: JSONValue, live: LiveObject) async throws -> JSONValue {
        var result = try await removed(from: intent)
        let own = live.ownership.entries.first { $0.manager == Applier.fieldManager && $0.operation == "Apply" && $0.subresource.isEmpty }?.fields ?? [:]
        let others = live.ownership.entries.filter { $0.manager != Applier.fieldManager }.map(\.fields)
        for path in try await paths(in: live.body) {
            guard let value = live.body.value(at: path), FieldSet.owns(path, in: own, of: live.body) else { continue }
            let isWhole = !isInsideLeaf(path, own, live.body)
            if isWhole, others.contains(where: { FieldSet.owns(path, in: $0, of: live.body) }) { continue }
            Self.set(value, at: path[...], in: &result, like: live.body, tree: own)
        }
        return result
    }

    /// Whether the place is a part of something that is owned as a whole.
    private func isInsideLeaf(_ path: DocumentPath, _ tree: JSONValue, _ document: JSONValue) -> Bool {
        (1..<path.count).contains { count in
            let prefix = DocumentPath(path.prefix(count))
            var (tree, document) = (tree, document)
            for step in prefix {
                guard let key = FieldSet.key(step, in: tree, of: document), let below = tree[key], let value = document.value(at: [step]) else {
                    return false
                }
                (tree, document) = (below, value)
            }
            return FieldSet.isLeaf(tree)
        }
    }

    /// Puts a live value to its place in what is declared: list items are found by their keys.
    private static func set(_ value: JSONValue, at path: ArraySlice<DocumentStep>, in target: inout JSONValue, like live: JSONValue, tree: JSONValue) {
        guard let step = path.first else {
            target = value
            return
        }
        let rest = path.dropFirst()
        let key = FieldSet.key(step, in: tree, of: live)
        let below = key.flatMap { tree[$0] } ?? [:]
        guard let liveBelow = live.value(at: [step]) else { return }
        switch step {
        case .name(let name):
            var child = target[name] ?? (rest.isEmpty ? .null : [:])
            set(value, at: rest, in: &child, like: liveBelow, tree: below)
            target[name] = child
        case .index(let index):
            guard case .array(var items) = target else { return }
            let place = key.flatMap { FieldSet.step($0, in: target) } ?? .index(index)
            guard case .index(let found) = place else { return }
            if items.indices.contains(found) {
                set(value, at: rest, in: &items[found], like: liveBelow, tree: below)
            } else if rest.isEmpty {
                items.append(value)
            }
            target = .array(items)
        }
    }
}
