import ResourceModel

/// What a `Chart.yaml` says about the chart's dependencies.
struct HelmChart {
    struct Dependency: Hashable {
        var name: String
        var repository: String
    }

    var name: String
    var dependencies: [Dependency]

    /// - Throws: a `Problem` when the file is not a chart's.
    static func load(_ file: FileTreeEntry, of tree: some FileTree) async throws -> HelmChart {
        let bytes = try await tree.contents(of: file)
        guard let document = try DocumentReader.documents(in: bytes, path: file.path).first,
            let name = document.value["name"]?.stringValue
        else {
            throw Problem(
                code: "source.not-a-chart", message: "`name` is missing", location: SourceLocation(path: file.path, line: 1))
        }
        let dependencies = (document.value["dependencies"]?.arrayValue ?? []).compactMap { item -> Dependency? in
            guard let name = item["name"]?.stringValue else { return nil }
            return Dependency(name: name, repository: item["repository"]?.stringValue ?? "")
        }
        return HelmChart(name: name, dependencies: dependencies)
    }

    /// The paths (from the chart) of dependencies in the same repository.
    var localDependencies: [String] {
        dependencies.compactMap { $0.repository.hasPrefix("file://") ? String($0.repository.dropFirst(7)) : nil }
    }

    /// The chart repositories that helm must know before it can build the dependencies.
    var remoteRepositories: [String] {
        var seen: Set<String> = []
        return dependencies.map(\.repository).filter { $0.hasPrefix("http") && seen.insert($0).inserted }
    }

    /// Whether a dependency is neither unpacked nor packed in the chart's `charts`.
    func lacksDependencies(in path: String, of tree: some FileTree) async throws -> Bool {
        guard !dependencies.isEmpty else { return false }
        let directory = RepositoryPath.joined(path, "charts")
        guard try await tree.followedEntry(at: directory)?.kind == .directory else { return true }
        let names = try await tree.entries(in: directory, recursive: false).map(\.name)
        return dependencies.contains { dependency in
            !names.contains { $0 == dependency.name || ($0.hasPrefix(dependency.name + "-") && $0.hasSuffix(".tgz")) }
        }
    }
}
