import SystemPackage

/// The whole file.
///
/// - Throws: `AccessError` with code `unreadable` that names the file and the reason.
func fileBytes(_ path: String) throws(AccessError) -> [UInt8] {
    do {
        let file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec])
        return try file.closeAfter {
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = try chunk.withUnsafeMutableBytes { try file.read(into: $0) }
                if count == 0 { return bytes }
                bytes += chunk[..<count]
            }
        }
    } catch {
        throw AccessError(code: "unreadable", message: "cannot be read: \(error)", path: path, hint: "check that the file is there and that you may read it")
    }
}
