import ResourceModel

/// What `kustomize edit` would do to a kustomization for an application's `kustomize` options.
struct KustomizationEdit {
    private(set) var kustomization: JSONValue
    private let environment: BuildEnvironment

    init(_ kustomization: JSONValue, environment: BuildEnvironment) {
        self.kustomization = kustomization
        self.environment = environment
    }

    /// - Throws: a `Problem` without a place when an option cannot be applied.
    mutating func apply(_ options: KustomizeOptions, components: [String]) throws(Problem) {
        if let prefix = options.namePrefix { kustomization["namePrefix"] = .string(prefix) }
        if let suffix = options.nameSuffix { kustomization["nameSuffix"] = .string(suffix) }
        if let namespace = options.namespace { kustomization["namespace"] = .string(namespace) }
        for text in options.images { try set(text) }
        for replica in options.replicas {
            replaceItem(
                of: "replicas", named: replica.name,
                with: ["name": .string(replica.name), "count": .integer(Int64(replica.count))])
        }
        try addLabels(options)
        let annotations =
            options.commonAnnotationsEnvsubst
            ? options.commonAnnotations.mapValues(environment.substituted(in:)) : options.commonAnnotations
        try merge(annotations, into: "commonAnnotations", force: options.forceCommonAnnotations)
        append(options.patches, to: "patches")
        append(components.map(JSONValue.string), to: "components")
    }

    private mutating func addLabels(_ options: KustomizeOptions) throws(Problem) {
        guard options.labelWithoutSelector || options.labelIncludeTemplates else {
            try merge(options.commonLabels, into: "commonLabels", force: options.forceCommonLabels)
            return
        }
        guard !options.commonLabels.isEmpty else { return }
        append(
            [
                .object([
                    "pairs": .object(Self.sorted(options.commonLabels)), "includeSelectors": .bool(!options.labelWithoutSelector),
                    "includeTemplates": .bool(options.labelIncludeTemplates),
                ])
            ], to: "labels")
    }

    private mutating func merge(_ pairs: [String: String], into field: String, force: Bool) throws(Problem) {
        guard !pairs.isEmpty else { return }
        var members = kustomization[field]?.objectValue ?? [:]
        for member in Self.sorted(pairs) {
            if let there = members[member.key], there != member.value, !force {
                let option = field == "commonLabels" ? "forceCommonLabels" : "forceCommonAnnotations"
                throw Problem(
                    code: "source.kustomize-conflict",
                    message:
                        "`kustomize.\(field)`: the kustomization already sets `\(member.key)` to `\(there.stringValue ?? there.jsonString)`",
                    hint: "set `\(option): true` to replace it")
            }
            members[member.key] = member.value
        }
        kustomization[field] = .object(members)
    }

    /// `[old=]new[:tag][@digest]`
    private mutating func set(_ text: String) throws(Problem) {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard let image = parts.last, !image.isEmpty else {
            throw Problem(code: "application.invalid-value", message: "`kustomize.images`: `\(text)` is not an image")
        }
        var rest = image[...]
        var entry: JSONObject = [:]
        var digest: String?
        if let at = rest.firstIndex(of: "@") {
            digest = String(rest[rest.index(after: at)...])
            rest = rest[..<at]
        }
        var tag: String?
        // A colon before the last slash belongs to a registry's port.
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
            tag = String(rest[rest.index(after: colon)...])
            rest = rest[..<colon]
        }
        let name = parts.count == 2 ? parts[0] : String(rest)
        entry["name"] = .string(name)
        if parts.count == 2 { entry["newName"] = .string(String(rest)) }
        entry["newTag"] = tag.map(JSONValue.string)
        entry["digest"] = digest.map(JSONValue.string)
        guard entry.count > 1 else {
            throw Problem(
                code: "application.invalid-value", message: "`kustomize.images`: `\(text)` names no tag, digest or other image",
                hint: "write `name:tag`, `name@sha256:…` or `name=other:tag`")
        }
        // As `kustomize edit set image` does, a new name that was set before stays when only the tag is given.
        if parts.count == 1, let before = items(of: "images").first(where: { $0["name"]?.stringValue == name })?["newName"] {
            entry["newName"] = before
        }
        replaceItem(of: "images", named: name, with: .object(entry))
    }

    private func items(of field: String) -> [JSONValue] { kustomization[field]?.arrayValue ?? [] }

    private mutating func replaceItem(of field: String, named name: String, with item: JSONValue) {
        var items = items(of: field)
        if let index = items.firstIndex(where: { $0["name"]?.stringValue == name }) {
            items[index] = item
        } else {
            items.append(item)
        }
        kustomization[field] = .array(items)
    }

    private mutating func append(_ added: [JSONValue], to field: String) {
        guard !added.isEmpty else { return }
        kustomization[field] = .array(items(of: field) + added)
    }

    private static func sorted(_ pairs: [String: String]) -> JSONObject {
        JSONObject(pairs.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: .string($0.value)) })
    }
}
