import ResourceModel

extension OfflineRepository {
    /// Everything that is wrong at and below the path: files that are not YAML, applications, projects, what does not render, and
    /// objects that two applications declare. Applications that cannot be rendered from this directory are named in a warning.
    package func validate() async throws -> [Problem] {
        var problems = try await syntaxProblems()
        let catalog = try await applications()
        problems += catalog.problems
        var states: [(application: Application, state: DesiredState)] = []
        for application in catalog.applications {
            let (state, found) = await check(application, in: catalog)
            problems += found
            if let state { states.append((application, state)) }
        }
        problems += Self.sharedObjects(in: states)
        var seen: Set<Problem> = []
        return problems.filter { seen.insert($0).inserted }.sorted {
            let left = ($0.location?.path ?? "", $0.location?.line ?? 0, $0.message)
            let right = ($1.location?.path ?? "", $1.location?.line ?? 0, $1.message)
            return left < right
        }
    }

    private func syntaxProblems() async throws -> [Problem] {
        let scan = try await RepositoryScan.scan(tree, path: path)
        var problems: [Problem] = []
        for (file, bytes) in zip(scan.manifestFiles, try await tree.contents(of: scan.manifestFiles)) {
            do {
                _ = try DocumentReader.documents(in: DocumentReader.utf8(bytes), path: file.path)
            } catch {
                problems.append(error)
            }
        }
        return problems
    }

    private func check(_ application: Application, in catalog: ApplicationCatalog) async -> (
        state: DesiredState?, problems: [Problem]
    ) {
        guard let project = catalog.project(named: application.project) else {
            let near = nearest(to: application.project, among: catalog.projects.map(\.name))
            let missing = Problem(
                code: "project.not-found",
                message: "Application \(application.name): no AppProject is named `\(application.project)`",
                location: application.location,
                hint: near.map { "did you mean `\($0)`?" } ?? "declare it, or use `project: default`")
            return (nil, [missing])
        }
        var problems = project.problems(with: application, repository: nil)
        let foreign = foreignSources(of: application)
        guard foreign.isEmpty else { return (nil, problems + foreign) }
        do {
            let state = try await desiredState(of: application)
            problems += state.warnings + project.problems(with: state, destination: application.destination) + dependencyProblems(in: state.manifests)
            if state.manifests.isEmpty {
                problems.append(
                    Problem(
                        code: "source.empty", severity: .warning, message: "Application \(application.name): renders no objects",
                        location: application.location))
            }
            return (state, problems)
        } catch let found as Problems {
            return (nil, problems + found.problems)
        } catch {
            let failure = Problem(
                code: "source.failed", message: "Application \(application.name): \(error)", location: application.location)
            return (nil, problems + [failure])
        }
    }

    /// Objects that more than one application declares for one cluster: each sync would take them from the other.
    private static func sharedObjects(in states: [(application: Application, state: DesiredState)]) -> [Problem] {
        struct Target: Hashable {
            var cluster: String
            var id: ResourceID
        }
        var owners: [Target: (application: String, manifest: Manifest)] = [:]
        var problems: [Problem] = []
        for (application, state) in states {
            let destination = application.destination
            let cluster = destination.isDefaultCluster ? "" : destination.name ?? destination.server ?? ""
            for manifest in state.manifests {
                let target = Target(cluster: cluster, id: manifest.id)
                guard let other = owners[target], other.application != application.name else {
                    owners[target] = (application.name, manifest)
                    continue
                }
                problems.append(
                    Problem(
                        code: "application.shared-object",
                        message: "is declared by Application \(application.name) and, in \(other.manifest.source), "
                            + "by Application \(other.application)",
                        location: manifest.source, resource: manifest.id, hint: "leave it to one of them"))
            }
        }
        return problems
    }
}
