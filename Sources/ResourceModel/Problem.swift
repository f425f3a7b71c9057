/// One thing that is wrong with an input, with its place and the next thing to try. A value, so that all of a repository's
/// problems can be collected, shown, stored and counted.
package struct Problem: Error, Sendable, Hashable, Codable, CustomStringConvertible {
    /// `warning` problems are shown and do not stop a run.
    package enum Severity: String, Sendable, Codable { case warning, error }

    /// A stable word for programs: `yaml.syntax`, `application.unknown-field`, `source.path-missing`. Open: unknown codes survive.
    package var code: String
    package var severity: Severity
    /// What failed, and on what.
    package var message: String
    package var location: SourceLocation?
    package var resource: ResourceID?
    /// The next thing to try.
    package var hint: String?

    package init(
        code: String, severity: Severity = .error, message: String, location: SourceLocation? = nil,
        resource: ResourceID? = nil, hint: String? = nil
    ) {
        self.code = code
        self.severity = severity
        self.message = message
        self.location = location
        self.resource = resource
        self.hint = hint
    }

    /// `environments/canary/web.yaml:12: Deployment shop/web: message (hint)`
    package var description: String {
        var text = ""
        if let location { text += "\(location): " }
        if let resource { text += "\(resource): " }
        text += message
        if let hint { text += " (\(hint))" }
        return text
    }
}

/// All the problems that stopped a step.
package struct Problems: Error, Sendable, CustomStringConvertible {
    package var problems: [Problem]
    package init(_ problems: [Problem]) { self.problems = problems }
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// What failed, sorted by what a caller does about it; the CLI maps it to an exit code (docs/cli.md).
package enum FailureKind: String, Sendable, Codable {
    /// Exit 1.
    case failed
    /// Exit 3: a guard refused.
    case refused
    /// Exit 4: Git or the API could not be reached.
    case unreachable
    /// Exit 64: the command line or the configuration is wrong.
    case usage
}

/// An error that says which `FailureKind` it is.
package protocol ClassifiedError: Error {
    var failureKind: FailureKind { get }
}

extension Problem {
    /// The code of a file that was left out although nobody knows what it declares.
    package static let unreadableFile = "source.unreadable-file"
}
