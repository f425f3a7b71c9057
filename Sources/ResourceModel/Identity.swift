/// API group, version and kind. The core group is the empty string.
package struct GroupVersionKind: Sendable, Hashable, Codable, CustomStringConvertible {
    package var group: String
    package var version: String
    package var kind: String

    package init(group: String, version: String, kind: String) {
        self.group = group
        self.version = version
        self.kind = kind
    }

    /// - Parameter apiVersion: `v1` or `apps/v1`.
    package init(apiVersion: String, kind: String) {
        let slash = apiVersion.utf8.firstIndex(of: UInt8(ascii: "/"))
        self.init(
            group: slash.map { String(apiVersion[..<$0]) } ?? "",
            version: slash.map { String(apiVersion[apiVersion.utf8.index(after: $0)...]) } ?? apiVersion, kind: kind)
    }

    package var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }
    package var groupKind: GroupKind { GroupKind(group: group, kind: kind) }
    package var description: String { "\(apiVersion)/\(kind)" }
}

/// Group and kind without the version: the version is how an object is read, not what it is.
package struct GroupKind: Sendable, Hashable, Codable, Comparable, CustomStringConvertible {
    package var group: String
    package var kind: String

    package init(group: String, kind: String) {
        self.group = group
        self.kind = kind
    }

    /// `Deployment.apps`, `ConfigMap`: the form that ApplySet annotations use.
    package var description: String { group.isEmpty ? kind : "\(kind).\(group)" }

    package static func < (left: GroupKind, right: GroupKind) -> Bool {
        (left.group, left.kind) < (right.group, right.kind)
    }
}

/// What an object is, whatever version it is read in.
package struct ResourceID: Sendable, Hashable, Codable, Comparable, CustomStringConvertible {
    package var group: String
    package var kind: String
    /// `nil` for a cluster-scoped object.
    package var namespace: String?
    package var name: String

    package init(group: String, kind: String, namespace: String?, name: String) {
        self.group = group
        self.kind = kind
        self.namespace = namespace
        self.name = name
    }

    package var groupKind: GroupKind { GroupKind(group: group, kind: kind) }

    /// `apps/Deployment shop/web`, `Namespace shop`: how messages name an object.
    package var description: String {
        let type = group.isEmpty ? kind : "\(group)/\(kind)"
        return namespace.map { "\(type) \($0)/\(name)" } ?? "\(type) \(name)"
    }

    package static func < (left: ResourceID, right: ResourceID) -> Bool {
        if left.group != right.group { return left.group < right.group }
        if left.kind != right.kind { return left.kind < right.kind }
        if left.namespace != right.namespace { return left.namespace ?? "" < right.namespace ?? "" }
        return left.name < right.name
    }
}

/// Where a document stands in a repository: path from its root, line (from 1) and document in the stream (from 0).
package struct SourceLocation: Sendable, Hashable, Codable, CustomStringConvertible {
    package var path: String
    package var line: Int
    package var document: Int

    package init(path: String, line: Int, document: Int = 0) {
        self.path = path
        self.line = line
        self.document = document
    }

    package var description: String { line > 0 ? "\(path):\(line)" : path }
}

/// A commit that a reference was resolved to.
package struct Revision: Sendable, Hashable, Codable {
    /// The repository's URL without credentials.
    package var repository: String
    /// What was asked for: a branch, a tag, a version range, `HEAD` or a commit.
    package var ref: String
    /// The full object id, 40 hexadecimal digits.
    package var commit: String
    package var author: String
    package var subject: String
    /// Seconds since 1970-01-01 UTC.
    package var committedAt: Int64

    package init(repository: String, ref: String, commit: String, author: String, subject: String, committedAt: Int64) {
        self.repository = repository
        self.ref = ref
        self.commit = commit
        self.author = author
        self.subject = subject
        self.committedAt = committedAt
    }

    package var shortCommit: String { String(commit.prefix(7)) }
}
