import Crypto
import Foundation
import SwiftASN1
import X509

/// A certificate authority made for one test.
struct TestAuthority {
    struct Identity {
        var certificate: String
        var key: String
    }

    private let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
    private let certificate: Certificate
    let pem: String

    init() throws {
        let name = try DistinguishedName { CommonName("test authority") }
        certificate = try Self.make(
            subject: name, issuer: name, publicKey: key.publicKey, signedBy: key,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                Critical(KeyUsage(keyCertSign: true))
            })
        pem = try certificate.serializeAsPEM().pemString
    }

    func identity(_ names: [GeneralName], commonName: String) throws -> Identity {
        let leafKey = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let leaf = try Self.make(
            subject: try DistinguishedName { CommonName(commonName) }, issuer: certificate.subject, publicKey: leafKey.publicKey,
            signedBy: key,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth, .clientAuth])
                SubjectAlternativeNames(names)
            })
        return Identity(certificate: try leaf.serializeAsPEM().pemString, key: try leafKey.serializeAsPEM().pemString)
    }

    private static func make(
        subject: DistinguishedName, issuer: DistinguishedName, publicKey: Certificate.PublicKey, signedBy key: Certificate.PrivateKey,
        extensions: Certificate.Extensions
    ) throws -> Certificate {
        try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: publicKey, notValidBefore: Date(timeIntervalSinceNow: -60),
            notValidAfter: Date(timeIntervalSinceNow: 3600), issuer: issuer, subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256, extensions: extensions, issuerPrivateKey: key)
    }

    static func address(_ bytes: [UInt8]) -> GeneralName { .ipAddress(ASN1OctetString(contentBytes: bytes[...])) }
}
