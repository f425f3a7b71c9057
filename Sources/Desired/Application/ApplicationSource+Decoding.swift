import ResourceModel

extension ApplicationSource {
    static func decode(_ members: MembersReader, amongSeveral: Bool) -> ApplicationSource {
        let report = members.report
        let pointer = members.field.pointer
        var source = ApplicationSource(repoURL: members.required("repoURL"), location: report.location(of: pointer))
        source.declared = members.field.value
        if let path = members["path"], let text = path.string(), !text.isEmpty {
            if let normalised = RepositoryPath.normalised(text), !text.hasPrefix("/") {
                source.path = normalised
            } else {
                report.add(
                    "application.invalid-value", "`\(path.path)`: `\(text)` leaves the repository", at: path.pointer,
                    hint: "a path starts at the repository's root, without a leading slash")
            }
        }
        source.targetRevision = members.string("targetRevision")?.nonEmpty
        source.name = members.string("name")
        if let ref = members["ref"], let text = ref.string(), !text.isEmpty {
            source.ref = text
            if !amongSeveral {
                report.add(
                    "application.invalid-value", "`\(ref.path)` has a meaning only in `spec.sources`", at: ref.pointer)
            }
        }
        source.helm = members.object("helm") { HelmOptions.decode($0) }
        source.kustomize = members.object("kustomize") { KustomizeOptions.decode($0) }
        source.directory = members.object("directory") { DirectoryOptions.decode($0) }
        source.tasks = members.object("tasks") { TasksOptions.decode($0) }
        members.refuse("plugin", hint: "commit what the plugin generates, or use a Helm, Kustomize or plain source")
        members.refuse("tagPrefix", unless: { $0 == "" }, hint: "write the whole tag in `targetRevision`")
        members.refuse(
            "chart", unless: { $0 == "" },
            hint: "commit a chart whose Chart.yaml names it as a dependency, and use `path` to that chart")
        source.check(members)
        return source
    }

    private func check(_ members: MembersReader) {
        let report = members.report
        let pointer = members.field.pointer
        if path == nil, ref == nil, members["path"] == nil, members["chart"] == nil {
            report.add(
                "application.missing-field", "`\(members.field.path).path` is missing", at: pointer,
                hint: "`path: .` is the repository's root")
        }
        let tools = [
            helm != nil ? "helm" : nil, kustomize != nil ? "kustomize" : nil, directory != nil ? "directory" : nil, tasks != nil ? "tasks" : nil,
        ].compactMap { $0 }
        if tools.count > 1 {
            report.add(
                "application.invalid-value",
                "`\(members.field.path)` has \(tools.joined(separator: " and ")): a source has one type",
                at: "\(pointer)/\(tools[1])")
        }
    }
}

extension HelmOptions {
    static func decode(_ members: MembersReader) -> HelmOptions {
        var options = HelmOptions()
        options.releaseName = members.string("releaseName")?.nonEmpty
        options.namespace = members.string("namespace")?.nonEmpty
        options.valueFiles = members.strings("valueFiles")
        options.ignoreMissingValueFiles = members.bool("ignoreMissingValueFiles") ?? false
        options.parameters = members.objects("parameters") {
            Parameter(name: $0.required("name"), value: $0.string("value") ?? "", forceString: $0.bool("forceString") ?? false)
        }
        options.fileParameters = members.objects("fileParameters") {
            FileParameter(name: $0.required("name"), path: $0.required("path"))
        }
        options.values = members.string("values")?.nonEmpty
        if let values = members["valuesObject"] {
            if case .object = values.value {
                options.valuesObject = values.value
            } else {
                members.report.add("application.wrong-type", "`\(values.path)` must be an object", at: values.pointer)
            }
        }
        options.skipCrds = members.bool("skipCrds") ?? false
        options.skipTests = members.bool("skipTests") ?? false
        options.skipSchemaValidation = members.bool("skipSchemaValidation") ?? false
        options.kubeVersion = members.string("kubeVersion")?.nonEmpty
        options.apiVersions = members.strings("apiVersions")
        members.refuse(
            "version", unless: { $0 == "v3" || $0 == "" }, hint: "the `helm` on PATH renders the chart; remove the field")
        members.refuse("passCredentials", unless: { $0 == false })
        return options
    }
}

extension KustomizeOptions {
    static func decode(_ members: MembersReader) -> KustomizeOptions {
        var options = KustomizeOptions()
        options.namePrefix = members.string("namePrefix")?.nonEmpty
        options.nameSuffix = members.string("nameSuffix")?.nonEmpty
        options.namespace = members.string("namespace")?.nonEmpty
        options.images = members.strings("images")
        options.replicas = members.objects("replicas") { replica in
            Replica(name: replica.required("name"), count: replica["count"].flatMap(count) ?? 0)
        }
        options.commonLabels = members.stringMap("commonLabels")
        options.commonAnnotations = members.stringMap("commonAnnotations")
        options.commonAnnotationsEnvsubst = members.bool("commonAnnotationsEnvsubst") ?? false
        options.forceCommonLabels = members.bool("forceCommonLabels") ?? false
        options.forceCommonAnnotations = members.bool("forceCommonAnnotations") ?? false
        options.labelWithoutSelector = members.bool("labelWithoutSelector") ?? false
        options.labelIncludeTemplates = members.bool("labelIncludeTemplates") ?? false
        options.patches = members.objects("patches") { patch in
            patch.ignore("path", "patch", "options")
            _ = patch.object("target") {
                $0.ignore("group", "version", "kind", "name", "namespace", "annotationSelector", "labelSelector")
            }
            return patch.field.value
        }
        options.components = members.strings("components")
        options.ignoreMissingComponents = members.bool("ignoreMissingComponents") ?? false
        members.refuse("version", unless: { $0 == "" }, hint: "the `kustomize` or `kubectl` on PATH builds; remove the field")
        members.refuse("kubeVersion", unless: { $0 == "" })
        members.refuse("apiVersions", unless: { $0 == .array([]) })
        return options
    }

    /// An integer, or a string that holds one: the field is an int-or-string.
    private static func count(_ reader: FieldReader) -> Int? {
        if case .string(let text) = reader.value, let number = Int(text) { return number }
        return reader.integer()
    }
}

extension DirectoryOptions {
    static func decode(_ members: MembersReader) -> DirectoryOptions {
        var options = DirectoryOptions()
        options.recurse = members.bool("recurse") ?? false
        options.include = members.glob("include")?.nonEmpty
        options.exclude = members.glob("exclude")?.nonEmpty
        options.disableExtensionFilter = members.bool("disableExtensionFilter") ?? false
        members.refuse("jsonnet", unless: { $0 == .object([:]) }, hint: "commit the rendered YAML or JSON")
        return options
    }
}

/// A value file in another source: `$ref/path`.
struct ReferencedPath: Hashable {
    var ref: String
    var path: String

    /// `nil` when the text does not start with `$` and a name.
    init?(_ text: String) {
        guard text.first == "$", let slash = text.firstIndex(of: "/") else { return nil }
        ref = String(text[text.index(after: text.startIndex)..<slash])
        path = String(text[text.index(after: slash)...])
        guard !ref.isEmpty else { return nil }
    }
}
