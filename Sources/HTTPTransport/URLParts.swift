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
        let text = url.utf8
        guard let separator = URLParts.separator(in: url) else {
            throw HTTPError(code: .invalidRequest, message: "not an absolute URL", method: method, url: URLParts.display(url))
        }
        scheme = url[..<separator.lowerBound].lowercased()
        let end = text[separator.upperBound...].firstIndex(where: URLParts.endsAuthority) ?? text.endIndex
        var authority = url[separator.upperBound..<end]
        rest = String(url[end...])
        if let at = authority.utf8.lastIndex(of: UInt8(ascii: "@")) {
            userInfo = String(authority[...at])
            authority = authority[authority.utf8.index(after: at)...]
        } else {
            userInfo = ""
        }
        var portText: Substring = ""
        if authority.hasPrefix("["), let close = authority.firstIndex(of: "]") {
            host = String(authority[authority.index(after: authority.startIndex)..<close])
            portText = authority[authority.index(after: close)...].dropFirst()
        } else if let colon = authority.utf8.lastIndex(of: UInt8(ascii: ":")) {
            host = String(authority[..<colon])
            portText = authority[authority.utf8.index(after: colon)...]
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
        let whole = url.utf8.firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }.map { url[..<$0] } ?? url[...]
        guard let separator = separator(in: url), separator.upperBound <= whole.endIndex else { return String(whole) }
        let authority = whole[separator.upperBound...].utf8.prefix { !endsAuthority($0) }
        guard let at = authority.lastIndex(of: UInt8(ascii: "@")) else { return String(whole) }
        return String(whole[..<separator.upperBound]) + String(whole[whole.utf8.index(after: at)...])
    }

    /// Where `://` stands.
    private static func separator(in url: String) -> Range<String.Index>? {
        let text = url.utf8
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")), text[colon...].starts(with: "://".utf8) else { return nil }
        return colon..<text.index(colon, offsetBy: 3)
    }

    private static func endsAuthority(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#") }
}
