import Foundation

/// The base64 of `data` in Secrets and of `binaryData`.
enum SecretData {
    static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
    /// `nil` when the text is no base64.
    static func decode(_ text: String) -> [UInt8]? { Data(base64Encoded: text).map(Array.init) }
}
