import ResourceModel

/// A request to the API server, from a socket or from inside the process.
package struct APIRequest: Sendable {
    package var method: String
    /// Without the query; percent-decoded by segment when it is read.
    package var path: String
    package var query: [QueryItem]
    /// Names in lower case.
    package var headers: [String: String]
    package var body: [UInt8]
    /// `nil`: not authenticated.
    package var user: UserInfo?

    package struct QueryItem: Sendable, Hashable {
        package var name: String
        package var value: String
    }

    /// - Parameter target: path and query as in a request line: `/api/v1/pods?watch=true`.
    package init(method: String, target: String, headers: [String: String] = [:], body: [UInt8] = [], user: UserInfo?) {
        self.method = method
        self.headers = headers
        self.body = body
        self.user = user
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(parts[0])
        query = []
        guard parts.count == 2 else { return }
        for pair in parts[1].split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            query.append(
                QueryItem(
                    name: Self.decoded(String(sides[0]), plusIsSpace: true),
                    value: sides.count == 2 ? Self.decoded(String(sides[1]), plusIsSpace: true) : ""))
        }
    }

    /// The first value of that query parameter; `nil` when it is missing or empty.
    package func parameter(_ name: String) -> String? {
        query.first { $0.name == name }.map(\.value).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Whether a boolean parameter is on (`true` or `1`).
    package func flag(_ name: String) -> Bool {
        guard let value = query.first(where: { $0.name == name })?.value else { return false }
        return value == "true" || value == "1" || value == "" || value == "True"
    }

    /// The path's segments, percent-decoded.
    package var segments: [String] {
        path.split(separator: "/", omittingEmptySubsequences: true).map { Self.decoded(String($0), plusIsSpace: false) }
    }

    static func decoded(_ text: String, plusIsSpace: Bool) -> String {
        let bytes = Array(text.utf8)
        guard bytes.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else { return text }
        var output: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let byte = UInt8(String(decoding: bytes[index + 1...index + 2], as: UTF8.self), radix: 16)
            {
                output.append(byte)
                index += 3
            } else {
                output.append(plusIsSpace && bytes[index] == UInt8(ascii: "+") ? UInt8(ascii: " ") : bytes[index])
                index += 1
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}

/// Who sends a request.
package struct UserInfo: Sendable, Hashable {
    package var name: String
    package var groups: [String]

    package init(name: String, groups: [String]) {
        self.name = name
        self.groups = groups
    }

    /// The user of the kubeconfig's token; allowed everything.
    package static let admin = UserInfo(name: "admin", groups: ["system:masters", "system:authenticated"])
}

/// The API server's answer.
package struct APIResponse: Sendable {
    package enum Body: Sendable {
        case bytes([UInt8])
        /// Written piece by piece until the function returns or the client goes away.
        case stream(@Sendable (any APIResponseWriter) async throws -> Void)
    }

    package var status: Int
    package var contentType: String
    /// Texts for `Warning` headers.
    package var warnings: [String] = []
    package var headers: [String: String] = [:]
    package var body: Body

    package init(status: Int, contentType: String = "application/json", body: Body) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    static func json(_ value: JSONValue, status: Int = 200) -> APIResponse {
        APIResponse(status: status, body: .bytes(value.serialized()))
    }

    static func text(_ text: String, status: Int = 200) -> APIResponse {
        APIResponse(status: status, contentType: "text/plain; charset=utf-8", body: .bytes(Array(text.utf8)))
    }

    static let pageNotFound = APIResponse.text("404 page not found\n", status: 404)
}

/// The way to a client that reads a stream. Throws when the client is gone.
package protocol APIResponseWriter {
    func write(_ bytes: [UInt8]) async throws
}
