import Crypto
import Glibc
import ResourceModel
import SystemPackage

/// A directory on disk as a `FileTree`: what `render` and `validate` read when no repository is named. `.git` is left out.
package struct DirectoryFileTree: FileTree {
    package let root: FilePath

    /// - Parameter root: the directory; links inside it are followed only while they stay inside.
    package init(root: FilePath) { self.root = root }

    package var title: String { "directory \(root)" }

    package func entry(at path: String) async throws -> FileTreeEntry? {
        guard let status = try status(of: path) else { return nil }
        return try entry(path, mode: status.st_mode)
    }

    package func entries(in directory: String, recursive: Bool) async throws -> [FileTreeEntry] {
        var result: [FileTreeEntry] = []
        var pending = [directory]
        while let current = pending.popLast() {
            for name in try names(in: current) where !(name == ".git") {
                let path = RepositoryPath.joined(current, name)
                // A file that went away between the two calls is simply not there.
                guard let status = try status(of: path) else { continue }
                guard let entry = try entry(path, mode: status.st_mode) else { continue }
                result.append(entry)
                if recursive, entry.kind == .directory { pending.append(path) }
            }
        }
        return result.sorted { $0.path < $1.path }
    }

    package func contents(of files: [FileTreeEntry]) async throws -> [[UInt8]] {
        try files.map { try FileBytes.read(at: root.appending($0.path), displayedAs: $0.path) }
    }

    package func digest(at path: String) async throws -> String? {
        guard let top = try await entry(at: path) else { return nil }
        var hash = SHA256()
        let all = top.kind == .directory ? try await entries(in: path, recursive: true) : [top]
        for entry in all {
            hash.update(data: Array("\(entry.path)\0\(entry.kind)\0".utf8))
            if entry.isFile { hash.update(data: try await contents(of: [entry])[0]) }
        }
        return hash.finalize().hexadecimal
    }

    private func entry(_ path: String, mode: mode_t) throws -> FileTreeEntry? {
        switch mode & S_IFMT {
        case S_IFDIR: return FileTreeEntry(path: path, kind: .directory)
        case S_IFREG: return FileTreeEntry(path: path, kind: mode & 0o111 != 0 ? .executable : .file)
        case S_IFLNK: return FileTreeEntry(path: path, kind: .symlink(target: try linkTarget(path)))
        default: return nil
        }
    }

    /// `nil` only when nothing is at the path.
    private func status(of path: String) throws -> stat? {
        var status = stat()
        let result = root.appending(path).withPlatformString { lstat($0, &status) }
        if result == 0 { return status }
        let code = errno
        if code == ENOENT || code == ENOTDIR { return nil }
        throw FileBytes.problem(path, Errno(rawValue: code))
    }

    private func linkTarget(_ path: String) throws -> String {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let length = root.appending(path).withPlatformString { name in
            buffer.withUnsafeMutableBytes { readlink(name, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count) }
        }
        guard length >= 0 else { throw FileBytes.problem(path, Errno(rawValue: errno)) }
        return String(decoding: buffer[..<length], as: UTF8.self)
    }

    private func names(in directory: String) throws -> [String] {
        guard let stream = root.appending(directory).withPlatformString({ opendir($0) }) else {
            throw FileBytes.problem(RepositoryPath.display(directory), Errno(rawValue: errno))
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw FileBytes.problem(directory, Errno(rawValue: errno)) }
                return names
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }
}

/// Whole files, in and out.
enum FileBytes {
    static func read(at path: FilePath, displayedAs name: String) throws -> [UInt8] {
        do {
            let descriptor = try FileDescriptor.open(path, .readOnly)
            return try descriptor.closeAfter {
                var result: [UInt8] = []
                var buffer = [UInt8](repeating: 0, count: 65536)
                while true {
                    let count = try buffer.withUnsafeMutableBytes { try descriptor.read(into: $0) }
                    if count == 0 { return result }
                    result.append(contentsOf: buffer[..<count])
                }
            }
        } catch let error as Errno {
            throw problem(name, error)
        }
    }

    static func write(_ bytes: [UInt8], to path: FilePath, executable: Bool = false) throws {
        do {
            let descriptor = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .truncate],
                permissions: executable ? [.ownerReadWriteExecute] : [.ownerReadWrite])
            try descriptor.closeAfter { _ = try descriptor.writeAll(bytes) }
        } catch let error as Errno {
            throw problem(path.string, error)
        }
    }

    static func problem(_ path: String, _ error: Errno) -> Problem {
        Problem(
            code: "source.unreadable", message: "cannot read or write: \(error)", location: SourceLocation(path: path, line: 0))
    }
}
