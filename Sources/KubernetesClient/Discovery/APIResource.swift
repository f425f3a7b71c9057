import ResourceModel

/// One kind as a server serves it in one version.
package struct APIResource: Sendable, Hashable {
    /// Empty for the core group.
    package var group: String
    package var version: String
    package var kind: String
    /// The path's element: `deployments`.
    package var plural: String
    package var singular: String
    package var shortNames: [String]
    package var categories: [String]
    package var namespaced: Bool
    package var verbs: [String]
    /// `status`, `scale`, …
    package var subresources: [String]

    package init(
        group: String, version: String, kind: String, plural: String, singular: String = "", shortNames: [String] = [],
        categories: [String] = [], namespaced: Bool, verbs: [String] = [], subresources: [String] = []
    ) {
        self.group = group
        self.version = version
        self.kind = kind
        self.plural = plural
        self.singular = singular
        self.shortNames = shortNames
        self.categories = categories
        self.namespaced = namespaced
        self.verbs = verbs
        self.subresources = subresources
    }

    /// What every server has: discovery need not be waited for.
    package static let configMaps = APIResource(group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", namespaced: true)
    package static let namespaces = APIResource(group: "", version: "v1", kind: "Namespace", plural: "namespaces", namespaced: false)

    package var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }
    package var groupKind: GroupKind { GroupKind(group: group, kind: kind) }
    package var groupVersionKind: GroupVersionKind { GroupVersionKind(group: group, version: version, kind: kind) }

    /// A digest over kinds and where they are served, in whatever order: servers list the kinds of one group in a new one each time.
    package static func digest(of resources: [APIResource]) -> String {
        let lines = resources.map { "\($0.groupVersionKind) \($0.plural) \($0.namespaced)" }
        return JSONValue.array(lines.sorted().map { .string($0) }).digest
    }

    /// The identity of an object of this kind.
    package func id(namespace: String?, name: String) -> ResourceID {
        ResourceID(group: group, kind: kind, namespace: namespaced ? namespace : nil, name: name)
    }

    /// The path of the collection, of an object, or of an object's subresource. Without a namespace, the path of a namespaced
    /// kind's collection is the one across all namespaces.
    package func path(namespace: String? = nil, name: String? = nil, subresource: String? = nil) -> String {
        var path = group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
        if namespaced, let namespace, !namespace.isEmpty { path += "/namespaces/\(percentEncoded(namespace))" }
        path += "/\(plural)"
        if let name { path += "/\(percentEncoded(name))" }
        if let subresource, !subresource.isEmpty { path += "/\(subresource)" }
        return path
    }
}

/// A text as a path element or a query value: everything but unreserved characters (RFC 3986) is encoded.
package func percentEncoded(_ text: String) -> String {
    var output: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
            output.append(byte)
        default:
            let digits = Array("0123456789ABCDEF".utf8)
            output += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: output, as: UTF8.self)
}

/// `a=1&b=2` with both sides encoded; parameters without a value are left out.
package func queryString(_ parameters: [(String, String?)]) -> String {
    parameters.compactMap { name, value in value.map { "\(percentEncoded(name))=\(percentEncoded($0))" } }.joined(separator: "&")
}
