import KubernetesClient
import ResourceModel
import TestSupport
import Testing

@testable import Applier

/// Drift that renames an item of a list that the server tells apart by the very field that was changed.
@Suite(.timeLimit(.minutes(2)))
struct IntruderTests {
    private func edit(_ session: Session, _ ports: JSONValue) async throws {
        let services = try await session.client.resource(for: GroupKind(group: "", kind: "Service"))
        _ = try await session.client.patch(
            services, namespace: session.namespace, name: "web", type: .merge, patch: ["spec": ["ports": ports]],
            options: WriteOptions(fieldManager: "kubectl-edit"))
    }

    /// Guards against a heal that fails for ever with `spec.ports[1].name: Duplicate value` (or `Required value`).
    @Test(arguments: [
        "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{name: http, port: 8080}]}}",
        "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 8080}]}}",
    ])
    func aPortWhoseNumberWasChangedIsPutBack(text: String) async throws {
        try await withSession { session in
            let service = try object(text)
            try await session.sync([service])
            var port = try #require(service[path: "spec", "ports"]?[0])
            port["port"] = 8081
            try await edit(session, [port])
            let result = try await session.sync([service])
            #expect(result.results.map(\.actuation) == [.configured])
            let live = try await session.live("Service", "web")
            #expect(live?[path: "spec", "ports"]?.arrayValue?.map { $0["port"] } == [8080])
            #expect(try await session.sync([service]).results.isEmpty)
        }
    }

    @Test func aSyncInWavesGetsOverItsDryRunToo() async throws {
        try await withSession { session in
            let service = try object("{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{name: http, port: 8080}]}}")
            var later = configMap("later", ["a": "1"])
            later[path: "metadata", "annotations"] = ["argocd.argoproj.io/sync-wave": "1"]
            try await session.sync([service, later])
            try await edit(session, [["name": "http", "port": 8081]])
            later["data"] = ["a": "2"]
            let result = try await session.sync([service, later])
            #expect(result.results.map(\.actuation) == [.configured, .configured])
        }
    }

    @Test func anItemThatSomebodyAddedStays() async throws {
        try await withSession { session in
            let service = try object("{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{name: http, port: 8080}]}}")
            try await session.sync([service])
            try await edit(session, [["name": "http", "port": 8080], ["name": "debug", "port": 9999]])
            #expect(try await session.sync([service]).results.isEmpty)
            // A manifest that is refused for its own sake takes nothing from anybody.
            var wrong = service
            wrong[path: "spec", "ports"] = [["name": "http", "port": 8080], ["name": "http", "port": 8082]]
            let result = try await session.sync([wrong])
            #expect(result.results.first?.hasFailed == true)
            #expect(try await session.live("Service", "web")?[path: "spec", "ports"]?.arrayValue?.map { $0["port"] } == [8080, 9999])
            #expect(try await session.sync([service]).results.isEmpty)
            #expect(try await session.live("Service", "web")?[path: "spec", "ports"]?.arrayValue?.count == 2)
        }
    }
}
