import Foundation
import KubernetesClient
import ResourceModel
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ExecPluginTests {
    /// Hands out the token of the file `token`, counts its runs in `runs`.
    static func script(expires: String) -> String {
        """
        #!/bin/sh
        dir=$(dirname "$0")
        echo run >> "$dir/runs"
        echo "$KUBERNETES_EXEC_INFO" > "$dir/info"
        printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"%s"\(expires)}}' "$(cat "$dir/$TOKEN_FILE")"
        """
    }

    private func withPlugin(
        expires: String = "", token: String? = nil,
        _ body: (KubernetesClient, _ directory: String, _ token: String) async throws -> Void
    ) async throws {
        try await withCluster(controllers: .api) { cluster in
            guard let known = try ClusterAccess.discover(kubeconfig: cluster.kubeconfig), case .token(let real) = known.credentials else {
                throw CancellationError()
            }
            try await withDirectory(["plugin": Self.script(expires: expires), "token": token ?? real.exposed]) { directory in
                let entry: JSONValue = [
                    "apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin",
                    "env": [["name": "TOKEN_FILE", "value": "token"]], "provideClusterInfo": true, "interactiveMode": "Never",
                ]
                let config: JSONValue = [
                    "current-context": "x", "contexts": [["name": "x", "context": ["cluster": "c", "user": "u"]]],
                    "clusters": [["name": "c", "cluster": ["server": .string(known.server)]]],
                    "users": [["name": "u", "user": ["exec": entry]]],
                ]
                var access = try Kubeconfig.parse(config.serialized(), path: "\(directory)/config").access()
                access.tls = known.tls
                try await body(KubernetesClient(access: access), directory, real.exposed)
            }
        }
    }

    private func runs(_ directory: String) throws -> Int {
        try String(contentsOfFile: "\(directory)/runs", encoding: .utf8).split(separator: "\n").count
    }

    @Test func runsOnceWhileItsCredentialHolds() async throws {
        try await withPlugin { client, directory, _ in
            _ = try await client.list(configMaps, namespace: "default")
            _ = try await client.list(configMaps, namespace: "default")
            #expect(try runs(directory) == 1)
            let info = try JSONValue(parsing: try String(contentsOfFile: "\(directory)/info", encoding: .utf8))
            #expect(info[path: "spec", "cluster", "server"]?.stringValue == client.server)
        }
    }

    @Test func runsAgainWhenItsCredentialHasExpired() async throws {
        try await withPlugin(expires: #","expirationTimestamp":"2001-01-01T00:00:00Z""#) { client, directory, _ in
            _ = try await client.list(configMaps, namespace: "default")
            _ = try await client.list(configMaps, namespace: "default")
            #expect(try runs(directory) == 2)
        }
    }

    @Test func runsAgainWhenTheServerRefusesItsCredential() async throws {
        try await withPlugin(token: "wrong") { client, directory, real in
            let error = await #expect(throws: APIError.self) { try await client.list(configMaps, namespace: "default") }
            #expect(error?.code == 401)
            #expect(try runs(directory) == 2)
            try real.write(toFile: "\(directory)/token", atomically: true, encoding: .utf8)
            _ = try await client.list(configMaps, namespace: "default")
            #expect(try runs(directory) == 3)
        }
    }

    @Test(arguments: [
        ("#!/bin/sh\necho oops >&2; exit 3", "oops"), ("#!/bin/sh\necho secret-token", "not JSON"), ("#!/bin/sh\necho '{}'", "ExecCredential"),
    ])
    func saysHowThePluginFailed(_ script: String, _ words: String) async throws {
        try await withDirectory(["plugin": script]) { directory in
            let text = """
                {current-context: x, contexts: [{name: x, context: {cluster: c, user: u}}], clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}],
                 users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin}}}]}
                """
            let access = try Kubeconfig.parse(Array(text.utf8), path: "\(directory)/config").access()
            let error = await #expect(throws: AccessError.self) {
                try await KubernetesClient(access: access).list(configMaps, namespace: nil)
            }
            #expect(error?.code == "exec-failed")
            #expect(error?.description.contains(words) == true)
            #expect(error?.description.contains("secret-token") == false)
        }
    }

    @Test func aMissingPluginIsNamedWithItsInstallHint() async throws {
        let text = """
            {current-context: x, contexts: [{name: x, context: {cluster: c, user: u}}], clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}],
             users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: no-such-plugin, installHint: get it there}}}]}
            """
        let access = try Kubeconfig.parse(Array(text.utf8), path: "/tmp/config").access()
        let error = await #expect(throws: AccessError.self) {
            try await KubernetesClient(access: access).list(configMaps, namespace: nil)
        }
        #expect(error?.description.contains("no-such-plugin") == true)
        #expect(error?.hint == "get it there")
    }
}
