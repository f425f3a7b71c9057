import Git
import ResourceModel

extension DesiredStateBuilder {
    /// What an application asks for, for the record of an attempt that could not find out which commit that is: `commit` is empty.
    package func unfetchedRevision(of application: Application) -> Revision {
        guard let source = application.sources.first(where: { !$0.rendersNothing }) ?? application.sources.first else {
            return Revision(repository: "", ref: "", commit: "", author: "", subject: "", committedAt: 0)
        }
        let (url, ref) = place(of: source)
        return Revision(repository: GitRemote(url: url).url, ref: ref, commit: "", author: "", subject: "", committedAt: 0)
    }
}
