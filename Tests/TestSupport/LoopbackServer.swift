import Dispatch
import Glibc

/// A server process on a loopback port of the system's choice. It ends with `stop()`, and with the test process if that dies.
package final class LoopbackServer: Sendable {
    package let port: Int
    private let process: pid_t
    /// The server ends when the other side of its standard input closes.
    private let lifeline: Int32

    private init(port: Int, process: pid_t, lifeline: Int32) {
        self.port = port
        self.process = process
        self.lifeline = lifeline
    }

    /// Starts `script` with the Python interpreter and waits until it has printed its port.
    /// - Parameter log: where its standard error goes.
    package static func start(_ arguments: [String], log: String) async throws -> LoopbackServer {
        try await offThePool { try launch(arguments, log: log) }
    }

    /// Blocking calls keep a thread of their own: the pool's few are for everybody's tests.
    private static func offThePool<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "test.server").async { continuation.resume(with: Result { try body() }) }
        }
    }

    private static func launch(_ arguments: [String], log: String) throws -> LoopbackServer {
        let python = access("/usr/bin/python3", X_OK) == 0 ? "/usr/bin/python3" : "python3"
        var input: [Int32] = [-1, -1]
        var output: [Int32] = [-1, -1]
        guard pipe(&input) == 0, pipe(&output) == 0 else { throw ScratchRepository.Failure(description: "no pipes are left") }
        for descriptor in [input[1], output[0]] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input[0], 0)
        posix_spawn_file_actions_adddup2(&actions, output[1], 1)
        posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        for descriptor in [input[0], output[1]] where descriptor > 2 { posix_spawn_file_actions_addclose(&actions, descriptor) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, 0x02)  // POSIX_SPAWN_SETPGROUP: its children go with it.
        var pointers: [UnsafeMutablePointer<CChar>?] = ([python, "-c", script] + arguments).map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var process: pid_t = 0
        let code = posix_spawnp(&process, python, &actions, &attributes, &pointers, environ)
        close(input[0])
        close(output[1])
        defer { close(output[0]) }
        guard code == 0 else { throw ScratchRepository.Failure(description: "can't start \(python): \(String(cString: strerror(code)))") }
        var line = [UInt8](repeating: 0, count: 16)
        let count = read(output[0], &line, line.count)
        let text = String(decoding: line.prefix(max(count, 0)).prefix { $0 != 10 }, as: UTF8.self)
        guard let port = Int(text) else {
            kill(-process, SIGKILL)
            waitpid(process, nil, 0)
            throw ScratchRepository.Failure(description: "the server \(arguments) did not start: see \(log)")
        }
        return LoopbackServer(port: port, process: process, lifeline: input[1])
    }

    /// Ends the server and everything that it started.
    package func stop() async throws {
        kill(-process, SIGKILL)
        try await LoopbackServer.offThePool { [process] in _ = waitpid(process, nil, 0) }
        close(lifeline)
    }

    /// `http OPTIONS`, `inetd COMMAND...` (one process for each connection, its socket as standard input and output), or
    /// `silent` (accepts and never answers).
    private static let script = #"""
        import base64, http.server, json, os, socket, socketserver, ssl, subprocess, sys, threading

        def lifeline():
            os.read(0, 1)
            os.killpg(0, 9)
        threading.Thread(target=lifeline, daemon=True).start()

        def announce(port):
            os.write(1, b"%d\n" % port)

        class GitHandler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, format, *arguments):
                sys.stderr.write("%s authorization=%s\n" % (format % arguments, self.headers.get("Authorization")))
                sys.stderr.flush()
            def answer(self, status, headers, body=b""):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def body(self):
                if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = b""
                while True:
                    size = int(self.rfile.readline().split(b";")[0], 16)
                    body += self.rfile.read(size)
                    self.rfile.readline()
                    if size == 0:
                        return body
            def serve(self):
                options, body = self.server.options, self.body()
                path, _, query = self.path.partition("?")
                if options.get("redirect"):
                    return self.answer(301, [("Location", options["redirect"] + self.path)])
                if options.get("status"):
                    return self.answer(int(options["status"]), [])
                wanted, scheme = options.get("authorization"), options.get("challenge", "Basic")
                if wanted and self.headers.get("Authorization") != wanted:
                    return self.answer(401, [("WWW-Authenticate", scheme + ' realm="test"')])
                environment = dict(os.environ, GIT_PROJECT_ROOT=options["root"], GIT_HTTP_EXPORT_ALL="1", PATH_INFO=path,
                    QUERY_STRING=query, REQUEST_METHOD=self.command, CONTENT_LENGTH=str(len(body)), REMOTE_ADDR="127.0.0.1",
                    CONTENT_TYPE=self.headers.get("Content-Type", ""), HTTP_CONTENT_ENCODING=self.headers.get("Content-Encoding", ""))
                result = subprocess.run(["git", "http-backend"], input=body, env=environment, stdout=subprocess.PIPE).stdout
                head, _, content = result.partition(b"\r\n\r\n")
                headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n") if ": " in line]
                status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
                if options.get("hang") and self.command == "POST":
                    self.connection.sendall(b"HTTP/1.1 200 OK\r\n")
                    threading.Event().wait()
                self.answer(status, [item for item in headers if item[0] != "Status"], content)
            do_GET = do_POST = serve

        class GitServer(http.server.ThreadingHTTPServer):
            daemon_threads = True
            def server_bind(self):
                socketserver.TCPServer.server_bind(self)
                self.server_name, self.server_port = self.server_address[:2]

        mode = sys.argv[1]
        if mode == "http":
            options = json.loads(sys.argv[2])
            server = GitServer(("127.0.0.1", 0), GitHandler)
            server.options = options
            if options.get("certificate"):
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(options["certificate"], options["key"])
                server.socket = context.wrap_socket(server.socket, server_side=True)
            announce(server.server_address[1])
            server.serve_forever()
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        announce(listener.getsockname()[1])
        kept = []
        while True:
            connection, _ = listener.accept()
            if mode == "silent":
                kept.append(connection)
            else:
                command = [part.replace("{port}", str(listener.getsockname()[1])) for part in sys.argv[2:]]
                kept.append(subprocess.Popen(command, stdin=connection, stdout=connection))
                connection.close()
        """#
}
