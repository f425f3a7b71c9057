import Glibc
import ResourceModel

/// What went wrong with a cluster's directory or its start.
package struct ClusterError: ClassifiedError, CustomStringConvertible {
    /// `cluster.locked`, `cluster.directory`, `cluster.start`, ...
    package var code: String
    package var message: String
    package var failureKind: FailureKind { .failed }
    package var description: String { message }

    package init(code: String, message: String) {
        self.code = code
        self.message = message
    }
}

/// The files of a cluster's directory.
package struct ClusterFiles: Sendable {
    package let directory: String

    package init(directory: String) { self.directory = directory }

    package var kubeconfig: String { directory + "/kubeconfig" }
    /// Process id and address of the process that serves the cluster.
    package var running: String { directory + "/running.json" }
    /// Where this machine's programs reach the API without TLS; `nil` where no socket can be: its path is longer than an address can hold
    /// (unix(7)), or the file system has none. What lies there is an ended server's, and is removed.
    func makeWayForSocket() -> String? {
        let path = directory + "/api.sock"
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let trial = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard trial >= 0 else { return nil }
        defer { close(trial) }
        unlink(path)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(trial, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        guard result == 0 else { return nil }
        unlink(path)
        return path
    }
    var database: String { directory + "/cluster.db" }
    var lock: String { directory + "/lock" }

    /// Makes the directory (mode 0700) and its parents.
    func make() throws(ClusterError) {
        var path = directory.hasPrefix("/") ? "" : "."
        for part in directory.split(separator: "/") {
            path += "/" + part
            if mkdir(path, 0o700) != 0, errno != EEXIST {
                throw ClusterError(
                    code: "cluster.directory",
                    message: "cannot make the directory \(path): \(String(cString: strerror(errno))). Choose another one with --state-dir.")
            }
        }
    }

    /// A file's content; `nil` when there is none.
    package static func read(_ path: String) throws(ClusterError) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        if file < 0, errno == ENOENT { return nil }
        guard file >= 0 else {
            throw ClusterError(code: "cluster.file", message: "cannot read \(path): \(String(cString: strerror(errno)))")
        }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            guard count >= 0 else {
                throw ClusterError(code: "cluster.file", message: "cannot read \(path): \(String(cString: strerror(errno)))")
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
        }
    }

    /// Writes a file that only its owner can read; replaces it whole.
    static func write(_ text: String, to path: String) throws(ClusterError) {
        let temporary = path + ".new"
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        let bytes = Array(text.utf8)
        guard file >= 0, Glibc.write(file, bytes, bytes.count) == bytes.count, fsync(file) == 0, close(file) == 0,
            rename(temporary, path) == 0
        else {
            throw ClusterError(code: "cluster.file", message: "cannot write \(path): \(String(cString: strerror(errno)))")
        }
    }
}

/// Keeps two processes from opening one cluster directory. Held until it is released or the process ends.
final class DirectoryLock: Sendable {
    private let file: Int32

    init(_ files: ClusterFiles) throws(ClusterError) {
        let file = open(files.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw ClusterError(code: "cluster.file", message: "cannot open \(files.lock): \(String(cString: strerror(errno)))")
        }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            var text = [UInt8](repeating: 0, count: 20)
            let count = max(0, read(file, &text, text.count))
            let holder = String(decoding: text.prefix(count), as: UTF8.self)
            close(file)
            throw ClusterError(
                code: "cluster.locked",
                message: "the cluster in \(files.directory) is in use by \(holder.isEmpty ? "another process" : "process \(holder)"). "
                    + "Stop it with `reconciler cluster stop`, or use `reconciler cluster kubeconfig` to reach it.")
        }
        self.file = file
        // Only for the message above; the lock is the file's, not its content.
        let holder = Array(String(getpid()).utf8)
        ftruncate(file, 0)
        pwrite(file, holder, holder.count, 0)
    }

    /// Unlocks as well as closes: a child that is just being started may still hold a copy of the descriptor.
    func release() {
        flock(file, LOCK_UN)
        close(file)
    }

    /// Whether a process holds the lock now.
    static func isHeld(_ files: ClusterFiles) -> Bool {
        let file = open(files.lock, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        if flock(file, LOCK_EX | LOCK_NB) == 0 {
            flock(file, LOCK_UN)
            return false
        }
        return true
    }
}
