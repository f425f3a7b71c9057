import ResourceModel

/// Every `Application` and `AppProject` of a repository, wherever under the path they lie, and everything that is wrong with them.
package struct ApplicationCatalog: Sendable {
    /// Without errors, sorted by name.
    package var applications: [Application]
    /// The declared projects; `project(named:)` knows the implicit one as well.
    package var projects: [AppProject]
    /// All that is wrong, in order of place. Errors do not stop the other applications.
    package var problems: [Problem]
    /// Names of applications that are declared and cannot be used, with the reasons.
    package var rejected: [String: [Problem]]

    /// Whether every file that mentions `argoproj.io` could be read: only then does "not in the catalog" mean "not declared".
    package var isComplete: Bool {
        rejected.isEmpty && !problems.contains { $0.severity == .error && $0.code != "application-set.unsupported" }
    }

    /// The application of that name.
    /// - Throws: `Problems` that say why it cannot be used, or that it is not declared and which names are.
    package func application(named name: String) throws(Problems) -> Application {
        if let application = applications.first(where: { $0.name == name }) { return application }
        if let reasons = rejected[name] { throw Problems(reasons) }
        let known = applications.map(\.name)
        let missing = Problem(
            code: "application.not-found", message: "no Application is named `\(name)`",
            hint: nearest(to: name, among: known).map { "did you mean `\($0)`?" }
                ?? (known.isEmpty ? "no Application was found at all" : "there are: \(known.joined(separator: ", "))"))
        // A file that could not be read may hold it: say so before saying that it is not there.
        throw Problems(problems.filter { $0.severity == .error } + [missing])
    }

    /// The project of that name, the implicit `default` included; `nil` when it is not declared.
    package func project(named name: String) -> AppProject? {
        if let project = projects.first(where: { $0.name == name }) { return project }
        return name.isEmpty || name == "default" ? .default : nil
    }
}

extension ApplicationCatalog {
    /// Reads everything under a path of a tree.
    /// - Parameters:
    ///   - origin: the revision that the tree is; `nil` for a directory on disk.
    ///   - cache: what files of earlier commits held; `nil` reads every file.
    /// - Throws: a `Problem` when the path is missing or files cannot be read; what is wrong inside files is in `problems`.
    package static func read(
        _ tree: some FileTree, path: String, origin: Revision?, cache: CatalogCache? = nil
    ) async throws -> ApplicationCatalog {
        let scan = try await RepositoryScan.scan(tree, path: path)
        var files: [CatalogFile] = []
        var unread: [FileTreeEntry] = []
        for entry in scan.manifestFiles {
            if let known = cache?.file(entry) { files.append(known) } else { unread.append(entry) }
        }
        for (entry, bytes) in zip(unread, try await tree.contents(of: unread)) {
            let file = CatalogFile(bytes: bytes, path: entry.path)
            cache?.store(file, for: entry)
            files.append(file)
        }
        cache?.forgetUnused()
        return ApplicationCatalog(files, origin: origin)
    }

    /// Puts files together; names that are declared twice are refused.
    private init(_ files: [CatalogFile], origin: Revision?) {
        let projects = files.flatMap(\.projects)
        applications = []
        rejected = [:]
        problems = files.flatMap(\.problems)
        self.projects = projects.sorted { $0.name < $1.name }
        for (name, group) in Dictionary(grouping: files.flatMap(\.applications), by: \.name) {
            if group.count > 1, !name.isEmpty {
                let problem = Problem.duplicate("application", "Application \(name)", at: group.map(\.location))
                problems.append(problem)
                rejected[name] = group.flatMap(\.problems) + [problem]
            } else if var application = group[0].application {
                application.origin = origin
                applications.append(application)
            } else if !name.isEmpty {
                rejected[name] = group[0].problems
            }
        }
        for (name, group) in Dictionary(grouping: projects, by: \.name) where group.count > 1 {
            problems.append(.duplicate("project", "AppProject \(name)", at: group.map(\.location)))
        }
        applications.sort { $0.name < $1.name }
        problems.sort { ($0.location?.path ?? "", $0.location?.line ?? 0) < ($1.location?.path ?? "", $1.location?.line ?? 0) }
    }
}

extension Problem {
    fileprivate static func duplicate(_ kind: String, _ subject: String, at places: [SourceLocation]) -> Problem {
        let places = places.sorted { ($0.path, $0.line) < ($1.path, $1.line) }
        return Problem(
            code: "\(kind).duplicate-name",
            message: "\(subject): is declared \(places.count) times, at \(places.map(\.description).joined(separator: " and "))",
            location: places[0], hint: "rename or remove one of them")
    }
}
