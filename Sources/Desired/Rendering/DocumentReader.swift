import ResourceModel
import YAML

/// Files to documents: YAML, and JSON with its own rules (one value a file; `\ud83d\ude00` and `\/` are JSON's).
enum DocumentReader {
    /// The documents of one file.
    /// - Throws: the `Problem` that the file is not YAML or JSON, with its line.
    static func documents(in bytes: [UInt8], path: String) throws(Problem) -> [SourceDocument] {
        if path.hasSuffix(".json") { return [try jsonDocument(bytes, path: path)] }
        do {
            return try YAML.documents(in: bytes, path: path).map(SourceDocument.init)
        } catch {
            throw error.problem
        }
    }

    private static func jsonDocument(_ bytes: [UInt8], path: String) throws(Problem) -> SourceDocument {
        do {
            let value = try JSONValue(parsing: bytes)
            // YAML is asked for the lines only: where it does not take the JSON, every line is that of the document.
            let yaml = (try? YAML.documents(in: bytes, path: path))?.first
            return SourceDocument(value: value, location: SourceLocation(path: path, line: 1), linesFrom: yaml)
        } catch {
            let before = bytes.prefix(error.offset)
            let line = before.reduce(1) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
            throw Problem(
                code: "json.syntax", message: "is not JSON: \(error.message)", location: SourceLocation(path: path, line: line))
        }
    }

    /// The bytes in UTF-8: files that say by their byte order mark that they are UTF-16 are converted, as Argo CD does.
    static func utf8(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.count >= 2, bytes.count.isMultiple(of: 2) else { return bytes }
        let high: Int
        switch (bytes[0], bytes[1]) {
        case (0xFF, 0xFE): high = 1
        case (0xFE, 0xFF): high = 0
        default: return bytes
        }
        let units = stride(from: 2, to: bytes.count, by: 2).map { UInt16(bytes[$0 + high]) << 8 | UInt16(bytes[$0 + 1 - high]) }
        return Array(String(decoding: units, as: UTF16.self).utf8)
    }

    /// Whether a file's name says that it holds YAML or JSON.
    static func hasManifestExtension(_ name: String) -> Bool {
        name.hasSuffix(".yaml") || name.hasSuffix(".yml") || name.hasSuffix(".json")
    }

    /// Whether a file of bytes contains a text.
    static func contains(_ text: StaticString, in bytes: [UInt8]) -> Bool {
        text.withUTF8Buffer { needle in
            guard needle.count <= bytes.count, let first = needle.first else { return false }
            return bytes.withUnsafeBufferPointer { haystack in
                var index = 0
                let last = haystack.count - needle.count
                while index <= last {
                    if haystack[index] == first {
                        var offset = 1
                        while offset < needle.count, haystack[index + offset] == needle[offset] { offset += 1 }
                        if offset == needle.count { return true }
                    }
                    index += 1
                }
                return false
            }
        }
    }
}
