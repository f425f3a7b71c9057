import Glibc
import ResourceModel

/// Real servers for a scratch repository, on loopback, gone when `body` has ended.
extension ScratchRepository {
    private func serving<Result>(_ arguments: [String], _ body: (LoopbackServer) async throws -> Result) async throws -> Result {
        let server = try await LoopbackServer.start(arguments, log: serverLog)
        do {
            let result = try await body(server)
            try await server.stop()
            return result
        } catch {
            try await server.stop()
            throw error
        }
    }

    /// What the servers wrote: for HTTP one line for each request, with its `Authorization`.
    package var serverLog: String { root + "/server.log" }

    /// `git daemon`; `body` gets the repository's `git://` URL.
    package func withGitDaemon<Result>(allowsPush: Bool = false, _ body: (String) async throws -> Result) async throws -> Result {
        let permission = allowsPush ? ["--enable=receive-pack"] : []
        return try await serving(["inetd", "git", "daemon", "--inetd", "--export-all", "--base-path=\(root)"] + permission) {
            try await body("git://127.0.0.1:\($0.port)/remote.git")
        }
    }

    /// Accepts connections and never answers; `body` gets the port.
    package func withSilentServer<Result>(_ body: (Int) async throws -> Result) async throws -> Result {
        try await serving(["silent"]) { try await body($0.port) }
    }

    /// `git http-backend` behind a web server; `body` gets `HOST:PORT/remote.git`.
    /// - Parameter options: `authorization` (the header that is wanted), `challenge` (`Basic`), `certificate` and `key` (TLS),
    ///   `redirect`, `status` (answers every request so), `hang` (stops in the middle of the first download).
    package func withHTTPBackend<Result>(
        _ options: [String: String] = [:], _ body: (String) async throws -> Result
    ) async throws -> Result {
        var object = JSONObject()
        object["root"] = .string(root)
        for (name, value) in options { object[name] = .string(value) }
        let text = String(decoding: JSONValue.object(object).serialized(), as: UTF8.self)
        return try await serving(["http", text]) {
            try await body("\(options["certificate"] == nil ? "127.0.0.1" : "localhost"):\($0.port)/remote.git")
        }
    }

    /// Makes an authority and a certificate for `host` that it signed, with openssl.
    /// - Returns: the authority's certificate, the server's certificate and its key.
    package func makeCertificates(for host: String = "localhost") async throws -> (authority: String, certificate: String, key: String) {
        let place = try await run(["mktemp", "-d", root + "/tls-XXXXXX"])
        let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        try await run(
            ["openssl", "req", "-x509", "-days", "2", "-subj", "/CN=Test Authority", "-keyout", "ca.key", "-out", "ca.pem"] + curve, in: place)
        try await run(
            ["openssl", "req", "-x509", "-days", "2", "-subj", "/CN=\(host)", "-addext", "subjectAltName=DNS:\(host)"]
                + ["-addext", "basicConstraints=critical,CA:false", "-CA", "ca.pem", "-CAkey", "ca.key"]
                + ["-keyout", "server.key", "-out", "server.pem"] + curve, in: place)
        return (place + "/ca.pem", place + "/server.pem", place + "/server.key")
    }
}

/// An SSH server with a host key, a user key and a known_hosts file of its own.
package struct SSHServer: Sendable {
    /// `ssh://USER@127.0.0.1:PORT/...` of the repository.
    package let url: String
    package let port: Int
    /// A private key that the server lets in.
    package let key: String
    /// A private key that it does not know.
    package let strangersKey: String
    /// Holds the server's host key.
    package let knownHosts: String

    /// Why no SSH server can be run here; nil if it can. In CI this is never a reason to skip a test.
    package static var obstacle: String? {
        if getenv("CI") != nil { return nil }
        return program == nil ? "sshd is not installed (apt-get install openssh-server)" : nil
    }

    fileprivate static var program: String? { ["/usr/sbin/sshd", "/usr/bin/sshd"].first { access($0, X_OK) == 0 } }
}

extension ScratchRepository {
    /// sshd on an unprivileged port, for the user who runs the tests.
    package func withSSHServer<Result>(_ body: (SSHServer) async throws -> Result) async throws -> Result {
        guard let program = SSHServer.program else { throw Failure(description: "sshd is not installed: run scripts/setup") }
        guard let user = getpwuid(geteuid()).map({ String(cString: $0.pointee.pw_name) }) else { throw Failure(description: "who am I?") }
        let place = root + "/ssh"
        try await run(["mkdir", "-m", "700", place])
        for name in ["host", "user", "stranger"] { try await makeKey(place + "/" + name) }
        try await run(["cp", place + "/user.pub", place + "/authorized_keys"])
        // sshd as root separates privileges in this directory, which Debian makes when the service starts.
        if geteuid() == 0 { try await run(["mkdir", "-p", "-m", "755", "/run/sshd"]) }
        let options = [
            "HostKey=\(place)/host", "AuthorizedKeysFile=\(place)/authorized_keys", "StrictModes=no", "UsePAM=no", "PidFile=none",
            "PasswordAuthentication=no", "KbdInteractiveAuthentication=no", "PermitRootLogin=prohibit-password",
        ]
        return try await serving(["inetd", program, "-i", "-e", "-f", "/dev/null"] + options.flatMap { ["-o", $0] }) { server in
            let hostKey = try await run(["cat", place + "/host.pub"])
            try await run(["sh", "-c", "echo '[127.0.0.1]:\(server.port) \(hostKey)' > known_hosts"], in: place)
            return try await body(
                SSHServer(
                    url: "ssh://\(user)@127.0.0.1:\(server.port)\(bare)", port: server.port, key: place + "/user",
                    strangersKey: place + "/stranger", knownHosts: place + "/known_hosts"))
        }
    }

    /// A new key pair without passphrase: `path` and `path.pub`.
    package func makeKey(_ path: String) async throws {
        try await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", path])
    }

    /// An agent that holds one key; `body` gets its socket.
    package func withAgent<Result>(holding key: String, _ body: (String) async throws -> Result) async throws -> Result {
        let socket = root + "/agent"
        // The agent prints `SSH_AGENT_PID=...; ...` when it listens.
        let words = try await run(["ssh-agent", "-s", "-a", socket])
        guard let process = words.firstRange(of: "SSH_AGENT_PID=").flatMap({ Int32(words[$0.upperBound...].prefix { $0.isNumber }) }) else {
            throw Failure(description: "ssh-agent did not start: \(words)")
        }
        defer { kill(process, SIGTERM) }
        try await run(["env", "SSH_AUTH_SOCK=\(socket)", "ssh-add", "-q", key])
        return try await body(socket)
    }
}
