import CLibCurl

extension EngineLoop {
    func failure(of transfer: Transfer, _ code: HTTPError.Code, _ message: String, cause: String? = nil, hint: String? = nil) -> HTTPError {
        HTTPError(
            code: code, message: message, method: transfer.request.method, url: URLParts.display(transfer.request.url), cause: cause,
            hint: hint)
    }

    /// libcurl's result in our terms: what failed, and what to try.
    func failure(of transfer: Transfer, _ result: CURLcode) -> HTTPError {
        let detail = String(cString: transfer.errorBuffer)
        let cause = detail.isEmpty ? String(cString: reconciler_curl_easy_strerror(result)) : detail
        func make(_ code: HTTPError.Code, _ message: String, _ hint: String? = nil) -> HTTPError {
            failure(of: transfer, code, message, cause: cause, hint: hint)
        }
        if transfer.overflowed {
            return failure(
                of: transfer, .tooLarge, "the answer is larger than \(transfer.configuration.maximumBodyBytes) bytes")
        }
        switch result {
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL:
            return make(.invalidRequest, "the URL cannot be used", "it must be an http:// or https:// URL")
        case CURLE_COULDNT_RESOLVE_HOST:
            return make(.resolve, "the server's name has no address", "check the server's name and this machine's DNS")
        case CURLE_COULDNT_RESOLVE_PROXY:
            return make(.resolve, "the proxy's name has no address", "check HTTPS_PROXY, NO_PROXY and proxy-url")
        case CURLE_COULDNT_CONNECT:
            return make(.connect, "cannot connect", "check that the server runs and that this machine can reach it")
        case CURLE_OPERATION_TIMEDOUT:
            return make(.connect, "cannot connect in time", "check that this machine can reach the server")
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS:
            return make(.tls, "the server's certificate is not trusted", "check the certificate authority and the server's name")
        case CURLE_SSL_CERTPROBLEM:
            return make(.tls, "the client certificate cannot be used", "check the client certificate and its key")
        case CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CRL_BADFILE:
            return make(.tls, "the certificate authority cannot be read", "check the certificate authority's file or data")
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER, CURLE_USE_SSL_FAILED, CURLE_SSL_ENGINE_INITFAILED:
            return make(.tls, "the TLS handshake failed", "check that the server speaks TLS on this port")
        case CURLE_PROXY:
            return make(.proxy, "the proxy failed", "check HTTPS_PROXY, NO_PROXY and proxy-url")
        case CURLE_OUT_OF_MEMORY, CURLE_BAD_FUNCTION_ARGUMENT, CURLE_UNKNOWN_OPTION:
            return make(.invalidRequest, "the request cannot be sent")
        default:
            return make(.interrupted, "the connection broke", "try again; if it stays so, check the server and what lies between")
        }
    }
}
