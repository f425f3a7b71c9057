import ResourceModel

/// A failure as the API answers it: a `Status` object.
package struct APIStatus: Error, Sendable, CustomStringConvertible {
    package var code: Int
    /// `NotFound`, `Conflict`, ...; empty where the real server sends none.
    package var reason: String
    package var message: String
    package var details: JSONValue?

    package init(code: Int, reason: String, message: String, details: JSONValue? = nil) {
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
    }

    package var description: String { message }

    package var object: JSONValue {
        var object: JSONValue = ["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "message": .string(message)]
        if !reason.isEmpty { object["reason"] = .string(reason) }
        if let details { object["details"] = details }
        object["code"] = .integer(Int64(code))
        return object
    }

    var response: APIResponse {
        var response = APIResponse.json(object, status: code)
        if let seconds = details?["retryAfterSeconds"]?.integerValue { response.headers["Retry-After"] = String(seconds) }
        return response
    }
}

extension APIStatus {
    private static func details(_ resource: ResourceType, _ name: String, kind: String? = nil) -> JSONValue {
        var details: JSONValue = [:]
        if !name.isEmpty { details["name"] = .string(name) }
        if !resource.group.isEmpty { details["group"] = .string(resource.group) }
        details["kind"] = .string(kind ?? resource.plural)
        return details
    }

    static func notFound(_ resource: ResourceType, _ name: String) -> APIStatus {
        APIStatus(
            code: 404, reason: "NotFound", message: "\(resource.qualifiedPlural) \"\(name)\" not found", details: details(resource, name))
    }

    static func alreadyExists(_ resource: ResourceType, _ name: String) -> APIStatus {
        APIStatus(
            code: 409, reason: "AlreadyExists", message: "\(resource.qualifiedPlural) \"\(name)\" already exists",
            details: details(resource, name))
    }

    static func modified(_ resource: ResourceType, _ name: String) -> APIStatus {
        conflict(
            resource, name, "the object has been modified; please apply your changes to the latest version and try again")
    }

    static func conflict(_ resource: ResourceType, _ name: String, _ text: String, kind: String? = nil) -> APIStatus {
        let subject = kind.map { resource.group.isEmpty ? $0 : "\($0).\(resource.group)" } ?? resource.qualifiedPlural
        return APIStatus(
            code: 409, reason: "Conflict", message: "Operation cannot be fulfilled on \(subject) \"\(name)\": \(text)",
            details: details(resource, name, kind: kind))
    }

    static func forbidden(_ resource: ResourceType, _ name: String, _ text: String, causes: [JSONValue] = []) -> APIStatus {
        var details = details(resource, name)
        if !causes.isEmpty { details["causes"] = .array(causes) }
        return APIStatus(
            code: 403, reason: "Forbidden", message: "\(resource.qualifiedPlural) \"\(name)\" is forbidden: \(text)", details: details)
    }

    static func badRequest(_ message: String) -> APIStatus { APIStatus(code: 400, reason: "BadRequest", message: message) }

    static func internalError(_ message: String) -> APIStatus {
        APIStatus(
            code: 500, reason: "InternalError", message: "Internal error occurred: \(message)",
            details: ["causes": [["message": .string(message)]]])
    }

    static let unknownResource = APIStatus(
        code: 404, reason: "NotFound", message: "the server could not find the requested resource", details: [:])

    static let methodNotAllowed = APIStatus(
        code: 405, reason: "MethodNotAllowed", message: "the server does not allow this method on the requested resource", details: [:])

    static let unauthorized = APIStatus(code: 401, reason: "Unauthorized", message: "Unauthorized")

    static func expired(_ message: String) -> APIStatus { APIStatus(code: 410, reason: "Expired", message: message) }

    static func unsupportedMediaType(_ accepted: [String]) -> APIStatus {
        APIStatus(
            code: 415, reason: "UnsupportedMediaType",
            message: "the body of the request was in an unknown format - accepted media types include: "
                + accepted.joined(separator: ", "))
    }

    /// 422 with its causes: reason, message and field.
    static func invalid(group: String, kind: String, name: String, _ causes: [FieldCause]) -> APIStatus {
        let texts = causes.map { "\($0.field): \($0.message)" }
        let subject = group.isEmpty ? kind : "\(kind).\(group)"
        var details: JSONValue = [:]
        if !name.isEmpty { details["name"] = .string(name) }
        if !group.isEmpty { details["group"] = .string(group) }
        details["kind"] = .string(kind)
        details["causes"] = .array(
            causes.map { ["reason": .string($0.reason), "message": .string($0.message), "field": .string($0.field)] })
        return APIStatus(
            code: 422, reason: "Invalid",
            message: "\(subject) \"\(name)\" is invalid: " + (texts.count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]"),
            details: details)
    }
}

extension APIStatus {
    init(_ failure: PatchFailure) {
        self.init(code: failure.code, reason: failure.reason, message: failure.message, details: failure.code == 422 ? [:] : nil)
    }
}
