import ResourceModel

extension SyncPolicy {
    static func decode(_ members: MembersReader) -> SyncPolicy {
        var policy = SyncPolicy()
        policy.automated = members.object("automated") {
            Automated(
                prune: $0.bool("prune") ?? false, selfHeal: $0.bool("selfHeal") ?? false,
                allowEmpty: $0.bool("allowEmpty") ?? false, enabled: $0.bool("enabled") ?? true)
        }
        for reader in members["syncOptions"]?.items() ?? [] {
            guard let text = reader.string() else { continue }
            policy.readOption(text, reader)
        }
        policy.retry = members.object("retry") { Retry.decode($0) }
        if let metadata = members["managedNamespaceMetadata"] {
            policy.managedNamespaceMetadata = metadata.object {
                NamespaceMetadata(labels: $0.stringMap("labels"), annotations: $0.stringMap("annotations"))
            }
            if policy.syncOptions.createNamespace != true {
                members.report.add(
                    "application.ineffective-field", "`\(metadata.path)` has no effect", at: metadata.pointer,
                    hint: "add `CreateNamespace=true` to `spec.syncPolicy.syncOptions`", severity: .warning)
            }
        }
        return policy
    }

    private mutating func readOption(_ text: String, _ reader: FieldReader) {
        var unreadable: [String] = []
        syncOptions = syncOptions.overridden(by: SyncOptions(parsing: [text], unreadable: &unreadable))
        let name = String(text.prefix { $0 != "=" })
        for reason in unreadable {
            reader.report.add(
                "application.unknown-sync-option", "`\(reader.path)`: \(reason)", at: reader.pointer,
                hint: SyncOptions.names.contains(name)
                    ? nil : nearest(to: name, among: SyncOptions.names).map { "did you mean `\($0)`?" })
        }
        if text.hasPrefix("Force=") {
            reader.report.add(
                "application.unknown-sync-option", "`\(reader.path)`: `Force` is an option of single resources",
                at: reader.pointer,
                hint: "put it into the resource's annotation `\(SyncOptions.annotation)`")
        }
    }
}

extension SyncPolicy.Retry {
    fileprivate static func decode(_ members: MembersReader) -> Self {
        var retry = Self()
        retry.limit = members.integer("limit") ?? retry.limit
        retry.refresh = members.bool("refresh") ?? false
        retry.backoff = members.object("backoff") { SyncPolicy.Backoff.decode($0) } ?? retry.backoff
        return retry
    }
}

extension SyncPolicy.Backoff {
    fileprivate static func decode(_ members: MembersReader) -> Self {
        var backoff = Self()
        backoff.duration = duration(members["duration"]) ?? backoff.duration
        backoff.maxDuration = duration(members["maxDuration"]) ?? backoff.maxDuration
        if let factor = members["factor"], let number = factor.integer() {
            backoff.factor = number
            if number < 1 {
                members.report.add("application.invalid-value", "`\(factor.path)` must be at least 1", at: factor.pointer)
            }
        }
        return backoff
    }

    private static func duration(_ reader: FieldReader?) -> Duration? {
        guard let reader else { return nil }
        // Argo CD takes a bare number as seconds.
        if case .integer(let seconds) = reader.value { return .seconds(seconds) }
        guard let text = reader.string(), !text.isEmpty else { return nil }
        guard let duration = Duration(goNotation: text) else {
            reader.report.add(
                "application.invalid-value", "`\(reader.path)`: `\(text)` is not a duration", at: reader.pointer,
                hint: "write `30s`, `5m` or `1h30m`")
            return nil
        }
        return duration
    }
}
