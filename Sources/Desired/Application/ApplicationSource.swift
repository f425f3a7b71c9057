import ResourceModel

/// One place that manifests come from.
package struct ApplicationSource: Sendable, Hashable {
    /// `.` is the repository that the application itself was read from.
    package var repoURL: String
    /// From the repository's root, without leading or trailing slash; empty is the root, `nil` says nothing.
    package var path: String?
    /// A branch, tag, commit, `HEAD` or version range; `nil` is `HEAD`, or with `repoURL: .` the application's own revision.
    package var targetRevision: String?
    /// The name by which other sources' value files reach into this one: `$ref/path`.
    package var ref: String?
    package var name: String?
    package var helm: HelmOptions?
    package var kustomize: KustomizeOptions?
    package var directory: DirectoryOptions?
    package var tasks: TasksOptions?
    package var location: SourceLocation
    /// The source as it was declared, for overrides that are merged into it.
    var declared: JSONValue

    package init(repoURL: String, path: String? = nil, targetRevision: String? = nil, location: SourceLocation) {
        self.repoURL = repoURL
        self.path = path
        self.targetRevision = targetRevision
        self.location = location
        declared = ["repoURL": .string(repoURL)]
        declared["path"] = path.map { .string(RepositoryPath.display($0)) }
        declared["targetRevision"] = targetRevision.map(JSONValue.string)
    }

    /// Whether the source lies in the repository that the application was read from.
    package var isOwnRepository: Bool { repoURL == "." }
    /// A source with a `ref` and no path only lends its files to other sources.
    package var rendersNothing: Bool { ref != nil && path == nil }
}

/// `helm template` options. Precedence: parameters, then `valuesObject` or `values`, then `valueFiles`, then the chart's own.
package struct HelmOptions: Sendable, Hashable {
    package struct Parameter: Sendable, Hashable {
        package var name: String
        package var value: String
        package var forceString = false
    }

    package struct FileParameter: Sendable, Hashable {
        package var name: String
        package var path: String
    }

    package var releaseName: String?
    package var namespace: String?
    package var valueFiles: [String] = []
    package var ignoreMissingValueFiles = false
    package var parameters: [Parameter] = []
    package var fileParameters: [FileParameter] = []
    package var values: String?
    package var valuesObject: JSONValue?
    package var skipCrds = false
    package var skipTests = false
    package var skipSchemaValidation = false
    package var kubeVersion: String?
    package var apiVersions: [String] = []

    package init() {}
}

/// What is changed in a kustomization before it is built.
package struct KustomizeOptions: Sendable, Hashable {
    package struct Replica: Sendable, Hashable {
        package var name: String
        package var count: Int
    }

    package var namePrefix: String?
    package var nameSuffix: String?
    package var namespace: String?
    /// `name=newname:tag`, `name:tag` or `name@sha256:digest`.
    package var images: [String] = []
    package var replicas: [Replica] = []
    package var commonLabels: [String: String] = [:]
    package var commonAnnotations: [String: String] = [:]
    package var commonAnnotationsEnvsubst = false
    package var forceCommonLabels = false
    package var forceCommonAnnotations = false
    package var labelWithoutSelector = false
    package var labelIncludeTemplates = false
    /// As kustomize's own `patches` field has them.
    package var patches: [JSONValue] = []
    package var components: [String] = []
    package var ignoreMissingComponents = false

    package init() {}

    /// Whether the kustomization is built as it stands.
    package var isEmpty: Bool { self == KustomizeOptions() }
}

/// Which files of a directory are manifests.
package struct DirectoryOptions: Sendable, Hashable {
    package var recurse = false
    /// Glob patterns over paths relative to the directory.
    package var include: String?
    package var exclude: String?
    /// Every file is a manifest, whatever its extension.
    package var disableExtensionFilter = false

    package init() {}
}
