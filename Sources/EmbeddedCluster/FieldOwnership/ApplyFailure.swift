import ResourceModel

/// Why a server-side apply was refused: what the `Status` answer says.
package struct ApplyFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// The HTTP status: 400, 409 or 500.
    package var code: Int
    /// `Conflict`, `BadRequest`, or empty for the 500 that a body of the wrong type gets.
    package var reason: String
    package var message: String
    /// For conflicts: one a field.
    package var causes: [FieldCause]

    package init(code: Int, reason: String, message: String, causes: [FieldCause] = []) {
        self.code = code
        self.reason = reason
        self.message = message
        self.causes = causes
    }

    package var description: String { message }
}

extension ApplyFailure {
    /// - Parameter conflicts: by manager, none of the sets empty.
    static func conflicts(_ conflicts: [(manager: FieldManagerName, fields: FieldSet)]) -> ApplyFailure {
        var causes: [FieldCause] = []
        var lines: [String] = []
        for (manager, fields) in conflicts.sorted(by: { $0.manager.described < $1.manager.described }) {
            lines.append("conflicts with \(manager.described):")
            for path in fields.paths {
                let text = path.map(\.description).joined()
                causes.append(
                    FieldCause(reason: "FieldManagerConflict", message: "conflict with \(manager.described)", field: text))
                lines.append("- \(text)")
            }
        }
        let message =
            causes.count == 1
            ? "Apply failed with 1 conflict: \(causes[0].message): \(causes[0].field)"
            : "Apply failed with \(causes.count) conflicts: \(lines.joined(separator: "\n"))"
        return ApplyFailure(code: 409, reason: "Conflict", message: message, causes: causes)
    }
}
