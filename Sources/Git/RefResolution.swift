/// One reference that a remote advertises.
package struct RemoteRef: Sendable, Hashable {
    /// `HEAD`, `refs/heads/main`, `refs/tags/v1.2.0`.
    package var name: String
    /// The object it names; for an annotated tag the tag object.
    package var objectID: String
    /// For an annotated tag what it finally points to.
    package var peeledID: String?
    /// For `HEAD` the branch that it stands for, where the remote tells.
    package var target: String?

    /// The commit, as far as the advertisement tells.
    package var commit: String { peeledID ?? objectID }
}

/// What a reference stands for among those that a remote advertises.
enum RefTarget: Sendable, Hashable {
    case advertised(RemoteRef)
    /// A commit that no branch or tag points to; `id` may be short.
    case commit(id: String)
    case unknown(available: [String])
    case ambiguous([String])
}

/// The rules of Argo CD's `targetRevision`, in its order: a full commit id; a version range, which matches tags only; a full
/// reference name; a branch; a tag; a short commit id.
enum RefResolution {
    static func target(of ref: String, among refs: [RemoteRef]) -> RefTarget {
        if ref.isFullObjectID {
            let id = ref.lowercased()
            return refs.first { $0.commit == id || $0.objectID == id }.map { .advertised($0) } ?? .commit(id: id)
        }
        if let range = VersionRange(ref), let tag = newestTag(in: range, among: refs) { return .advertised(tag) }
        for name in [ref.isEmpty ? "HEAD" : ref, "refs/heads/\(ref)", "refs/tags/\(ref)", "refs/\(ref)"] {
            if name != "HEAD" && !name.hasPrefix("refs/") { continue }
            if let found = refs.first(where: { $0.name == name }) { return .advertised(found) }
        }
        if ref.isShortObjectID {
            let matching = refs.filter { $0.commit.hasPrefix(ref.lowercased()) }
            let commits = Set(matching.map(\.commit))
            if commits.count > 1 { return .ambiguous(commits.sorted()) }
            return matching.first.map { .advertised($0) } ?? .commit(id: ref.lowercased())
        }
        return .unknown(available: suggestions(for: ref, among: refs))
    }

    private static func newestTag(in range: VersionRange, among refs: [RemoteRef]) -> RemoteRef? {
        var newest: (version: Version, ref: RemoteRef)?
        for ref in refs where ref.name.hasPrefix("refs/tags/") {
            guard let version = Version(ref.name.dropFirst("refs/tags/".count)), range.contains(version) else { continue }
            if newest.map({ $0.version < version }) ?? true { newest = (version, ref) }
        }
        return newest?.ref
    }

    /// Up to five names that are most like `ref`; tags for a version range, branches first otherwise.
    static func suggestions(for ref: String, among refs: [RemoteRef]) -> [String] {
        let range = VersionRange(ref) != nil
        var names: [(name: String, distance: Int)] = []
        for item in refs {
            if item.name.hasPrefix("refs/tags/") {
                names.append((String(item.name.dropFirst(10)), range ? 0 : 1))
            } else if item.name.hasPrefix("refs/heads/"), !range {
                names.append((String(item.name.dropFirst(11)), 0))
            }
        }
        // A repository with thousands of tags: the distance is worked out for the first 2,000 only.
        return names.prefix(2_000).map { ($0.name, $0.distance + distance(ref, $0.name) * 2) }
            .sorted { ($0.1, $0.0) < ($1.1, $1.0) }.prefix(5).map(\.0)
    }

    /// Levenshtein's distance over the first 64 bytes.
    private static func distance(_ left: String, _ right: String) -> Int {
        let a = Array(left.lowercased().utf8.prefix(64))
        let b = Array(right.lowercased().utf8.prefix(64))
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(diagonal + (x == y ? 0 : 1), above + 1, row[j] + 1)
                diagonal = above
            }
        }
        return row[b.count]
    }
}
