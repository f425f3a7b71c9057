import JQ
import ResourceModel

extension IgnoreDifferences {
    /// One entry of `spec.ignoreDifferences`, checked as a whole: an entry that cannot be understood would ignore nothing, or too much.
    static func decode(_ members: MembersReader) -> IgnoreDifferences {
        var entry = IgnoreDifferences(
            group: pattern(members["group"]), kind: pattern(members["kind"]), name: members.string("name"),
            namespace: members.string("namespace"))
        if members["kind"] == nil {
            members.report.add(
                "application.missing-field", "`\(members.field.path).kind` is missing", at: members.field.pointer,
                hint: "`kind: \"*\"` is every kind")
        }
        entry.jsonPointers = (members["jsonPointers"]?.items() ?? []).compactMap(pointer)
        for reader in members["jqPathExpressions"]?.items() ?? [] {
            guard let text = reader.string() else { continue }
            do {
                _ = try JQPaths.compiled(text)
                entry.jqPathExpressions.append(text)
            } catch {
                reader.report.add("application.invalid-jq", "`\(reader.path)`: \(error)", at: reader.pointer)
            }
        }
        entry.managedFieldsManagers = members.strings("managedFieldsManagers")
        if ["jsonPointers", "jqPathExpressions", "managedFieldsManagers"].allSatisfy({ members[$0] == nil }) {
            members.report.add(
                "application.ineffective-field", "`\(members.field.path)` ignores nothing", at: members.field.pointer,
                hint: "add `jsonPointers`, `jqPathExpressions` or `managedFieldsManagers`", severity: .warning)
        }
        return entry
    }

    /// Nothing stated is the empty pattern: the core group.
    private static func pattern(_ reader: FieldReader?) -> Glob {
        let text = reader?.string() ?? ""
        do {
            return try Glob(text)
        } catch {
            reader?.report.add("application.invalid-pattern", "`\(reader?.path ?? "")`: \(error.message)", at: reader?.pointer ?? "")
            return .nothing
        }
    }

    private static func pointer(_ reader: FieldReader) -> JSONPointer? {
        guard let text = reader.string() else { return nil }
        let isEscaped = text.split(separator: "~", omittingEmptySubsequences: false).dropFirst().allSatisfy { $0.first == "0" || $0.first == "1" }
        if let pointer = JSONPointer(text), !pointer.tokens.isEmpty, isEscaped { return pointer }
        let hint =
            !isEscaped ? "`~` is written `~0`, and `/` in a name `~1`"
            : text.isEmpty ? "name a field: `/spec/replicas`"
            : text.hasPrefix(".") ? "write `\(JSONPointer(tokens: text.split(separator: ".").map(String.init)))`, or use `jqPathExpressions`"
            : "write `/\(text)`"
        reader.report.add(
            "application.invalid-value", "`\(reader.path)`: `\(text)` is not a JSON pointer to a field", at: reader.pointer, hint: hint)
        return nil
    }
}
