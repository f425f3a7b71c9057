import Glibc
import ResourceModel

/// The command line that reaches a repository over SSH, and what its failures mean.
struct SSHCommand: ServiceProgram {
    let leavingOut: Set<String> = []
    var arguments: [String]
    private let remote: GitRemote
    private let url: GitURL
    private let service: GitService

    /// - Throws: `GitError` if the configured key can't be read.
    init(_ session: RemoteSession) throws(GitError) {
        remote = session.remote
        url = session.url
        service = session.service
        // Never ask, never learn a host key on its own, carry nothing of the user's session along. ssh_config(5).
        arguments = [
            "ssh", "-T", "-x", "-a", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "ClearAllForwardings=yes",
            "-o", "PermitLocalCommand=no", "-o", "UpdateHostKeys=no",
        ]
        if let file = remote.knownHostsFile {
            arguments += ["-o", "UserKnownHostsFile=\"\(SSHCommand.escaped(file))\"", "-o", "GlobalKnownHostsFile=none"]
        }
        switch remote.credentials {
        case .sshKey(let path):
            if !path.hasPrefix("~"), access(path, R_OK) != 0 {
                throw session.error(
                    .authentication, "the SSH key \(path) for \(remote.url) can't be read: check the path and its permissions",
                    String(cString: strerror(errno)))
            }
            arguments += ["-o", "IdentityFile=\"\(SSHCommand.escaped(path))\"", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"]
        case .sshAgent(let socket?): arguments += ["-o", "IdentityAgent=\"\(SSHCommand.escaped(socket))\""]
        case .sshAgent(nil), .basic, .token, nil: break
        }
        if let port = url.port, !port.isEmpty { arguments += ["-p", port] }
        arguments += ["--", url.user.map { "\($0)@\(url.host)" } ?? url.host, "\(service.program) \(SSHCommand.quoted(url.path))"]
    }

    /// ssh expands `%` in file names.
    private static func escaped(_ path: String) -> String {
        var result = ""
        for character in path {
            if character == "%" { result += "%%" } else if character == "\"" { result += "\\\"" } else { result.append(character) }
        }
        return result
    }

    /// For the server's shell; `!` too, which csh expands inside quotes.
    private static func quoted(_ text: String) -> String {
        var result = "'"
        for character in text {
            if character == "'" || character == "!" { result += "'\\\(character)'" } else { result.append(character) }
        }
        return result + "'"
    }

    var missing: GitError {
        GitError(
            code: .missingTool, message: "`ssh` is not on PATH, and \(remote.url) needs it: install openssh-client, or use an https:// URL",
            repository: remote.url)
    }

    // ssh's only code of its own is 255 and says nothing more, so its words decide; words that nobody foresaw are "unreachable".
    func failure(status: Int32?, words: String) -> GitError {
        func error(_ code: GitError.Code, _ message: String) -> GitError {
            GitError(code: code, message: message, repository: remote.url, cause: words.isEmpty ? nil : words)
        }
        let knownHosts = remote.knownHostsFile ?? "~/.ssh/known_hosts"
        let scan = "ssh-keyscan \(url.port.map { "-p \($0) " } ?? "")\(url.host) >> \(knownHosts)"
        if status == 255 {
            if words.contains("REMOTE HOST IDENTIFICATION HAS CHANGED") {
                return error(
                    .untrustedHost,
                    "the host key of \(url.host) is not the one in \(knownHosts): somebody may be listening in. If the server's owner "
                        + "confirms the change, remove the old key (ssh-keygen -R) and add the new one (\(scan))")
            }
            if words.contains("Host key verification failed") || words.contains("host key is known for") {
                return error(
                    .untrustedHost,
                    "the host key of \(url.host) is not in \(knownHosts): compare its fingerprint with what the server's owner says, "
                        + "then add it (\(scan))")
            }
            if words.contains("Permission denied") || words.contains("Too many authentication failures") {
                let offered =
                    switch remote.credentials {
                    case .sshKey(let path): "the key \(path)"
                    case .sshAgent: "the agent's keys"
                    default: "the user's own keys"
                    }
                return error(
                    .authentication,
                    "\(remote.url) refuses \(offered): check that the server knows the public key, that the key has no passphrase "
                        + "(else use an agent), and the user name in the URL")
            }
            return error(.unreachable, "can't reach \(remote.url) over SSH: check the host, the port, the network and ~/.ssh/config")
        }
        switch status {
        case 127?: return error(.unreachable, "\(url.host) has no \(service.program): install git there")
        case 0?, nil: return error(.unreachable, "\(remote.url) ended the connection: check the server")
        default:
            if service == .push {
                return error(
                    .refused, "\(url.host) takes no push to \(url.path): check the URL and whether the key may write to it")
            }
            return error(.noSuchRepository, "\(url.host) serves no repository at \(url.path): check the URL and the permission to read it")
        }
    }
}
