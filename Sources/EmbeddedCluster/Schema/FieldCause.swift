import ResourceModel

/// One reason why an object was refused: an entry of a `Status`' `details.causes`.
package struct FieldCause: Error, Sendable, Hashable {
    /// `FieldValueInvalid`, `FieldValueRequired`, `FieldValueNotSupported`, `FieldManagerConflict`, ...
    package var reason: String
    /// With the leading words that belong to the reason: `Invalid value: 0: must be ...`, `Required value`.
    package var message: String
    /// Dotted path without a leading dot (`spec.containers[0].name`); conflicts carry the leading dot, as the server does.
    package var field: String

    package init(reason: String, message: String, field: String) {
        self.reason = reason
        self.message = message
        self.field = field
    }
}

extension FieldCause {
    /// A value that is present and wrong. `value` is shown as JSON.
    package static func invalid(_ field: String, _ value: JSONValue, _ detail: String) -> FieldCause {
        FieldCause(reason: "FieldValueInvalid", message: "Invalid value: \(value.jsonString): \(detail)", field: field)
    }

    /// A field that must be there and is not.
    package static func required(_ field: String, _ detail: String = "") -> FieldCause {
        FieldCause(
            reason: "FieldValueRequired", message: detail.isEmpty ? "Required value" : "Required value: \(detail)", field: field)
    }

    /// A value outside its enumeration.
    package static func notSupported(_ field: String, _ value: JSONValue, _ supported: [String]) -> FieldCause {
        let list = supported.map { JSONValue.string($0).jsonString }.joined(separator: ", ")
        return FieldCause(
            reason: "FieldValueNotSupported", message: "Unsupported value: \(value.jsonString): supported values: \(list)",
            field: field)
    }

    /// A second item with a key that must be unique.
    package static func duplicate(_ field: String, _ value: JSONValue) -> FieldCause {
        FieldCause(reason: "FieldValueDuplicate", message: "Duplicate value: \(value.jsonString)", field: field)
    }

    /// A field that may not be set here.
    package static func forbidden(_ field: String, _ detail: String) -> FieldCause {
        FieldCause(reason: "FieldValueForbidden", message: "Forbidden: \(detail)", field: field)
    }

    /// The cause as `details.causes` carries it.
    package var json: JSONValue { ["reason": .string(reason), "message": .string(message), "field": .string(field)] }
}
