import Glibc
import ResourceModel

/// A cluster that some process serves now.
package struct RunningCluster: Sendable {
    package let process: Int32
    package let server: String
    private let files: ClusterFiles

    /// `nil` when no process has the directory open.
    package init?(_ files: ClusterFiles) throws {
        guard DirectoryLock.isHeld(files), let bytes = try ClusterFiles.read(files.running) else { return nil }
        let value = try JSONValue(parsing: bytes)
        guard let process = value["pid"]?.integerValue, let server = value["server"]?.stringValue else { return nil }
        self.process = Int32(process)
        self.server = server
        self.files = files
    }

    /// Asks the process to stop and waits until it has let the directory go.
    package func stop(within limit: Duration) throws(ClusterError) {
        guard kill(process, SIGTERM) == 0 || errno == ESRCH else {
            throw ClusterError(code: "cluster.stop", message: "cannot stop process \(process): \(String(cString: strerror(errno)))")
        }
        let end = ContinuousClock.now + limit
        while DirectoryLock.isHeld(files) {
            // Another process' lock can only be asked for, not awaited with a deadline.
            if ContinuousClock.now > end {
                throw ClusterError(code: "cluster.stop", message: "process \(process) did not stop within \(limit)")
            }
            usleep(20_000)
        }
    }
}
