import Foundation
import HTTPTransport
import KubernetesClient
import ResourceModel
import TestSupport

/// A remote, a cluster whose pods run, and the built `reconciler`: everything that a user has.
struct Stage: Sendable {
    let workspace: Workspace
    let client: KubernetesClient
    /// Sets the namespaces of this test apart from every other's.
    let suffix: String

    func name(_ base: String) -> String { base + suffix }

    /// Pushes this repository's `environments/`, each application in a namespace of its own.
    func pushEnvironments(_ names: [String], message: String = "Declare environments") async throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        var files: [String: String?] = [:]
        for name in names {
            let folder = root.appendingPathComponent("environments/\(name)")
            for file in try FileManager.default.subpathsOfDirectory(atPath: folder.path) {
                var isDirectory: ObjCBool = false
                let path = folder.appendingPathComponent(file).path
                guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), !isDirectory.boolValue else { continue }
                files["environments/\(name)/\(file)"] = try String(contentsOfFile: path, encoding: .utf8)
            }
            let application = root.appendingPathComponent("environments/applications/\(name).yaml").path
            files["environments/applications/\(name).yaml"] = try String(contentsOfFile: application, encoding: .utf8)
                .replacing("    namespace: \(name)\n", with: "    namespace: \(self.name(name))\n")
        }
        try await workspace.push(files, message: message)
    }

    /// Changes a file of the clone and pushes it.
    func edit(_ file: String, message: String, _ change: (String) -> String) async throws {
        let path = workspace.clone.appending(file).string
        let before = try String(contentsOfFile: path, encoding: .utf8)
        try await workspace.push([file: change(before)], message: message)
    }

    func resource(_ kind: String, group: String = "") async throws -> APIResource {
        try await client.resource(for: GroupKind(group: group, kind: kind))
    }

    /// Waits until an object of a namespace is as it should be, driven by a watch.
    @discardableResult
    func object(
        _ kind: String, _ name: String, group: String = "", in namespace: String, within limit: Duration = .seconds(30),
        becomes wanted: @escaping @Sendable (JSONValue?) -> Bool
    ) async throws -> JSONValue? {
        let resource = try await resource(kind, group: group)
        return try await deadline(limit, "waiting for \(kind) \(namespace)/\(name)") {
            for try await event in client.listAndWatch(resource, namespace: namespace, fieldSelector: "metadata.name=\(name)") {
                switch event {
                case .listed(let items, _): if wanted(items.first) { return items.first }
                case .added(let item), .modified(let item): if wanted(item) { return item }
                case .deleted: if wanted(nil) { return nil }
                case .bookmark, .interrupted: continue
                }
            }
            throw CancellationError()
        }
    }

    /// What the pods of a Deployment answer to `GET /`, in order of name. Asks only pods that are ready.
    func answers(of deployment: String, in namespace: String, port: Int = 8080) async throws -> [JSONValue] {
        let pods = try await client.list(
            try await resource("Pod"), namespace: namespace, options: ListOptions(labelSelector: "app.kubernetes.io/name=\(deployment)")
        ).items.filter { $0[path: "metadata", "deletionTimestamp"] == nil }
        let http = HTTPClient()
        defer { http.shutDown() }
        var answers: [JSONValue] = []
        for pod in pods {
            guard let address = pod[path: "status", "podIP"]?.stringValue else { continue }
            let response = try await http.send(HTTPRequest(method: "GET", url: "http://\(address):\(port)/", deadline: .seconds(10)))
            answers.append(try JSONValue(parsing: response.body))
        }
        return answers
    }
}

/// Runs `body` on a stage. The cluster is the one of `RECONCILER_TEST_KUBECONFIG`, else an embedded one started by the built
/// binary, so that pods find `demo-web` on its PATH.
func withStage(_ body: @escaping @Sendable (Stage) async throws -> Void) async throws {
    try await Workspace.with { workspace in
        let suffix = "-" + UUID().uuidString.lowercased().prefix(6)
        if let kubeconfig = ProcessInfo.processInfo.environment["RECONCILER_TEST_KUBECONFIG"], !kubeconfig.isEmpty {
            try await play(kubeconfig, workspace, suffix, cleansUp: true, body)
        } else {
            let (_, code) = try await workspace.reconciler.whileRunning(["cluster", "start"]) { cluster in
                let kubeconfig = try await cluster.line(containing: "kubeconfig")
                try await play(kubeconfig, workspace, suffix, cleansUp: false, body)
            }
            guard code == 0 else { throw ProgramFailure(description: "the cluster ended with \(code)") }
        }
    }
}

private func play(
    _ kubeconfig: String, _ workspace: Workspace, _ suffix: String, cleansUp: Bool, _ body: @Sendable (Stage) async throws -> Void
) async throws {
    guard let access = try ClusterAccess.discover(kubeconfig: kubeconfig) else { throw CancellationError() }
    let client = KubernetesClient(access: access)
    defer { client.shutDown() }
    let stage = Stage(workspace: workspace.with("KUBECONFIG", kubeconfig), client: client, suffix: suffix)
    var failure: (any Error)?
    do { try await body(stage) } catch { failure = error }
    if cleansUp {
        let namespaces = try await stage.resource("Namespace")
        for item in try await client.list(namespaces, namespace: nil).items {
            guard let name = item[path: "metadata", "name"]?.stringValue, name.hasSuffix(suffix) else { continue }
            try await client.delete(namespaces, namespace: nil, name: name)
        }
    }
    if let failure { throw failure }
}

struct ProgramFailure: Error, CustomStringConvertible { var description: String }

/// Whether pods are local processes here, so that commands of this package can run in them.
let podsAreProcesses = (ProcessInfo.processInfo.environment["RECONCILER_TEST_KUBECONFIG"] ?? "").isEmpty
