import Git
import ResourceModel

/// Where an application's inputs can be changed: the branch that it follows, as it is now.
package struct RevertSite: Sendable {
    package var application: Application
    /// The repository and branch that the application's source follows.
    package var repository: String
    package var branch: String
    /// What the branch points to.
    package var head: Revision
    /// What the branch with the applications declares.
    package var catalog: ApplicationCatalog
    /// The application is declared on this very branch.
    package var holdsApplications: Bool
}

/// Why no revert commit is made: exit 3.
package struct RevertRefusal: ClassifiedError, Sendable, CustomStringConvertible {
    package var message: String
    /// What stands in the way, one a line.
    package var items: [String]
    package var hint: String

    package init(_ message: String, items: [String] = [], hint: String) {
        self.message = message
        self.items = items
        self.hint = hint
    }

    package var failureKind: FailureKind { .refused }
    package var description: String {
        ([items.isEmpty ? "\(message) (\(hint))" : message] + items.map { "  \($0)" } + (items.isEmpty ? [] : [hint])).joined(separator: "\n")
    }
}

extension DesiredStateBuilder {
    /// Fetches the branches, and finds out where the application's inputs can be changed.
    /// - Throws: `RevertRefusal` where no commit on a branch could change them, `GitError`, `Problems`.
    package func revertSite(of name: String) async throws -> RevertSite {
        let configuration = try await fetchConfiguration()
        let catalog = try await applications(at: configuration)
        let application = try catalog.application(named: name)
        guard application.sources.count == 1, let source = application.sources.first else {
            throw RevertRefusal(
                "Application \(name) has \(application.sources.count) sources, and one commit can't restore them all", items: application.sources.map {
                    "\($0.isOwnRepository ? self.configuration.repository : $0.repoURL) \($0.path.map(RepositoryPath.display) ?? "") at \($0.targetRevision ?? "HEAD")"
                }, hint: "revert the commit of the source that is at fault in its repository")
        }
        let (url, ref) = place(of: source)
        guard let branch = try await mirror(for: url).remoteBranch(of: ref) else {
            throw RevertRefusal(
                "Application \(name) follows `targetRevision: \(ref)` of \(GitRemote(url: url).url), which is a tag or a commit and no branch",
                hint: "change `targetRevision` in \(source.location) to the revision that you want")
        }
        let own = try await isOwn(url, branch.name)
        let head = own ? configuration : try await fetch(repository: url, ref: branch.name)
        return RevertSite(
            application: application, repository: url, branch: branch.name, head: head, catalog: catalog, holdsApplications: own)
    }

    /// The revision of the site's repository that `text` names; fetched.
    package func revision(_ text: String, at site: RevertSite) async throws -> Revision {
        try await fetch(repository: site.repository, ref: text)
    }

    private func isOwn(_ url: String, _ branch: String) async throws -> Bool {
        let own = configuration.repository
        guard GitRemote(url: url).url == GitRemote(url: own).url else { return false }
        return try await mirror(for: own).remoteBranch(of: configuration.branch)?.name == branch
    }

    /// The application as the site's branch declared it at a revision; as it is now where that can't be told.
    func application(of site: RevertSite, at revision: Revision) async throws -> Application {
        var application = site.application
        guard site.holdsApplications else { return application }
        do {
            let catalog = try await applications(at: revision)
            if let known = catalog.applications.first(where: { $0.name == application.name }) { return known }
        } catch is Problem {
            // A revision without the path of the applications declares none.
        }
        application.origin = revision
        return application
    }

    /// What tells an application's inputs at one revision from those at another: the source as it is declared, and all that its
    /// render looks at. Nothing when the render could not even begin.
    package func fingerprint(of site: RevertSite, at revision: Revision) async throws -> String {
        let application = try await application(of: site, at: revision)
        let inputs = try await inputs(of: application, source: 0, at: revision)
        return JSONValue.array(
            [.array(application.sources.map(\.declared))] + inputs.map { [.string($0.path), .string($0.aspect.rawValue), .string($0.seen)] }
        ).digest
    }
}
