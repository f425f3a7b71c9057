import Glibc
import ResourceModel
import SystemPackage

/// A repository's files in a directory on disk: what `render` and `validate` work on with neither network nor cluster.
package struct OfflineRepository: Sendable {
    /// The repository's root: the paths of sources start here.
    package let root: FilePath
    /// What is looked at, from the root.
    package let path: String
    private let tree: DirectoryFileTree
    private let renderer: Renderer

    /// - Parameters:
    ///   - directory: what to look at.
    ///   - root: the repository's root; `nil` takes the nearest directory above with a `.git`, else `directory` itself.
    /// - Throws: a `Problem` when there is no such directory.
    package init(directory: FilePath, root: FilePath? = nil, tools: ToolConfiguration = ToolConfiguration(), capabilities: ClusterCapabilities = ClusterCapabilities()) throws {
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
    package func applications() async throws -> ApplicationCatalog { try await ApplicationCatalog.read(tree, path: path, origin: nil) }

    /// Renders one application whose sources are all in this repository.
    /// - Throws: `Problems`.
    package func desiredState(of application: Application) async throws -> DesiredState {
        let foreign = foreignSources(of: application)
        guard foreign.isEmpty else { throw Problems(foreign) }
        let revision = Revision(repository: root.string, ref: "", commit: "", author: "", subject: "", committedAt: 0)
        return try await renderer.desiredState(of: application, from: application.sources.map { _ in (tree, nil) }, revision: revision)
    }

    /// Renders a directory without an application: plain, Kustomize or Helm as detected.
    /// - Throws: `Problems`.
    package func desiredState(ofPath path: String, name: String, namespace: String?) async throws -> DesiredState {
        let place = SourceLocation(path: RepositoryPath.display(path), line: 0)
        let application = Application(
            name: name, location: place, sources: [ApplicationSource(repoURL: ".", path: path, location: place)], hasMultipleSources: false,
            destination: Application.Destination(server: Application.Destination.defaultClusterServer, namespace: namespace))
        return try await desiredState(of: application)
    }

    /// Everything that is wrong at and below the path: files that are not YAML, applications, projects and what does not render.
    /// Applications with sources in other repositories are named in a warning.
    package func validate() async throws -> [Problem] {
        var problems = try await syntaxProblems()
        let catalog = try await applications()
        problems += catalog.problems
        for application in catalog.applications {
            problems += await self.problems(of: application, in: catalog)
        }
        var seen: Set<Problem> = []
        return problems.filter { seen.insert($0).inserted }.sorted {
            ($0.location?.path ?? "", $0.location?.line ?? 0, $0.message) < ($1.location?.path ?? "", $1.location?.line ?? 0, $1.message)
        }
    }

    private func syntaxProblems() async throws -> [Problem] {
        let scan = try await RepositoryScan.scan(tree, path: path)
        var problems: [Problem] = []
        for (file, bytes) in zip(scan.manifestFiles, try await tree.contents(of: scan.manifestFiles)) {
            do {
                _ = try DocumentReader.documents(in: bytes, path: file.path)
            } catch {
                problems.append(error)
            }
        }
        return problems
    }

    private func problems(of application: Application, in catalog: ApplicationCatalog) async -> [Problem] {
        guard let project = catalog.project(named: application.project) else {
            return [
                Problem(
                    code: "project.not-found", message: "Application \(application.name): no AppProject is named `\(application.project)`",
                    location: application.location,
                    hint: nearest(to: application.project, among: catalog.projects.map(\.name)).map { "did you mean `\($0)`?" }
                        ?? "declare it, or use `project: default`")
            ]
        }
        var problems = project.problems(with: application, repository: nil)
        let foreign = foreignSources(of: application)
        guard foreign.isEmpty else { return problems + foreign }
        do {
            let state = try await desiredState(of: application)
            problems += state.warnings + project.problems(with: state)
            if state.manifests.isEmpty {
                problems.append(
                    Problem(
                        code: "source.empty", severity: .warning, message: "Application \(application.name): renders no objects",
                        location: application.location))
            }
        } catch let found as Problems {
            problems += found.problems
        } catch {
            problems.append(
                Problem(code: "source.failed", message: "Application \(application.name): \(error)", location: application.location))
        }
        return problems
    }

    private func foreignSources(of application: Application) -> [Problem] {
        application.sources.filter { !$0.isOwnRepository }.map {
            Problem(
                code: "source.not-checked", severity: .warning,
                message: "Application \(application.name): not checked, its source is in the repository \($0.repoURL)", location: $0.location,
                hint: "`repoURL: .` is the repository that the application is in")
        }
    }

    // MARK: Places

    private static func absolute(_ path: FilePath) throws -> FilePath {
        guard let resolved = path.withPlatformString({ realpath($0, nil) }) else {
            throw Problem(
                code: "source.path-missing", message: "`\(path)`: \(Errno(rawValue: errno))", hint: "name a directory that exists")
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
