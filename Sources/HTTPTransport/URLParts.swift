/// The parts of an absolute `http` or `https` URL, as far as the transport needs them.
struct URLParts {
    let scheme: String
    /// Without brackets around an IPv6 address.
    let host: String
    let port: Int
    /// Path and query, from the first slash on.
    let rest: String
    private let userInfo: String

    init(_ url: String, method: String) throws(HTTPError) {
        guard let separator = url.range(of: "://") else {
            throw HTTPError(code: .invalidRequest, message: "not an absolute URL", method: method, url: URLParts.display(url))
        }
        scheme = url[..<separator.lowerBound].lowercased()
        let tail = url[separator.upperBound...]
        let end = tail.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? tail.endIndex
        var authority = tail[..<end]
        rest = String(tail[end...])
        if let at = authority.lastIndex(of: "@") {
            userInfo = String(authority[...at])
            authority = authority[authority.index(after: at)...]
        } else {
            userInfo = ""
        }
        var portText: Substring = ""
        if authority.hasPrefix("["), let close = authority.firstIndex(of: "]") {
            host = String(authority[authority.index(after: authority.startIndex)..<close])
            portText = authority[authority.index(after: close)...].dropFirst()
        } else if let colon = authority.lastIndex(of: ":") {
            host = String(authority[..<colon])
            portText = authority[authority.index(after: colon)...]
        } else {
            host = String(authority)
        }
        let fallback = scheme == "https" ? 443 : 80
        let number = portText.isEmpty ? fallback : Int(portText)
        guard scheme == "http" || scheme == "https", !host.isEmpty, let number, (1...65535).contains(number) else {
            throw HTTPError(
                code: .invalidRequest, message: "not a usable http or https URL", method: method, url: URLParts.display(url))
        }
        port = number
    }

    var bracketedHost: String { host.contains(":") ? "[\(host)]" : host }

    /// `host` or `host:port` as a `Host` field says it.
    var authority: String { port == (scheme == "https" ? 443 : 80) ? bracketedHost : "\(bracketedHost):\(port)" }

    var isLoopback: Bool { host == "localhost" || host.hasPrefix("127.") || host == "::1" }

    func replacingHost(with name: String) -> String { "\(scheme)://\(userInfo)\(name):\(port)\(rest)" }

    /// The URL as messages show it: without credentials, query and fragment.
    static func display(_ url: String) -> String {
        var text = url.prefix { $0 != "?" && $0 != "#" }
        guard let separator = text.range(of: "://") else { return String(text) }
        let head = text[..<separator.upperBound]
        text = text[separator.upperBound...]
        let end = text.firstIndex(of: "/") ?? text.endIndex
        if let at = text[..<end].lastIndex(of: "@") { text = text[text.index(after: at)...] }
        return String(head) + String(text)
    }
}

extension StringProtocol {
    /// The first occurrence of a text (Foundation's `range(of:)` without Foundation).
    func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
