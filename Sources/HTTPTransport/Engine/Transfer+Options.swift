import CLibCurl
import ResourceModel

extension Transfer {
    /// Sets everything on a fresh or reset handle.
    ///
    /// - Throws: `invalid-request` when libcurl refuses an option.
    func configure(_ handle: UnsafeMutableRawPointer) throws(HTTPError) {
        let target = try URLParts(request.url, method: request.method)
        set(handle, CURLOPT_NOSIGNAL, 1)
        // Without TLS there is no HTTP/2. libcurl, were it asked for it, would keep transfers waiting to share the first one's connection,
        // and not look again when that has turned out to be HTTP/1.1 (7.88).
        set(handle, CURLOPT_HTTP_VERSION, Int(target.scheme == "https" ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1))
        set(handle, CURLOPT_PIPEWAIT, 1)
        if request.wantsNewConnection { set(handle, CURLOPT_FRESH_CONNECT, 1) }
        set(handle, CURLOPT_TCP_KEEPALIVE, 1)
        set(handle, CURLOPT_TCP_KEEPIDLE, 30)
        set(handle, CURLOPT_TCP_KEEPINTVL, 10)
        set(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        set(handle, CURLOPT_CONNECTTIMEOUT_MS, max(1, configuration.connectDeadline.milliseconds))
        set(handle, CURLOPT_USERAGENT, configuration.userAgent)
        set(handle, CURLOPT_ACCEPT_ENCODING, "gzip")
        reconciler_curl_allow_http_only(handle)
        reconciler_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, errorBuffer)
        reconciler_curl_set_pointer(handle, CURLOPT_PRIVATE, Unmanaged.passUnretained(self).toOpaque())
        reconciler_curl_set_pointer(handle, CURLOPT_WRITEDATA, Unmanaged.passUnretained(self).toOpaque())
        reconciler_curl_set_pointer(handle, CURLOPT_HEADERDATA, Unmanaged.passUnretained(self).toOpaque())
        reconciler_curl_set_callback(handle, CURLOPT_WRITEFUNCTION) { data, size, count, context in
            let transfer = Unmanaged<Transfer>.fromOpaque(context!).takeUnretainedValue()
            return transfer.receive(body: UnsafeRawBufferPointer(start: data, count: size * count))
        }
        reconciler_curl_set_callback(handle, CURLOPT_HEADERFUNCTION) { data, size, count, context in
            let transfer = Unmanaged<Transfer>.fromOpaque(context!).takeUnretainedValue()
            transfer.receive(headerLine: UnsafeRawBufferPointer(start: data, count: size * count))
            return size * count
        }
        var headers = request.headers
        setServer(handle, target, &headers)
        try setTLS(handle)
        setProxy(handle, target)
        setMethodAndBody(handle, &headers)
        for field in headers.fields {
            // libcurl drops a field without a value unless it is written with a semicolon.
            let line = field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)"
            headerList = reconciler_curl_slist_append(headerList, line)
        }
        if request.body != nil, headers["Content-Type"] == nil { headerList = reconciler_curl_slist_append(headerList, "Content-Type:") }
        headerList = reconciler_curl_slist_append(headerList, "Expect:")
        if !configuration.acceptsCompression, headers["Accept-Encoding"] == nil {
            headerList = reconciler_curl_slist_append(headerList, "Accept-Encoding: identity")  // in place of libcurl's own
        }
        reconciler_curl_set_pointer(handle, CURLOPT_HTTPHEADER, headerList)
    }

    private func set(_ handle: UnsafeMutableRawPointer, _ option: CURLoption, _ value: Int) {
        reconciler_curl_set_long(handle, option, value)
    }

    private func set(_ handle: UnsafeMutableRawPointer, _ option: CURLoption, _ value: String) {
        reconciler_curl_set_string(handle, option, value)
    }

    private func setServer(_ handle: UnsafeMutableRawPointer, _ target: URLParts, _ headers: inout HTTPHeaders) {
        if let path = configuration.unixSocketPath { set(handle, CURLOPT_UNIX_SOCKET_PATH, path) }
        guard let name = configuration.tls.serverName, !name.isEmpty, target.scheme == "https", name != target.host else {
            set(handle, CURLOPT_URL, request.url)
            return
        }
        // libcurl verifies the URL's host: name the server so in the URL, and connect to where the URL said.
        set(handle, CURLOPT_URL, target.replacingHost(with: name))
        connectList = reconciler_curl_slist_append(connectList, "\(name):\(target.port):\(target.bracketedHost):\(target.port)")
        reconciler_curl_set_pointer(handle, CURLOPT_CONNECT_TO, connectList)
        if headers["Host"] == nil { headers["Host"] = target.authority }
    }

    private func setTLS(_ handle: UnsafeMutableRawPointer) throws(HTTPError) {
        let tls = configuration.tls
        if tls.insecureSkipVerify {
            set(handle, CURLOPT_SSL_VERIFYPEER, 0)
            set(handle, CURLOPT_SSL_VERIFYHOST, 0)
        }
        if let authority = tls.certificateAuthority {
            // The system's directory would stay trusted beside the given certificates.
            reconciler_curl_set_string(handle, CURLOPT_CAPATH, nil)
            reconciler_curl_set_string(handle, CURLOPT_CAINFO, nil)
            try set(handle, authority, blob: CURLOPT_CAINFO_BLOB, file: CURLOPT_CAINFO, what: "certificate authority")
        }
        if let certificate = tls.clientCertificate {
            set(handle, CURLOPT_SSLCERTTYPE, "PEM")
            try set(handle, certificate, blob: CURLOPT_SSLCERT_BLOB, file: CURLOPT_SSLCERT, what: "client certificate")
        }
        if let key = tls.clientKey {
            set(handle, CURLOPT_SSLKEYTYPE, "PEM")
            try set(handle, key.exposed, blob: CURLOPT_SSLKEY_BLOB, file: CURLOPT_SSLKEY, what: "client key")
        }
    }

    private func set(
        _ handle: UnsafeMutableRawPointer, _ source: PEMSource, blob: CURLoption, file: CURLoption, what: String
    ) throws(HTTPError) {
        let result: CURLcode
        switch source {
        case .bytes(let bytes):
            result = bytes.withUnsafeBytes { reconciler_curl_set_blob(handle, blob, $0.baseAddress, $0.count) }
        case .file(let path):
            result = reconciler_curl_set_string(handle, file, path)
        }
        guard result == CURLE_OK else {
            throw HTTPError(code: .invalidRequest, message: "cannot use the \(what)", cause: String(cString: reconciler_curl_easy_strerror(result)))
        }
    }

    private func setProxy(_ handle: UnsafeMutableRawPointer, _ target: URLParts) {
        switch configuration.proxy {
        case .none: set(handle, CURLOPT_PROXY, "")
        case .url(let url):
            set(handle, CURLOPT_PROXY, url.exposed)
            set(handle, CURLOPT_NOPROXY, "")
        case .environment:
            if target.isLoopback || configuration.unixSocketPath != nil { set(handle, CURLOPT_PROXY, "") }
        }
    }

    private func setMethodAndBody(_ handle: UnsafeMutableRawPointer, _ headers: inout HTTPHeaders) {
        if let body = request.body {
            reconciler_curl_set_offset(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
            body.withUnsafeBytes { bytes in
                _ = reconciler_curl_set_pointer(
                    handle, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: bytes.baseAddress ?? UnsafeRawPointer(errorBuffer)))
            }
            set(handle, CURLOPT_CUSTOMREQUEST, request.method)
        } else if request.method == "HEAD" {
            set(handle, CURLOPT_NOBODY, 1)
        } else {
            set(handle, CURLOPT_HTTPGET, 1)
            if request.method != "GET" { set(handle, CURLOPT_CUSTOMREQUEST, request.method) }
            if ["POST", "PUT", "PATCH"].contains(request.method) { headers["Content-Length"] = "0" }
        }
    }
}

extension Duration {
    /// Rounded down.
    var milliseconds: Int {
        let (seconds, attoseconds) = components
        return Int(clamping: seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
    }
}
