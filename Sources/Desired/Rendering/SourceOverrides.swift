import ResourceModel

/// Argo CD's overrides that lie in Git: `.argocd-source.yaml` in a source's path, then `.argocd-source-<application>.yaml`.
/// https://argo-cd.readthedocs.io/en/stable/user-guide/parameters/#store-overrides-in-git
enum SourceOverrides {
    /// The source with the overrides merged in, each a JSON merge patch (RFC 7396).
    /// - Throws: `Problems` when an override cannot be used.
    static func applied(to source: ApplicationSource, of application: Application, in tree: RecordingFileTree) async throws
        -> ApplicationSource
    {
        var source = source
        for name in [".argocd-source.yaml", ".argocd-source-\(application.name).yaml"] {
            let path = RepositoryPath.joined(source.path ?? "", name)
            guard let file = try await tree.followedEntry(at: path), file.isFile else { continue }
            let bytes = try await tree.contents(of: file)
            for document in try DocumentReader.documents(in: bytes, path: path) {
                source = try merged(
                    source, document, several: application.hasMultipleSources, subject: "Application \(application.name)")
            }
        }
        return source
    }

    private static func merged(
        _ source: ApplicationSource, _ override: SourceDocument, several: Bool, subject: String
    ) throws -> ApplicationSource {
        let report = DecodingReport(subject: "\(subject): override", document: override)
        for member in override.value.objectValue ?? [:] where !["helm", "kustomize", "directory"].contains(member.key) {
            report.add(
                "application.invalid-value", "`\(member.key)` cannot be overridden", at: "/\(member.key)",
                hint: "overrides are for `helm`, `kustomize` and `directory`")
        }
        if override.value.objectValue == nil {
            report.add("application.wrong-type", "must be an object, not \(override.value.typeName)", at: "")
        }
        let value = source.declared.mergePatched(with: override.value)
        let reader = FieldReader(value: value, pointer: "", path: "source", report: report)
        let result = reader.object { ApplicationSource.decode($0, amongSeveral: several) }
        let errors = report.problems.filter { $0.severity == .error }
        guard errors.isEmpty, var result else { throw Problems(errors) }
        result.location = source.location
        return result
    }
}

extension JSONValue {
    /// RFC 7396.
    func mergePatched(with patch: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var result = objectValue ?? [:]
        for change in changes {
            result[change.key] = change.value.isNull ? nil : (result[change.key] ?? .null).mergePatched(with: change.value)
        }
        return .object(result)
    }
}
