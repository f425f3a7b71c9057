import Foundation
import Glibc

/// Writes a program that others can run at once.
///
/// A file that was just written stays open in a child that another test is starting, until that child runs its own program; who runs
/// the file meanwhile is told "Text file busy". A read lease is given only when nobody has the file open for writing (fcntl(2)).
/// - Throws: Foundation's errors of writing, `ScratchRepository.Failure` when the file stays open for ten seconds.
package func writeProgram(_ text: String, to path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw ScratchRepository.Failure(description: "can't open \(path): \(String(cString: strerror(errno)))") }
    defer { close(file) }
    let setLease: Int32 = 1024  // F_SETLEASE of <fcntl.h>, with _GNU_SOURCE only
    let end = ContinuousClock.now + .seconds(10)
    while fcntl(file, setLease, F_RDLCK) < 0, errno == EAGAIN {
        if ContinuousClock.now > end { throw ScratchRepository.Failure(description: "\(path) stays open for writing") }
        usleep(1000)
    }
    _ = fcntl(file, setLease, F_UNLCK)
}
