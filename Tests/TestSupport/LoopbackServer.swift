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
        try await Spawn.offThePool {
            let python = access("/usr/bin/python3", X_OK) == 0 ? "/usr/bin/python3" : "python3"
            var pair: [Int32] = [-1, -1]
            guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &pair) == 0 else {
                throw ScratchRepository.Failure(description: "no sockets are left")
            }
            defer { close(pair[1]) }
            let errors = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            defer { close(errors) }
            let process = try Spawn.start([python, "-c", script] + arguments, input: pair[1], output: pair[1], errors: errors)
            var line: [UInt8] = []
            var byte: UInt8 = 0
            close(pair[1])  // Else a server that failed would never end the line.
            pair[1] = -1
            while line.count < 8, recv(pair[0], &byte, 1, 0) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
            guard let port = Int(String(decoding: line, as: UTF8.self)) else {
                kill(-process, SIGKILL)
                waitpid(process, nil, 0)
                close(pair[0])
                throw ScratchRepository.Failure(description: "the server \(arguments) did not start: see \(log)")
            }
            return LoopbackServer(port: port, process: process, lifeline: pair[0])
        }
    }

    /// Ends the server and everything that it started.
    package func stop() async throws {
        kill(-process, SIGKILL)
        try await Spawn.offThePool { [process] in _ = waitpid(process, nil, 0) }
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
