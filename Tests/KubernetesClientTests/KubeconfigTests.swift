import Foundation
import Glibc
import HTTPTransport
import KubernetesClient
import ResourceModel
import Testing

struct KubeconfigTests {
    static let first = """
        apiVersion: v1
        kind: Config
        current-context: one
        clusters:
        - name: c
          cluster:
            server: https://first.example:6443/base/
            certificate-authority: pki/ca.crt
            tls-server-name: kubernetes
            proxy-url: http://proxy.example:3128
            disable-compression: true
        contexts:
        - name: one
          context: {cluster: c, user: u, namespace: shop}
        users:
        - name: u
          user:
            client-certificate-data: Y2VydA==
            client-key-data: a2V5
            token: abc
        """

    static let second = """
        apiVersion: v1
        kind: Config
        current-context: two
        clusters:
        - name: c
          cluster: {server: "https://second.example"}
        - name: d
          cluster: {server: "https://d.example", insecure-skip-tls-verify: true}
        contexts:
        - name: two
          context: {cluster: d, user: v}
        users:
        - name: v
          user: {username: admin, password: "p:w"}
        """

    @Test func readsAContextWithPathsRelativeToTheFile() async throws {
        try await withDirectory(["config": Self.first, "pki/ca.crt": "authority"]) { directory in
            let access = try #require(try Kubeconfig.load(path: "\(directory)/config")).access()
            #expect(access.server == "https://first.example:6443/base")
            #expect(access.tls.certificateAuthority == .file("\(directory)/pki/ca.crt"))
            #expect(access.tls.clientCertificate == .bytes(Array("cert".utf8)))
            #expect(access.tls.clientKey?.exposed == .bytes(Array("key".utf8)))
            #expect(access.tls.serverName == "kubernetes")
            #expect(access.namespace == "shop")
            #expect(!access.acceptsCompression)
            guard case .url(let proxy) = access.proxy else { return #expect(Bool(false), "no proxy") }
            #expect(proxy.exposed == "http://proxy.example:3128")
            guard case .token(let token) = access.credentials else { return #expect(Bool(false), "no token") }
            #expect(token.exposed == "abc")
            #expect("\(access)".contains("abc") == false)
        }
    }

    @Test func mergesAListOfFilesWhereTheFirstToSayAThingWins() async throws {
        try await withDirectory(["a": Self.first, "b": Self.second, "pki/ca.crt": "authority"]) { directory in
            let environment = ["KUBECONFIG": "\(directory)/missing:\(directory)/a:\(directory)/b", "HOME": "/nowhere"]
            let config = try #require(try Kubeconfig.load(environment: environment))
            #expect(config.currentContext == "one")
            #expect(config.contextNames == ["one", "two"])
            #expect(try config.access().server == "https://first.example:6443/base")
            let other = try config.access(context: "two")
            #expect(other.server == "https://d.example")
            #expect(other.tls.insecureSkipVerify)
            guard case .basic(let user, let password) = other.credentials else { return #expect(Bool(false), "no login") }
            #expect(user == "admin" && password.exposed == "p:w")
        }
    }

    @Test func fallsBackToTheHomeDirectoryAndToNothing() async throws {
        try await withDirectory([".kube/config": Self.second]) { home in
            let found = try Kubeconfig.load(environment: ["HOME": home])
            #expect(found?.currentContext == "two")
            let missing = try Kubeconfig.load(environment: ["HOME": "\(home)/.kube"])
            #expect(missing == nil)
        }
    }

    @Test(arguments: [
        ("{", "malformed"), ("kind: Deployment", "malformed"), ("current-context: x", "no-such-context"), ("{}", "no-such-context"),
        ("{current-context: x, contexts: [{name: x, context: {cluster: b}}]}", "no-such-cluster"),
        (
            "{current-context: x, contexts: [{name: x, context: {cluster: b, user: z}}], clusters: [{name: b, cluster: {server: s}}]}",
            "no-such-user"
        ),
        (
            "{current-context: x, contexts: [{name: x, context: {cluster: b}}], clusters: [{name: b, cluster: {server: s, certificate-authority-data: '!'}}]}",
            "malformed"
        ),
        (
            "{current-context: x, contexts: [{name: x, context: {cluster: b}}], clusters: [{name: b, cluster: {server: s, certificate-authority: none.crt}}]}",
            "unreadable"
        ),
    ])
    func saysWhatIsWrongWithAFile(_ text: String, _ code: String) async throws {
        try await withDirectory(["config": text]) { directory in
            let error = #expect(throws: AccessError.self) { try Kubeconfig.load(path: "\(directory)/config")?.access() }
            #expect(error?.code == code)
            #expect(error?.description.contains(directory) == true)
        }
    }

    @Test func takesASocketThatNobodyElseCanHaveMade() async throws {
        try await withDirectory(["file": ""]) { directory in
            func access(_ path: String, name: String = "reconciler.dev/socket") throws -> ClusterAccess? {
                let text = """
                    current-context: x
                    contexts: [{name: x, context: {cluster: c, user: u}}]
                    users: [{name: u, user: {token: abc}}]
                    clusters:
                    - name: c
                      cluster: {server: "https://127.0.0.1:6443", extensions: [{name: other, extension: 1}, {name: \(name), extension: {path: \(path)}}]}
                    """
                return try Kubeconfig.parse(Array(text.utf8), path: directory + "/config").access()
            }
            let path = directory + "/api.sock"
            let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            let bound = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
            }
            try #require(bound == 0)
            #expect(try access(path)?.unixSocketPath == nil, "nobody says whose it is")
            try #"{"server": "https://127.0.0.1:6443"}"#.write(toFile: directory + "/running.json", atomically: true, encoding: .utf8)
            let taken = try access(path)
            #expect(taken?.unixSocketPath == path && taken?.server == "https://127.0.0.1:6443")
            #expect(try access(path, name: "someone.example/socket")?.unixSocketPath == nil)
            #expect(try access("api.sock")?.unixSocketPath == nil, "a path that depends on where we are")
            #expect(try access(directory + "/gone.sock")?.unixSocketPath == nil, "a kubeconfig of another machine")
            #expect(try access(directory + "/file")?.unixSocketPath == nil)
            try #require(symlink(path, directory + "/link") == 0)
            #expect(try access(directory + "/link")?.unixSocketPath == nil)
            if geteuid() == 0 {
                try #require(chown(path, 12345, 12345) == 0)
                #expect(try access(path)?.unixSocketPath == nil, "somebody else's")
                try #require(chown(path, 0, 0) == 0)
            }
            #expect(try access(path)?.unixSocketPath == path)
            try #"{"server": "https://127.0.0.1:6444"}"#.write(toFile: directory + "/running.json", atomically: true, encoding: .utf8)
            #expect(try access(path)?.unixSocketPath == nil, "another server's")
        }
    }

    @Test func aNamedFileMustExist() {
        let error = #expect(throws: AccessError.self) { try Kubeconfig.load(path: "/nowhere/config") }
        #expect(error?.code == "unreadable")
    }

    @Test func usesThePodsServiceAccount() async throws {
        try await withDirectory(["token": "t", "ca.crt": "authority", "namespace": "shop"]) { directory in
            let environment = ["KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"]
            let access = try #require(try ClusterAccess.inCluster(environment: environment, directory: directory))
            #expect(access.server == "https://[fd00::1]:443")
            #expect(access.namespace == "shop")
            #expect(try ClusterAccess.inCluster(environment: [:], directory: directory) == nil)
        }
    }

    @Test(arguments: ["", "f", "fo", "foo", "foob", "fooba", "foobar"])
    func base64GoesBothWays(_ text: String) {
        #expect(Base64.decode(Base64.encode(text.utf8)) == Array(text.utf8))
    }

    @Test func refusesWhatIsNotBase64() {
        for text in ["!", "A", "AA=", "AA==A", "AAA=="] { #expect(Base64.decode(text) == nil, "\(text)") }
    }

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0.0), ("2000-02-29T12:00:00Z", 951_825_600), ("2026-11-21T08:00:00.5+01:30", 1_795_242_600.5),
    ])
    func readsTimes(_ text: String, _ seconds: Double) { #expect(secondsSince1970(rfc3339: text) == seconds) }

    @Test func refusesWhatIsNoTime() {
        for text in ["", "2026-11-21", "2026-13-01T00:00:00Z", "2026-11-21T08:00:00", "2026-11-21T08:00:00X"] {
            #expect(secondsSince1970(rfc3339: text) == nil, "\(text)")
        }
    }
}
