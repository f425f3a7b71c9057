import CLinux
import Glibc

/// Whole small files and directories, read and written at once.
package enum SmallFile {
    /// Why a file operation failed: what, on which path, and the system's reason.
    package struct Failure: Error, Sendable, CustomStringConvertible {
        package var operation: String
        package var path: String
        package var code: Int32

        package init(operation: String, path: String, code: Int32) {
            self.operation = operation
            self.path = path
            self.code = code
        }

        package var description: String { "cannot \(operation) \(path): \(String(cString: strerror(code)))" }
    }

    /// `nil` when the file can't be read.
    package static func bytes(_ path: String) -> [UInt8]? {
        let file = linux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count < 0 { return nil }
            if count == 0 { return result }
            result.append(contentsOf: chunk[..<count])
        }
    }

    package static func text(_ path: String) -> String? { bytes(path).map { String(decoding: $0, as: UTF8.self) } }

    /// Replaces the file in one step, so that a reader sees the old or the new content.
    package static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o644) throws(Failure) {
        let temporary = path + ".new"
        unlink(temporary)
        let file = linux_open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard file >= 0 else { throw Failure(operation: "write", path: path, code: errno) }
        var start = 0
        while start < bytes.count {
            let count = bytes[start...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0 {
                let code = errno
                close(file)
                throw Failure(operation: "write", path: path, code: code)
            }
            start += count
        }
        fchmod(file, mode)
        close(file)
        guard rename(temporary, path) == 0 else { throw Failure(operation: "write", path: path, code: errno) }
    }

    /// Makes a directory and those above it.
    package static func makeDirectory(_ path: String, mode: mode_t = 0o755) throws(Failure) {
        if mkdir(path, mode) == 0 || errno == EEXIST { return }
        let code = errno
        guard code == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw Failure(operation: "create directory", path: path, code: code)
        }
        try makeDirectory(String(path[..<slash]), mode: mode)
        if mkdir(path, mode) != 0, errno != EEXIST { throw Failure(operation: "create directory", path: path, code: errno) }
    }

    package static func names(in directory: String) -> [String] {
        guard let handle = opendir(directory) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// The names in a directory; `nil` when there is none.
    /// - Throws: when it is there and cannot be read.
    package static func entries(of directory: String) throws(Failure) -> [String]? {
        guard let handle = opendir(directory) else {
            if errno == ENOENT { return nil }
            throw Failure(operation: "read directory", path: directory, code: errno)
        }
        closedir(handle)
        return names(in: directory)
    }

    /// As `write`, and on the disk when it returns, name and all.
    package static func writeDurably(_ bytes: [UInt8], to path: String, mode: mode_t = 0o600) throws(Failure) {
        try write(bytes, to: path, mode: mode)
        try sync(path)
        try sync(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
    }

    /// Returns when a file, or the names in a directory, are on the disk.
    package static func sync(_ path: String) throws(Failure) {
        let file = linux_open(path.isEmpty ? "/" : path, O_RDONLY | O_CLOEXEC, 0)
        guard file >= 0 else { throw Failure(operation: "sync", path: path, code: errno) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw Failure(operation: "sync", path: path, code: errno) }
    }

    package static func isDirectory(_ path: String) -> Bool {
        var info = stat()
        return lstat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
    }

    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Removes a file or a whole directory; follows no links.
    package static func remove(_ path: String) {
        if isDirectory(path) {
            chmod(path, 0o700)
            for name in names(in: path) { remove("\(path)/\(name)") }
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}
