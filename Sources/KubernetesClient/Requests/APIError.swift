import ResourceModel

/// What an API server refused, with everything that its `Status` said.
package struct APIError: ClassifiedError, Sendable, Hashable, CustomStringConvertible {
    /// One cause of `details.causes`.
    package struct Cause: Sendable, Hashable {
        /// `FieldManagerConflict`, `FieldValueInvalid`, … Open.
        package var reason: String
        package var message: String
        /// The field's path, as the server writes it.
        package var field: String

        package init(reason: String, message: String, field: String) {
            self.reason = reason
            self.message = message
            self.field = field
        }
    }

    /// The request that failed.
    package struct Request: Sendable, Hashable, CustomStringConvertible {
        /// `get`, `list`, `watch`, `create`, `update`, `patch`, `apply`, `delete`, `deletecollection`, `discover`.
        package var verb: String
        package var method: String
        package var path: String
        /// The object it was about, where there is one.
        package var object: ResourceID?

        package init(verb: String, method: String, path: String, object: ResourceID? = nil) {
            self.verb = verb
            self.method = method
            self.path = path
            self.object = object
        }

        package var description: String { "\(verb) \(object?.description ?? path)" }
    }

    /// The HTTP status, or the `code` of a watch's ERROR event.
    package var code: Int
    /// `NotFound`, `Conflict`, `Invalid`, `Forbidden`, `Expired`, … Empty when the server gave none.
    package var reason: String
    package var message: String
    package var causes: [Cause]
    /// `details` of the Status: what the server says the trouble is with.
    package var group: String
    package var kind: String
    package var name: String
    package var uid: String?
    package var retryAfter: Duration?
    package var request: Request

    package init(
        code: Int, reason: String, message: String, causes: [Cause] = [], group: String = "", kind: String = "", name: String = "",
        uid: String? = nil, retryAfter: Duration? = nil, request: Request
    ) {
        self.code = code
        self.reason = reason
        self.message = message
        self.causes = causes
        self.group = group
        self.kind = kind
        self.name = name
        self.uid = uid
        self.retryAfter = retryAfter
        self.request = request
    }

    /// An object of that name, or the path itself, is not there; see `KubernetesClient.get` for which.
    package var isNotFound: Bool { code == 404 }
    package var isAlreadyExists: Bool { reason == "AlreadyExists" }
    /// A stale resourceVersion, a failed precondition or a field owned by someone else.
    package var isConflict: Bool { code == 409 && reason != "AlreadyExists" }
    /// Someone else owns a field that was applied without force.
    package var isFieldConflict: Bool { causes.contains { $0.reason == "FieldManagerConflict" } }
    /// The resourceVersion or continue token is too old: list again.
    package var isExpired: Bool { code == 410 }
    package var isForbidden: Bool { code == 403 }
    package var isUnauthorized: Bool { code == 401 }
    package var isInvalid: Bool { code == 422 }

    package var failureKind: FailureKind { [502, 503, 504].contains(code) ? .unreachable : .failed }

    /// The next thing to try, where there is one.
    package var hint: String? {
        switch code {
        case 401: "the credentials were not accepted: check the kubeconfig's user, or log in again"
        case 403 where causes.contains { $0.reason == "NamespaceTerminating" }: "wait until the namespace is gone, then try again"
        case 400...499 where message.hasPrefix("admission webhook "): "that webhook's policy refuses it: correct the object, or the policy"
        case 403: "grant the right: kubectl auth can-i \(request.verb == "apply" ? "patch" : request.verb) shows what is missing"
        case 404 where kind == "namespaces": "create the namespace first, or set CreateNamespace=true"
        case 409 where isFieldConflict: "give the field up, or apply with force"
        case 409 where isConflict: "the object was changed meanwhile: read it again and repeat"
        case 415: "the server does not understand this kind of body"
        case 410: "list again"
        case 429: "the server is busy: try again later"
        // What does not fit the kind's schema is refused so, without a reason (structured-merge-diff).
        case 500 where request.verb == "apply" && reason.isEmpty: "correct the field that it names"
        case 500...: "if it stays so, look at the API server's log"
        default: nil
        }
    }

    package var description: String {
        var text = "\(request): \(readableMessage) (\(code)\(reason.isEmpty ? "" : " \(reason)"))"
        if let hint { text += "; \(hint)" }
        return text
    }

    /// The message, with its middle left out where it is too long to be read: of a field that cannot be changed the server shows the whole
    /// value, which for a Job's template is several thousand characters, and says at the end what is wrong with it.
    private var readableMessage: String {
        guard message.utf8.count > 800 else { return message }
        return "\(message.prefix(400)) … \(message.suffix(200))"
    }
}

extension APIError {
    /// Reads a `Status`; any other body becomes the message, shortened.
    init(status code: Int, body: [UInt8], retryAfter: Duration?, request: Request) {
        let parsed = try? JSONValue(parsing: body)  // not JSON: a proxy's page or plain text, shown as it is
        if let status = parsed, status["kind"]?.stringValue == "Status" {
            self.init(status: status, code: code, retryAfter: retryAfter, request: request)
            return
        }
        let text = String(decoding: body.prefix(300), as: UTF8.self).split(whereSeparator: \.isNewline).joined(separator: " ")
        self.init(code: code, reason: "", message: text.isEmpty ? "no explanation" : text, retryAfter: retryAfter, request: request)
    }

    /// - Parameter code: stands in for a missing `code`.
    init(status: JSONValue, code: Int = 0, retryAfter: Duration? = nil, request: Request) {
        let details = status["details"]
        let seconds = details?["retryAfterSeconds"]?.integerValue
        self.init(
            code: status["code"]?.integerValue.map(Int.init) ?? code,
            reason: status["reason"]?.stringValue ?? "",
            message: status["message"]?.stringValue ?? "no explanation",
            causes: (details?["causes"]?.arrayValue ?? []).map { cause in
                Cause(
                    reason: cause["reason"]?.stringValue ?? "", message: cause["message"]?.stringValue ?? "",
                    field: cause["field"]?.stringValue ?? "")
            },
            group: details?["group"]?.stringValue ?? "", kind: details?["kind"]?.stringValue ?? "",
            name: details?["name"]?.stringValue ?? "", uid: details?["uid"]?.stringValue,
            retryAfter: retryAfter ?? seconds.map { .seconds($0) }, request: request)
    }
}

/// An answer that cannot be understood: not JSON, or not of the form that was asked for.
package struct MalformedAnswer: ClassifiedError, Sendable, CustomStringConvertible {
    package var request: APIError.Request
    package var message: String
    package var failureKind: FailureKind { .failed }
    package var description: String { "\(request): the server's answer cannot be understood: \(message)" }
}
