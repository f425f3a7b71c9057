/// The forms of names, labels and keys (RFC 1123, RFC 1035, IANA) with the API server's words for what is wrong. Every function
/// returns one text for each problem, none when the name is fine.
enum Names {
    private static let label = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
        + "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
    private static let subdomain = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
        + "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
        + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
    private static let label1035 = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
        + "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
        + "'[a-z]([-a-z0-9]*[a-z0-9])?')"
    private static let qualified = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
        + "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
        + "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
    private static let value = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
        + "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
        + "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"

    static func tooLong(_ maximum: Int) -> String { "must be no more than \(maximum) bytes" }

    private static func isLower(_ byte: UInt8) -> Bool { byte >= 0x61 && byte <= 0x7A }
    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
    private static func isUpper(_ byte: UInt8) -> Bool { byte >= 0x41 && byte <= 0x5A }
    private static func isLowerOrDigit(_ byte: UInt8) -> Bool { isLower(byte) || isDigit(byte) }
    private static func isAlphanumeric(_ byte: UInt8) -> Bool { isLowerOrDigit(byte) || isUpper(byte) }

    private static func isLabel(_ text: Substring.UTF8View) -> Bool {
        guard let first = text.first, let last = text.last, isLowerOrDigit(first), isLowerOrDigit(last) else { return false }
        return text.allSatisfy { isLowerOrDigit($0) || $0 == 0x2D }
    }

    private static func isQualified(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last, isAlphanumeric(first), isAlphanumeric(last) else { return false }
        return text.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x2D || $0 == 0x5F || $0 == 0x2E }
    }

    static func dnsLabel(_ name: String) -> [String] {
        var problems: [String] = []
        if name.utf8.count > 63 { problems.append(tooLong(63)) }
        if !isLabel(Substring(name).utf8) { problems.append(label) }
        return problems
    }

    static func dns1035Label(_ name: String) -> [String] {
        var problems: [String] = []
        if name.utf8.count > 63 { problems.append(tooLong(63)) }
        if !isLabel(Substring(name).utf8) || !(name.utf8.first.map(isLower) ?? false) { problems.append(label1035) }
        return problems
    }

    static func dnsSubdomain(_ name: String) -> [String] {
        var problems: [String] = []
        if name.utf8.count > 253 { problems.append(tooLong(253)) }
        if !name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy({ isLabel($0.utf8) }) { problems.append(subdomain) }
        return problems
    }

    /// `*.example.com`.
    static func wildcardSubdomain(_ name: String) -> [String] {
        let isFine = name.hasPrefix("*.") && dnsSubdomain(String(name.dropFirst(2))).isEmpty
        if isFine && name.utf8.count <= 253 { return [] }
        return ["a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case "
            + "alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation "
            + "is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"]
    }

    /// A name that is one segment of a path: roles and bindings.
    static func pathSegment(_ name: String) -> [String] {
        if name == "." || name == ".." { return ["may not be '\(name)'"] }
        var problems: [String] = []
        for part in ["/", "%"] where name.contains(part) { problems.append("may not contain '\(part)'") }
        return problems
    }

    /// A label's, annotation's or selector's key: `[prefix/]name`.
    static func qualifiedName(_ text: String) -> [String] {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        var problems: [String] = []
        let name: Substring
        switch parts.count {
        case 1: name = parts[0]
        case 2:
            if parts[0].isEmpty { problems.append("prefix part must be non-empty") } else {
                problems += dnsSubdomain(String(parts[0])).map { "prefix part \($0)" }
            }
            name = parts[1]
        default:
            return ["a qualified name \(qualified) with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
        }
        if name.isEmpty { problems.append("name part must be non-empty") } else if name.utf8.count > 63 {
            problems.append("name part \(tooLong(63))")
        }
        if !isQualified(name) { problems.append("name part \(qualified)") }
        return problems
    }

    static func labelValue(_ text: String) -> [String] {
        var problems: [String] = []
        if text.utf8.count > 63 { problems.append(tooLong(63)) }
        if !text.isEmpty, !isQualified(Substring(text)) { problems.append(value) }
        return problems
    }

    /// A key of a ConfigMap or Secret.
    static func configKey(_ key: String) -> [String] {
        var problems: [String] = []
        if key.utf8.count > 253 { problems.append(tooLong(253)) }
        if key.isEmpty || !key.utf8.allSatisfy({ isAlphanumeric($0) || $0 == 0x2D || $0 == 0x5F || $0 == 0x2E }) {
            problems.append("a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  "
                + "or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')")
        }
        if key == "." { problems.append("must not be '.'") } else if key == ".." { problems.append("must not be '..'") } else
        if key.hasPrefix("..") { problems.append("must not start with '..'") }
        return problems
    }

    /// An environment variable's name: any printable ASCII but `=`.
    static func environmentVariable(_ name: String) -> [String] {
        if name.isEmpty || !name.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != 0x3D }) {
            return ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
        }
        return []
    }

    /// An IANA service name.
    static func portName(_ name: String) -> [String] {
        var problems: [String] = []
        if name.utf8.count > 15 { problems.append("must be no more than 15 characters") }
        if !name.utf8.allSatisfy({ isLowerOrDigit($0) || $0 == 0x2D }) || name.isEmpty {
            problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
        }
        if !name.utf8.contains(where: isLower) { problems.append("must contain at least one letter (a-z)") }
        if name.contains("--") { problems.append("must not contain consecutive hyphens") }
        if name.hasPrefix("-") || name.hasSuffix("-") { problems.append("must not begin or end with a hyphen") }
        return problems
    }

    /// An IPv4 or IPv6 address.
    static func isAddress(_ text: String) -> Bool { isIPv4(text) || isIPv6(text) }

    static func isIPv4(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                part.count <= 3 && !part.isEmpty && part.utf8.allSatisfy(isDigit) && (part == "0" || !part.hasPrefix("0"))
                    && (Int(part) ?? 256) < 256
            }
    }

    static func isIPv6(_ text: String) -> Bool {
        guard text.contains(":"), !text.contains(":::") else { return false }
        let halves = text.components(separatedBy: "::")
        guard halves.count <= 2 else { return false }
        var groups = 0
        for (index, half) in halves.enumerated() where !half.isEmpty {
            let parts = half.split(separator: ":", omittingEmptySubsequences: false)
            for (place, part) in parts.enumerated() {
                if index == halves.count - 1, place == parts.count - 1, part.contains(".") {
                    guard isIPv4(String(part)) else { return false }
                    groups += 2
                    continue
                }
                let isHexadecimal = part.utf8.allSatisfy { isDigit($0) || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x66) }
                guard !part.isEmpty, part.utf8.count <= 4, isHexadecimal else { return false }
                groups += 1
            }
        }
        return halves.count == 2 ? groups < 8 : groups == 8
    }

    /// `10.0.0.0/8`.
    static func isCIDR(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let bits = Int(parts[1]), bits >= 0, !parts[1].hasPrefix("+") else { return false }
        let address = String(parts[0])
        return isIPv4(address) ? bits <= 32 : isIPv6(address) && bits <= 128
    }

    static let addressProblem = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
    static let networkProblem = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
}

extension String {
    /// The parts between occurrences of a separator.
    fileprivate func components(separatedBy separator: String) -> [Substring] {
        var parts: [Substring] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            parts.append(rest[..<range.lowerBound])
            rest = rest[range.upperBound...]
        }
        parts.append(rest)
        return parts
    }
}
