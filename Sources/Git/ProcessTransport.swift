import CLibGit2
import Glibc

/// A program that speaks Git's protocol on its standard input and output.
protocol ServiceProgram {
    var arguments: [String] { get }
    /// Variables of this process that it must not see.
    var leavingOut: Set<String> { get }
    /// What its absence means.
    var missing: GitError { get }
    /// What a run that ended too early means.
    /// - Parameter status: the exit status; nil if it was ended by a signal.
    func failure(status: Int32?, words: String) -> GitError
}

/// libgit2's smart protocol over a program, as git(1) itself does it.
///
/// For SSH that is the system's `ssh`: `~/.ssh/config`, jump hosts, agents and hardware keys work as users know them. libgit2's own
/// SSH client waits for ever on a silent server and knows neither a known_hosts file of one's choice nor hashed or certified host
/// keys. A push to a repository on this machine goes to `git receive-pack`: libgit2's own way would pass over its hooks.
final class ProcessTransport {
    private let session: RemoteSession
    private var program: (any ServiceProgram)?
    private var process: ChildProcess?
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
                out?.pointee = ProcessTransport(session).exported()
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
            let transport = ProcessTransport.of(transport)
            let fits: Set<UInt32> =
                switch transport.session.service {
                case .fetch: [GIT_SERVICE_UPLOADPACK_LS.rawValue, GIT_SERVICE_UPLOADPACK.rawValue]
                case .push: [GIT_SERVICE_RECEIVEPACK_LS.rawValue, GIT_SERVICE_RECEIVEPACK.rawValue]
                }
            guard fits.contains(service.rawValue) else { return -1 }
            guard transport.start() else { return -1 }
            out?.pointee = transport.exportedStream()
            return 0
        }
        exported.pointee.parent.close = {
            ProcessTransport.of($0).stop()
            return 0
        }
        exported.pointee.parent.free = { parent in
            let transport = ProcessTransport.of(parent)
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
            let received = ProcessTransport.of(stream).read(into: buffer!, count: size)
            count?.pointee = max(received, 0)
            return received < 0 ? -1 : 0
        }
        stream.pointee.parent.write = { stream, bytes, count in ProcessTransport.of(stream).write(bytes!, count: count) ? 0 : -1 }
        stream.pointee.parent.free = { parent in
            guard let parent else { return }
            ProcessTransport.of(parent).stream = nil
            let stream = UnsafeMutableRawPointer(parent).assumingMemoryBound(to: rc_git_subtransport_stream.self)
            stream.deinitialize(count: 1)
            stream.deallocate()
        }
        return UnsafeMutableRawPointer(stream).assumingMemoryBound(to: git_smart_subtransport_stream.self)
    }

    private static func of(_ parent: UnsafeMutablePointer<git_smart_subtransport>?) -> ProcessTransport {
        let context = UnsafeMutableRawPointer(parent!).assumingMemoryBound(to: rc_git_subtransport.self).pointee.context!
        return Unmanaged<ProcessTransport>.fromOpaque(context).takeUnretainedValue()
    }

    private static func of(_ stream: UnsafeMutablePointer<git_smart_subtransport_stream>?) -> ProcessTransport {
        let context = UnsafeMutableRawPointer(stream!).assumingMemoryBound(to: rc_git_subtransport_stream.self).pointee.context!
        return Unmanaged<ProcessTransport>.fromOpaque(context).takeUnretainedValue()
    }

    // MARK: The conversation

    private func start() -> Bool {
        if process != nil { return true }
        do throws(GitError) {
            let program: any ServiceProgram = session.url.isSSH ? try SSHCommand(session) : LocalService(session)
            self.program = program
            do throws(ChildProcess.StartFailure) {
                process = try ChildProcess(program.arguments, leavingOut: program.leavingOut, operation: session.operation)
            } catch {
                throw error.isMissing ? program.missing : session.error(.failed, "can't start \(program.arguments[0])", error.words)
            }
            return true
        } catch {
            return fail(error)
        }
    }

    private func explanation() -> GitError {
        guard let process, let program else { return session.error(.failed, "\(session.remote.url) is not connected") }
        let (status, words) = process.ending()
        return program.failure(status: status, words: words)
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
        _ = fail(explanation())
        return -1
    }

    private func write(_ bytes: UnsafePointer<CChar>, count: Int) -> Bool {
        guard let process else { return false }
        return process.write(bytes, count: count) || fail(explanation())
    }
}
