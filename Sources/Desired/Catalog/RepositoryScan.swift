import ResourceModel

/// Which files under a path may hold manifests: YAML and JSON by name, without Helm's templates, which are not YAML before rendering.
struct RepositoryScan {
    var manifestFiles: [FileTreeEntry] = []
    /// The directories that hold a `Chart.yaml`.
    var charts: Set<String> = []

    /// - Throws: a `Problem` when there is nothing at the path.
    static func scan(_ tree: some FileTree, path: String) async throws -> RepositoryScan {
        guard let normalised = RepositoryPath.normalised(path) else {
            throw Problem(code: "source.path-missing", message: "the path `\(path)` leaves the repository")
        }
        let top = try await tree.followedEntry(at: normalised)
        switch top?.kind {
        case .directory:
            return RepositoryScan(try await tree.entries(in: top?.path ?? "", recursive: true))
        case .file, .executable:
            return RepositoryScan(top.map { [$0] } ?? [])
        default:
            throw Problem(
                code: "source.path-missing", message: "there is no `\(RepositoryPath.display(normalised))` in \(tree.title)",
                hint: "see `--path`")
        }
    }

    private init(_ entries: [FileTreeEntry]) {
        charts = Set(entries.filter { $0.isFile && $0.name == "Chart.yaml" }.map { RepositoryPath.parent(of: $0.path) })
        manifestFiles = entries.filter {
            $0.isFile && DocumentReader.hasManifestExtension($0.name) && !isHelmTemplate($0.path)
        }
    }

    /// Whether a file lies in the `templates` of a chart.
    func isHelmTemplate(_ path: String) -> Bool {
        var directory = RepositoryPath.parent(of: path)
        while !directory.isEmpty {
            let above = RepositoryPath.parent(of: directory)
            if RepositoryPath.name(of: directory) == "templates", charts.contains(above) { return true }
            directory = above
        }
        return false
    }
}
