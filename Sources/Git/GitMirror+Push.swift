import CLibGit2
import ResourceModel

extension GitMirror {
    /// The branch that `ref` stands for at the remote, and the commit that it points to now.
    /// - Returns: nil if `ref` is no branch: a tag, a commit, a version range, or nothing at all.
    package func remoteBranch(of ref: String, deadline: Duration = .seconds(30)) async throws -> (name: String, commit: String)? {
        let refs = try await remoteRefs(deadline: deadline)
        guard case .advertised(let found) = RefResolution.target(of: ref, among: refs) else { return nil }
        var name = found.name
        if name == "HEAD" {
            // Old servers do not say which branch it stands for.
            name = found.target ?? refs.first { $0.name.hasPrefix("refs/heads/") && $0.objectID == found.objectID }?.name ?? ""
        }
        return name.hasPrefix("refs/heads/") ? (String(name.dropFirst(11)), found.commit) : nil
    }

    /// Sends a commit, and moves the remote's branch to it if the branch still points to `old`: compared by the server, when it moves it.
    /// - Parameters:
    ///   - commit: 40 digits of a commit in the mirror that descends from `old`.
    ///   - branch: without `refs/heads/`; it must exist.
    /// - Throws: `GitError` with `moved` if somebody else was faster, `refused` with the server's words if it does not want the
    ///   push. Any error means that the branch was not seen at `commit`.
    package func push(commit: String, to branch: String, expecting old: String, deadline: Duration) async throws {
        try await network.run(deadline: deadline, expired: expired("pushing to \(shown(branch))", deadline)) { [self] operation in
            try TLSTrust.using(remote, operation) { try pushNow(commit, Branch(branch), old, operation) }
        }
    }

    private struct Branch {
        var name: String
        var reference: String

        init(_ name: String) {
            self.name = name
            reference = "refs/heads/\(name)"
        }
    }

    private func pushNow(_ commit: String, _ branch: Branch, _ old: String, _ operation: Operation) throws {
        let repository = try translating("push") { try openedMirror() }
        var outcome = PushOutcome()
        var failure: (any Error)?
        do {
            try translating("push to \(shown(branch.name))") {
                let connection = try Connection(to: remote, for: repository, service: .push, operation: operation)
                let refs = try connection.references()
                try expect(branch, at: old, among: refs)
                defer { outcome = connection.pushOutcome }
                try withReference(to: git_oid(parsing: commit), in: repository) { reference in
                    _ = try connection.push(reference, to: branch.reference, expecting: git_oid(parsing: old))
                }
            }
            if outcome.isAccepted { return }
        } catch let error as GitError where [.moved, .unknownRef, .invalidURL, .missingTool, .untrustedHost].contains(error.code) {
            throw error
        } catch {
            if operation.stopped != nil { throw error }
            failure = error
        }
        try conclude(commit, branch, old, outcome, failure, operation)
    }

    /// libgit2 pushes references only: one of this commit's own, gone afterwards.
    private func withReference(to commit: git_oid, in repository: Repository, _ body: (String) throws -> Void) throws {
        var commit = commit
        let name = "refs/pushing/\(commit.text)"
        var reference: OpaquePointer?
        try check(git_reference_create(&reference, repository.handle, name, &commit, 1, nil))
        git_reference_free(reference)
        defer { git_reference_remove(repository.handle, name) }
        try body(name)
    }

    private func expect(_ branch: Branch, at old: String, among refs: [RemoteRef]) throws {
        guard let found = refs.first(where: { $0.name == branch.reference }) else { throw unknown(branch.name, among: refs) }
        guard found.objectID == old else { throw moved(branch, from: old, to: found.objectID) }
    }

    /// Looks where the branch is after a push that was not simply accepted: an answer may have been lost on the way.
    private func conclude(
        _ commit: String, _ branch: Branch, _ old: String, _ outcome: PushOutcome, _ failure: (any Error)?, _ operation: Operation
    ) throws {
        let refs: [RemoteRef]
        do {
            refs = try translating("list the references") {
                try Connection(to: remote, for: nil, operation: operation).references()
            }
        } catch {
            throw failure ?? error
        }
        if refs.contains(where: { $0.name == branch.reference && $0.objectID == commit }) { return }
        try expect(branch, at: old, among: refs)
        if let error = failure as? GitError, [.authentication, .refused, .fileSystem, .damaged].contains(error.code), outcome.refusal == nil {
            throw error
        }
        let told = outcome.explanation ?? (failure as? GitError)?.cause ?? failure.map { "\($0)" }
        throw GitError(
            code: .refused,
            message: "\(remote.url) refuses the push to \(shown(branch.name)), which is unchanged: check who may write there, and its hooks and "
                + "protected branches", repository: remote.url, cause: told)
    }

    private func moved(_ branch: Branch, from old: String, to new: String) -> GitError {
        GitError(
            code: .moved,
            message: "\(shown(branch.name)) of \(remote.url) has moved from \(old.prefix(7)) to \(new.prefix(7)) meanwhile: fetch and try again",
            repository: remote.url)
    }
}
