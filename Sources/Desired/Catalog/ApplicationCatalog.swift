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
    /// - Parameter origin: the revision that the tree is; `nil` for a directory on disk.
    /// - Throws: a `Problem` when the path is missing or files cannot be read; what is wrong inside files is in `problems`.
    package static func read(_ tree: some FileTree, path: String, origin: Revision?) async throws -> ApplicationCatalog {
        let scan = try await RepositoryScan.scan(tree, path: path)
        let contents = try await tree.contents(of: scan.manifestFiles)
        var reader = CatalogReader(origin: origin)
        for (file, raw) in zip(scan.manifestFiles, contents) {
            let bytes = DocumentReader.utf8(raw)
            if DocumentReader.contains("argoproj.io/", in: bytes) { reader.read(bytes, path: file.path) }
        }
        return reader.catalog()
    }
}

/// Collects the three kinds file by file.
struct CatalogReader {
    private let origin: Revision?
    private var declared: [(name: String, application: Application?, problems: [Problem], location: SourceLocation)] = []
    private var projects: [AppProject] = []
    private var problems: [Problem] = []

    init(origin: Revision?) { self.origin = origin }

    mutating func read(_ bytes: [UInt8], path: String) {
        do {
            for document in try DocumentReader.documents(in: bytes, path: path) {
                read(document.value, document)
            }
        } catch {
            problems.append(error)
        }
    }

    private mutating func read(_ value: JSONValue, _ document: SourceDocument) {
        guard let kind = value["kind"]?.stringValue, let apiVersion = value["apiVersion"]?.stringValue else { return }
        if kind.hasSuffix("List"), let items = value["items"]?.arrayValue {
            for (index, item) in items.enumerated() { read(item, document.part(item, at: "/items/\(index)")) }
            return
        }
        guard apiVersion.hasPrefix("argoproj.io/"), ["Application", "AppProject", "ApplicationSet"].contains(kind) else { return }
        guard apiVersion == Application.apiVersion else {
            problems.append(
                Problem(
                    code: "application.unknown-version", message: "\(kind) of \(apiVersion): unknown version",
                    location: document.location, hint: "write `apiVersion: \(Application.apiVersion)`"))
            return
        }
        switch kind {
        case "Application":
            var (application, found) = Application.decode(document)
            application?.origin = origin
            problems += found
            let name = application?.name ?? value[path: "metadata", "name"]?.stringValue ?? ""
            declared.append((name, application, found, document.location))
        case "AppProject":
            let (project, found) = AppProject.decode(document)
            problems += found
            if let project { projects.append(project) }
        default:
            let name = value[path: "metadata", "name"]?.stringValue ?? "without a name"
            problems.append(
                Problem(
                    code: "application-set.unsupported", message: "ApplicationSet \(name): ApplicationSets are not supported yet",
                    location: document.location, hint: "declare its Applications one by one"))
        }
    }

    /// All that was read, with names that are declared twice refused.
    func catalog() -> ApplicationCatalog {
        var problems = problems
        var rejected: [String: [Problem]] = [:]
        var applications: [Application] = []
        for (name, group) in Dictionary(grouping: declared, by: \.name) {
            if group.count > 1, !name.isEmpty {
                let places = group.map(\.location).sorted { ($0.path, $0.line) < ($1.path, $1.line) }
                let problem = Problem(
                    code: "application.duplicate-name",
                    message:
                        "Application \(name): is declared \(places.count) times, at \(places.map(\.description).joined(separator: " and "))",
                    location: places[0], hint: "rename or remove one of them")
                problems.append(problem)
                rejected[name] = group.flatMap(\.problems) + [problem]
            } else if let application = group[0].application {
                applications.append(application)
            } else if !name.isEmpty {
                rejected[name] = group[0].problems
            }
        }
        for (name, group) in Dictionary(grouping: projects, by: \.name) where group.count > 1 {
            let places = group.map(\.location.description).sorted()
            problems.append(
                Problem(
                    code: "project.duplicate-name",
                    message: "AppProject \(name): is declared at \(places.joined(separator: " and "))",
                    location: group[0].location, hint: "rename or remove one of them"))
        }
        return ApplicationCatalog(
            applications: applications.sorted { $0.name < $1.name }, projects: projects.sorted { $0.name < $1.name },
            problems: problems.sorted {
                ($0.location?.path ?? "", $0.location?.line ?? 0) < ($1.location?.path ?? "", $1.location?.line ?? 0)
            },
            rejected: rejected)
    }
}
