import ResourceModel

/// Why a YAML stream cannot be used, with the place.
package struct YAMLError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of mistake it is; open, so that unknown codes survive.
    package struct Code: RawRepresentable, Sendable, Hashable {
        package var rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        /// Not YAML: the grammar, an unknown anchor, a directive, a tab that indents, a control character.
        package static let syntax = Code(rawValue: "yaml.syntax")
        /// Not UTF-8.
        package static let encoding = Code(rawValue: "yaml.encoding")
        /// One key twice in a mapping.
        package static let duplicateKey = Code(rawValue: "yaml.duplicate-key")
        /// YAML that has no JSON form: infinity, a key that is a list, a tag that does not fit its value.
        package static let value = Code(rawValue: "yaml.value")
        /// Nested deeper, or aliases expanding to more, than a manifest ever needs.
        package static let limit = Code(rawValue: "yaml.limit")
    }

    package var code: Code
    /// What is wrong and what to do about it, without the place.
    package var message: String
    package var location: SourceLocation
    /// From 1, in characters; 0 when unknown.
    package var column: Int

    package init(code: Code, message: String, location: SourceLocation, column: Int) {
        self.code = code
        self.message = message
        self.location = location
        self.column = column
    }

    /// `web.yaml:12:3: message`
    package var description: String { column > 0 ? "\(location):\(column): \(message)" : "\(location): \(message)" }

    /// The error as one of a repository's problems.
    package var problem: Problem {
        Problem(code: code.rawValue, message: column > 0 ? "\(message) (column \(column))" : message, location: location)
    }
}
