import ResourceModel
import Subprocess
import SystemPackage

/// A program that hands out credentials (client.authentication.k8s.io/v1 and v1beta1).
package struct ExecPlugin: Sendable {
    var apiVersion: String
    var command: String
    var arguments: [String]
    var environment: [(name: String, value: String)]
    /// Shown when the program is missing.
    var installHint: String?
    /// `spec.cluster` of what the program is told, when it asks for it.
    var clusterInfo: JSONValue?
    var interactiveMode: String
    /// For messages.
    var user: String

    init(_ exec: JSONValue, entry: Kubeconfig.Entry, user: String, cluster: Kubeconfig.Entry) throws(AccessError) {
        guard let command = exec["command"]?.stringValue, !command.isEmpty else {
            throw AccessError(code: "malformed", message: "user \"\(user)\": exec has no command", path: entry.path)
        }
        apiVersion = exec["apiVersion"]?.stringValue ?? ""
        guard ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"].contains(apiVersion) else {
            throw AccessError(
                code: "unsupported", message: "user \"\(user)\": exec with apiVersion \"\(apiVersion)\" is not supported", path: entry.path,
                hint: "client.authentication.k8s.io/v1 and v1beta1 are: update the plugin and its kubeconfig entry")
        }
        // As in kubectl: a bare name is looked up in PATH, anything with a slash is relative to the file.
        self.command = command.contains("/") ? entry.resolve(command) : command
        arguments = (exec["args"]?.arrayValue ?? []).compactMap(\.stringValue)
        environment = (exec["env"]?.arrayValue ?? []).compactMap { pair in
            pair["name"]?.stringValue.map { ($0, pair["value"]?.stringValue ?? "") }
        }
        installHint = exec["installHint"]?.stringValue
        interactiveMode = exec["interactiveMode"]?.stringValue ?? "IfAvailable"
        self.user = user
        if exec["provideClusterInfo"]?.boolValue == true { clusterInfo = Self.clusterInfo(cluster) }
    }

    private static func clusterInfo(_ cluster: Kubeconfig.Entry) -> JSONValue {
        var info = JSONValue.object([:])
        for key in ["server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url"] {
            info[key] = cluster.value[key]
        }
        if info["certificate-authority-data"] == nil, let path = cluster.file("certificate-authority"),
            let bytes = try? fileBytes(path)  // was read when the access was made; a plugin can do without
        {
            info["certificate-authority-data"] = .string(Base64.encode(bytes))
        }
        for item in cluster.value["extensions"]?.arrayValue ?? []
        where item["name"]?.stringValue == "client.authentication.k8s.io/exec" {
            info["config"] = item["extension"]
        }
        return info
    }

    /// What the program handed out.
    struct Credential: Sendable {
        var token: Redacted<String>?
        var certificate: [UInt8]?
        var key: Redacted<[UInt8]>?
        /// Seconds since 1970; `nil` holds until the server refuses it.
        var expiration: Double?
    }

    /// Runs the program once.
    func run() async throws -> Credential {
        var spec: JSONValue = ["interactive": false]
        if let clusterInfo { spec["cluster"] = clusterInfo }
        let info: JSONValue = ["kind": "ExecCredential", "apiVersion": .string(apiVersion), "spec": spec]
        if interactiveMode == "Always" {
            throw failure("it needs a terminal", hint: "log in with kubectl first, or use a plugin that does not ask")
        }
        var overrides: [Environment.Key: String?] = [:]
        for pair in environment { overrides[Environment.Key(rawValue: pair.name) ?? "KUBERNETES_EXEC_INFO"] = pair.value }
        overrides["KUBERNETES_EXEC_INFO"] = info.jsonString
        let executable: Executable = command.contains("/") ? .path(FilePath(command)) : .name(command)
        let output: [UInt8]
        do {
            let result = try await Subprocess.run(
                executable, arguments: Arguments(arguments), environment: .inherit.updating(overrides), input: .none,
                output: .bytes(limit: 1 << 20), error: .bytes(limit: 1 << 16))
            output = result.standardOutput
            guard case .exited(0) = result.terminationStatus else {
                let words = String(decoding: result.standardError.suffix(500), as: UTF8.self)
                throw failure("it ended with \(result.terminationStatus): \(words)", hint: "run it by hand to see why")
            }
        } catch let error as SubprocessError {
            throw failure("it cannot be started: \(error)", hint: installHint ?? "install it, or check PATH")
        }
        return try credential(output)
    }

    private func credential(_ output: [UInt8]) throws -> Credential {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: output)
        } catch {
            // The output may hold a secret: it is not shown.
            throw failure("its output is not JSON (\(error.message))")
        }
        guard value["kind"]?.stringValue == "ExecCredential", value["apiVersion"]?.stringValue == apiVersion else {
            throw failure("its output is not an ExecCredential of \(apiVersion)")
        }
        guard let status = value["status"] else { throw failure("its output has no status") }
        let credential = Credential(
            token: status["token"]?.stringValue.map { Redacted($0) },
            certificate: status["clientCertificateData"]?.stringValue.map { Array($0.utf8) },
            key: status["clientKeyData"]?.stringValue.map { Redacted(Array($0.utf8)) },
            expiration: status["expirationTimestamp"]?.stringValue.flatMap { secondsSince1970(rfc3339: $0) })
        guard credential.token != nil || credential.certificate != nil, (credential.certificate == nil) == (credential.key == nil) else {
            throw failure("its output has neither a token nor a client certificate with its key")
        }
        return credential
    }

    private func failure(_ text: String, hint: String? = nil) -> AccessError {
        AccessError(
            code: "exec-failed", message: "user \"\(user)\": the credential plugin \(command) failed: \(text)", hint: hint,
            failureKind: .failed)
    }
}
