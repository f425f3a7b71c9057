import ResourceModel

/// One source with the tree it is read from.
struct SourceTree {
    var source: ApplicationSource
    var tree: RecordingFileTree
    var revision: Revision?
}

/// What a render of one source needs to know.
struct RenderRequest {
    var application: Application
    /// With the overrides that lie in Git merged in.
    var source: ApplicationSource
    var tree: RecordingFileTree
    var environment: BuildEnvironment
    /// Other sources by their `ref`.
    var references: [String: SourceTree]
    var tools: ToolConfiguration
    var capabilities: ClusterCapabilities

    var path: String { source.path ?? "" }
}

/// What a render of one source gave. `problems` with an error among them means that `manifests` must not be used.
struct RenderedSource {
    var manifests: [Manifest] = []
    var problems: [Problem] = []
}

/// What charts can ask about the cluster.
package struct ClusterCapabilities: Sendable, Hashable {
    /// `1.33.2`; `nil` leaves it to the tool.
    package var kubeVersion: String?
    /// `apps/v1`, `apps/v1/Deployment`.
    package var apiVersions: [String]

    package init(kubeVersion: String? = nil, apiVersions: [String] = []) {
        self.kubeVersion = kubeVersion
        self.apiVersions = apiVersions
    }
}

/// Argo CD's build environment: `$ARGOCD_APP_NAME` and the like in an application's parameters.
/// https://argo-cd.readthedocs.io/en/stable/user-guide/build-environment/
struct BuildEnvironment {
    let values: [String: String]

    init(application: Application, source: ApplicationSource, revision: Revision?, capabilities: ClusterCapabilities) {
        let commit = revision?.commit ?? ""
        values = [
            "ARGOCD_APP_NAME": application.name,
            "ARGOCD_APP_NAMESPACE": application.destination.namespace ?? "",
            "ARGOCD_APP_PROJECT_NAME": application.project,
            "ARGOCD_APP_REVISION": commit,
            "ARGOCD_APP_REVISION_SHORT": String(commit.prefix(7)),
            "ARGOCD_APP_REVISION_SHORT_8": String(commit.prefix(8)),
            "ARGOCD_APP_SOURCE_PATH": RepositoryPath.display(source.path ?? ""),
            "ARGOCD_APP_SOURCE_REPO_URL": source.isOwnRepository ? revision?.repository ?? source.repoURL : source.repoURL,
            "ARGOCD_APP_SOURCE_TARGET_REVISION": source.targetRevision ?? revision?.ref ?? "",
            "KUBE_VERSION": capabilities.kubeVersion ?? "",
            "KUBE_API_VERSIONS": capabilities.apiVersions.joined(separator: ","),
        ]
    }

    /// The text with `$NAME` and `${NAME}` replaced; unknown names become empty and `$$` one dollar, as Argo CD does.
    func substituted(in text: String) -> String {
        guard text.contains("$") else { return text }
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            if rest.first == "$" {
                result += "$"
                rest = rest.dropFirst()
            } else if rest.first == "{", let end = rest.firstIndex(of: "}") {
                result += values[String(rest[rest.index(after: rest.startIndex)..<end])] ?? ""
                rest = rest[rest.index(after: end)...]
            } else {
                let name = rest.prefix { $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber)) }
                result += name.isEmpty ? "$" : values[String(name)] ?? ""
                rest = rest.dropFirst(name.count)
            }
        }
        return result + rest
    }

    /// Whether a render of that specification can depend on which commit it is made of, files aside.
    static func mentionsRevision(_ source: ApplicationSource) -> Bool {
        source.declared.jsonString.contains("ARGOCD_APP_REVISION")
    }
}
