import Foundation
import KubernetesClient
import Logging
import ResourceModel
import TestSupport
import YAML

@testable import Applier

func id(_ kind: String, _ name: String, group: String = "", namespace: String? = "shop") -> ResourceID {
    ResourceID(group: group, kind: kind, namespace: namespace, name: name)
}

/// The first document of a YAML text.
func object(_ text: String) throws -> JSONValue {
    guard let document = try YAML.documents(in: Array(text.utf8), path: "test.yaml").first else { return .null }
    return document.value
}

func manifest(_ body: JSONValue, line: Int = 1) -> Manifest {
    let apiVersion = body["apiVersion"]?.stringValue ?? "v1"
    let kind = body["kind"]?.stringValue ?? ""
    return Manifest(
        id: ResourceID(
            group: GroupVersionKind(apiVersion: apiVersion, kind: kind).group, kind: kind,
            namespace: body[path: "metadata", "namespace"]?.stringValue, name: body[path: "metadata", "name"]?.stringValue ?? ""),
        apiVersion: apiVersion, body: body, source: SourceLocation(path: "app/all.yaml", line: line))
}

/// A manifest of a kind with nothing in it but its name.
func manifest(_ kind: String, _ name: String, group: String = "", namespace: String? = "shop", annotations: [String: String] = [:]) -> Manifest {
    var body: JSONValue = [
        "apiVersion": .string(group.isEmpty ? "v1" : "\(group)/v1"), "kind": .string(kind), "metadata": ["name": .string(name)],
    ]
    if let namespace { body[path: "metadata", "namespace"] = .string(namespace) }
    for (key, value) in annotations { body[path: "metadata", "annotations", key] = .string(value) }
    return manifest(body)
}

func live(
    _ kind: String, _ name: String, group: String = "", namespace: String? = "shop", owner: String? = "shop", annotations: [String: String] = [:],
    more: JSONValue = [:]
) -> LiveObject {
    let id = id(kind, name, group: group, namespace: namespace)
    var body = manifest(kind, name, group: group, namespace: namespace, annotations: annotations).body
    if let owner { body[path: "metadata", "annotations", TrackingID.annotation] = .string(TrackingID(application: owner, id: id).description) }
    for member in more.objectValue ?? [:] { body[path: "metadata", member.key] = member.value }
    return LiveObject(
        id: id, apiVersion: body["apiVersion"]?.stringValue ?? "v1", body: body, uid: "uid-\(name)", resourceVersion: "1", ownership: FieldOwnership())
}

func desiredState(_ manifests: [Manifest], application: String = "shop") -> DesiredState {
    DesiredState(
        application: application,
        revision: Revision(
            repository: "file:///repository", ref: "main", commit: String(repeating: "a", count: 40), author: "Ada", subject: "Change",
            committedAt: 0), manifests: manifests, digest: JSONValue.array(manifests.map(\.body)).digest)
}

/// Everything that one application does with a cluster, in the steps of the page.
struct Session: Sendable {
    let applier: Applier
    let namespace: String
    let application: String

    var client: KubernetesClient { applier.client }
    var applySet: ApplySet { ApplySet(application: application) }

    /// Compares; declared bodies get the session's namespace where they name none.
    func changes(
        _ bodies: [JSONValue], ignoring: [IgnoreDifferences] = [], options: SyncOptions = SyncOptions()
    ) async throws -> (changes: [Change], desired: DesiredState, live: LiveState) {
        let desired = try await applier.resolved(
            desiredState(bodies.map { manifest($0) }, application: application), namespace: namespace, options: options)
        let live = try await applier.liveState(of: desired, applySet: applySet)
        let intents = desired.manifests.filter { $0.hook == nil }.map { Intent(manifest: $0, application: application, applySet: applySet) }
        let hooks = Set(desired.manifests.filter { $0.hook != nil }.map(\.id))
        return (try await applier.changes(from: live, to: intents, hooks: hooks, ignoring: ignoring, options: options), desired, live)
    }

    /// Compares, plans and executes.
    @discardableResult
    func sync(
        _ bodies: [JSONValue], policy: PlanPolicy = PlanPolicy(prune: true), options: ExecutionOptions = ExecutionOptions(),
        ignoring: [IgnoreDifferences] = [], creating namespace: NamespaceRequest? = nil
    ) async throws -> (plan: Plan, results: [StepResult]) {
        var (changes, desired, live) = try await changes(bodies, ignoring: ignoring, options: options.syncOptions)
        if let namespace, let change = try await applier.namespaceChange(of: namespace, desired: desired, live: live) { changes.append(change) }
        let hooks = hookSteps(
            desired.manifests, application: application, applySet: applySet, revision: desired.revision, startedAt: 1_700_000_000)
        let plan = plan(changes, hooks: hooks, desired: desired, inventory: live.inventory, policy: policy)
        guard plan.refusals.isEmpty else { return (plan, []) }
        return (
            plan,
            try await applier.execute(
                plan, desired: desired, applySet: applySet, inventory: live.inventory, options: options, onEvent: { _ in })
        )
    }

    func live(_ kind: String, _ name: String, group: String = "", inNamespace: Bool = true) async throws -> JSONValue? {
        let resource = try await client.resource(for: GroupKind(group: group, kind: kind))
        return try await client.get(resource, namespace: inNamespace ? namespace : nil, name: name)
    }

    /// The same cluster and namespace, another application.
    func other(_ name: String) -> Session { Session(applier: applier, namespace: namespace, application: "\(name)-\(namespace)") }
}

/// An application of its own, in a namespace of its own, on a real API server.
func withSession(controllers: Bool = false, createNamespace: Bool = true, _ body: (Session) async throws -> Void) async throws {
    try await withCluster(controllers: controllers ? .all : .api) { cluster in
        guard let access = try ClusterAccess.discover(kubeconfig: cluster.kubeconfig) else { throw CancellationError() }
        let client = KubernetesClient(access: access)
        defer { client.shutDown() }
        let name = "applier-" + UUID().uuidString.lowercased().prefix(8)
        let namespaces = try await client.resource(for: GroupKind(group: "", kind: "Namespace"))
        if createNamespace {
            _ = try await client.create(["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(name)]], as: namespaces)
        }
        let session = Session(applier: Applier(client: client, logger: Logger(label: "applier-tests")), namespace: name, application: name)
        try await body(session)
        if cluster.embedded == nil {
            do { try await client.delete(namespaces, namespace: nil, name: name) } catch let error as APIError where error.isNotFound {}
            let maps = try await client.resource(for: GroupKind(group: "", kind: "ConfigMap"))
            for item in try await client.list(maps, namespace: ApplySet.namespace).items {
                guard let parent = item[path: "metadata", "name"]?.stringValue, parent.hasSuffix(name) else { continue }
                try await client.delete(maps, namespace: ApplySet.namespace, name: parent)
            }
        }
    }
}

func configMap(_ name: String, _ data: [String: String] = ["key": "value"]) -> JSONValue {
    var value: JSONValue = ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name)], "data": [:]]
    for (key, text) in data { value[path: "data", key] = .string(text) }
    return value
}

/// Whether tests run against the embedded cluster, whose pods are local processes.
let ranEmbedded = (ProcessInfo.processInfo.environment["RECONCILER_TEST_KUBECONFIG"] ?? "").isEmpty

extension StepResult {
    /// Why the step failed; `nil` when it did not.
    var failure: String? { if case .failed(let message) = actuation { message } else { nil } }
}
