import ResourceModel
import TaskModel

/// A source of task documents: which files, and how their tasks are run. This program's own; Argo CD drops the field.
package struct TasksOptions: Sendable, Hashable {
    /// The `TaskList`'s name; the application's when absent.
    package var list: String?
    package var recurse = false
    /// Glob patterns over paths relative to the directory.
    package var include = "*.md"
    package var exclude: String?
    /// Attempts at a time.
    package var parallelism = 4
    /// Nothing is begun.
    package var suspended = false
    /// How every task is run.
    package var run = TaskRun()
    /// What is different for some, by task id.
    package var overrides: [String: TaskRun] = [:]

    package init() {}

    static func decode(_ members: MembersReader) -> TasksOptions {
        var options = TasksOptions()
        options.list = members["list"].flatMap { reader in
            reader.string().flatMap { name in
                if isLabel(name) { return name }
                members.report.add(
                    "application.invalid-value", "`\(reader.path)`: `\(name)` is no name for an object", at: reader.pointer,
                    hint: "use lower case letters, digits and hyphens, at most 40")
                return nil
            }
        }
        options.recurse = members.bool("recurse") ?? false
        options.include = members.glob("include")?.nonEmpty ?? options.include
        options.exclude = members.glob("exclude")?.nonEmpty
        options.parallelism = members.integer("parallelism") ?? options.parallelism
        if options.parallelism < 1 {
            members.report.add("application.invalid-value", "`\(members.field.path).parallelism` must be at least 1", at: "\(members.field.pointer)/parallelism")
        }
        options.suspended = members.bool("suspended") ?? false
        let run = members["run"]
        options.run = run.flatMap { self.run($0.value, at: $0) } ?? options.run
        _ = members["overrides"]?.object { overrides in
            for name in overrides.names {
                guard let reader = overrides[name] else { continue }
                var merged = run?.value ?? [:]
                merge(reader.value, into: &merged)
                options.overrides[name] = self.run(merged, at: reader)
            }
        }
        return options
    }

    private static func isLabel(_ name: String) -> Bool {
        !name.isEmpty && name.count <= 40 && name.first != "-" && name.last != "-"
            && name.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
    }

    private static func run(_ value: JSONValue, at reader: FieldReader) -> TaskRun? {
        let known = ["runner", "image", "workingDirectory", "environment", "variables", "timeout", "retry", "idempotent", "approval"]
        for key in value.objectValue?.keys ?? [] where !known.contains(key) {
            reader.report.add(
                "application.unknown-field", "unknown field `\(reader.path).\(key)`", at: reader.pointer,
                hint: nearest(to: key, among: known).map { "did you mean `\($0)`?" })
        }
        do {
            return try TaskRun(value, path: reader.path, resource: ResourceID(group: "", kind: "", namespace: nil, name: ""))
        } catch {
            reader.report.add("application.invalid-value", error.message, at: reader.pointer, hint: error.hint)
            return nil
        }
    }

    private static func merge(_ value: JSONValue, into base: inout JSONValue) {
        guard case .object(let members) = value, base.objectValue != nil else {
            base = value
            return
        }
        for member in members {
            var inner = base[member.key] ?? .object([:])
            merge(member.value, into: &inner)
            base[member.key] = inner
        }
    }
}
