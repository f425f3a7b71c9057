import ResourceModel

/// A kustomization's inputs, searched from the outermost one inwards: what is outermost is applied last and wins.
extension Declarations {
    func kustomizePlace(of path: FieldPath, in manifest: Manifest) async throws -> DeclaredPlace? {
        for source in application.sources where source.kustomize.map({ sets($0, path, manifest) }) == true {
            return DeclaredPlace(location: source.location, precision: .part, means: "kustomize options of the application")
        }
        var visited: Set<String> = []
        return try await kustomizePlace(of: path, in: manifest, RepositoryPath.parent(of: manifest.source.path), &visited)
    }

    private func sets(_ options: KustomizeOptions, _ path: FieldPath, _ manifest: Manifest) -> Bool {
        switch path.names.last {
        case "image": options.images.contains { Self.imageNames($0).contains { Self.repository(path.value(in: manifest.body)) == $0 } }
        case "replicas": options.replicas.contains { Self.isNamed(manifest.id.name, from: $0.name) }
        default: false
        }
    }

    private func kustomizePlace(
        of path: FieldPath, in manifest: Manifest, _ directory: String, _ visited: inout Set<String>
    ) async throws -> DeclaredPlace? {
        guard visited.insert(directory).inserted, let kustomization = try await kustomization(in: directory) else { return nil }
        if let place = transformed(path, manifest, kustomization) { return place }
        if let place = try await patched(path, manifest, kustomization, directory) { return place }
        if let place = generated(manifest, kustomization) { return place }
        // A path that no input declares is still somewhere: the object's own document, found last.
        var fallback: DeclaredPlace?
        for field in ["components", "resources", "bases"] {
            for item in kustomization.value[field]?.arrayValue ?? [] {
                guard let text = item.stringValue, let target = RepositoryPath.resolved(text, from: directory) else { continue }
                var place = try await kustomizePlace(of: path, in: manifest, target, &visited)
                if place == nil {
                    place = try await objects(in: target).first {
                        Self.kind(of: $0) == manifest.id.kind && Self.isNamed(manifest.id.name, from: Self.name(of: $0))
                    }.map { Self.place(of: path, in: $0) }
                }
                if place?.precision == .field { return place }
                fallback = fallback ?? place
            }
        }
        return fallback
    }

    /// What the kustomization's own fields set.
    private func transformed(_ path: FieldPath, _ manifest: Manifest, _ kustomization: SourceDocument) -> DeclaredPlace? {
        func found(_ pointer: String, _ means: String) -> DeclaredPlace {
            DeclaredPlace(location: kustomization.location(of: pointer), precision: .field, means: means)
        }
        let value = kustomization.value
        switch path.names {
        case ["metadata", "namespace"] where value["namespace"] != nil: return found("/namespace", "namespace")
        case ["metadata", "name"] where value["namePrefix"] != nil: return found("/namePrefix", "namePrefix")
        case let names where names.count > 2 && names.dropLast().last == "labels" && value[path: "commonLabels", names[names.count - 1]] != nil:
            return found("/commonLabels/\(Self.token(names[names.count - 1]))", "commonLabels")
        case let names where names.count > 2 && names.dropLast().last == "annotations" && value[path: "commonAnnotations", names[names.count - 1]] != nil:
            return found("/commonAnnotations/\(Self.token(names[names.count - 1]))", "commonAnnotations")
        case let names where names.last == "image":
            let index = (value["images"]?.arrayValue ?? []).firstIndex { image in
                let name = image["newName"]?.stringValue ?? image["name"]?.stringValue
                return name == Self.repository(path.value(in: manifest.body))
            }
            return index.map { index in
                let key = ["newTag", "digest", "newName"].first { value["images"]?[index]?[$0] != nil }
                return found("/images/\(index)" + (key.map { "/\($0)" } ?? ""), "images")
            }
        case ["spec", "replicas"]:
            return (value["replicas"]?.arrayValue ?? []).firstIndex { Self.isNamed(manifest.id.name, from: $0["name"]?.stringValue ?? "") }
                .map { found("/replicas/\($0)/count", "replicas") }
        default: return nil
        }
    }

    private func patched(_ path: FieldPath, _ manifest: Manifest, _ kustomization: SourceDocument, _ directory: String) async throws -> DeclaredPlace? {
        var places: [DeclaredPlace] = []
        for field in ["patchesStrategicMerge", "patches", "patchesJson6902"] {
            for (index, item) in (kustomization.value[field]?.arrayValue ?? []).enumerated() {
                let file = (item["path"] ?? item).stringValue.flatMap { $0.contains("\n") ? Optional<String>.none : RepositoryPath.resolved($0, from: directory) }
                let target = item["target"]
                if let name = target?["name"]?.stringValue, !Self.isNamed(manifest.id.name, from: name) { continue }
                if let kind = target?["kind"]?.stringValue, kind != manifest.id.kind { continue }
                if let file {
                    for patch in try await objects(in: file) { if let place = place(of: path, in: patch, manifest, isTargeted: target != nil) { places.append(place) } }
                } else if let text = (item["patch"] ?? item).stringValue {
                    // An inline patch has no lines of its own: the entry is named.
                    for patch in (try? DocumentReader.documents(in: Array(text.utf8), path: "patch.yaml")) ?? [] where place(of: path, in: patch, manifest, isTargeted: target != nil) != nil {
                        places.append(DeclaredPlace(location: kustomization.location(of: "/\(field)/\(index)"), precision: .field, means: "patch"))
                    }
                }
            }
        }
        return places.last
    }

    /// - Returns: where a patch, strategic or JSON 6902, sets the field; `nil` when it does not.
    private func place(of path: FieldPath, in patch: SourceDocument, _ manifest: Manifest, isTargeted: Bool) -> DeclaredPlace? {
        if let operations = patch.value.arrayValue {
            guard isTargeted else { return nil }
            let pointer = path.pointer(in: manifest.body).pointer.description
            guard let index = operations.lastIndex(where: { $0["path"]?.stringValue.map { pointer == $0 || pointer.hasPrefix($0 + "/") } ?? false }) else { return nil }
            return DeclaredPlace(location: patch.location(of: "/\(index)"), precision: .field, means: "patch")
        }
        guard isTargeted || (Self.kind(of: patch) == manifest.id.kind && Self.isNamed(manifest.id.name, from: Self.name(of: patch))),
            let value = path.found(in: patch.value)
        else { return nil }
        // A patch that says something else was overruled by a later one.
        guard value.objectValue != nil || value.arrayValue != nil || value == path.found(in: manifest.body) else { return nil }
        return Self.place(of: path, in: patch, means: "patch")
    }

    private func generated(_ manifest: Manifest, _ kustomization: SourceDocument) -> DeclaredPlace? {
        let field = ["ConfigMap": "configMapGenerator", "Secret": "secretGenerator"][manifest.id.kind] ?? ""
        return (kustomization.value[field]?.arrayValue ?? []).firstIndex { Self.isNamed(manifest.id.name, from: $0["name"]?.stringValue ?? "") }
            .map { DeclaredPlace(location: kustomization.location(of: "/\(field)/\($0)"), precision: .part, means: field) }
    }

    // MARK: Names

    /// Whether a rendered name may have come from that one: prefixes, suffixes and hashes are put around it.
    private static func isNamed(_ rendered: String, from name: String) -> Bool { !name.isEmpty && rendered.contains(name) }

    /// An image without its tag or digest.
    private static func repository(_ image: JSONValue?) -> String? {
        guard let text = image?.stringValue else { return nil }
        let bare = text.prefix { $0 != "@" }
        guard let colon = bare.lastIndex(of: ":"), !bare[colon...].contains("/") else { return String(bare) }
        return String(bare[..<colon])
    }

    /// What `name=newname:tag` and its shorter forms may leave in an object.
    private static func imageNames(_ option: String) -> [String] {
        option.split(separator: "=").compactMap { repository(.string(String($0))) }
    }

    private static func token(_ name: String) -> String { String(JSONPointer(tokens: [name]).description.dropFirst()) }
}
