import CLibZ
import ResourceModel

/// zlib's format (RFC 1950).
enum Compression {
    static func compressed(_ bytes: [UInt8]) throws -> [UInt8] {
        var status = Z_OK
        let result = [UInt8](unsafeUninitializedCapacity: Int(compressBound(uLong(bytes.count)))) { buffer, count in
            var length = uLongf(buffer.count)
            // The fastest level: manifests shrink to a tenth with it, and the best one takes six times as long.
            status = compress2(buffer.baseAddress, &length, bytes, uLong(bytes.count), Z_BEST_SPEED)
            count = status == Z_OK ? Int(length) : 0
        }
        guard status == Z_OK else { throw Problem(code: "history.compress", message: "zlib failed with \(status)") }
        return result
    }

    /// - Parameter size: of the result, as it was before.
    static func decompressed(_ bytes: [UInt8], size: Int) throws -> [UInt8] {
        var status = Z_OK
        let result = [UInt8](unsafeUninitializedCapacity: max(1, size)) { buffer, count in
            var length = uLongf(buffer.count)
            status = uncompress(buffer.baseAddress, &length, bytes, uLong(bytes.count))
            count = status == Z_OK ? Int(length) : 0
        }
        guard status == Z_OK, result.count == size else {
            throw Problem(code: "history.damaged", message: "manifests in the history cannot be read: zlib says \(status)")
        }
        return result
    }
}
