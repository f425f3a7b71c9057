import ResourceModel

/// A directory of plain manifests.
struct DirectorySource {
    /// A file that contains this is left out.
    static let skipMarker: StaticString = "+argocd:skip-file-rendering"

    let request: RenderRequest

    /// Reads every manifest file. All files are read, whatever is wrong with some.
    func render() async throws -> RenderedSource {
        let options = request.source.directory ?? DirectoryOptions()
        let include = try options.include.map { try glob($0) }
        let exclude = try options.exclude.map { try glob($0) }
        var reader = ManifestReader()
        var files: [(file: FileTreeEntry, path: String)] = []
        for entry in try await request.tree.entries(in: request.path, recursive: options.recurse) {
            let relative = RepositoryPath.relative(entry.path, to: request.path) ?? entry.path
            if exclude?.matches(relative) == true { continue }
            if let include, !include.matches(relative) { continue }
            if Self.isArgoOverride(entry.name) { continue }
            switch entry.kind {
            case .directory: continue
            case .submodule:
                if options.recurse { reader.add(.submodule(entry.path)) }
            case .symlink where isCandidate(entry.name, options):
                do {
                    guard let target = try await request.tree.followedEntry(at: entry.path), target.isFile else { continue }
                    files.append((target, entry.path))
                } catch let problem as Problem {
                    reader.add(problem)
                }
            case .symlink: continue
            case .file, .executable:
                if entry.name.hasSuffix(".jsonnet") {
                    reader.add(
                        Problem(
                            code: "source.unsupported", message: "Jsonnet is not supported yet",
                            location: SourceLocation(path: entry.path, line: 0),
                            hint: "commit the rendered YAML or JSON, or exclude the file with `directory.exclude`"))
                } else if isCandidate(entry.name, options) {
                    files.append((entry, entry.path))
                }
            }
        }
        let paths = files.map(\.path)
        let read = try await request.tree.contents(of: files.map(\.file)) { index, bytes in
            var reader = ManifestReader()
            Self.read(DocumentReader.utf8(bytes), path: paths[index], into: &reader)
            return reader
        }
        for part in read { reader.append(part) }
        return RenderedSource(manifests: reader.manifests, problems: reader.problems)
    }

    /// Takes the objects of one file. A file that does not even mention an object's fields is left out with a warning.
    private static func read(_ bytes: [UInt8], path: String, into reader: inout ManifestReader) {
        guard !DocumentReader.contains(skipMarker, in: bytes) else { return }
        do {
            let documents = try DocumentReader.documents(in: bytes, path: path)
            guard !documents.isEmpty else { return }
            if mentionsObjects(bytes) {
                reader.read(documents)
            } else if let odd = documents.first(where: { $0.value.objectValue == nil }) {
                reader.add(unreadable(path, "holds a \(odd.value.typeName), as a file does that was cut off", odd.location))
            } else {
                reader.add(irrelevant(path))
            }
        } catch {
            reader.add(mentionsObjects(bytes) || path.hasSuffix(".json") ? error : unreadable(path, error.message, error.location))
        }
    }

    /// Argo CD passes over files without `apiVersion`, `kind` and `metadata`; one of the first two is enough here, since a manifest
    /// that lost the others must not look like one that was removed.
    private static func mentionsObjects(_ bytes: [UInt8]) -> Bool {
        DocumentReader.contains("apiVersion", in: bytes) || DocumentReader.contains("kind", in: bytes)
    }

    private static func irrelevant(_ path: String) -> Problem {
        Problem(
            code: "source.irrelevant-file", severity: .warning, message: "holds no Kubernetes object and is left out",
            location: SourceLocation(path: path, line: 0),
            hint: "move it, exclude it with `directory.exclude`, or write `# +argocd:skip-file-rendering` into it")
    }

    /// Argo CD passes over such a file too. What it held nobody knows, so the planner prunes nothing beside it.
    private static func unreadable(_ path: String, _ why: String, _ location: SourceLocation?) -> Problem {
        Problem(
            code: Problem.unreadableFile, severity: .warning,
            message: "is left out, so nothing is pruned: \(why)", location: location,
            hint: "mend it, exclude it with `directory.exclude`, or write `# +argocd:skip-file-rendering` into it")
    }

    private func isCandidate(_ name: String, _ options: DirectoryOptions) -> Bool {
        options.disableExtensionFilter || DocumentReader.hasManifestExtension(name)
    }

    private static func isArgoOverride(_ name: String) -> Bool { name.hasPrefix(".argocd-source") && name.hasSuffix(".yaml") }

    private func glob(_ pattern: String) throws(Problem) -> Glob {
        do {
            return try Glob(pattern)
        } catch {
            throw Problem(code: "application.invalid-value", message: error.message, location: request.source.location)
        }
    }
}

extension Problem {
    static func submodule(_ path: String) -> Problem {
        Problem(
            code: "source.submodule", message: "Git submodules are not supported yet",
            location: SourceLocation(path: path, line: 0),
            hint: "use a source of its own for the submodule's repository")
    }
}
