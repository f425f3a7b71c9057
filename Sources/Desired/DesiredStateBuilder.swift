import Git
import Logging
import ResourceModel
import Synchronization
import SystemPackage

/// Where the applications are declared and how repositories are reached.
package struct DesiredConfiguration: Sendable {
    /// The repository that holds the applications: what `repoURL: .` means.
    package var repository: String
    package var branch: String
    /// Applications are looked for at and below this path.
    package var path: String
    /// The directory for bare mirrors, one for each repository (`mirrors` in the state directory).
    package var mirrors: FilePath
    package var credentials: [RepositoryCredential]
    /// The longest that one fetch may take.
    package var fetchDeadline: Duration
    package var tools: ToolConfiguration
    package var capabilities: ClusterCapabilities

    package init(
        repository: String, branch: String = "main", path: String = "environments", mirrors: FilePath,
        credentials: [RepositoryCredential] = [], fetchDeadline: Duration = .seconds(120), tools: ToolConfiguration = ToolConfiguration(),
        capabilities: ClusterCapabilities = ClusterCapabilities()
    ) {
        self.repository = repository
        self.branch = branch
        self.path = path
        self.mirrors = mirrors
        self.credentials = credentials
        self.fetchDeadline = fetchDeadline
        self.tools = tools
        self.capabilities = capabilities
    }
}

/// What is needed to reach repositories whose URL starts with `url`; the longest match is taken.
package struct RepositoryCredential: Sendable {
    package var url: String
    package var credentials: GitCredentials?
    package var caFile: String?
    package var knownHostsFile: String?

    package init(url: String, credentials: GitCredentials?, caFile: String? = nil, knownHostsFile: String? = nil) {
        self.url = url
        self.credentials = credentials
        self.caFile = caFile
        self.knownHostsFile = knownHostsFile
    }

    /// Whether `repository` is `url` or lies below it. `https://host` does not cover `https://host.example`: an application
    /// must not be able to send the credentials of one server to another.
    package func covers(_ repository: String) -> Bool {
        guard repository.hasPrefix(url) else { return false }
        let rest = repository.dropFirst(url.count)
        return url.hasSuffix("/") || url.hasSuffix(":") || rest.isEmpty || rest == ".git" || rest.hasPrefix("/")
    }
}

/// The first two steps of a reconciliation: fetch (`Application` → `Revision`) and render (`Revision` → `DesiredState`).
/// One value serves all applications; mirrors and renders are shared and kept.
package final class DesiredStateBuilder: Sendable {
    package let configuration: DesiredConfiguration
    package let cache: RenderCache
    private let renderer: Renderer
    private let catalogCache = CatalogCache()
    private let opened: Mutex<Opened> = Mutex(Opened())
    private let logger: Logger

    private struct Opened: Sendable {
        var mirrors: [String: (mirror: GitMirror, remote: GitRemote)] = [:]
        /// The trees of recent revisions by repository and commit, newest last.
        var trees: [(key: String, tree: GitFileTree)] = []
    }

    package init(_ configuration: DesiredConfiguration, cache: RenderCache = RenderCache(), logger: Logger = Logger(label: "desired")) {
        self.configuration = configuration
        self.cache = cache
        self.logger = logger
        renderer = Renderer(tools: configuration.tools, capabilities: configuration.capabilities, cache: cache)
    }

    // MARK: The repository that holds the applications

    /// Fetches the branch that holds the applications.
    /// - Throws: `GitError`; nothing is known then, not even that nothing changed.
    package func fetchConfiguration() async throws -> Revision {
        try await fetch(repository: configuration.repository, ref: configuration.branch)
    }

    /// The branch as it was last fetched, for when the repository can't be reached.
    /// - Throws: `GitError` when it never was.
    package func lastFetchedConfiguration() async throws -> Revision {
        try await mirror(for: configuration.repository).resolve(configuration.branch)
    }

    /// What the source of an application that renders named, when it was last fetched.
    package func lastFetched(_ application: Application) async throws -> Revision {
        let source = application.sources.first { !$0.rendersNothing } ?? application.sources[0]
        if let own = ownRevision(of: source, application) { return own }
        let (url, ref) = place(of: source)
        return try await mirror(for: url).resolve(ref)
    }

    /// Every application declared at a revision of that repository.
    /// - Throws: `GitError`, or a `Problem` when the path is missing; what is wrong with applications is in the catalog.
    package func applications(at revision: Revision) async throws -> ApplicationCatalog {
        try await ApplicationCatalog.read(
            try await tree(of: revision), path: configuration.path, origin: revision, cache: catalogCache)
    }

    // MARK: One application

    /// Fetches what every source of the application names, and gives the revision of the first one that renders.
    /// A source with `repoURL: .` and no `targetRevision` is at the revision that the application was read from; nothing is fetched.
    package func fetch(_ application: Application) async throws -> Revision {
        let revision = try await revision(of: application) { url, ref in try await fetch(repository: url, ref: ref) }
        guard let revision else {
            throw Problem(
                code: "application.missing-field", message: "Application \(application.name): no source has a `path`",
                location: application.location)
        }
        return revision
    }

    /// What `fetch` would give as far as this process has seen the repositories already, which are not asked again: the fetch of the
    /// branch that declares applications tells what every other reference of its repository stands for.
    /// - Returns: `nil` where something has to be fetched.
    package func revisionSeen(of application: Application) async throws -> Revision? {
        struct Unseen: Error {}
        do {
            return try await revision(of: application) { url, ref in
                guard let revision = try await mirror(for: url).revisionSeen(of: ref) else { throw Unseen() }
                return revision
            }
        } catch is Unseen {
            return nil
        }
    }

    /// The revision of the first source that renders, once all have theirs.
    private func revision(
        of application: Application, by fetch: (_ url: String, _ ref: String) async throws -> Revision
    ) async throws -> Revision? {
        var fetched: [String: Revision] = [:]
        var primary: Revision?
        for source in application.sources {
            let revision: Revision
            if let own = ownRevision(of: source, application) {
                revision = own
            } else {
                let (url, ref) = place(of: source)
                let key = "\(url) \(ref)"
                revision = if let known = fetched[key] { known } else { try await fetch(url, ref) }
                fetched[key] = revision
            }
            if primary == nil, !source.rendersNothing { primary = revision }
        }
        return primary
    }

    /// Renders the application at a revision that `fetch` gave. Sources in other repositories are taken as they were last fetched.
    /// - Throws: `Problems`, `GitError`. Never an incomplete state.
    package func desiredState(of application: Application, at revision: Revision) async throws -> DesiredState {
        try await renderer.desiredState(of: application, from: try await trees(of: application, at: revision), revision: revision)
    }

    /// What is known of the desired state if it was rendered before.
    /// - Returns: `nil` when it has to be rendered.
    package func summary(of application: Application, at revision: Revision) async throws -> RenderSummary? {
        try await renderer.summary(of: application, from: try await trees(of: application, at: revision))
    }

    /// A tree for each source, with the revision that it is.
    func trees(of application: Application, at revision: Revision) async throws -> [(tree: any FileTree, revision: Revision?)] {
        var trees: [(tree: any FileTree, revision: Revision?)] = []
        let primary = application.sources.firstIndex { !$0.rendersNothing } ?? 0
        for (index, source) in application.sources.enumerated() {
            let at: Revision
            if index == primary || follows(source, application.sources[primary], revision, application) {
                at = revision
            } else if let own = ownRevision(of: source, application) {
                at = own
            } else {
                let (url, ref) = place(of: source)
                at = try await mirror(for: url).resolve(ref)
            }
            trees.append((try await tree(of: at), at))
        }
        return trees
    }

    /// Everything that the render of one source looks at in its tree; also of a render that fails.
    func inputs(of application: Application, source index: Int, at revision: Revision) async throws -> [RenderInput] {
        var application = application
        // A source in the application's own repository is looked at where it would be read from.
        if ownRevision(of: application.sources[index], application) != nil { application.origin = revision }
        var trees: [(tree: any FileTree, revision: Revision?)] = []
        for (number, source) in application.sources.enumerated() {
            let (url, ref) = place(of: source)
            let at: Revision
            if number == index || follows(source, application.sources[index], revision, application) {
                at = revision
            } else if let own = ownRevision(of: source, application) {
                at = own
            } else {
                at = try await fetch(repository: url, ref: ref)
            }
            trees.append((try await tree(of: at), at))
        }
        return try await renderer.inputs(of: application, from: trees)[index]
    }

    /// Fetches and renders.
    package func render(_ application: Application) async throws -> DesiredState {
        try await desiredState(of: application, at: try await fetch(application))
    }

    /// The files of a revision that was fetched.
    package func tree(of revision: Revision) async throws -> GitFileTree {
        let key = "\(revision.repository) \(revision.commit)"
        if let known = opened.withLock({ $0.trees.first { $0.key == key }?.tree }) { return known }
        let tree = GitFileTree(try await mirror(for: revision.repository).snapshot(of: revision))
        opened.withLock {
            $0.trees.append((key, tree))
            if $0.trees.count > 64 { $0.trees.removeFirst() }
        }
        return tree
    }

    // MARK: Repositories

    func fetch(repository url: String, ref: String) async throws -> Revision {
        logger.debug("fetch", metadata: ["repository": "\(url)", "ref": "\(ref)"])
        return try await mirror(for: url).fetch(ref: ref, deadline: configuration.fetchDeadline)
    }

    /// The revision that a source has without being fetched.
    private func ownRevision(of source: ApplicationSource, _ application: Application) -> Revision? {
        source.isOwnRepository && source.targetRevision == nil ? application.origin : nil
    }

    /// Whether a source is at the revision of the primary one: both at the application's own, or both at one reference of one repository.
    private func follows(
        _ source: ApplicationSource, _ primary: ApplicationSource, _ revision: Revision, _ application: Application
    ) -> Bool {
        if ownRevision(of: source, application) != nil { return ownRevision(of: primary, application) != nil }
        let (url, ref) = place(of: source)
        return GitRemote(url: url).url == revision.repository && ref == revision.ref
    }

    /// The repository and the reference that a source names.
    func place(of source: ApplicationSource) -> (url: String, ref: String) {
        if source.isOwnRepository { return (configuration.repository, source.targetRevision ?? configuration.branch) }
        return (source.repoURL, source.targetRevision ?? "HEAD")
    }

    /// The mirror of a repository, by the URL that its revisions show: credentials in a URL are kept, and not part of that.
    func mirror(for url: String) -> GitMirror {
        let remote = remote(for: url)
        return opened.withLock { opened in
            if let known = opened.mirrors[remote.url], remote.credentials == nil || known.remote == remote { return known.mirror }
            let directory = configuration.mirrors.appending(GitMirror.directoryName(for: remote.url))
            let mirror = GitMirror(directory: directory.string, remote: remote)
            opened.mirrors[remote.url] = (mirror, remote)
            return mirror
        }
    }

    private func remote(for url: String) -> GitRemote {
        let credential = configuration.credentials.filter { $0.covers(url) }.max { $0.url.count < $1.url.count }
        return GitRemote(
            url: url, credentials: credential?.credentials, caFile: credential?.caFile, knownHostsFile: credential?.knownHostsFile)
    }
}
