import Glibc
import HTTPTransport

extension ClusterAccess {
    /// The credentials that Kubernetes gives every pod; `nil` when this process does not run in one.
    package static func inCluster(
        environment: [String: String]? = nil, directory: String = "/var/run/secrets/kubernetes.io/serviceaccount"
    ) throws(AccessError) -> ClusterAccess? {
        let environment = environment ?? processEnvironment()
        guard let host = environment["KUBERNETES_SERVICE_HOST"], !host.isEmpty, let port = environment["KUBERNETES_SERVICE_PORT"],
            Glibc.access("\(directory)/token", F_OK) == 0
        else { return nil }
        let authority = "\(directory)/ca.crt"
        let namespace = "\(directory)/namespace"
        return ClusterAccess(
            server: "https://\(host.contains(":") ? "[\(host)]" : host):\(port)",
            tls: TLSConfiguration(certificateAuthority: Glibc.access(authority, F_OK) == 0 ? .file(authority) : nil),
            credentials: .tokenFile("\(directory)/token"),
            namespace: Glibc.access(namespace, F_OK) == 0 ? String(decoding: try fileBytes(namespace), as: UTF8.self) : nil,
            origin: "the pod's service account")
    }

    /// What kubectl would use: the given kubeconfig, else `$KUBECONFIG`, else `~/.kube/config`, else the pod's service account.
    ///
    /// - Returns: `nil` when there is none of these.
    package static func discover(
        kubeconfig path: String? = nil, context: String? = nil, environment: [String: String]? = nil
    ) throws(AccessError) -> ClusterAccess? {
        if let config = try Kubeconfig.load(path: path, environment: environment) {
            if context != nil || !config.currentContext.isEmpty || path != nil { return try config.access(context: context) }
        }
        return try inCluster(environment: environment)
    }
}
