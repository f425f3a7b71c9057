import KubernetesClient
import ResourceModel

extension LiveObject {
    /// The place in the words of `managedFields`: a list's item is told by the members that the server tells it by, whether it was named
    /// by its number or by some other members of it.
    package func canonical(_ path: FieldPath) -> FieldPath {
        var tree: JSONValue = ownership.entries.reduce([:]) { FieldSet.union($0, $1.fields) }
        var document: JSONValue? = body
        var steps: [FieldPath.Step] = []
        for step in path.steps {
            let item = document.flatMap { FieldPath(steps: [step]).found(in: $0) }
            var result = step
            switch step {
            case .member(let name): tree = tree["f:" + name] ?? [:]
            case .value(let value): tree = tree["v:" + value.jsonString] ?? [:]
            case .keys, .index:
                let member = item.flatMap { item in
                    (tree.objectValue ?? [:]).first { member in
                        member.key.hasPrefix("k:") && Self.keys(member.key)?.allSatisfy { item[$0.key] == $0.value } == true
                    }
                }
                if let member, let keys = Self.keys(member.key) {
                    result = .keys(Dictionary(keys.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first }))
                    tree = member.value
                } else {
                    tree = [:]
                }
            }
            steps.append(result)
            document = item
        }
        return FieldPath(steps: steps)
    }

    private static func keys(_ key: String) -> JSONObject? { try? JSONValue(parsing: String(key.dropFirst(2))).objectValue }  // another form names nothing

    /// Everybody who owns the place, or something above it as a whole, the one who wrote last first.
    package func owners(of path: FieldPath) -> [FieldOwnership.Entry] {
        let place = canonical(path)
        return ownership.entries.filter { place.steps.isEmpty || place.isHeld(by: $0.fields) }.sorted { ($0.time ?? "", $1.manager) > ($1.time ?? "", $0.manager) }
    }
}

/// Whether one of two places holds the other, in one of the documents.
package func overlap(_ left: FieldPath, _ right: FieldPath, in documents: [JSONValue]) -> Bool {
    documents.contains { document in
        let (a, b) = (left.pointer(in: document), right.pointer(in: document))
        guard a.depth == left.steps.count, b.depth == right.steps.count else { return false }
        return zip(a.pointer.tokens, b.pointer.tokens).allSatisfy { $0 == $1 }
    } || left == right
}

/// The rules, by their numbers, that ignore differences of a place of an object.
/// - Throws: `Problem` when a jq expression takes too long.
package func ignoringRules(_ rules: [IgnoreDifferences], at path: FieldPath, of live: LiveObject, declared: JSONValue?) async throws -> [Int] {
    var found: [Int] = []
    for (index, rule) in rules.enumerated() {
        guard let ignored = IgnoredFields(rules: [rule], live: live) else { continue }
        for document in [live.body] + (declared.map { [$0] } ?? []) {
            let (pointer, depth) = path.pointer(in: document)
            guard depth == path.steps.count, depth > 0 else { continue }
            let isIgnored = try await ignored.paths(in: document).contains { place in
                place.count <= pointer.tokens.count && zip(place, pointer.tokens).allSatisfy { step, token in
                    switch step {
                    case .name(let name): name == token
                    case .index(let index): String(index) == token
                    }
                }
            }
            if isIgnored {
                found.append(index)
                break
            }
        }
    }
    return found
}

extension Applier {
    /// The kinds that a word stands for on this cluster, as kubectl reads it: a kind, its plural or singular, or a short name.
    package func kinds(named word: String) async throws -> [GroupKind] {
        let word = word.lowercased()
        return try await client.apiResources().filter {
            $0.kind.lowercased() == word || $0.plural == word || $0.singular == word || $0.shortNames.contains(word)
        }.map(\.groupKind)
    }
}
