import Glibc
import ResourceModel
import SystemPackage

/// A repository's files in a directory on disk: what `render` and `validate` work on with neither network nor cluster.
package struct OfflineRepository: Sendable {
    /// The repository's root: the paths of sources start here.
    package let root: FilePath
    /// What is looked at, from the root.
    package let path: String
    let tree: DirectoryFileTree
    private let renderer: Renderer

    /// - Parameters:
    ///   - directory: what to look at.
    ///   - root: the repository's root; `nil` takes the nearest directory above with a `.git`, else `directory` itself.
    /// - Throws: a `Problem` when there is no such directory.
    package init(
        directory: FilePath, root: FilePath? = nil, tools: ToolConfiguration = ToolConfiguration(),
        capabilities: ClusterCapabilities = ClusterCapabilities()
    ) throws {
        let absolute = try Self.absolute(directory)
        let base = try root.map(Self.absolute) ?? Self.workTree(of: absolute) ?? absolute
        self.root = base
        guard let relative = RepositoryPath.relative(absolute.string, to: base.string) else {
            throw Problem(code: "source.path-missing", message: "`\(directory)` does not lie in `\(base)`")
        }
        path = relative
        tree = DirectoryFileTree(root: base)
        renderer = Renderer(tools: tools, capabilities: capabilities)
    }

    /// What is declared at and below the path.
    package func applications() async throws -> ApplicationCatalog {
        try await ApplicationCatalog.read(tree, path: path, origin: nil)
    }

    /// Renders one application whose sources are all in this repository.
    /// - Throws: `Problems`.
    package func desiredState(of application: Application) async throws -> DesiredState {
        let foreign = foreignSources(of: application)
        guard foreign.isEmpty else { throw Problems(foreign) }
        let revision = Revision(repository: root.string, ref: "", commit: "", author: "", subject: "", committedAt: 0)
        return try await renderer.desiredState(
            of: application, from: application.sources.map { _ in (tree, nil) }, revision: revision)
    }

    /// Renders a directory without an application: plain, Kustomize or Helm as detected.
    /// - Throws: `Problems`.
    package func desiredState(ofPath path: String, name: String, namespace: String?) async throws -> DesiredState {
        let place = SourceLocation(path: RepositoryPath.display(path), line: 0)
        let application = Application(
            name: name, location: place, sources: [ApplicationSource(repoURL: ".", path: path, location: place)],
            hasMultipleSources: false,
            destination: Application.Destination(server: Application.Destination.defaultClusterServer, namespace: namespace))
        return try await desiredState(of: application)
    }

    /// Why this directory cannot show what an application's sources are; empty when it can.
    func foreignSources(of application: Application) -> [Problem] {
        application.sources.compactMap { source in
            let place =
                if !source.isOwnRepository {
                    "in the repository \(source.repoURL)"
                } else if let revision = source.targetRevision {
                    "at the revision \(revision)"
                } else {
                    String?.none
                }
            guard let place else { return nil }
            return Problem(
                code: "source.not-checked", severity: .warning,
                message: "Application \(application.name): not checked, its source is \(place)", location: source.location,
                hint: "`repoURL: .` without `targetRevision` is the repository that the application is in")
        }
    }

    // MARK: Places

    private static func absolute(_ path: FilePath) throws -> FilePath {
        guard let resolved = path.withPlatformString({ realpath($0, nil) }) else {
            throw Problem(
                code: "source.path-missing", message: "`\(path)`: \(Errno(rawValue: errno))", hint: "name a directory that exists"
            )
        }
        defer { free(resolved) }
        return FilePath(platformString: resolved)
    }

    private static func workTree(of directory: FilePath) -> FilePath? {
        var current = directory
        while true {
            if current.appending(".git").withPlatformString({ access($0, F_OK) }) == 0 { return current }
            guard current.removeLastComponent() else { return nil }
        }
    }
}
