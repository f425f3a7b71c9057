import ResourceModel

/// The texts that cells of several kinds share.
enum TableText {
    static let nameColumn = KindRules.Column(
        "Name", format: "name",
        description: "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a "
            + "client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence "
            + "and configuration definition. Cannot be updated. More info: "
            + "https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names")

    private static let timestampDescription =
        "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in "
        + "happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in "
        + "UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: "
        + "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"

    static let ageColumn = KindRules.Column("Age", description: timestampDescription)
    static let createdAtColumn = KindRules.Column("Created At", "date", description: timestampDescription)
    static let containersColumn = KindRules.Column("Containers", description: "Names of each container in the template.", priority: 1)
    static let imagesColumn = KindRules.Column("Images", description: "Images referenced by each container in the template.", priority: 1)

    static func name(_ object: JSONValue) -> JSONValue { .string(object.name) }

    static func age(_ object: JSONValue, _ now: Int64) -> String {
        since(object[path: "metadata", "creationTimestamp"], now)
    }

    static func ageCell(_ object: JSONValue, _ now: Int64) -> JSONValue { .string(age(object, now)) }

    /// How long ago a time was: `5s`, `3m20s`, `2d`.
    static func since(_ time: JSONValue?, _ now: Int64) -> String {
        guard let text = time?.stringValue, let seconds = KubernetesTime.seconds(text) else { return "<unknown>" }
        return duration(now - seconds)
    }

    static func duration(_ seconds: Int64) -> String {
        func pair(_ large: Int64, _ unit: String, _ small: Int64, _ smallUnit: String) -> String {
            small == 0 ? "\(large)\(unit)" : "\(large)\(unit)\(small)\(smallUnit)"
        }
        if seconds < -1 { return "<invalid>" }
        if seconds < 0 { return "0s" }
        let minutes = seconds / 60, hours = minutes / 60, days = hours / 24, years = days / 365
        if seconds < 120 { return "\(seconds)s" }
        if minutes < 10 { return pair(minutes, "m", seconds % 60, "s") }
        if minutes < 180 { return "\(minutes)m" }
        if hours < 8 { return pair(hours, "h", minutes % 60, "m") }
        if hours < 48 { return "\(hours)h" }
        if hours < 192 { return pair(days, "d", hours % 24, "h") }
        if days < 730 { return "\(days)d" }
        if years < 8 { return pair(years, "y", days % 365, "d") }
        return "\(years)y"
    }

    /// `a=b,c=d` in order of the keys; `<none>` when there is none.
    static func labels(_ map: JSONValue?) -> JSONValue {
        let members = (map?.objectValue?.members ?? []).sorted { $0.key < $1.key }
        if members.isEmpty { return "<none>" }
        return .string(members.map { "\($0.key)=\($0.value.stringValue ?? "")" }.joined(separator: ","))
    }

    /// A label selector as `kubectl` shows it.
    static func selector(_ selector: JSONValue?) -> JSONValue {
        var parts = (selector?["matchLabels"]?.objectValue?.members ?? []).map { "\($0.key)=\($0.value.stringValue ?? "")" }
        for expression in selector?.items("matchExpressions") ?? [] {
            let key = expression.text("key")
            let values = expression.items("values").compactMap(\.stringValue).sorted().joined(separator: ",")
            switch expression.text("operator") {
            case "In": parts.append("\(key) in (\(values))")
            case "NotIn": parts.append("\(key) notin (\(values))")
            case "Exists": parts.append(key)
            case "DoesNotExist": parts.append("!\(key)")
            default: break
            }
        }
        return parts.isEmpty ? "<none>" : .string(parts.sorted().joined(separator: ","))
    }

    /// The names and images of a template's containers.
    static func containers(_ podSpec: JSONValue?) -> [JSONValue] {
        let containers = podSpec?.items("containers") ?? []
        return [
            .string(containers.map { $0.text("name") }.joined(separator: ",")),
            .string(containers.map { $0.text("image") }.joined(separator: ",")),
        ]
    }

    /// `RWO,ROX`.
    static func accessModes(_ modes: JSONValue?) -> String {
        let present = Set((modes?.arrayValue ?? []).compactMap(\.stringValue))
        return [("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP")]
            .filter { present.contains($0.0) }.map(\.1).joined(separator: ",")
    }

    /// Addresses of a load balancer, sorted; more than 16 bytes are cut.
    static func loadBalancer(_ status: JSONValue?) -> String {
        let entries = status?["loadBalancer"]?.items("ingress") ?? []
        let texts = Set(entries.map { $0.text("ip").isEmpty ? $0.text("hostname") : $0.text("ip") }).filter { !$0.isEmpty }
        let text = texts.sorted().joined(separator: ",")
        return text.utf8.count > 16 ? text.prefix(13) + "..." : text
    }

    /// `25%` or `1`; `nil` when missing.
    static func countOrPercent(_ value: JSONValue?) -> String? {
        value?.stringValue ?? value?.integerValue.map(String.init)
    }
}

/// RFC 3339 times as Kubernetes writes them.
enum KubernetesTime {
    /// Seconds since 1970-01-01 UTC; `nil` when the text is no time in UTC.
    static func seconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z") else { return nil }
        func number(_ start: Int, _ count: Int) -> Int64? {
            var value: Int64 = 0
            for byte in bytes[start..<start + count] {
                guard byte >= 0x30, byte <= 0x39 else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            return value
        }
        guard let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2),
            let minute = number(14, 2), let second = number(17, 2), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        // Days from the civil date: years that start in March make leap days the last of a year.
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return ((era * 146_097 + dayOfEra - 719_468) * 24 + hour) * 3600 + minute * 60 + second
    }
}
