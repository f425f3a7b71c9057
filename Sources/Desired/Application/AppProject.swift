import ResourceModel

/// Argo CD's `AppProject`: which sources, destinations and kinds its applications may use.
/// https://argo-cd.readthedocs.io/en/stable/user-guide/projects/
package struct AppProject: Sendable, Hashable {
    package var name: String
    package var location: SourceLocation
    package var description: String = ""
    /// Globs over repository URLs; `!` in front denies.
    package var sourceRepos: [String] = []
    /// The namespaces that Application objects of this project may live in.
    package var sourceNamespaces: [String] = []
    package var destinations: [Destination] = []
    package var clusterResourceWhitelist: [KindPattern] = []
    package var clusterResourceBlacklist: [KindPattern] = []
    /// `nil` (nothing said) permits every namespaced kind, an empty list none.
    package var namespaceResourceWhitelist: [KindPattern]?
    package var namespaceResourceBlacklist: [KindPattern] = []

    /// Globs; `!` in front denies.
    package struct Destination: Sendable, Hashable {
        package var server: String = ""
        package var name: String = ""
        package var namespace: String = ""
    }

    /// Globs over group, kind and (cluster-scoped kinds only) name.
    package struct KindPattern: Sendable, Hashable {
        package var group: String = ""
        package var kind: String = ""
        package var name: String = ""
    }

    /// The project that exists where none of that name is declared: it permits everything.
    package static let `default` = AppProject(
        name: "default", location: SourceLocation(path: "", line: 0), sourceRepos: ["*"],
        destinations: [Destination(server: "*", name: "*", namespace: "*")],
        clusterResourceWhitelist: [KindPattern(group: "*", kind: "*")])
}

extension AppProject {
    /// Decodes an `AppProject` whole, as `Application.decode` does.
    static func decode(_ document: SourceDocument) -> (project: AppProject?, problems: [Problem]) {
        let name = document.value[path: "metadata", "name"]?.stringValue
        let report = DecodingReport(subject: name.map { "AppProject \($0)" } ?? "AppProject without a name", document: document)
        let root = FieldReader(value: document.value, pointer: "", path: "", report: report)
        let project = root.object { members in
            members.ignore("apiVersion", "kind", "status")
            var project = AppProject(name: ObjectMetadata.decode(members).name, location: report.location)
            _ = members.object("spec") { project.readSpec($0) }
            return project
        }
        let failed = report.problems.contains { $0.severity == .error }
        return (failed ? nil : project, report.problems)
    }

    private mutating func readSpec(_ spec: MembersReader) {
        description = spec.string("description") ?? ""
        sourceRepos = spec.globs("sourceRepos", mayDeny: true)
        sourceNamespaces = spec.globs("sourceNamespaces")
        destinations = spec.objects("destinations") {
            Destination(
                server: $0.glob("server", mayDeny: true) ?? "", name: $0.glob("name", mayDeny: true) ?? "",
                namespace: $0.glob("namespace", mayDeny: true) ?? "")
        }
        clusterResourceWhitelist = spec.objects("clusterResourceWhitelist", KindPattern.decode)
        clusterResourceBlacklist = spec.objects("clusterResourceBlacklist", KindPattern.decode)
        if spec["namespaceResourceWhitelist"] != nil {
            namespaceResourceWhitelist = spec.objects("namespaceResourceWhitelist", KindPattern.decode)
        }
        namespaceResourceBlacklist = spec.objects("namespaceResourceBlacklist", KindPattern.decode)
        // Roles govern Argo CD's own users and orphaned resources its display: neither changes what a sync does.
        spec.ignore("roles", "orphanedResources")
        let isEmpty = { (value: JSONValue) in value == .array([]) || value == .object([:]) || value == false }
        spec.refuse("syncWindows", unless: isEmpty)
        spec.refuse("signatureKeys", unless: isEmpty)
        spec.refuse("sourceIntegrity", unless: isEmpty)
        spec.refuse("permitOnlyProjectScopedClusters", unless: isEmpty)
        spec.refuse("destinationServiceAccounts", unless: isEmpty)
    }
}

extension AppProject.KindPattern {
    fileprivate static func decode(_ members: MembersReader) -> Self {
        let kind = members.required("kind")
        return Self(group: members.glob("group") ?? "", kind: kind.isEmpty ? "" : members.glob("kind") ?? "", name: members.glob("name") ?? "")
    }
}
