import Foundation
import Synchronization

/// Regular expressions of schemas, compiled once.
enum PatternCache {
    private static let compiled = Mutex<[String: NSRegularExpression?]>([:])

    /// Whether some part of the text matches; nil when the pattern is no regular expression.
    static func matches(_ text: String, _ pattern: String) -> Bool? {
        let expression = compiled.withLock { cache in
            if let known = cache[pattern] { return known }
            // A pattern that does not compile is the answer, not an error of this call.
            let made = try? NSRegularExpression(pattern: translated(pattern))
            cache[pattern] = .some(made)
            return made
        }
        guard let expression else { return nil }
        return expression.firstMatch(in: text, range: NSRange(text.startIndex..., in: text)) != nil
    }

    /// Go spells named groups `(?P<name>...)`.
    private static func translated(_ pattern: String) -> String {
        pattern.replacingOccurrences(of: "(?P<", with: "(?<")
    }
}

/// The formats that the server checks.
enum StringFormat {
    /// nil for a format that is not checked.
    static func fits(_ text: String, _ format: String) -> Bool? {
        switch format {
        case "date-time", "datetime": isDateTime(text)
        case "date": PatternCache.matches(text, "^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$")
        case "duration": isDuration(text)
        case "byte": text.isEmpty || (Data(base64Encoded: text) != nil)
        case "uuid": PatternCache.matches(text, "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$")
        case "uuid4":
            PatternCache.matches(text, "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$")
        case "ipv4": isIPv4(text)
        case "ipv6": isIPv6(text)
        case "cidr": isCIDR(text)
        case "mac": PatternCache.matches(text, "^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$")
        case "email": PatternCache.matches(text, "^[^@\\s]+@[^@\\s]+\\.?[^@\\s]*$")
        case "hostname":
            PatternCache.matches(
                text, "^([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\\.)*[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\\.?$")
        case "uri": PatternCache.matches(text, "^([a-zA-Z][a-zA-Z0-9+.-]*:|/)\\S*$")
        default: nil
        }
    }

    private static func isDateTime(_ text: String) -> Bool {
        PatternCache.matches(
            text,
            "^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])[Tt ]"
                + "([01]\\d|2[0-3]):[0-5]\\d:([0-5]\\d|60)([.,]\\d+)?([Zz]|[+-]\\d{2}:?\\d{2})$"
        ) == true
    }

    private static func isDuration(_ text: String) -> Bool {
        PatternCache.matches(text, "^[+-]?(0|((\\d+(\\.\\d*)?|\\.\\d+)(ns|us|µs|μs|ms|s|m|h))+)$") == true
            || PatternCache.matches(
                text, "(?i)^\\d+\\s*(ns|nano|us|µs|micro|ms|milli|s|sec|m|min|h|hr|hour|d|day|w|wk|week)s?$") == true
    }

    private static func isIPv4(_ text: String) -> Bool {
        PatternCache.matches(text, "^((25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)(\\.(?!$)|$)){4}$") == true
    }

    private static func isIPv6(_ text: String) -> Bool {
        var address = in6_addr()
        return inet_pton(AF_INET6, text, &address) == 1
    }

    private static func isCIDR(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let bits = Int(parts[1]), bits >= 0 else { return false }
        return (isIPv4(String(parts[0])) && bits <= 32) || (isIPv6(String(parts[0])) && bits <= 128)
    }
}
