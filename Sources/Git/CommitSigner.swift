import Glibc

/// Signs commits as Git does: with `ssh-keygen` or with `gpg`. git-config(1): `gpg.format`, `user.signingKey`, `gpg.program`.
package struct CommitSigner: Sendable, Hashable {
    package enum Format: String, Sendable, Hashable {
        case ssh
        case openPGP = "openpgp"
    }

    package var format: Format
    /// For SSH a key file, or a public key whose private half an agent holds (`key::ssh-ed25519 AAAA…`); for OpenPGP what `gpg -u` takes.
    package var key: String
    /// `nil`: `ssh-keygen` or `gpg`.
    package var program: String?

    package init(format: Format, key: String, program: String? = nil) {
        self.format = format
        self.key = key
        self.program = program
    }

    /// The armoured signature of `content`. Blocks; the caller's operation ends it.
    /// - Throws: `GitError` with `missingTool` or `signing`, `CancellationError`.
    func signature(of content: String, _ operation: Operation) throws -> String {
        switch format {
        case .openPGP:
            return try run([program ?? "gpg", "--batch", "--no-tty", "--detach-sign", "--armor", "-u", key], content, operation)
        case .ssh:
            let tool = program ?? "ssh-keygen"
            guard let literal = publicKey else {
                let path = key.hasPrefix("~/") ? (getenv("HOME").map { String(cString: $0) } ?? "~") + key.dropFirst() : key
                guard access(path, R_OK) == 0 else {
                    throw GitError(
                        code: .signing, message: "the signing key \(path) (user.signingKey) can't be read: check the path and its permissions",
                        repository: "", cause: String(cString: strerror(errno)))
                }
                return try run([tool, "-Y", "sign", "-n", "git", "-f", path], content, operation)
            }
            // An agent's key is named by a file with its public half.
            var template = Array("/tmp/reconciler-key-XXXXXX".utf8CString)
            let descriptor = mkstemp(&template)
            guard descriptor >= 0 else { throw MirrorFiles.failure("make a file in", "/tmp") }
            close(descriptor)
            let file = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
            defer { unlink(file) }
            try MirrorFiles.write(Array((literal + "\n").utf8), to: file)
            return try run([tool, "-Y", "sign", "-n", "git", "-U", "-f", file], content, operation)
        }
    }

    private var publicKey: String? {
        if key.hasPrefix("key::") { return String(key.dropFirst(5)) }
        return key.hasPrefix("ssh-") ? key : nil
    }

    private func run(_ arguments: [String], _ content: String, _ operation: Operation) throws -> String {
        let process: ChildProcess
        do throws(ChildProcess.StartFailure) {
            process = try ChildProcess(arguments, operation: operation)
        } catch {
            if error.isMissing {
                throw GitError(
                    code: .missingTool,
                    message: "commits are to be signed (user.signingKey), and `\(arguments[0])` is not on PATH: install "
                        + (format == .ssh ? "openssh-client" : "gnupg") + ", or set commit.gpgSign to false", repository: "")
            }
            throw GitError(code: .signing, message: "can't start \(arguments[0])", repository: "", cause: error.words)
        }
        let bytes = Array(content.utf8)
        let isWritten = bytes.withUnsafeBytes { process.write($0.baseAddress!.assumingMemoryBound(to: CChar.self), count: $0.count) }
        process.finishWriting()
        let output = process.readToEnd()
        let (status, words) = process.ending()
        if operation.stopped != nil { throw CancellationError() }
        let text = String(decoding: output ?? [], as: UTF8.self)
        guard isWritten, status == 0, text.hasPrefix("-----BEGIN ") else {
            throw GitError(
                code: .signing,
                message: "\(arguments[0]) could not sign the commit with the key \(key) (user.signingKey): check that the key is there, has not "
                    + "expired, and that its passphrase is known to an agent", repository: "", cause: words.isEmpty ? nil : words)
        }
        return text
    }
}
