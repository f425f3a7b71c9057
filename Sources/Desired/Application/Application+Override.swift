import ResourceModel

extension Application {
    /// The application at another revision than it declares: every source that reads the repository and reference of the first one that
    /// renders reads that revision instead; the others stay where they are. The application itself stays what the branch says.
    package func overriding(revision: String) -> Application {
        guard let primary = sources.first(where: { !$0.rendersNothing }) else { return self }
        var result = self
        for index in sources.indices
        where sources[index].repoURL == primary.repoURL && sources[index].targetRevision == primary.targetRevision {
            result.sources[index].targetRevision = revision
        }
        return result
    }
}
