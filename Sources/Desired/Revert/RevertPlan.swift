import Git
import ResourceModel

/// What a revert is to say, beside what it changes.
package struct RevertRequest: Sendable {
    package var target: Revision
    /// The history's number of the attempt that is gone back to.
    package var historyID: Int64?
    package var reason: String?
    package var author: GitPerson
    package var committer: GitPerson?
    package var signer: CommitSigner?
    /// Seconds since 1970-01-01 UTC.
    package var time: Int64
    /// Other applications that read the same files may move too.
    package var allowsOthers: Bool

    package init(
        target: Revision, historyID: Int64? = nil, reason: String? = nil, author: GitPerson, committer: GitPerson? = nil,
        signer: CommitSigner? = nil, time: Int64, allowsOthers: Bool = false
    ) {
        self.target = target
        self.historyID = historyID
        self.reason = reason
        self.author = author
        self.committer = committer
        self.signer = signer
        self.time = time
        self.allowsOthers = allowsOthers
    }
}

/// A revert commit that was made and not pushed.
package struct RevertPlan: Sendable {
    package var application: String
    package var repository: String
    package var branch: String
    /// What the branch must still point to.
    package var head: Revision
    package var target: Revision
    /// The commit in the mirror; nil when the inputs are already as they were.
    package var commit: Revision?
    package var message: String
    package var files: [FilePatch]
    /// Those of the files that declare a Secret, or may: their contents are not to be shown.
    package var secretFiles: Set<String> = []
    /// The commits whose changes to the inputs are undone, newest first.
    package var undone: [Revision]
    /// Other applications that move too.
    package var others: [String]
    /// What a person should know.
    package var notes: [String]
}

extension DesiredStateBuilder {
    /// Makes the commit that restores an application's inputs, and pushes nothing.
    /// - Throws: `RevertRefusal`, `GitError`, `Problems` if the restored files would not render.
    package func revert(_ site: RevertSite, _ request: RevertRequest) async throws -> RevertPlan {
        let mirror = mirror(for: site.repository)
        var scope = try await scope(of: site, at: request.target)
        let undone =
            scope.paths.isEmpty
            ? [] : try await mirror.log(from: request.target.commit, to: site.head.commit, touching: scope.paths, limit: RevertMessage.limit + 1)
        let message = RevertMessage(application: site.application.name, head: site.head, request: request, undone: undone.map(\.revision)).text
        var plan = RevertPlan(
            application: site.application.name, repository: site.repository, branch: site.branch, head: site.head, target: request.target,
            message: message, files: [], undone: undone.map(\.revision), others: [], notes: scope.notes)
        guard !scope.paths.isEmpty else { return plan }
        plan.commit = try await mirror.commit(
            CommitDraft(
                parent: site.head.commit, restoring: scope.paths, from: request.target.commit, message: message, author: request.author,
                committer: request.committer, time: request.time, signer: request.signer))
        guard var commit = plan.commit else { return plan }
        commit.ref = site.head.ref
        plan.files = try await mirror.patches(from: site.head.commit, to: commit.commit)
        plan.secretFiles = try await secretFiles(among: plan.files.map(\.path), [try await tree(of: site.head), try await tree(of: commit)])
        plan.others = try await others(than: site, movedBy: commit)
        guard plan.others.isEmpty || request.allowsOthers else {
            throw RevertRefusal(
                "\(plan.others.count == 1 ? "another application reads" : "other applications read") the same files and would move as well:",
                items: plan.others, hint: "--allow-others permits it")
        }
        scope.application.origin = scope.application.origin.map { _ in commit }
        _ = try await desiredState(of: scope.application, at: commit)
        return plan
    }

    /// Pushes the commit of a plan.
    /// - Returns: false if the branch is no longer where the plan saw it; nothing was pushed then.
    package func push(_ plan: RevertPlan) async throws -> Bool {
        guard let commit = plan.commit else { return true }
        do {
            try await mirror(for: plan.repository).push(
                commit: commit.commit, to: plan.branch, expecting: plan.head.commit, deadline: configuration.fetchDeadline)
            return true
        } catch let error as GitError where error.code == .moved {
            return false
        }
    }

    /// The commits that changed the application's inputs between two heads of the branch, newest first.
    package func changes(to site: RevertSite, since head: Revision) async throws -> [Revision] {
        let paths = try await scope(of: site, at: head).paths
        if paths.isEmpty { return [] }
        return try await mirror(for: site.repository).log(from: head.commit, to: site.head.commit, touching: paths, limit: 10).map(\.revision)
    }

    /// The newest 2,000 commits of the site's branch.
    package func log(of site: RevertSite) async throws -> [LoggedCommit] {
        try await mirror(for: site.repository).log(from: nil, to: site.head.commit, limit: 2_000)
    }

    // MARK: What is restored

    private struct Scope {
        var paths: [String]
        var notes: [String]
        /// As it will be declared.
        var application: Application
    }

    private func scope(of site: RevertSite, at target: Revision) async throws -> Scope {
        let (now, then) = (try await tree(of: site.head), try await tree(of: target))
        var scope = Scope(paths: [], notes: [], application: site.application)
        let former = try await application(of: site, at: target)
        var documents: [String] = []
        if site.holdsApplications {
            let places = Set([site.application.location.path, former.location.path])
            documents = try await differing(places.map { ($0, .content) }, now, then)
        }
        if !documents.isEmpty {
            let shared = try await declaringMore(documents, now, then)
            if shared.isEmpty {
                scope.application = former
                scope.paths += documents
                scope.notes.append("the Application itself is restored too: \(documents.joined(separator: ", "))")
            } else {
                scope.notes.append(
                    "\(shared.joined(separator: ", ")), where the Application is declared, differs too and is left as it is: it declares more than this application")
            }
        }
        try await check(scope.application, site, target, then)
        let before = try await inputs(of: scope.application, source: 0, at: target)
        let after = try await inputs(of: site.application, source: 0, at: site.head)
        scope.paths += try await differing((before + after).map { ($0.path, $0.aspect) }, now, then)
        scope.paths = scope.paths.filter { path in
            !scope.paths.contains { $0 != path && RepositoryPath.contains($0, path) }
        }
        scope.paths = Set(scope.paths).sorted()
        return scope
    }

    /// The paths at which two trees differ, as far as a render looks at them.
    private func differing(
        _ looked: [(path: String, aspect: RenderInput.Aspect)], _ now: GitFileTree, _ then: GitFileTree
    ) async throws -> [String] {
        var paths: [String] = []
        for (path, aspect) in looked where !paths.contains(path) {
            let was = try await RecordingFileTree.look(at: path, aspect, in: then)
            if try await RecordingFileTree.look(at: path, aspect, in: now) != was { paths.append(path) }
        }
        return paths
    }

    /// Those of the files that hold more than one document, now or then.
    private func declaringMore(_ files: [String], _ now: GitFileTree, _ then: GitFileTree) async throws -> [String] {
        var result: [String] = []
        for file in files {
            for tree in [now, then] {
                guard let entry = try await tree.entry(at: file) else { continue }
                let documents = try? DocumentReader.documents(in: DocumentReader.utf8(try await tree.contents(of: entry)), path: file)
                // One that can't be read may declare anything.
                let isAlone = documents?.count == 1 && documents?.first?.value["kind"]?.stringValue == "Application"
                if !isAlone, !result.contains(file) { result.append(file) }
            }
        }
        return result
    }

    /// The files that mention the kind Secret in one of the trees.
    private func secretFiles(among paths: [String], _ trees: [GitFileTree]) async throws -> Set<String> {
        var result: Set<String> = []
        for tree in trees {
            for path in paths where !result.contains(path) {
                guard let entry = try await tree.entry(at: path), entry.isFile else { continue }
                if DocumentReader.contains("Secret", in: DocumentReader.utf8(try await tree.contents(of: entry))) { result.insert(path) }
            }
        }
        return result
    }

    private func check(_ application: Application, _ site: RevertSite, _ target: Revision, _ then: GitFileTree) async throws {
        let source = application.sources[0]
        guard application.sources.count == 1, place(of: source) == place(of: site.application.sources[0]) else {
            throw RevertRefusal(
                "at \(target.shortCommit) Application \(application.name) had other sources than the one it follows now",
                hint: "change \(site.application.location) to what you want")
        }
        guard try await then.followedEntry(at: source.path ?? "")?.kind == .directory else {
            throw RevertRefusal(
                "commit \(target.shortCommit) has nothing at \(RepositoryPath.display(source.path ?? "")): to go back there would delete everything",
                hint: "choose another revision with --to")
        }
    }

    /// The other applications of the branch for whose renders a new commit looks different, with the files.
    private func others(than site: RevertSite, movedBy commit: Revision) async throws -> [String] {
        let new = try await tree(of: commit)
        var moved: [String] = []
        for application in site.catalog.applications where application.name != site.application.name {
            for (index, source) in application.sources.enumerated() {
                guard try await follows(source, site) else { continue }
                for input in try await inputs(of: application, source: index, at: site.head)
                where try await RecordingFileTree.look(at: input.path, input.aspect, in: new) != input {
                    moved.append("\(application.name) (\(RepositoryPath.display(input.path)))")
                    break
                }
            }
        }
        return moved
    }

    private func follows(_ source: ApplicationSource, _ site: RevertSite) async throws -> Bool {
        let (url, ref) = place(of: source)
        guard GitRemote(url: url).url == GitRemote(url: site.repository).url else { return false }
        if ref == site.branch || ref == "refs/heads/\(site.branch)" { return true }
        guard ref == "HEAD" || ref.isEmpty else { return false }
        return try await mirror(for: url).remoteBranch(of: ref)?.name == site.branch
    }
}
