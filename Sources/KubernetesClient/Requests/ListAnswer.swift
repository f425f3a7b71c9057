import ResourceModel

/// A list as the server sent it, whole, whose objects are read when they are wanted: two answers with one digest hold the same
/// objects, byte for byte, and need not be read to know it.
package struct ListAnswer: Sendable {
    private enum Page: Sendable {
        /// The text, and where the member `items` begins in it.
        case text([UInt8], items: Int)
        case items([JSONValue])
    }

    package let resource: APIResource
    let request: APIError.Request
    private var pages: [Page] = []

    init(of resource: APIResource, request: APIError.Request) {
        self.resource = resource
        self.request = request
    }

    /// Takes the next page.
    /// - Returns: the list's metadata.
    mutating func append(_ body: [UInt8]) throws -> JSONValue {
        // What is no JSON up to there is left to the parser below, which says so.
        if let items = Self.items(in: body), let head = try? JSONValue(parsing: body[..<items] + Array("\"items\":[]}".utf8)),
            let metadata = head["metadata"], metadata["resourceVersion"]?.stringValue != nil
        {
            pages.append(.text(body, items: items))
            return metadata
        }
        // A server that writes its members in another order.
        let page = try Self.parsed(body, request)
        guard let metadata = page["metadata"], metadata["resourceVersion"]?.stringValue != nil else {
            throw MalformedAnswer(request: request, message: "not a list: \(page["kind"]?.stringValue ?? page.typeName)")
        }
        pages.append(.items(page["items"]?.arrayValue ?? []))
        return metadata
    }

    private static let name = Array("\"items\":".utf8)

    /// Where the member `items` begins, if it begins early; a string holds no such bytes, because its quotes are escaped.
    private static func items(in body: [UInt8]) -> Int? {
        body.withUnsafeBufferPointer { body in
            let end = min(body.count, 4096) - name.count
            return end < 0 ? nil : (0...end).first { body[$0] == name[0] && body[$0..<($0 + name.count)].elementsEqual(name) }
        }
    }

    /// Of the objects as they were sent, 64 hexadecimal digits; `nil` when it is not known where they begin.
    package var digest: String? {
        var digest = PartsDigest()
        for page in pages {
            guard case .text(let body, let items) = page else { return nil }
            digest.add(body[items...])
        }
        return digest.hexadecimal
    }

    /// `uid resourceVersion` of each object; `nil` when they cannot be told without reading everything.
    package var versions: [String]? {
        var found: [String] = []
        for page in pages {
            guard case .text(let body, let items) = page, let versions = ListVersions.read(body, from: items + Self.name.count) else { return nil }
            found += versions
        }
        return found
    }

    /// The text of each object; `nil` when they cannot be told without reading everything, or the manager did not apply all of them.
    package func texts(manager: String) -> [ObjectText]? {
        var found: [ObjectText] = []
        for (index, page) in pages.enumerated() {
            guard case .text(let body, let items) = page,
                let texts = ObjectText.list(body, from: items + Self.name.count, page: index, manager: manager)
            else { return nil }
            found += texts
        }
        return found
    }

    /// One of the objects, with its apiVersion and kind, and without the entries of `managedFields`.
    /// - Parameter text: out of this list's `texts`.
    /// - Throws: `MalformedAnswer`.
    package func object(_ text: ObjectText) throws -> JSONValue {
        guard case .text(let body, _) = pages[text.page] else { throw MalformedAnswer(request: request, message: "a text of another list") }
        return completed(try Self.parsed(text.withoutOwnership(in: body), request))
    }

    /// The objects, each with its apiVersion and kind.
    /// - Throws: `MalformedAnswer`.
    package func objects() throws -> [JSONValue] {
        try pages.flatMap { page in
            let items =
                switch page {
                case .items(let items): items
                // Go servers may write an empty list as null.
                case .text(let body, _): try Self.parsed(body, request)["items"]?.arrayValue ?? []
                }
            return items.map(completed)
        }
    }

    private static func parsed(_ body: [UInt8], _ request: APIError.Request) throws -> JSONValue {
        do {
            return try JSONValue(parsing: body)
        } catch {
            throw MalformedAnswer(request: request, message: "\(error)")
        }
    }

    /// Items of a list come without apiVersion and kind.
    private func completed(_ item: JSONValue) -> JSONValue {
        guard case .object(let object) = item, !object.contains("kind") else { return item }
        return .object(
            JSONObject(
                [
                    .init(key: "apiVersion", value: .string(resource.apiVersion)), .init(key: "kind", value: .string(resource.kind)),
                ] + object.members.filter { $0.key != "apiVersion" }))
    }
}
