import CLibGit2
import Glibc
import ResourceModel

/// What libgit2 asks for while it talks to a remote: credentials, trust, and whether to go on.
final class RemoteSession {
    private let remote: GitRemote
    private let operation: Operation
    /// Servers ask again when they refuse: the same credentials are offered once.
    private var hasOffered = false

    init(remote: GitRemote, operation: Operation) {
        self.remote = remote
        self.operation = operation
    }

    static func install(in callbacks: inout git_remote_callbacks, payload: UnsafeMutableRawPointer) {
        callbacks.payload = payload
        callbacks.credentials = { out, _, user, allowed, payload in
            guard let payload else { return -1 }
            let session = Unmanaged<RemoteSession>.fromOpaque(payload).takeUnretainedValue()
            return session.credentials(out, user: user.map { String(cString: $0) }, allowed: allowed)
        }
        callbacks.transfer_progress = { _, payload in
            guard let payload else { return 0 }
            return Unmanaged<RemoteSession>.fromOpaque(payload).takeUnretainedValue().operation.stopped == nil ? 0 : -1
        }
        callbacks.sideband_progress = { _, _, payload in
            guard let payload else { return 0 }
            return Unmanaged<RemoteSession>.fromOpaque(payload).takeUnretainedValue().operation.stopped == nil ? 0 : -1
        }
        // libgit2 1.5.1 looks into known_hosts itself; what it found valid or not is taken as it is.
        callbacks.certificate_check = { _, valid, _, _ in valid == 1 ? 0 : Int32(GIT_ECERTIFICATE.rawValue) }
    }

    private func credentials(_ out: UnsafeMutablePointer<UnsafeMutablePointer<git_credential>?>?, user: String?, allowed: UInt32) -> Int32 {
        if allowed & GIT_CREDENTIAL_USERNAME.rawValue != 0 { return git_credential_username_new(out, user ?? "git") }
        guard !hasOffered else {
            git_error_set_str(Int32(GIT_ERROR_NET.rawValue), "the server refused the credentials")
            return GIT_EAUTH.rawValue
        }
        hasOffered = true
        switch remote.credentials {
        case .basic(let name, let password) where allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT.rawValue != 0:
            return git_credential_userpass_plaintext_new(out, name, password.exposed)
        case .token(let token) where allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT.rawValue != 0:
            return git_credential_userpass_plaintext_new(out, "x-access-token", token.exposed)
        case .sshKey(let path) where allowed & GIT_CREDENTIAL_SSH_KEY.rawValue != 0:
            return git_credential_ssh_key_new(out, user ?? "git", nil, path, nil)
        case .sshAgent, nil:
            if allowed & GIT_CREDENTIAL_SSH_KEY.rawValue != 0, getenv("SSH_AUTH_SOCK") != nil {
                return git_credential_ssh_key_from_agent(out, user ?? "git")
            }
        default: break
        }
        git_error_set_str(Int32(GIT_ERROR_NET.rawValue), "the server asks for credentials and none that fit are configured")
        return GIT_EAUTH.rawValue
    }
}
