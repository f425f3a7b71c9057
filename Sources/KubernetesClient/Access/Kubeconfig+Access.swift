import Glibc
import HTTPTransport
import ResourceModel

extension Kubeconfig {
    /// What a context says, or the current one, ready for a `KubernetesClient`.
    package func access(context name: String? = nil) throws(AccessError) -> ClusterAccess {
        let name = name ?? currentContext
        guard !name.isEmpty else {
            throw AccessError(
                code: "no-such-context", message: "no current-context is set", path: place,
                hint: "choose one with --context or kubectl config use-context; there are: \(list(contextNames))")
        }
        guard let context = contexts[name] else {
            throw AccessError(
                code: "no-such-context", message: "there is no context \"\(name)\"", path: place, hint: "there are: \(list(contextNames))")
        }
        guard let clusterName = context.string("cluster"), let cluster = clusters[clusterName] else {
            throw AccessError(
                code: "no-such-cluster", message: "context \"\(name)\" names no known cluster: \"\(context.string("cluster") ?? "")\"",
                path: context.path, hint: "there are: \(list(clusters.keys.sorted()))")
        }
        guard let server = cluster.string("server") else {
            throw AccessError(code: "malformed", message: "cluster \"\(clusterName)\" has no server", path: cluster.path)
        }
        let userName = context.string("user") ?? ""
        guard let user = users[userName] ?? (userName.isEmpty ? Entry(value: .object([:]), path: context.path) : nil) else {
            throw AccessError(
                code: "no-such-user", message: "context \"\(name)\" names no known user: \"\(userName)\"", path: context.path,
                hint: "there are: \(list(users.keys.sorted()))")
        }
        let tls = try tls(cluster, user)
        var access = ClusterAccess(
            server: server, tls: tls,
            proxy: cluster.string("proxy-url").map { .url(Redacted($0)) } ?? .environment,
            credentials: try credentials(user, named: userName, cluster: cluster),
            impersonation: impersonation(user), namespace: context.string("namespace"),
            origin: "context \"\(name)\" of \(context.path)")
        access.acceptsCompression = cluster.value["disable-compression"]?.boolValue != true
        if let socket = socket(of: cluster, server: server) { access.connect(throughSocket: socket) }
        return access
    }

    /// The Unix socket that an embedded cluster's kubeconfig names beside the URL, if the server there is the one of the URL: it says so
    /// in the file `running.json` beside the socket. It gets our token: the socket must be one that nobody but us or root can have made.
    /// A kubeconfig that was copied to another machine names none that is there.
    private func socket(of cluster: Entry, server: String) -> String? {
        for item in cluster.value["extensions"]?.arrayValue ?? [] where item["name"]?.stringValue == "reconciler.dev/socket" {
            var facts = stat()
            guard let path = item["extension"]?["path"]?.stringValue, path.hasPrefix("/"), let slash = path.lastIndex(of: "/"), lstat(path, &facts) == 0,
                facts.st_mode & S_IFMT == S_IFSOCK, [geteuid(), 0].contains(facts.st_uid),
                // Whatever is wrong with it, the URL is left.
                let bytes = try? fileBytes(path[...slash] + "running.json"), let running = try? JSONValue(parsing: bytes), running["server"] == .string(server)
            else { continue }
            return path
        }
        return nil
    }

    private var place: String { paths.joined(separator: ":") }
    private func list(_ names: [String]) -> String { names.isEmpty ? "none" : names.joined(separator: ", ") }

    private func tls(_ cluster: Entry, _ user: Entry) throws(AccessError) -> TLSConfiguration {
        let insecure = cluster.value["insecure-skip-tls-verify"]?.boolValue ?? false
        let key = try pem(user, "client-key")
        return TLSConfiguration(
            certificateAuthority: insecure ? nil : try pem(cluster, "certificate-authority"),
            clientCertificate: try pem(user, "client-certificate"), clientKey: key.map { Redacted($0) },
            insecureSkipVerify: insecure, serverName: cluster.string("tls-server-name"))
    }

    /// `name-data` before `name`, as kubectl has it.
    private func pem(_ entry: Entry, _ name: String) throws(AccessError) -> PEMSource? {
        if let data = entry.string("\(name)-data") {
            guard let bytes = Base64.decode(data) else {
                throw AccessError(code: "malformed", message: "\(name)-data is not Base64", path: entry.path)
            }
            return .bytes(bytes)
        }
        guard let path = entry.file(name) else { return nil }
        _ = try fileBytes(path)  // says now which file is missing, not at the first request
        return .file(path)
    }

    private func credentials(_ user: Entry, named name: String, cluster: Entry) throws(AccessError) -> Credentials {
        if let path = user.file("tokenFile") { return .tokenFile(path) }
        if let token = user.string("token") { return .token(Redacted(token)) }
        if let login = user.string("username") {
            return .basic(user: login, password: Redacted(user.string("password") ?? ""))
        }
        if let exec = user.value["exec"], exec.objectValue != nil {
            return .exec(try ExecPlugin(exec, entry: user, user: name, cluster: cluster))
        }
        if let provider = user.value["auth-provider"]?["name"]?.stringValue {
            throw AccessError(
                code: "unsupported", message: "user \"\(name)\" uses the auth provider \"\(provider)\", which Kubernetes removed in 1.26",
                path: user.path, hint: "use an exec credential plugin")
        }
        return .none
    }

    private func impersonation(_ user: Entry) -> HTTPHeaders {
        var headers = HTTPHeaders()
        guard let name = user.string("as") else { return headers }
        headers.append(name: "Impersonate-User", value: name)
        if let uid = user.string("as-uid") { headers.append(name: "Impersonate-Uid", value: uid) }
        for group in user.value["as-groups"]?.arrayValue ?? [] {
            if let group = group.stringValue { headers.append(name: "Impersonate-Group", value: group) }
        }
        for member in user.value["as-user-extra"]?.objectValue ?? [:] {
            for value in member.value.arrayValue ?? [] {
                if let value = value.stringValue { headers.append(name: "Impersonate-Extra-\(percentEncoded(member.key))", value: value) }
            }
        }
        return headers
    }
}
