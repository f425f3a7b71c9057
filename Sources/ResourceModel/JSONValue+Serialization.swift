import Crypto

/// Why bytes are not JSON.
package struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    package var message: String
    /// From 0, in bytes.
    package var offset: Int

    package init(message: String, offset: Int) {
        self.message = message
        self.offset = offset
    }

    package var description: String { "\(message) at byte \(offset)" }
}

extension JSONValue {
    /// The value as JSON text: members in their order, no white space.
    package func serialized() -> [UInt8] {
        var output: [UInt8] = []
        write(into: &output, sorted: false)
        return output
    }

    package var jsonString: String { String(decoding: serialized(), as: UTF8.self) }

    /// The bytes that equal values share: members sorted by key, numbers in their shortest spelling, no white space.
    package var canonicalBytes: [UInt8] {
        var output: [UInt8] = []
        write(into: &output, sorted: true)
        return output
    }

    /// SHA-256 of `canonicalBytes`, 64 hexadecimal digits.
    package var digest: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: SHA256.hash(data: canonicalBytes).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
