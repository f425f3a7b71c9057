import ResourceModel

/// The `pod-template-hash` of a template: the same for equal templates, different after a name collision.
enum TemplateHash {
    private static let alphabet = Array("bcdfghjklmnpqrstvwxz2456789")

    static func hash(of template: JSONValue, collisionCount: Int?) -> String {
        var hash: UInt32 = 2_166_136_261  // FNV-1a
        func mix(_ byte: UInt8) { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        template.canonicalBytes.forEach(mix)
        if let collisionCount { String(collisionCount).utf8.forEach(mix) }
        return String(String(hash).utf8.map { alphabet[Int($0) % alphabet.count] })
    }

    /// Whether two templates are the same but for the hash label.
    static func areEqual(_ left: JSONValue?, _ right: JSONValue?) -> Bool { stripped(left) == stripped(right) }

    private static func stripped(_ template: JSONValue?) -> JSONValue {
        var template = template ?? [:]
        template[path: "metadata", "labels", "pod-template-hash"] = nil
        template[path: "metadata", "creationTimestamp"] = nil
        if template[path: "metadata", "labels"]?.objectValue?.isEmpty == true { template[path: "metadata", "labels"] = nil }
        if template["metadata"]?.objectValue?.isEmpty == true { template["metadata"] = nil }
        return template
    }
}
