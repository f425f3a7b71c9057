import ResourceModel

/// Reading and writing YAML as Kubernetes' own tools do (YAML 1.1 scalars, sigs.k8s.io/yaml): the module's entry points.
package enum YAML {
    /// A document nests no deeper; Kubernetes' JSON decoder has the same order of limit.
    package static let depthLimit = 1000
    /// What the aliases of one document may expand to, in nodes. kubectl refuses above the same figure ("excessive aliasing").
    package static let aliasNodeLimit = 400_000
    /// What the aliases of one document may expand to, in bytes of text.
    package static let aliasByteLimit = 32 * 1024 * 1024

    /// All documents of a stream, in order. Documents that are empty, only comments, or `null` are skipped.
    ///
    /// Scalars, merge keys and key types resolve as kubectl resolves them; a duplicate key, which kubectl lets pass, is an error.
    /// A JSON text is read too.
    ///
    /// - Parameter path: where the bytes come from, for locations and messages; nothing is opened.
    /// - Throws: `YAMLError` for the first thing that is wrong. A stream that ends early is an error, never fewer documents.
    package static func documents(in bytes: [UInt8], path: String) throws(YAMLError) -> [YAMLDocument] {
        do throws(YAMLError) {
            return try compose(bytes, path: path)
        } catch {
            // JSON escapes astral characters as two surrogates, which YAML forbids. kubectl takes a text that starts with a
            // brace for JSON first, so such a text is read as JSON when that is what it is.
            guard error.code == .syntax, let document = jsonDocument(in: bytes, path: path) else { throw error }
            return [document]
        }
    }

    /// The same for text that is already a string.
    package static func documents(in text: String, path: String) throws(YAMLError) -> [YAMLDocument] {
        try documents(in: Array(text.utf8), path: path)
    }

    private static func compose(_ bytes: [UInt8], path: String) throws(YAMLError) -> [YAMLDocument] {
        if bytes.starts(with: [0xFE, 0xFF]) || bytes.starts(with: [0xFF, 0xFE]) {
            let location = SourceLocation(path: path, line: 1)
            throw YAMLError(code: .encoding, message: "the text is UTF-16; save it as UTF-8", location: location, column: 1)
        }
        let byteOrderMark = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        let result: Result<[YAMLDocument], YAMLError> = bytes.withUnsafeBufferPointer { buffer in
            do throws(YAMLError) {
                let events = try YAMLEventStream(input: UnsafeBufferPointer(rebasing: buffer[byteOrderMark...]), path: path)
                var composer = YAMLComposer(events: events, path: path)
                return .success(try composer.documents())
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static func jsonDocument(in bytes: [UInt8], path: String) -> YAMLDocument? {
        guard let first = bytes.firstIndex(where: { $0 > 0x20 }), bytes[first] == UInt8(ascii: "{"),
            let value = try? JSONValue(parsing: bytes)  // the YAML error is the one to show
        else { return nil }
        let line = bytes[..<first].count { $0 == 0x0A } + 1
        return YAMLDocument(value: value, location: SourceLocation(path: path, line: line), column: 1)
    }
}
