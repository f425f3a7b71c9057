import ResourceModel
import TaskModel

/// Which commands tasks may run at all. Without a rule: none.
///
/// A command line is read as a shell reads it, and each simple command in it needs a rule of its own (`TaskPolicy+Decision.swift`). The
/// file's form is in docs/task-policy.md.
package struct TaskPolicy: Sendable, Hashable {
    /// `allow: PATTERN` or `deny: PATTERN`, for some namespaces, lists or runners when it names them.
    package struct Rule: Sendable, Hashable, CustomStringConvertible {
        package var isAllowing: Bool
        /// `*` stands for any characters, blanks too; ` *` at the end for nothing as well.
        package var pattern: String
        package var namespaces: [String]?
        package var lists: [String]?
        package var runners: [TaskRun.Runner]?
        /// From 1.
        package var number: Int
        package var location: SourceLocation

        package var description: String { "rule \(number) (\(location): `\(isAllowing ? "allow" : "deny"): \(pattern)`)" }
    }

    package var rules: [Rule] = []
    /// Substitutions, redirections, loops and what else takes more than commands one after the other.
    package var permitsShell = false
    /// Absolute; commands run in these or below. `nil`: anywhere.
    package var workingDirectories: [String]?
    package var runners: [TaskRun.Runner]?
    /// Names of environment variables that tasks may set; `PREFIX_*` for several.
    package var environment: [String] = []
    /// Where to add a rule: a path, or words.
    package var origin = "a policy (--policy FILE, or --allow PATTERN)"

    package init() {}

    /// As `--allow PATTERN` gives it, each a rule.
    package init(allowing patterns: [String]) {
        add(allowing: patterns)
    }

    /// Adds rules of the command line after the file's.
    package mutating func add(allowing patterns: [String]) {
        for (index, pattern) in patterns.enumerated() {
            rules.append(
                Rule(isAllowing: true, pattern: pattern, number: rules.count + 1, location: SourceLocation(path: "--allow \(index + 1)", line: 0)))
        }
    }

    /// Where commands are to run.
    package struct Situation: Sendable, Hashable {
        package var namespace: String
        package var list: String
        package var runner: TaskRun.Runner
        /// Absolute.
        package var workingDirectory: String
        /// What the task sets.
        package var environment: [String: String]
        /// What its shell will have besides, as far as it is known.
        package var inherited: [String: String] = [:]

        package init(
            namespace: String = "default", list: String = "", runner: TaskRun.Runner = .process, workingDirectory: String = "/",
            environment: [String: String] = [:]
        ) {
            self.namespace = namespace
            self.list = list
            self.runner = runner
            self.workingDirectory = workingDirectory
            self.environment = environment
        }
    }

    /// Whether commands may run, with the sentence that says why.
    package struct Decision: Sendable, Hashable {
        package var isAllowed: Bool
        package var reason: String

        package init(isAllowed: Bool, reason: String) {
            self.isAllowed = isAllowed
            self.reason = reason
        }
    }
}
