import Glibc
import HTTPTransport
import ResourceModel

/// What one request is authenticated with.
struct CredentialMaterial: Sendable {
    /// The `Authorization` field's value.
    var authorization: Redacted<String>?
    var certificate: [UInt8]?
    var key: Redacted<[UInt8]>?
}

/// Holds the current credentials: reads token files again, runs credential plugins when theirs have expired.
actor CredentialSource {
    private let credentials: Credentials
    private var material: CredentialMaterial?
    /// Seconds since 1970.
    private var validUntil: Double?
    private var pending: Task<ExecPlugin.Credential, any Error>?

    init(access: ClusterAccess) {
        credentials = access.credentials
        switch access.credentials {
        case .none: material = CredentialMaterial()
        case .token(let token): material = CredentialMaterial(authorization: Redacted("Bearer \(token.exposed)"))
        case .basic(let user, let password):
            let pair = Base64.encode("\(user):\(password.exposed)".utf8)
            material = CredentialMaterial(authorization: Redacted("Basic \(pair)"))
        case .tokenFile, .exec: material = nil
        }
    }

    func current() async throws -> CredentialMaterial {
        if let material, validUntil.map({ $0 > now() }) ?? true { return material }
        switch credentials {
        case .tokenFile(let path): return try readToken(path)
        case .exec(let plugin): return try await run(plugin)
        default: return material ?? CredentialMaterial()
        }
    }

    /// Drops what the server refused.
    ///
    /// - Returns: whether there is a way to get anything better.
    func refresh() -> Bool {
        switch credentials {
        case .tokenFile, .exec:
            material = nil
            return true
        default: return false
        }
    }

    private func now() -> Double { Double(time(nil)) }

    private func readToken(_ path: String) throws(AccessError) -> CredentialMaterial {
        let text = String(decoding: try fileBytes(path), as: UTF8.self)
        let token = text.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
        guard !token.isEmpty else { throw AccessError(code: "unreadable", message: "holds no token", path: path) }
        let fresh = CredentialMaterial(authorization: Redacted("Bearer \(token)"))
        material = fresh
        validUntil = now() + 60
        return fresh
    }

    private func run(_ plugin: ExecPlugin) async throws -> CredentialMaterial {
        let task = pending ?? Task { try await plugin.run() }
        pending = task
        let result = await task.result
        if pending == task { pending = nil }
        let credential = try result.get()
        let fresh = CredentialMaterial(
            authorization: credential.token.map { Redacted("Bearer \($0.exposed)") }, certificate: credential.certificate,
            key: credential.key)
        material = fresh
        validUntil = credential.expiration
        return fresh
    }
}
