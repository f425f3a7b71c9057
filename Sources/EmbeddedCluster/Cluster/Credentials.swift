import Crypto
import Foundation
import ResourceModel
import SwiftASN1
import X509

/// The cluster's own authority, its server certificate and the admin's token. Made once; the same after a restart.
struct Credentials: Sendable {
    let authority: String
    let serverCertificate: String
    let serverKey: String
    let token: String

    init(in files: ClusterFiles) throws {
        let names = ["ca.crt", "server.crt", "server.key", "token"].map { files.directory + "/" + $0 }
        let present = try names.compactMap { path throws(ClusterError) in try ClusterFiles.read(path).map { String(decoding: $0, as: UTF8.self) } }
        if present.count == names.count {
            (authority, serverCertificate, serverKey, token) = (present[0], present[1], present[2], present[3])
            return
        }
        let now = Date()
        // A clock that is put back must not shut everybody out.
        let backdating = 7.0 * 86400
        let authorityKey = P256.Signing.PrivateKey()
        let authorityName = try DistinguishedName { CommonName("reconciler embedded cluster") }
        let authorityCertificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(authorityKey.publicKey), notValidBefore: now - backdating,
            notValidAfter: now + 3650 * 86400, issuer: authorityName, subject: authorityName, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                Critical(KeyUsage(digitalSignature: true, keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: .init(authorityKey.publicKey))
            }, issuerPrivateKey: .init(authorityKey))
        let key = P256.Signing.PrivateKey()
        let identifier = SubjectKeyIdentifier(hash: .init(authorityKey.publicKey))
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey), notValidBefore: now - backdating,
            notValidAfter: now + 3650 * 86400, issuer: authorityName,
            subject: try DistinguishedName { CommonName("reconciler-apiserver") }, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true, keyEncipherment: true))
                try ExtendedKeyUsage([.serverAuth])
                AuthorityKeyIdentifier(keyIdentifier: identifier.keyIdentifier)
                SubjectAlternativeNames([
                    .ipAddress(.init(contentBytes: [127, 0, 0, 1])), .dnsName("localhost"), .dnsName("kubernetes"),
                    .dnsName("kubernetes.default"), .dnsName("kubernetes.default.svc"), .dnsName("kubernetes.default.svc.cluster.local"),
                ])
            }, issuerPrivateKey: .init(authorityKey))
        authority = try authorityCertificate.serializeAsPEM().pemString + "\n"
        serverCertificate = try certificate.serializeAsPEM().pemString + "\n"
        serverKey = key.pemRepresentation + "\n"
        token = (0..<32).map { _ in
            let byte = UInt8.random(in: 0...255)
            return (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
        for (path, text) in zip(names, [authority, serverCertificate, serverKey, token]) { try ClusterFiles.write(text, to: path) }
    }

    /// A kubeconfig for the server at that address. Our own client takes the socket; others pass over a cluster's extensions.
    func kubeconfig(server: String, socket: String?) -> String {
        let extensions = socket.map { path in
            """

                extensions:
                - name: reconciler.dev/socket
                  extension:
                    path: \(JSONValue.string(path).jsonString)
            """
        }
        return """
            apiVersion: v1
            kind: Config
            clusters:
            - name: reconciler
              cluster:
                server: \(server)
                certificate-authority-data: \(Base64.encode(Array(authority.utf8)))\(extensions ?? "")
            users:
            - name: admin
              user:
                token: \(token)
            contexts:
            - name: reconciler
              context:
                cluster: reconciler
                user: admin
            current-context: reconciler

            """
    }
}
