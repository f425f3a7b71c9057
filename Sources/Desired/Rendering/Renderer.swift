import ResourceModel

/// Renders applications from trees that are already there: the step from files to a desired state.
package struct Renderer: Sendable {
    package var tools: ToolConfiguration
    package var capabilities: ClusterCapabilities
    private let cache: RenderCache?

    /// - Parameter cache: `nil` renders anew each time.
    package init(
        tools: ToolConfiguration = ToolConfiguration(), capabilities: ClusterCapabilities = ClusterCapabilities(),
        cache: RenderCache? = nil
    ) {
        self.tools = tools
        self.capabilities = capabilities
        self.cache = cache
    }

    /// Renders all sources of an application.
    /// - Parameters:
    ///   - trees: a tree for each source, in order, with the revision that it is (`nil` for a directory on disk).
    ///   - revision: what the desired state is said to be of.
    /// - Throws: `Problems`, all that were found. Never gives an incomplete state.
    package func desiredState(
        of application: Application, from trees: [(tree: any FileTree, revision: Revision?)], revision: Revision
    ) async throws -> DesiredState {
        precondition(trees.count == application.sources.count, "a tree for each source")
        let key = cacheKey(application, trees.map(\.revision))
        if let (known, manifests) = try await cache?.render(for: key, in: trees.map(\.tree)) {
            return DesiredState(
                application: application.name, revision: revision, manifests: manifests, digest: known.digest, warnings: known.warnings)
        }
        let sources = zip(application.sources, trees).map {
            SourceTree(source: $0, tree: RecordingFileTree($1.tree), revision: $1.revision)
        }
        let (rendered, found) = try await renderAll(sources, of: application)
        let set = ManifestSet(rendered, destinationNamespace: application.destination.namespace)
        let problems = found + set.problems
        guard !problems.contains(where: { $0.severity == .error }) else { throw Problems(problems) }
        let digest = await ManifestSet.digest(of: set.manifests)
        if let cache {
            var inputs: [[RenderInput]] = []
            for source in sources { inputs.append(try await source.tree.inputs()) }
            cache.store(
                RenderCache.Entry(inputs: inputs, content: .manifests(set.manifests), warnings: problems, digest: digest, lastUse: 0),
                for: key)
        }
        return DesiredState(
            application: application.name, revision: revision, manifests: set.manifests, digest: digest, warnings: problems)
    }

    /// What is known of a render that was made before; `nil` when it has to be made.
    func summary(of application: Application, from trees: [(tree: any FileTree, revision: Revision?)]) async throws -> RenderSummary? {
        guard let known = try await cache?.entry(for: cacheKey(application, trees.map(\.revision)), in: trees.map(\.tree)) else { return nil }
        return RenderSummary(digest: known.digest, count: known.content.count, warnings: known.warnings)
    }

    /// What the render of each source looks at in its tree; as far as it gets, when it fails.
    func inputs(of application: Application, from trees: [(tree: any FileTree, revision: Revision?)]) async throws -> [[RenderInput]] {
        if let known = try await cache?.entry(for: cacheKey(application, trees.map(\.revision)), in: trees.map(\.tree)) { return known.inputs }
        let sources = zip(application.sources, trees).map {
            SourceTree(source: $0, tree: RecordingFileTree($1.tree), revision: $1.revision)
        }
        _ = try await renderAll(sources, of: application)
        var inputs: [[RenderInput]] = []
        for source in sources { inputs.append(try await source.tree.inputs()) }
        return inputs
    }

    /// Renders source after source; what is wrong in one does not keep the others from being looked at.
    private func renderAll(_ sources: [SourceTree], of application: Application) async throws -> ([Manifest], [Problem]) {
        let references = Dictionary(
            sources.compactMap { source in source.source.ref.map { ($0, source) } }, uniquingKeysWith: { first, _ in first })
        var manifests: [Manifest] = []
        var problems: [Problem] = []
        for source in sources where !source.source.rendersNothing {
            do {
                let rendered = try await render(source, of: application, references: references)
                manifests += rendered.manifests
                problems += rendered.problems
            } catch let problem as Problem {
                problems.append(problem)
            } catch let found as Problems {
                problems += found.problems
            }
        }
        return (manifests, problems)
    }

    private func render(_ source: SourceTree, of application: Application, references: [String: SourceTree]) async throws
        -> RenderedSource
    {
        var effective = source.source
        _ = try await SourceType.detect(effective, in: source.tree)
        // The path may lead through symbolic links; everything below starts at what it leads to.
        effective.path = try await source.tree.followedEntry(at: effective.path ?? "")?.path ?? effective.path
        effective = try await overridden(effective, source, application)
        let type = try await SourceType.detect(effective, in: source.tree)
        let request = RenderRequest(
            application: application, source: effective, tree: source.tree,
            environment: BuildEnvironment(
                application: application, source: source.source, revision: source.revision, capabilities: capabilities),
            references: references, tools: tools, capabilities: capabilities)
        switch type {
        case .directory: return try await DirectorySource(request: request).render()
        case .kustomize: return try await KustomizeSource(request: request).render()
        case .helm: return try await HelmSource(request: request).render()
        case .tasks: return try await TasksSource(request: request).render()
        }
    }

    private func overridden(_ source: ApplicationSource, _ tree: SourceTree, _ application: Application) async throws
        -> ApplicationSource
    {
        var result = try await SourceOverrides.applied(to: source, of: application, in: tree.tree)
        result.path = source.path
        return result
    }

    private func cacheKey(_ application: Application, _ revisions: [Revision?]) -> RenderCache.Key {
        let sources = JSONValue.array(application.sources.map(\.declared))
        let destination = application.destination.namespace ?? ""
        let mentions = application.sources.contains(where: BuildEnvironment.mentionsRevision)
        return RenderCache.Key(
            application: application.name, specification: "\(sources.digest) \(destination) \(application.project)",
            capabilities: capabilities, commit: mentions ? revisions.map { $0?.commit ?? "" }.joined(separator: " ") : "")
    }
}
