import ResourceModel

/// What one file adds to a catalog.
struct CatalogFile: Sendable {
    struct DeclaredApplication: Sendable {
        var name: String
        /// `nil` when `problems` has an error.
        var application: Application?
        var problems: [Problem]
        var location: SourceLocation
    }

    private(set) var applications: [DeclaredApplication] = []
    private(set) var projects: [AppProject] = []
    private(set) var problems: [Problem] = []

    /// Reads a file. One that does not mention the API group cannot declare anything and is not parsed.
    init(bytes: [UInt8], path: String) {
        let bytes = DocumentReader.utf8(bytes)
        guard DocumentReader.contains("argoproj.io/", in: bytes) else { return }
        do {
            for document in try DocumentReader.documents(in: bytes, path: path) { read(document.value, document) }
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
            let (application, found) = Application.decode(document)
            problems += found
            let name = application?.name ?? value[path: "metadata", "name"]?.stringValue ?? ""
            applications.append(
                DeclaredApplication(name: name, application: application, problems: found, location: document.location))
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
}
