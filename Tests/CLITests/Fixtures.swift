import Foundation
import KubernetesClient
import ResourceModel
import SystemPackage
import TestSupport
import Testing

/// A workspace, and a cluster that `reconciler` is pointed at with `$KUBECONFIG`.
struct Scene: Sendable {
    var workspace: Workspace
    let client: KubernetesClient

    func run(_ arguments: String...) async throws -> Outcome { try await workspace.reconciler.run(arguments) }

    func object(_ kind: String, _ name: String, group: String = "", namespace: String?) async throws -> JSONValue? {
        let resource = try await client.resource(for: GroupKind(group: group, kind: kind))
        return try await client.get(resource, namespace: namespace, name: name)
    }
}

/// Runs `body` with a fresh workspace and a fresh embedded cluster.
func withScene(controllers: Bool = false, _ body: (Scene) async throws -> Void) async throws {
    try await withEmbeddedCluster(controllers: controllers ? .all : .api) { cluster in
        guard let access = try ClusterAccess.discover(kubeconfig: cluster.kubeconfig) else { throw CancellationError() }
        let client = KubernetesClient(access: access)
        defer { client.shutDown() }
        try await Workspace.with { workspace in
            try await body(Scene(workspace: workspace.with("KUBECONFIG", cluster.kubeconfig), client: client))
        }
    }
}

extension Scene {
    /// Declares the application `shop` with one ConfigMap `keep`, and syncs it.
    func withShop() async throws {
        try await workspace.push([
            "environments/applications/shop.yaml": Workspace.application("shop"),
            "environments/shop/keep.yaml": Workspace.configMap("keep"),
        ])
        let outcome = try await run("sync", "--app", "shop")
        try #require(outcome.code == 0, "\(outcome.description)")
    }
}

/// What a person saw: command, exit code and both streams, with everything that differs from run to run masked.
func transcript(_ arguments: [String], _ outcome: Outcome, in workspace: Workspace) -> String {
    var text = "$ reconciler \(arguments.joined(separator: " "))\n"
    text += "exit \(outcome.code)\n"
    if !outcome.output.isEmpty { text += "--- standard output\n" + outcome.output }
    if !outcome.errors.isEmpty { text += "--- standard error\n" + withSteadyOrder(outcome.errors) }
    return masked(text, workspace)
        .replacing(/"uid":"[0-9a-f-]{36}"/, with: "\"uid\":UID").replacing(/"resourceVersion":"[0-9]+"/, with: "\"resourceVersion\":VERSION")
}

/// Writes of one kind run beside each other, so their lines come in any order.
private func withSteadyOrder(_ lines: String) -> String {
    var result: [Substring] = []
    var run: [Substring] = []
    for line in lines.split(separator: "\n", omittingEmptySubsequences: false) {
        if [" created", " configured", " pruned"].contains(where: line.hasSuffix) || line.contains(" failed: ") {
            run.append(line)
        } else {
            result += run.sorted() + [line]
            run = []
        }
    }
    return (result + run.sorted()).joined(separator: "\n")
}

func masked(_ text: String, _ workspace: Workspace) -> String {
    var text = text.replacing(workspace.root.string, with: "/WORK")
    text = text.replacing(/\/tmp\/reconciler-cluster-[A-Za-z0-9]{6}/, with: "/CLUSTER")
    text = text.replacing(/"?\b[0-9a-f]{40}\b"?/, with: "COMMIT")
    text = text.replacing(/"?\b[0-9a-f]{16}\b"?/, with: "PLAN")
    text = text.replacing(/\b[0-9a-f]{7}\b/, with: "COMMIT")
    text = text.replacing(/127\.0\.0\.1:[0-9]{2,5}/, with: "127.0.0.1:PORT")
    text = text.replacing(/127\.0\.0\.1 port [0-9]+ after [0-9]+ ms/, with: "127.0.0.1 port PORT after N ms")
    text = text.replacing(/[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9:]{8}Z?/, with: "TIME")
    text = text.replacing(/\b[0-9]+\.[0-9]{1,3} s\b/, with: "SECONDS s")
    text = text.replacing(/\b[0-9]+\.[0-9]{1,3} {3,}/, with: "SECONDS   ")
    text = text.replacing(/, (just now|[0-9]+[smhd] ago)\]/, with: ", AGE]").replacing(/\((just now|[0-9]+[smhd] ago)\)/, with: "(AGE)")
    text = text.replacing(/<secret [0-9a-f]{8}>/, with: "<secret DIGEST>")
    text = text.replacing(/"committedAt":[0-9]+/, with: "\"committedAt\":TIME")
    text = text.replacing(/committedAt: [0-9]+/, with: "committedAt: TIME")
    text = text.replacing(/(cli|rollback|pin):[^ @",)]+@[^ ",)\n]+( *)/, with: { "\($0.1):USER@HOST" + ($0.2.count > 2 ? "   " : $0.2) })
    text = text.replacing(/TRIGGER +/, with: "TRIGGER   ")
    text = text.replacing(/\b[0-9a-f]{12} {3,}/, with: "DIGEST   ")
    text = text.replacing(/\bhead [0-9a-f]{64}\b/, with: "head DIGEST")
    text = text.replacing(/applyset-[A-Za-z0-9_-]{43}-v1/, with: "APPLYSET")
    return text
}

/// Compares a transcript with its golden file.
func expectGolden(_ text: String, _ name: String, sourceLocation: Testing.SourceLocation = #_sourceLocation) throws {
    if let difference = try goldenDifference(text, name) { Issue.record("\(difference)", sourceLocation: sourceLocation) }
}
