/// Paths inside a repository: `/`-separated, from its root, without leading or trailing slash; the root is empty.
enum RepositoryPath {
    private static let separator = UInt8(ascii: "/")

    /// The path without `.`, `..` and empty parts; `nil` when it leaves the repository.
    static func normalised(_ path: String) -> String? {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." {
                guard parts.popLast() != nil else { return nil }
            } else {
                parts.append(part)
            }
        }
        return parts.joined(separator: "/")
    }

    /// `path` as seen from the directory `base`; absolute paths start at the root. `nil` when it leaves the repository.
    static func resolved(_ path: String, from base: String) -> String? {
        path.hasPrefix("/") ? normalised(path) : normalised(base + "/" + path)
    }

    static func joined(_ base: String, _ name: String) -> String {
        if base.isEmpty { return name }
        return name.isEmpty ? base : base + "/" + name
    }

    /// The directory that holds the path; the root's is the root.
    static func parent(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: separator) else { return "" }
        return String(path[..<slash])
    }

    static func name(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: separator) else { return path }
        return String(path[path.utf8.index(after: slash)...])
    }

    /// The path from `base` down to `path`, which lies in it; `nil` when it does not.
    static func relative(_ path: String, to base: String) -> String? {
        if base.isEmpty { return path }
        if path == base { return "" }
        let (bytes, above) = (path.utf8, base.utf8)
        guard bytes.starts(with: above), bytes.dropFirst(above.count).first == separator else { return nil }
        return String(path[bytes.index(bytes.startIndex, offsetBy: above.count + 1)...])
    }

    /// Whether `path` is `base` or lies in it.
    static func contains(_ base: String, _ path: String) -> Bool { relative(path, to: base) != nil }

    /// What a message calls a path: the root is `.`.
    static func display(_ path: String) -> String { path.isEmpty ? "." : path }
}
