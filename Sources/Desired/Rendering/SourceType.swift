import ResourceModel

/// What renders a source.
package enum SourceType: String, Sendable, Hashable {
    case directory = "Directory"
    case kustomize = "Kustomize"
    case helm = "Helm"
    case tasks = "Tasks"

    static let kustomizationNames = ["kustomization.yaml", "kustomization.yml", "Kustomization"]

    /// What the source says, else what the files in its path say.
    /// - Throws: a `Problem` when the path is missing or holds no files.
    static func detect(_ source: ApplicationSource, in tree: some FileTree) async throws -> SourceType {
        let path = source.path ?? ""
        let entry = try await tree.followedEntry(at: path)
        if source.tasks != nil, entry?.isFile == true { return .tasks }
        guard entry?.kind == .directory else {
            throw Problem(
                code: "source.path-missing",
                message: entry == nil
                    ? "`path: \(RepositoryPath.display(path))` does not exist in \(tree.title)"
                    : "`path: \(RepositoryPath.display(path))` is a file in \(tree.title), not a directory",
                location: source.location,
                hint: entry == nil ? try await suggestion(for: path, in: tree) ?? "correct the path, or commit the directory" : "name the directory that holds it")
        }
        if source.helm != nil { return .helm }
        if source.kustomize != nil { return .kustomize }
        if source.directory != nil { return .directory }
        if source.tasks != nil { return .tasks }
        if try await tree.entry(at: RepositoryPath.joined(path, "Chart.yaml")) != nil { return .helm }
        if try await kustomization(in: path, of: tree) != nil { return .kustomize }
        return .directory
    }

    /// The kustomization file of a directory; `nil` when it has none.
    static func kustomization(in directory: String, of tree: some FileTree) async throws -> FileTreeEntry? {
        for name in kustomizationNames {
            if let entry = try await tree.followedEntry(at: RepositoryPath.joined(directory, name)), entry.isFile { return entry }
        }
        return nil
    }

    /// The nearest name beside the missing one.
    private static func suggestion(for path: String, in tree: some FileTree) async throws -> String? {
        let parent = RepositoryPath.parent(of: path)
        guard try await tree.followedEntry(at: parent)?.kind == .directory else { return nil }
        let names = try await tree.entries(in: parent, recursive: false).filter { $0.kind == .directory }.map(\.name)
        return nearest(to: RepositoryPath.name(of: path), among: names).map {
            "did you mean `\(RepositoryPath.joined(parent, $0))`?"
        }
    }
}
