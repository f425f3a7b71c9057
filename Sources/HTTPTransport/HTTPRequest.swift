/// One request. The URL is absolute; a relative reference is refused with `invalid-request`.
package struct HTTPRequest: Sendable {
    package var method: String
    package var url: String
    package var headers: HTTPHeaders
    /// `nil` sends no body; an empty array sends an empty one.
    package var body: [UInt8]?
    /// From the call until the whole answer is there (`send`) or until the stream ends (`stream`); waiting for a free slot counts.
    /// When it passes, the call throws an `HTTPError` with code `deadline`.
    package var deadline: Duration?
    /// For a stream: how long it may stay silent once its head has arrived. Passing it is an error with code `deadline`.
    package var idleDeadline: Duration?
    /// Opens a connection instead of using one that is there: what there is broke a moment ago.
    package var wantsNewConnection = false

    package init(
        method: String = "GET", url: String, headers: HTTPHeaders = [:], body: [UInt8]? = nil, deadline: Duration? = nil,
        idleDeadline: Duration? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.deadline = deadline
        self.idleDeadline = idleDeadline
    }
}

/// Header fields in order; names compare without regard to case.
package struct HTTPHeaders: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    package struct Field: Sendable, Hashable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package private(set) var fields: [Field]

    package init(_ fields: [Field] = []) { self.fields = fields }

    package init(dictionaryLiteral elements: (String, String)...) {
        self.init(elements.map { Field(name: $0.0, value: $0.1) })
    }

    /// The first field's value; setting replaces all fields of that name.
    package subscript(name: String) -> String? {
        get { fields.first { HTTPHeaders.equal($0.name, name) }?.value }
        set {
            fields.removeAll { HTTPHeaders.equal($0.name, name) }
            if let newValue { fields.append(Field(name: name, value: newValue)) }
        }
    }

    /// All values of that name, in order: `Warning` may come several times.
    package func values(_ name: String) -> [String] {
        fields.filter { HTTPHeaders.equal($0.name, name) }.map(\.value)
    }

    package mutating func append(name: String, value: String) { fields.append(Field(name: name, value: value)) }

    private static func equal(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count && left.lowercased() == right.lowercased()
    }
}
