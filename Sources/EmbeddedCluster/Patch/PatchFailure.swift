import ResourceModel

/// Why a patch could not be applied to an object.
package struct PatchFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// The HTTP status: 400 for a patch that is none, 422 for one that does not fit the object, 500 for one that can't be merged.
    package var code: Int
    /// `BadRequest`, `Invalid`, or empty with 500.
    package var reason: String
    package var message: String
    /// What exactly went wrong; the server keeps it to itself where `message` is general.
    package var detail: String

    package var description: String { detail.isEmpty ? message : detail }

    static func badRequest(_ message: String) -> PatchFailure {
        PatchFailure(code: 400, reason: "BadRequest", message: message, detail: "")
    }

    static func unprocessable(_ detail: String) -> PatchFailure {
        PatchFailure(
            code: 422, reason: "Invalid", message: "the server rejected our request due to an error in our request",
            detail: detail)
    }

    static func failed(_ message: String) -> PatchFailure {
        PatchFailure(code: 500, reason: "", message: message, detail: "")
    }
}
