import CLibGit2
import Glibc

/// Which certificate authorities TLS trusts. libgit2 has one set for the whole process and replaces it under running
/// connections' feet, so a change waits until no HTTPS conversation is under way.
enum TLSTrust {
    private static let state = Locked<(file: String?, users: Int)>((nil, 0))
    /// Where OpenSSL's users are told to look, else where distributions keep it.
    private static let systemFile: String = {
        if let named = getenv("SSL_CERT_FILE").map({ String(cString: $0) }), !named.isEmpty { return named }
        let known = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"]
        return known.first { access($0, R_OK) == 0 } ?? known[0]
    }()

    /// Runs `body`, a conversation with `remote`, under its trust.
    static func using<Value>(_ remote: GitRemote, _ operation: Operation, _ body: () throws -> Value) throws -> Value {
        guard GitURL(remote.url).scheme == "https" else { return try body() }
        let wanted = remote.caFile ?? systemFile
        _ = LibGit2.ready
        while true {
            let entered = try state.withLock { state -> Bool in
                if state.file != wanted {
                    if state.users > 0 { return false }
                    state.file = nil
                    guard rc_git_option_two_strings(Int32(GIT_OPT_SET_SSL_CERT_LOCATIONS.rawValue), wanted, nil) == 0 else {
                        throw GitError(
                            code: .untrustedHost, message: "\(remote.url): the certificate authorities in \(wanted) can't be read: "
                                + (remote.caFile == nil ? "install ca-certificates or configure a caFile" : "check that it is a readable PEM file"),
                            repository: remote.url, cause: LibGit2Failure.last(-1).message)
                    }
                    state.file = wanted
                }
                state.users += 1
                return true
            }
            if entered { break }
            _ = operation.wait(for: -1, events: 0, milliseconds: 10)
            if operation.stopped != nil { throw CancellationError() }
        }
        defer { state.withLock { $0.users -= 1 } }
        return try body()
    }
}
