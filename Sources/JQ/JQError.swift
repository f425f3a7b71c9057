/// Why a jq expression gave no result.
package struct JQError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A stable word for programs: `syntax`, `evaluation`, `timeout`.
    package var code: String
    package var expression: String
    /// In jq's words.
    package var message: String

    package var description: String { "jq expression `\(expression)`: \(message)" }
}
