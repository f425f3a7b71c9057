/// `git receive-pack` for a repository on this machine: its hooks run, its settings hold, and branches are moved atomically.
struct LocalService: ServiceProgram {
    let arguments: [String]
    private let url: String

    /// Variables that would lead Git to another repository, as `git rev-parse --local-env-vars` lists them.
    let leavingOut: Set<String> = [
        "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT", "GIT_OBJECT_DIRECTORY", "GIT_DIR",
        "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_GRAFT_FILE", "GIT_INDEX_FILE", "GIT_NO_REPLACE_OBJECTS", "GIT_REPLACE_REF_BASE",
        "GIT_PREFIX", "GIT_SHALLOW_FILE", "GIT_COMMON_DIR", "GIT_INTERNAL_SUPER_PREFIX", "GIT_PROTOCOL",
    ]

    init(_ session: RemoteSession) {
        url = session.remote.url
        arguments = ["git", "receive-pack", session.url.path]
    }

    var missing: GitError {
        GitError(
            code: .missingTool, message: "`git` is not on PATH, and a push to \(url) on this machine needs it for the hooks there: install git",
            repository: url)
    }

    func failure(status: Int32?, words: String) -> GitError {
        GitError(
            code: .refused, message: "\(url) takes no push: check that it is a repository which this user may write to", repository: url,
            cause: words.isEmpty ? nil : words)
    }
}
