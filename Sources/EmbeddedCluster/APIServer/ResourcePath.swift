/// What a path names: `/apis/GROUP/VERSION[/namespaces/NS]/RESOURCE[/NAME[/SUBRESOURCE]]`.
struct ResourcePath: Sendable, Hashable {
    var group: String
    var version: String
    var namespace: String?
    var resource: String
    var name: String?
    var subresource: String?
    /// What follows the subresource (`proxy/some/path`).
    var rest: [String] = []

    /// - Returns: `nil` when the path names no resource.
    init?(_ segments: [String]) {
        var parts: ArraySlice<String>
        switch segments.first {
        case "api" where segments.count >= 3:
            (group, version, parts) = ("", segments[1], segments.dropFirst(2))
        case "apis" where segments.count >= 4:
            (group, version, parts) = (segments[1], segments[2], segments.dropFirst(3))
        default: return nil
        }
        // `/watch/...`, the old way to watch, is not served.
        if parts.first == "namespaces", parts.count >= 2 {
            let third = parts.dropFirst(2).first
            if let third, third != "status", third != "finalize" {
                namespace = parts[parts.startIndex + 1]
                parts = parts.dropFirst(2)
            }
        }
        guard let resource = parts.popFirst() else { return nil }
        self.resource = resource
        name = parts.popFirst()
        subresource = parts.popFirst()
        rest = Array(parts)
        // A namespace object is in the namespace of its own name, but it is addressed without one.
    }
}
