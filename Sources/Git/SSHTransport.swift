import CLibGit2
import Glibc

/// libgit2's smart protocol over the system's `ssh`, as git(1) itself does it: `~/.ssh/config`, jump hosts, agents and
/// hardware keys work as users know them. libgit2's own SSH client waits for ever on a silent server and knows neither
/// a known_hosts file of one's choice nor hashed or certified host keys.
final class SSHTransport {
    private let session: RemoteSession
    private var process: SSHProcess?
    private var subtransport: UnsafeMutablePointer<rc_git_subtransport>?
    /// Listing and downloading are one conversation: libgit2 wants to see the same stream for both.
    private var stream: UnsafeMutablePointer<rc_git_subtransport_stream>?

    private init(_ session: RemoteSession) { self.session = session }

    /// For `git_remote_callbacks.transport`; the transport must not outlive the session.
    static func make(
        _ out: UnsafeMutablePointer<UnsafeMutablePointer<git_transport>?>?, _ owner: OpaquePointer?, _ session: RemoteSession
    ) -> Int32 {
        var definition = git_smart_subtransport_definition(
            callback: { out, _, session in
                let session = Unmanaged<RemoteSession>.fromOpaque(session!).takeUnretainedValue()
                out?.pointee = SSHTransport(session).exported()
                return 0
            }, rpc: 0, param: Unmanaged.passUnretained(session).toOpaque())
        return git_transport_smart(out, owner, &definition)
    }

    // MARK: What libgit2 calls

    private func exported() -> UnsafeMutablePointer<git_smart_subtransport> {
        let exported = UnsafeMutablePointer<rc_git_subtransport>.allocate(capacity: 1)
        exported.initialize(to: rc_git_subtransport())
        exported.pointee.context = Unmanaged.passRetained(self).toOpaque()
        exported.pointee.parent.action = { out, transport, _, service in
            let transport = SSHTransport.of(transport)
            guard service == GIT_SERVICE_UPLOADPACK_LS || service == GIT_SERVICE_UPLOADPACK else { return -1 }
            guard transport.start() else { return -1 }
            out?.pointee = transport.exportedStream()
            return 0
        }
        exported.pointee.parent.close = {
            SSHTransport.of($0).stop()
            return 0
        }
        exported.pointee.parent.free = { parent in
            let transport = SSHTransport.of(parent)
            transport.stop()
            let exported = transport.subtransport
            Unmanaged.passUnretained(transport).release()
            exported?.deinitialize(count: 1)
            exported?.deallocate()
        }
        subtransport = exported
        return UnsafeMutableRawPointer(exported).assumingMemoryBound(to: git_smart_subtransport.self)
    }

    private func exportedStream() -> UnsafeMutablePointer<git_smart_subtransport_stream> {
        if let stream { return UnsafeMutableRawPointer(stream).assumingMemoryBound(to: git_smart_subtransport_stream.self) }
        let stream = UnsafeMutablePointer<rc_git_subtransport_stream>.allocate(capacity: 1)
        self.stream = stream
        stream.initialize(to: rc_git_subtransport_stream())
        stream.pointee.context = Unmanaged.passUnretained(self).toOpaque()  // libgit2 frees its streams before their transport.
        stream.pointee.parent.subtransport = subtransport.map {
            UnsafeMutableRawPointer($0).assumingMemoryBound(to: git_smart_subtransport.self)
        }
        stream.pointee.parent.read = { stream, buffer, size, count in
            let received = SSHTransport.of(stream).read(into: buffer!, count: size)
            count?.pointee = max(received, 0)
            return received < 0 ? -1 : 0
        }
        stream.pointee.parent.write = { stream, bytes, count in SSHTransport.of(stream).write(bytes!, count: count) ? 0 : -1 }
        stream.pointee.parent.free = { parent in
            guard let parent else { return }
            SSHTransport.of(parent).stream = nil
            let stream = UnsafeMutableRawPointer(parent).assumingMemoryBound(to: rc_git_subtransport_stream.self)
            stream.deinitialize(count: 1)
            stream.deallocate()
        }
        return UnsafeMutableRawPointer(stream).assumingMemoryBound(to: git_smart_subtransport_stream.self)
    }

    private static func of(_ parent: UnsafeMutablePointer<git_smart_subtransport>?) -> SSHTransport {
        let context = UnsafeMutableRawPointer(parent!).assumingMemoryBound(to: rc_git_subtransport.self).pointee.context!
        return Unmanaged<SSHTransport>.fromOpaque(context).takeUnretainedValue()
    }

    private static func of(_ stream: UnsafeMutablePointer<git_smart_subtransport_stream>?) -> SSHTransport {
        let context = UnsafeMutableRawPointer(stream!).assumingMemoryBound(to: rc_git_subtransport_stream.self).pointee.context!
        return Unmanaged<SSHTransport>.fromOpaque(context).takeUnretainedValue()
    }

    // MARK: The conversation

    private func start() -> Bool {
        if process != nil { return true }
        do throws(GitError) {
            process = try SSHProcess(command: SSHCommand(session), session: session)
            return true
        } catch {
            return fail(error)
        }
    }

    private func stop() {
        process?.terminate()
        process = nil
    }

    private func fail(_ error: GitError) -> Bool {
        session.failure = session.failure ?? error
        git_error_set_str(Int32(GIT_ERROR_SSH.rawValue), error.message)
        return false
    }

    /// - Returns: how many bytes, at least one; -1 for a failure.
    private func read(into buffer: UnsafeMutablePointer<CChar>, count: Int) -> Int {
        guard let process else { return -1 }
        let received = process.read(into: buffer, count: count)
        if received > 0 { return received }
        _ = fail(process.explanation())
        return -1
    }

    private func write(_ bytes: UnsafePointer<CChar>, count: Int) -> Bool {
        guard let process else { return false }
        return process.write(bytes, count: count) || fail(process.explanation())
    }
}
