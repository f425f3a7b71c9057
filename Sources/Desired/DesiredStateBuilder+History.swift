import Git
import ResourceModel

extension DesiredStateBuilder {
    /// Whether a revision's history holds an earlier one of the same repository; a commit that is not there any more is not in it.
    package func contains(_ old: Revision, in new: Revision) async throws -> Bool {
        try await mirror(for: new.repository).contains(old.commit, in: new.commit) ?? false
    }
}
