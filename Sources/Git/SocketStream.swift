import CLibGit2
import Glibc

/// The TCP socket under libgit2's `http`, `https` (mbedTLS reads through it) and `git` transports: non-blocking, and every
/// wait ends when the thread's `Operation` is stopped. libgit2's own socket would wait for ever on a silent server.
final class SocketStream {
    private let host: String
    private let port: String
    private let operation: Operation?
    private var descriptor: Int32 = -1

    private init(host: String, port: String) {
        self.host = host
        self.port = port
        operation = Operation.current
    }

    deinit { disconnect() }

    /// Makes libgit2 use this stream for everything that is not TLS itself.
    static func register() {
        var registration = git_stream_registration(
            version: GIT_STREAM_VERSION,
            init: { out, host, port in
                guard let out, let host, let port else { return -1 }
                out.pointee = SocketStream.make(host: String(cString: host), port: String(cString: port))
                return 0
            }, wrap: nil)
        _ = git_stream_register(GIT_STREAM_STANDARD, &registration)
    }

    private static func make(host: String, port: String) -> UnsafeMutablePointer<git_stream> {
        let stream = UnsafeMutablePointer<rc_git_stream>.allocate(capacity: 1)
        stream.initialize(to: rc_git_stream())
        stream.pointee.context = Unmanaged.passRetained(SocketStream(host: host, port: port)).toOpaque()
        stream.pointee.parent.version = GIT_STREAM_VERSION
        stream.pointee.parent.connect = { SocketStream.of($0).connect() }
        stream.pointee.parent.read = { SocketStream.of($0).read(into: $1!, count: $2) }
        stream.pointee.parent.write = { stream, bytes, count, _ in SocketStream.of(stream).write(bytes!, count: count) }
        stream.pointee.parent.close = {
            SocketStream.of($0).disconnect()
            return 0
        }
        stream.pointee.parent.free = { parent in
            parent!.withMemoryRebound(to: rc_git_stream.self, capacity: 1) { stream in
                Unmanaged<SocketStream>.fromOpaque(stream.pointee.context).release()
                stream.deinitialize(count: 1)
                stream.deallocate()
            }
        }
        return UnsafeMutableRawPointer(stream).assumingMemoryBound(to: git_stream.self)
    }

    private static func of(_ stream: UnsafeMutablePointer<git_stream>?) -> SocketStream {
        let context = UnsafeMutableRawPointer(stream!).assumingMemoryBound(to: rc_git_stream.self).pointee.context!
        return Unmanaged<SocketStream>.fromOpaque(context).takeUnretainedValue()
    }

    private func fail(_ text: String) -> Int32 {
        git_error_set_str(Int32(GIT_ERROR_NET.rawValue), text)
        return -1
    }

    private func connect() -> Int32 {
        let peer = "\(host):\(port)".lowercased()
        let isForbidden = operation?.peers.withLock { peers in
            peers.seen.insert(peer)
            return peers.only != nil && peers.only != peer
        }
        if isForbidden == true { return fail("the server redirects to \(peer), which the token is not for") }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, port, &hints, &list)
        guard status == 0 else { return fail("can't resolve the host \(host): \(String(cString: gai_strerror(status)))") }
        defer { freeaddrinfo(list) }
        var reason = "no address"
        var next = list
        while let address = next?.pointee {
            next = address.ai_next
            if operation?.stopped != nil { return fail("stopped") }
            let socketDescriptor = socket(
                address.ai_family, address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), address.ai_protocol)
            guard socketDescriptor >= 0 else { continue }
            var error: Int32 = 0
            if Glibc.connect(socketDescriptor, address.ai_addr, address.ai_addrlen) != 0 {
                error = errno
                if error == EINPROGRESS {
                    guard wait(socketDescriptor, POLLOUT) else {
                        close(socketDescriptor)
                        return fail("stopped while connecting to \(host):\(port)")
                    }
                    var size = socklen_t(MemoryLayout<Int32>.size)
                    getsockopt(socketDescriptor, SOL_SOCKET, SO_ERROR, &error, &size)
                }
            }
            if error == 0 {
                var on: Int32 = 1
                setsockopt(socketDescriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
                descriptor = socketDescriptor
                return 0
            }
            close(socketDescriptor)
            reason = String(cString: strerror(error))
        }
        return fail("can't connect to \(host):\(port): \(reason)")
    }

    private func wait(_ descriptor: Int32, _ events: Int32) -> Bool {
        if let operation { return operation.wait(for: descriptor, events: events) }
        var single = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        while poll(&single, 1, -1) < 0 { if errno != EINTR { return false } }
        return true
    }

    private func read(into buffer: UnsafeMutableRawPointer, count: Int) -> Int {
        while true {
            let received = recv(descriptor, buffer, count, 0)
            if received >= 0 { return received }
            if errno == EINTR { continue }
            guard errno == EAGAIN else { return Int(fail("the connection to \(host) broke: \(String(cString: strerror(errno)))")) }
            guard wait(descriptor, POLLIN) else { return Int(fail("stopped while waiting for \(host)")) }
        }
    }

    private func write(_ bytes: UnsafePointer<CChar>, count: Int) -> Int {
        while true {
            let sent = send(descriptor, bytes, count, Int32(MSG_NOSIGNAL))
            if sent >= 0 { return sent }
            if errno == EINTR { continue }
            guard errno == EAGAIN else { return Int(fail("the connection to \(host) broke: \(String(cString: strerror(errno)))")) }
            guard wait(descriptor, POLLOUT) else { return Int(fail("stopped while sending to \(host)")) }
        }
    }

    private func disconnect() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }
}
