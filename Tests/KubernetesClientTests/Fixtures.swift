import Foundation
import KubernetesClient
import ResourceModel
import TestSupport

/// A directory with the given files, removed afterwards.
func withDirectory<Result>(_ files: [String: String] = [:], _ body: (String) async throws -> Result) async throws -> Result {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("kubernetes-client-\(UUID())")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }  // leaving it behind fails no test
    for (name, text) in files {
        let file = directory.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        if text.hasPrefix("#!") { try writeProgram(text, to: file.path) } else { try text.write(to: file, atomically: true, encoding: .utf8) }
    }
    return try await body(directory.path)
}

/// A client of a real API server, over TLS, and a namespace of its own.
func withClient(_ body: (KubernetesClient, String) async throws -> Void) async throws {
    try await withCluster(controllers: .api) { cluster in
        guard let access = try ClusterAccess.discover(kubeconfig: try cluster.kubeconfigForTLS) else { throw CancellationError() }
        let client = KubernetesClient(access: access)
        defer { client.shutDown() }
        let namespace = "client-" + UUID().uuidString.lowercased().prefix(8)
        let namespaces = try await client.resource(for: GroupKind(group: "", kind: "Namespace"))
        _ = try await client.create(
            ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(namespace)]], as: namespaces)
        try await body(client, namespace)
        try await client.delete(namespaces, namespace: nil, name: namespace)
    }
}

func configMap(_ name: String, _ namespace: String, _ data: [String: String] = [:], labels: [String: String] = [:]) -> JSONValue {
    var value: JSONValue = [
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name), "namespace": .string(namespace)],
    ]
    for (key, text) in data { value[path: "data", key] = .string(text) }
    for (key, text) in labels { value[path: "metadata", "labels", key] = .string(text) }
    return value
}

let configMaps = APIResource(group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", namespaced: true)
