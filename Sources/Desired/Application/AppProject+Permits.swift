import ResourceModel

extension AppProject {
    /// Whether applications of this project may take manifests from that repository.
    /// - Parameter url: the URL that `repoURL: .` stands for, not `.`.
    package func permits(repository url: String) -> Bool {
        let url = Self.comparable(url)
        var allowed = false
        for pattern in sourceRepos {
            if let denied = Self.denied(pattern) {
                if Self.matches(Self.comparable(denied), url, separator: "/") { return false }
            } else if Self.matches(Self.comparable(pattern), url, separator: "/") {
                allowed = true
            }
        }
        return allowed
    }

    /// Whether applications of this project may write to that cluster and namespace. One denying match outweighs all others.
    package func permits(destination: Application.Destination) -> Bool {
        let isDefault = destination.isDefaultCluster
        let server = isDefault ? Application.Destination.defaultClusterServer : destination.server ?? ""
        let name = isDefault ? Application.Destination.defaultClusterName : destination.name ?? ""
        let namespace = destination.namespace ?? ""
        var allowed = false
        for item in destinations {
            let serverMatches = !server.isEmpty && Self.matchesOrEvades(item.server, server)
            let nameMatches = !name.isEmpty && Self.matchesOrEvades(item.name, name)
            let namespaceMatches = Self.matchesOrEvades(item.namespace, namespace)
            let clusterDenied =
                (!serverMatches && Self.denied(item.server) != nil) || (!nameMatches && Self.denied(item.name) != nil)
            if clusterDenied, namespaceMatches { return false }
            if !namespaceMatches, Self.denied(item.namespace) != nil, serverMatches || nameMatches { return false }
            if serverMatches || nameMatches, namespaceMatches { allowed = true }
        }
        return allowed
    }

    /// Whether applications of this project may hold objects of that kind (and, for cluster-scoped kinds, name).
    package func permits(_ kind: GroupKind, name: String, namespaced: Bool) -> Bool {
        if namespaced {
            let allowed = namespaceResourceWhitelist.map { Self.contains($0, kind, name: nil) } ?? true
            return allowed && !Self.contains(namespaceResourceBlacklist, kind, name: nil)
        }
        return Self.contains(clusterResourceWhitelist, kind, name: name)
            && !Self.contains(clusterResourceBlacklist, kind, name: name)
    }

    /// What of an application this project does not permit; empty when all is permitted.
    /// - Parameter repository: what `repoURL: .` stands for; `nil` leaves such sources unchecked.
    package func problems(with application: Application, repository: String?) -> [Problem] {
        var problems: [Problem] = []
        for source in application.sources {
            guard let url = source.isOwnRepository ? repository : source.repoURL, !permits(repository: url) else { continue }
            problems.append(
                Problem(
                    code: "project.source-forbidden",
                    message: "Application \(application.name): project \(name) does not permit the repository \(url)",
                    location: source.location, hint: "add it to `spec.sourceRepos` in \(location)"))
        }
        if !permits(destination: application.destination) {
            let destination = application.destination
            let cluster =
                destination.isDefaultCluster
                ? Application.Destination.defaultClusterServer : destination.name ?? destination.server ?? ""
            problems.append(
                Problem(
                    code: "project.destination-forbidden",
                    message: "Application \(application.name): project \(name) does not permit the namespace "
                        + "`\(destination.namespace ?? "")` of \(cluster)",
                    location: application.location, hint: "add it to `spec.destinations` in \(location)"))
        }
        return problems
    }

    /// What of a desired state this project does not permit: kinds, and namespaces that objects name themselves.
    package func problems(with state: DesiredState, destination: Application.Destination) -> [Problem] {
        state.manifests.compactMap { manifest in
            if let namespace = manifest.id.namespace, namespace != destination.namespace {
                var own = destination
                own.namespace = namespace
                guard permits(destination: own) else {
                    return Problem(
                        code: "project.namespace-forbidden",
                        message: "Application \(state.application): project \(name) does not permit the namespace `\(namespace)`",
                        location: manifest.source, resource: manifest.id, hint: "add it to `spec.destinations` in \(location)")
                }
            }
            let namespaced = manifest.id.namespace != nil || manifest.namespaceIfNamespaced != nil
            guard !permits(manifest.id.groupKind, name: manifest.id.name, namespaced: namespaced) else { return nil }
            let list = namespaced ? "namespaceResourceWhitelist` or `spec.namespaceResourceBlacklist" : "clusterResourceWhitelist"
            return Problem(
                code: "project.kind-forbidden",
                message: "Application \(state.application): project \(name) does not permit \(manifest.id.groupKind)",
                location: manifest.source, resource: manifest.id, hint: "see `spec.\(list)` in \(location)")
        }
    }

    // MARK: Patterns

    private static func contains(_ patterns: [KindPattern], _ kind: GroupKind, name: String?) -> Bool {
        patterns.contains { pattern in
            matches(pattern.group, kind.group) && matches(pattern.kind, kind.kind)
                && (name.map { pattern.name.isEmpty || matches(pattern.name, $0) } ?? true)
        }
    }

    /// What a `!` pattern denies; `nil` when the pattern allows.
    private static func denied(_ pattern: String) -> String? { pattern.first == "!" ? String(pattern.dropFirst()) : nil }

    /// A denying pattern "matches" what it does not deny.
    private static func matchesOrEvades(_ pattern: String, _ text: String) -> Bool {
        if let denied = denied(pattern) { return !matches(denied, text) }
        return matches(pattern, text)
    }

    private static func matches(_ pattern: String, _ text: String, separator: Character? = nil) -> Bool {
        if pattern == "*" || pattern == text { return true }
        guard let glob = try? Glob(pattern, separator: separator) else { return false }  // a project with such a pattern is not read
        return glob.matches(text)
    }

    /// Repository URLs that mean the same repository compare equal: case, `.git` and a trailing slash do not matter.
    private static func comparable(_ url: String) -> String {
        var url = url.lowercased()
        if url.hasSuffix("/") { url.removeLast() }
        if url.hasSuffix(".git") { url.removeLast(4) }
        return url
    }
}
