import Git
import ResourceModel

extension DesiredStateBuilder {
    /// Fetches another revision of the repository that holds the applications.
    /// - Parameter ref: a branch, a tag, a commit or `HEAD`.
    package func fetchConfiguration(at ref: String) async throws -> Revision {
        try await fetch(repository: configuration.repository, ref: ref)
    }

    /// Renders an application with every source in the revision's repository at that revision, and the others as they are now.
    package func desiredState(
        of application: Application, atRevision revision: Revision
    ) async throws -> (state: DesiredState, declarations: Declarations) {
        var moved = application
        for index in moved.sources.indices where GitRemote(url: place(of: moved.sources[index]).url).url == revision.repository {
            if moved.sources[index].isOwnRepository { moved.origin = revision }
            moved.sources[index].targetRevision = moved.sources[index].isOwnRepository ? nil : revision.commit
        }
        let at = try await fetch(moved)
        return (try await desiredState(of: moved, at: at), try await declarations(of: moved, at: at))
    }
}
