import CLinux
import Glibc
import Synchronization

/// How a process ended.
package enum ProcessExit: Sendable, Hashable {
    case code(Int32)
    case signal(Int32)
    /// It was not our child (found again after a restart), so nobody can tell.
    case unknown
}

/// Waits for processes to end, children or not, on one thread (`pidfd_open`, `epoll`).
package final class ProcessMonitor: Sendable {
    package static let shared = ProcessMonitor()

    private struct Waiter {
        var pid: Int32
        var continuation: CheckedContinuation<ProcessExit?, Never>
    }

    private let poll: Int32
    private let waiters = Mutex<[Int32: Waiter]>([:])

    private init() {
        poll = epoll_create1(Int32(0o2000000))  // EPOLL_CLOEXEC
        let poll = self.poll
        _ = DedicatedThread.start { [self] in
            var events = [epoll_event](repeating: epoll_event(), count: 64)
            while true {
                let count = epoll_wait(poll, &events, 64, -1)
                if count < 0 { continue }  // EINTR
                for index in 0..<Int(count) { ended(events[index].data.fd) }
            }
        }
    }

    /// Returns when the process has ended, and reaps it if it is our child.
    package func exit(of process: ProcessIdentity) async -> ProcessExit {
        while true {
            if let exit = await watchedExit(of: process) { return exit }
            await Task.detached { try? await Task.sleep(for: .milliseconds(200)) }.value  // not the caller's: its cancellation ends no process
        }
    }

    /// `nil` when the process cannot be watched now: no file descriptor is left.
    private func watchedExit(of process: ProcessIdentity) async -> ProcessExit? {
        await withCheckedContinuation { continuation in
            let descriptor = linux_pidfd_open(process.pid)
            if descriptor < 0, [EMFILE, ENFILE, ENOMEM, ENODEV].contains(errno) {
                let exit = Self.reap(process.pid)
                return continuation.resume(returning: exit == .unknown && process.isAlive ? nil : exit)
            }
            // The number may have been given away before the descriptor was opened: then it is not our process.
            guard descriptor >= 0, process.isAlive || Self.isUnreapedChild(process.pid) else {
                if descriptor >= 0 { close(descriptor) }
                return continuation.resume(returning: Self.reap(process.pid))
            }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            waiters.withLock { $0[descriptor] = Waiter(pid: process.pid, continuation: continuation) }
            var event = epoll_event()
            event.events = 1  // EPOLLIN
            event.data.fd = descriptor
            epoll_ctl(poll, 1 /* EPOLL_CTL_ADD */, descriptor, &event)
        }
    }

    private func ended(_ descriptor: Int32) {
        guard let waiter = waiters.withLock({ $0.removeValue(forKey: descriptor) }) else { return }
        epoll_ctl(poll, 2 /* EPOLL_CTL_DEL */, descriptor, nil)
        close(descriptor)
        waiter.continuation.resume(returning: Self.reap(waiter.pid))
    }

    private static func isUnreapedChild(_ pid: Int32) -> Bool {
        var info = siginfo_t()
        return waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0
    }

    private static func reap(_ pid: Int32) -> ProcessExit {
        var code: Int32 = 0
        var isSignal: Int32 = 0
        guard linux_reap(pid, &code, &isSignal) == 1 else { return .unknown }
        return isSignal == 1 ? .signal(code) : .code(code)
    }
}
