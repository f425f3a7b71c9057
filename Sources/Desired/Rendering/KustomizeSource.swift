import ResourceModel
import SystemPackage
import YAML

/// A kustomization, built by `kustomize build` or `kubectl kustomize`.
struct KustomizeSource {
    let request: RenderRequest

    func render() async throws -> RenderedSource {
        let tree = request.tree
        guard let file = try await SourceType.kustomization(in: request.path, of: tree) else {
            throw Problem(
                code: "source.not-a-kustomization",
                message: "`path: \(RepositoryPath.display(request.path))` holds no kustomization.yaml",
                location: request.source.location)
        }
        let place = SourceLocation(path: file.path, line: 0)
        let (tool, name) = try Tool.find(
            ["kustomize", "kubectl"], title: "kustomize build",
            install: "install kustomize (https://kubectl.docs.kubernetes.io/installation/kustomize/) or kubectl",
            for: request.source,
            in: request.tools)
        return try await ScratchDirectory.with(request.tools) { scratch in
            var visited: Set<String> = []
            try await materialise(request.path, into: scratch, visited: &visited)
            try await edit(file, in: scratch)
            let directory = scratch.location(of: request.path, in: tree)
            let arguments =
                (name == "kubectl" ? ["kustomize"] : ["build"]) + [".", "--load-restrictor", "LoadRestrictionsRootOnly"]
            let output = try await tool.run(arguments, in: scratch, at: directory, location: place)
            var reader = ManifestReader()
            // The lines of rendered text mean nothing to a reader of the repository: problems name the kustomization.
            reader.read(
                try DocumentReader.documents(in: output, path: file.path).map {
                    SourceDocument(value: $0.value, location: place, linesFrom: nil)
                })
            return RenderedSource(manifests: reader.manifests, problems: reader.problems)
        }
    }

    /// The fields of a kustomization that may name other directories of the repository.
    private static let references = [
        "resources", "bases", "components", "crds", "configurations", "generators", "transformers", "validators",
    ]

    /// Copies a kustomization's directory and those of everything that it refers to in the repository.
    private func materialise(_ directory: String, into scratch: ScratchDirectory, visited: inout Set<String>) async throws {
        guard visited.insert(directory).inserted else { return }
        try await scratch.materialise(directory, of: request.tree)
        guard let file = try await SourceType.kustomization(in: directory, of: request.tree) else { return }
        let bytes = try await request.tree.contents(of: file)
        for document in try DocumentReader.documents(in: bytes, path: file.path) {
            for field in Self.references {
                for (index, item) in (document.value[field]?.arrayValue ?? []).enumerated() {
                    guard let text = item.stringValue, !Self.isRemote(text) else { continue }
                    let pointer = "/\(field)/\(index)"
                    try await follow(text, from: directory, at: document.location(of: pointer), into: scratch, visited: &visited)
                }
            }
        }
    }

    private func follow(
        _ reference: String, from directory: String, at place: SourceLocation, into scratch: ScratchDirectory,
        visited: inout Set<String>
    ) async throws {
        guard !reference.hasPrefix("/"), let path = RepositoryPath.resolved(reference, from: directory) else {
            throw Problem(
                code: "source.path-escape", message: "`\(reference)` points out of the repository", location: place)
        }
        // What is not in the repository may be something that only kustomize understands; it will say so itself.
        guard let entry = try await request.tree.followedEntry(at: path) else { return }
        if entry.kind == .directory {
            try await materialise(entry.path, into: scratch, visited: &visited)
        } else if entry.isFile, !RepositoryPath.contains(directory, path) {
            try await scratch.materialise(file: entry, as: path, of: request.tree)
        }
    }

    /// https://github.com/kubernetes-sigs/kustomize/blob/master/examples/remoteBuild.md
    private static func isRemote(_ reference: String) -> Bool {
        reference.contains("://") || reference.contains("?ref=") || reference.hasPrefix("git@")
            || reference.hasPrefix("github.com/")
            || reference.contains("//")
    }

    /// Changes the copy of the kustomization as the application's options say.
    private func edit(_ file: FileTreeEntry, in scratch: ScratchDirectory) async throws {
        guard let options = request.source.kustomize, !options.isEmpty else { return }
        let bytes = try await request.tree.contents(of: file)
        let documents = try DocumentReader.documents(in: bytes, path: file.path)
        guard documents.count <= 1 else {
            throw Problem(
                code: "source.not-a-kustomization", message: "holds \(documents.count) documents",
                location: SourceLocation(path: file.path, line: 1))
        }
        var edit = KustomizationEdit(documents.first?.value ?? .object([:]), environment: request.environment)
        var components = options.components
        if options.ignoreMissingComponents {
            components = []
            for component in options.components {
                guard let path = RepositoryPath.resolved(component, from: request.path) else { continue }
                if Self.isRemote(component) {
                    components.append(component)
                } else if try await request.tree.followedEntry(at: path) != nil {
                    components.append(component)
                }
            }
        }
        do {
            try edit.apply(options, components: components)
        } catch {
            var problem = error
            problem.location = request.source.location
            throw problem
        }
        var visited: Set<String> = []
        for component in components where !Self.isRemote(component) {
            try await follow(component, from: request.path, at: request.source.location, into: scratch, visited: &visited)
        }
        let target = scratch.location(of: RepositoryPath.joined(request.path, file.name), in: request.tree)
        try FileBytes.write(Array(YAML.string(edit.kustomization).utf8), to: target)
    }
}
