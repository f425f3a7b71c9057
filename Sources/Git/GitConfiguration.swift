import CLibGit2
import Glibc

/// What a person configured for Git on this machine: who makes commits, and how they are signed. git-config(1).
package struct GitConfiguration: Sendable {
    package var author: GitPerson?
    package var committer: GitPerson?
    package var signer: CommitSigner?

    /// Reads `GIT_AUTHOR_NAME` and the like, then the files of `git config --global` and `--system`.
    ///
    /// There is a signer where `user.signingKey` is set, unless `commit.gpgSign` says no.
    /// - Throws: `GitError` when a file is malformed, or names a form of signature that is not known.
    package static func read(_ variable: (String) -> String? = { name in getenv(name).map { String(cString: $0) } }) throws -> GitConfiguration {
        do {
            return try GitConfiguration(variable)
        } catch let failure as LibGit2Failure {
            throw GitError(
                code: .failed, message: "the Git configuration can't be read: check it with `git config --list`", repository: "",
                cause: failure.message)
        }
    }

    private init(_ variable: (String) -> String?) throws {
        _ = LibGit2.ready
        var handle: OpaquePointer?
        try check(git_config_new(&handle))
        defer { git_config_free(handle) }
        for (file, level) in Self.files(variable) where access(file, R_OK) == 0 {
            try check(git_config_add_file_ondisk(handle, file, level, nil, 0))
        }
        var snapshot: OpaquePointer?
        try check(git_config_snapshot(&snapshot, handle))
        defer { git_config_free(snapshot) }
        func value(_ name: String) throws(LibGit2Failure) -> String? {
            var text: UnsafePointer<CChar>?
            let status = git_config_get_string(&text, snapshot, name)
            if status == GIT_ENOTFOUND.rawValue { return nil }
            try check(status)
            return text.map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        }
        let (name, email) = (try value("user.name"), try value("user.email"))
        func person(_ role: String) -> GitPerson? {
            guard let name = variable("GIT_\(role)_NAME") ?? name, let email = variable("GIT_\(role)_EMAIL") ?? email else { return nil }
            return GitPerson(name: name, email: email)
        }
        author = person("AUTHOR")
        committer = person("COMMITTER")
        var wantsSignature: Int32 = 1
        let status = git_config_get_bool(&wantsSignature, snapshot, "commit.gpgsign")
        if status != GIT_ENOTFOUND.rawValue { try check(status) }
        guard wantsSignature != 0, let key = try value("user.signingkey") else { return }
        let form = try value("gpg.format") ?? "openpgp"
        guard let format = CommitSigner.Format(rawValue: form) else {
            throw GitError(
                code: .signing, message: "gpg.format `\(form)` is not supported: use `ssh` or `openpgp`, or set commit.gpgSign to false", repository: "")
        }
        let program = format == .ssh ? try value("gpg.ssh.program") : try value("gpg.openpgp.program") ?? value("gpg.program")
        signer = CommitSigner(format: format, key: key, program: program)
    }

    private static func files(_ variable: (String) -> String?) -> [(String, git_config_level_t)] {
        var files = [(variable("GIT_CONFIG_SYSTEM") ?? "/etc/gitconfig", GIT_CONFIG_LEVEL_SYSTEM)]
        if let global = variable("GIT_CONFIG_GLOBAL") { return files + [(global, GIT_CONFIG_LEVEL_GLOBAL)] }
        let home = variable("HOME")
        if let place = variable("XDG_CONFIG_HOME") ?? home.map({ $0 + "/.config" }) { files.append((place + "/git/config", GIT_CONFIG_LEVEL_XDG)) }
        if let home { files.append((home + "/.gitconfig", GIT_CONFIG_LEVEL_GLOBAL)) }
        return files
    }
}
