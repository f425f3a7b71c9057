import ResourceModel

/// Documents to manifests: lists are taken apart, and what cannot be an object is a `Problem` with its line.
struct ManifestReader {
    private(set) var manifests: [Manifest] = []
    private(set) var problems: [Problem] = []

    /// The annotations that make an object a hook, which may then be named by the server.
    private static let hookAnnotations = ["argocd.argoproj.io/hook", "helm.sh/hook"]

    mutating func read(_ documents: [SourceDocument]) {
        for document in documents { read(document.value, document, pointer: "") }
    }

    mutating func add(_ problem: Problem) { problems.append(problem) }

    /// Takes over what another reader found, after what this one has.
    mutating func append(_ other: ManifestReader) {
        manifests += other.manifests
        problems += other.problems
    }

    private mutating func read(_ value: JSONValue, _ document: SourceDocument, pointer: String) {
        let place = location(document, pointer)
        guard case .object(let object) = value else {
            problem(
                "manifest.not-an-object", "holds \(value.typeName == "array" ? "a list" : "a \(value.typeName)"), not an object",
                place)
            return
        }
        if object["kind"]?.stringValue?.hasSuffix("List") == true, case .array(let items)? = object["items"] {
            for (index, item) in items.enumerated() { read(item, document, pointer: "\(pointer)/items/\(index)") }
            return
        }
        // `items: null` is an empty list too, unless the object has a body of its own.
        if object["kind"]?.stringValue?.hasSuffix("List") == true, object["items"]?.isNull == true, object["spec"] == nil,
            object["status"] == nil
        {
            return
        }
        let before = problems.count
        let apiVersion = text(object["apiVersion"], "apiVersion", place)
        let kind = text(object["kind"], "kind", place)
        let metadata = readMetadata(object, document, pointer: pointer, kind: kind)
        guard problems.count == before else { return }
        let type = GroupVersionKind(apiVersion: apiVersion, kind: kind)
        manifests.append(
            Manifest(
                id: ResourceID(group: type.group, kind: kind, namespace: metadata.namespace, name: metadata.name),
                apiVersion: apiVersion, body: value, source: place))
    }

    private mutating func readMetadata(
        _ object: JSONObject, _ document: SourceDocument, pointer: String, kind: String
    ) -> (name: String, namespace: String?) {
        // Lines are worked out only for what is wrong: it takes as long as reading the document.
        guard case .object(let metadata)? = object["metadata"] else {
            problem(
                "manifest.missing-field", "`metadata.name` is missing\(kind.isEmpty ? "" : " in a \(kind)")",
                location(document, pointer + "/metadata"))
            return ("", nil)
        }
        for map in ["labels", "annotations"] { checkMap(metadata[map], map, document, "\(pointer)/metadata/\(map)") }
        var namespace: String?
        switch metadata["namespace"] {
        case nil, .null: break
        case .string(let text): namespace = text.nonEmpty
        case .some(let other):
            problem(
                "manifest.wrong-type", "`metadata.namespace` must be a string, not \(other.jsonString)",
                location(document, pointer + "/metadata/namespace"), hint: "put it in quotes")
        }
        return (name(metadata, document, pointer: pointer, kind: kind), namespace)
    }

    private mutating func name(_ metadata: JSONObject, _ document: SourceDocument, pointer: String, kind: String) -> String {
        switch metadata["name"] {
        case .string(let name) where !name.isEmpty: return name
        case nil, .null, .string:
            guard case .string(let prefix)? = metadata["generateName"], !prefix.isEmpty else {
                problem(
                    "manifest.missing-field", "`metadata.name` is missing in a \(kind)", location(document, pointer + "/metadata")
                )
                return ""
            }
            let annotations = metadata["annotations"]?.objectValue ?? [:]
            guard Self.hookAnnotations.contains(where: annotations.contains) else {
                problem(
                    "manifest.missing-field", "a \(kind) has `generateName` and no `name`: each sync would create another one",
                    location(document, pointer + "/metadata"),
                    hint: "give it a `metadata.name`; only hooks may use `generateName`")
                return ""
            }
            return prefix
        case .some(let other):
            problem(
                "manifest.wrong-type", "`metadata.name` must be a string, not \(other.jsonString)",
                location(document, pointer + "/metadata/name"), hint: "put it in quotes")
            return ""
        }
    }

    private mutating func checkMap(_ value: JSONValue?, _ name: String, _ document: SourceDocument, _ pointer: String) {
        switch value {
        case nil, .null: return
        case .object(let members):
            for member in members where member.value.stringValue == nil && !member.value.isNull {
                let key = member.key.replacing("~", with: "~0").replacing("/", with: "~1")
                problem(
                    "manifest.wrong-type", "`metadata.\(name)`: `\(member.key)` must be a string, not \(member.value.jsonString)",
                    location(document, "\(pointer)/\(key)"), hint: "put it in quotes")
            }
        case .some:
            problem("manifest.wrong-type", "`metadata.\(name)` must be a map of strings", location(document, pointer))
        }
    }

    private mutating func text(_ value: JSONValue?, _ name: String, _ place: SourceLocation) -> String {
        switch value {
        case .string(let text) where !text.isEmpty: return text
        case nil, .null, .string:
            problem("manifest.missing-field", "`\(name)` is missing: this is not a Kubernetes object", place)
        case .some(let other):
            problem("manifest.wrong-type", "`\(name)` must be a string, not \(other.jsonString)", place)
        }
        return ""
    }

    private mutating func problem(_ code: String, _ message: String, _ location: SourceLocation, hint: String? = nil) {
        problems.append(Problem(code: code, message: message, location: location, hint: hint))
    }

    private func location(_ document: SourceDocument, _ pointer: String) -> SourceLocation { document.location(of: pointer) }
}
