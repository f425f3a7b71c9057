import ResourceModel
import TaskModel

/// Where one field of a rendered object is declared.
package struct DeclaredPlace: Sendable, Hashable {
    package enum Precision: String, Sendable, Hashable {
        /// The very line that sets the field.
        case field
        /// The part of the file that holds it, or would.
        case part
        /// Only the file, or the renderer's main file, is known.
        case file
    }

    package var location: SourceLocation
    package var precision: Precision
    /// What of the renderer sets it there, for people: `patch`, `images`, `values`, `template`; `nil` for a plain manifest.
    package var means: String?
    /// The line of the template that takes the value in, for a value of a Helm chart.
    package var through: SourceLocation?

    package init(location: SourceLocation, precision: Precision, means: String? = nil, through: SourceLocation? = nil) {
        self.location = location
        self.precision = precision
        self.means = means
        self.through = through
    }
}

/// Finds the lines of a repository that declare the fields of one application's objects. Files are read once.
///
/// For plain manifests that is exact. What kustomize and helm do to their inputs is not traced: their files are searched for what must
/// have set the field, and where that is not found the answer says that only the file is known.
package actor Declarations {
    let application: Application
    private let trees: [any FileTree]
    private var documents: [String: [SourceDocument]] = [:]
    private var texts: [String: [UInt8]?] = [:]

    init(application: Application, trees: [any FileTree]) {
        self.application = application
        self.trees = trees
    }

    /// Where a field of the object is declared; a place above it where nothing declares that very field.
    package func place(of path: FieldPath, in manifest: Manifest) async throws -> DeclaredPlace {
        let path = Self.asDeclared(path, in: manifest)
        let file = manifest.source.path
        // A task's line is where its document lists it; its fields have no lines of their own.
        if manifest.id.group == TaskKinds.group, manifest.source.path.hasSuffix(".md") { return DeclaredPlace(location: manifest.source, precision: .part) }
        if manifest.source.line > 0 { return try await plainPlace(of: path, in: manifest) }
        if SourceType.kustomizationNames.contains(RepositoryPath.name(of: file)) {
            return try await kustomizePlace(of: path, in: manifest) ?? DeclaredPlace(location: manifest.source, precision: .file)
        }
        return try await helmPlace(of: path, in: manifest) ?? DeclaredPlace(location: manifest.source, precision: .file)
    }

    /// A Secret's `stringData` is sent as `data`.
    private static func asDeclared(_ path: FieldPath, in manifest: Manifest) -> FieldPath {
        guard manifest.id.groupKind == GroupKind(group: "", kind: "Secret"), path.steps.first == .member("data"), !path.isPresent(in: manifest.body) else { return path }
        let other = FieldPath(steps: [.member("stringData")] + path.steps.dropFirst())
        return other.isPresent(in: manifest.body) ? other : path
    }

    private func plainPlace(of path: FieldPath, in manifest: Manifest) async throws -> DeclaredPlace {
        let objects = try await objects(in: manifest.source.path)
        guard let object = objects.first(where: { $0.location == manifest.source && Self.kind(of: $0) == manifest.id.kind }) else {
            return DeclaredPlace(location: manifest.source, precision: .file)
        }
        return Self.place(of: path, in: object)
    }

    static func place(of path: FieldPath, in object: SourceDocument, means: String? = nil) -> DeclaredPlace {
        let (pointer, depth) = path.pointer(in: object.value)
        return DeclaredPlace(
            location: object.location(of: pointer.description), precision: depth == path.steps.count ? .field : .part, means: means)
    }

    // MARK: Files

    static func kind(of object: SourceDocument) -> String { object.value["kind"]?.stringValue ?? "" }
    static func name(of object: SourceDocument) -> String { object.value[path: "metadata", "name"]?.stringValue ?? "" }

    /// The objects of a file, lists taken apart; none when it is not there or cannot be read as YAML.
    func objects(in path: String) async throws -> [SourceDocument] {
        if let known = documents[path] { return known }
        var found: [SourceDocument] = []
        if let bytes = try await contents(of: path) {
            // A file that is no YAML (a template, a text) declares nothing that could be found in it.
            for document in (try? DocumentReader.documents(in: bytes, path: path)) ?? [] { Self.takeApart(document, into: &found) }
        }
        documents[path] = found
        return found
    }

    private static func takeApart(_ document: SourceDocument, into found: inout [SourceDocument]) {
        guard kind(of: document).hasSuffix("List"), let items = document.value["items"]?.arrayValue else {
            found.append(document)
            return
        }
        for (index, item) in items.enumerated() { takeApart(document.part(item, at: "/items/\(index)"), into: &found) }
    }

    /// A file's bytes in the first source that has it; `nil` when none has.
    func contents(of path: String) async throws -> [UInt8]? {
        if let known = texts[path] { return known }
        var bytes: [UInt8]?
        for tree in trees {
            guard let entry = try await tree.followedEntry(at: path), entry.isFile else { continue }
            bytes = DocumentReader.utf8(try await tree.contents(of: entry))
            break
        }
        texts[path] = bytes
        return bytes
    }

    func kustomization(in directory: String) async throws -> SourceDocument? {
        for tree in trees {
            guard let entry = try await SourceType.kustomization(in: directory, of: tree) else { continue }
            return try await objects(in: entry.path).first
        }
        return nil
    }
}

extension DesiredStateBuilder {
    /// The declarations of an application at a revision that `fetch` gave.
    package func declarations(of application: Application, at revision: Revision) async throws -> Declarations {
        Declarations(application: application, trees: try await trees(of: application, at: revision).map(\.tree))
    }

    /// The commit that last changed a line, or where there is no line the file; `nil` when the history does not know the file.
    package func lastChange(of place: SourceLocation, at revision: Revision) async throws -> Revision? {
        let mirror = mirror(for: revision.repository)
        if place.line > 0, let found = try await mirror.blame(place.path, line: place.line, at: revision.commit) { return found }
        return try await mirror.log(from: nil, to: revision.commit, touching: [place.path], limit: 1).first?.revision
    }
}

extension OfflineRepository {
    /// The declarations of an application whose sources are all in this repository.
    package func declarations(of application: Application) -> Declarations { Declarations(application: application, trees: [tree]) }
}
