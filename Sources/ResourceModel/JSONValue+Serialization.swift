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
    package func serialized() -> [UInt8] { text(canonical: false) { Array($0) } }

    package var jsonString: String { text(canonical: false) { String(decoding: $0, as: UTF8.self) } }

    /// The bytes that equal values share: members sorted by key, numbers in their shortest spelling, no white space.
    package var canonicalBytes: [UInt8] { text(canonical: true) { Array($0) } }

    /// SHA-256 of `canonicalBytes`, 64 hexadecimal digits.
    package var digest: String {
        text(canonical: true) { bytes in
            var hash = SHA256()
            hash.update(bufferPointer: UnsafeRawBufferPointer(bytes))
            return hash.finalize().hexadecimal
        }
    }

    private func text<Result>(canonical: Bool, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        var writer = JSONWriter(canonical: canonical)
        writer.write(self)
        return body(writer.written)
    }
}

/// A SHA-256 over parts, each told apart from its neighbours by its length.
package struct PartsDigest {
    private var hash = SHA256()

    package init() {}

    package mutating func add(_ part: some Collection<UInt8>) {
        withUnsafeBytes(of: UInt64(part.count).bigEndian) { hash.update(bufferPointer: $0) }
        let added: Void? = part.withContiguousStorageIfAvailable { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        if added == nil { hash.update(data: Array(part)) }
    }

    /// 64 hexadecimal digits.
    package var hexadecimal: String { hash.finalize().hexadecimal }
}

extension Digest {
    /// Two lower-case digits a byte.
    package var hexadecimal: String {
        String(unsafeUninitializedCapacity: Self.byteCount * 2) { text in
            var count = 0
            for byte in self {
                text[count] = Self.digit(byte >> 4)
                text[count + 1] = Self.digit(byte & 15)
                count += 2
            }
            return count
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10 }
}
