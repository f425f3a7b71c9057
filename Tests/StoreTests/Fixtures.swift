import Foundation
import ResourceModel

@testable import Store

func report(
    _ application: String, _ subject: String, at time: Double = 1.5, trigger: String = "cli:ada@host", conclusion: SyncReport.Conclusion = .succeeded,
    message: String = "done", steps: [StepResult] = []
) -> SyncReport {
    SyncReport(
        application: application,
        revision: Revision(
            repository: "file:///r", ref: "main", commit: String(repeating: "b", count: 40), author: "Ada", subject: subject, committedAt: 7),
        planID: "p", trigger: trigger, startedAt: time, finishedAt: time + 0.75, conclusion: conclusion, message: message, sync: .synced,
        health: HealthAssessment(.healthy, "fine"), steps: steps, refusals: [Refusal(code: "c", message: "m", permit: "p")],
        warnings: [Problem(code: "w", severity: .warning, message: "careful")], fencingToken: 3)
}

func desiredState(_ application: String, _ names: [String], namespace: String? = "shop") -> DesiredState {
    let manifests = names.map { name in
        Manifest(
            id: ResourceID(group: "", kind: "ConfigMap", namespace: namespace, name: name), apiVersion: "v1",
            body: ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name)], "data": ["text": "é \"quoted\"\n"]],
            source: SourceLocation(path: "shop/all.yaml", line: 3, document: 1))
    }
    return DesiredState(
        application: application, revision: report(application, "s").revision, manifests: manifests,
        digest: JSONValue.array(manifests.map(\.body)).digest)
}

func withDirectory(_ body: (String) async throws -> Void) async throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("store-\(UUID())")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }  // scratch files: nothing depends on their going
    try await body(directory.path)
}

func withStore(_ retention: Retention = Retention(), _ body: (HistoryStore) async throws -> Void) async throws {
    try await withDirectory { try await body(try HistoryStore(path: $0 + "/history.db", retention: retention)) }
}
