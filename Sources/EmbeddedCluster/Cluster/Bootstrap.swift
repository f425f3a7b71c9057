import ResourceModel

/// The objects that every cluster begins with.
struct Bootstrap {
    let server: APIServer
    let port: Int

    func run() async throws {
        let client = LocalClient(server: server, name: "kube-apiserver")
        let namespaces = try client.resource("v1", "Namespace")
        for name in ["default", "kube-system", "kube-public", "kube-node-lease"] where client.get(namespaces, name: name) == nil {
            try await client.create(namespaces, ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(name)]])
        }
        let services = try client.resource("v1", "Service")
        if client.get(services, namespace: "default", name: "kubernetes") == nil {
            try await client.create(
                services, namespace: "default",
                [
                    "apiVersion": "v1", "kind": "Service",
                    "metadata": [
                        "name": "kubernetes", "namespace": "default",
                        "labels": ["component": "apiserver", "provider": "kubernetes"],
                    ],
                    "spec": [
                        "clusterIP": "10.96.0.1", "type": "ClusterIP",
                        "ports": [["name": "https", "port": 443, "protocol": "TCP", "targetPort": .integer(Int64(port))]],
                    ],
                ])
        }
    }
}
